// Package ordered has several goroutines do a row of jobs whose results are
// taken one by one, in the row's order.
package ordered

import (
	"context"
	"iter"
)

// A slot carries a job through its work. Its buffer is used again and again.
type slot[J, B any] struct {
	job    J
	buffer B
	done   chan error
}

// Each calls work for each job, in workers goroutines at a time, and then take,
// for one job after the other, in their order. Both get a buffer, which newBuffer
// made, for what work finds out; there are twice as many buffers as workers.
//
// The first error, in the order of the jobs, ends it, as the end of ctx does;
// work that goes on is waited for.
func Each[J, B any](ctx context.Context, workers int, jobs iter.Seq[J], newBuffer func() B, work, take func(context.Context, J, B) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	free := make(chan *slot[J, B], 2*workers)
	for range cap(free) {
		free <- &slot[J, B]{buffer: newBuffer(), done: make(chan error, 1)}
	}
	todo := make(chan *slot[J, B], cap(free))
	order := make(chan *slot[J, B], cap(free))
	go func() {
		defer close(order)
		defer close(todo)
		for job := range jobs {
			if ctx.Err() != nil {
				return
			}
			select {
			case <-ctx.Done():
				return
			case s := <-free:
				s.job = job
				todo <- s // there is room for all slots
				order <- s
			}
		}
	}()
	for range workers {
		go func() {
			for s := range todo {
				err := context.Cause(ctx)
				if err == nil {
					err = work(ctx, s.job, s.buffer)
				}
				s.done <- err
			}
		}()
	}
	var failed error
	for s := range order {
		err := <-s.done
		if err == nil && failed == nil {
			err = take(ctx, s.job, s.buffer)
		}
		if err != nil && failed == nil {
			failed = err
			cancel(err)
		}
		free <- s
	}
	if failed == nil {
		failed = context.Cause(ctx)
	}
	return failed
}
