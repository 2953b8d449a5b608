package pagestream

import (
	"context"
	"sync"
)

// A failure keeps the first error of several goroutines.
type failure struct {
	mu  sync.Mutex
	err error
}

// set keeps err if it is the first, and returns the first.
func (f *failure) set(err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
	return f.err
}

// get returns the first error, or else the cause of the context's end.
func (f *failure) get(ctx context.Context) error {
	if ctx.Err() != nil {
		return f.set(context.Cause(ctx))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}
