package ordered

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

func upTo(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

func newInt() *int { return new(int) }

func TestOrder(t *testing.T) {
	for _, workers := range []int{1, 3, 16} {
		var got []int
		var busy, most atomic.Int32
		err := Each(t.Context(), workers, upTo(200), newInt, func(_ context.Context, job int, b *int) error {
			most.Store(max(most.Load(), busy.Add(1)))
			defer busy.Add(-1)
			time.Sleep(time.Duration(job*7%5) * 100 * time.Microsecond) // they end in another order
			*b = 3 * job
			return nil
		}, func(_ context.Context, job int, b *int) error {
			got = append(got, *b)
			if *b != 3*job {
				t.Errorf("job %d has %d", job, *b)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 200 || !slices.IsSorted(got) {
			t.Errorf("%d workers: taken %v", workers, got)
		}
		if n := int(most.Load()); n > workers || workers > 1 && n == 1 {
			t.Errorf("%d worked at a time, not %d", n, workers)
		}
	}
}

func TestBuffersAreUsedAgain(t *testing.T) {
	made := 0
	err := Each(t.Context(), 2, upTo(50), func() *int { made++; return new(int) },
		func(context.Context, int, *int) error { return nil },
		func(context.Context, int, *int) error { return nil })
	if err != nil || made != 4 {
		t.Errorf("%d buffers, %v", made, err)
	}
}

// The first error in the order of the jobs counts, wherever it is from.
func TestErrors(t *testing.T) {
	errWork, errTake := errors.New("work"), errors.New("take")
	for _, c := range []struct {
		name       string
		work, take int
		want       error
	}{{"work", 20, 1000, errWork}, {"take", 1000, 20, errTake}, {"work first", 20, 21, errWork}, {"take first", 21, 20, errTake}} {
		var begun atomic.Int32
		taken := 0
		err := Each(t.Context(), 4, upTo(1000), newInt, func(_ context.Context, job int, _ *int) error {
			begun.Add(1)
			if job == c.work {
				return errWork
			}
			return nil
		}, func(_ context.Context, job int, _ *int) error {
			taken++
			if job == c.take {
				return errTake
			}
			return nil
		})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if taken > 22 || begun.Load() > 60 {
			t.Errorf("%s: went on: %d begun, %d taken", c.name, begun.Load(), taken)
		}
	}
}

func TestCancel(t *testing.T) {
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	err := Each(ctx, 2, upTo(1<<30), newInt,
		func(context.Context, int, *int) error { return nil },
		func(_ context.Context, job int, _ *int) error {
			if job == 100 {
				cancel(stop)
			}
			return nil
		})
	if !errors.Is(err, stop) {
		t.Error(err)
	}
}
