//go:build linux && cgo

package main

import (
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/lzpage/lzpage/internal/qemuram"
)

// An object is what a handle stands for: one of session, receiver and, with a
// parent, their channels.
type object struct {
	parent  *object
	session *qemuram.Session
	encoder *qemuram.Channel
	target  *qemuram.Receiver
	decoder *qemuram.ReceiverChannel

	pageSize int
	cpu      atomic.Int64 // of all channels, in ns

	mu   sync.Mutex
	last error
}

// fail keeps the error for who asks for it.
func (o *object) fail(err error) {
	for ; o != nil; o = o.parent {
		o.mu.Lock()
		o.last = err
		o.mu.Unlock()
	}
}

func (o *object) lastError() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last
}

// objects are all that there are, by handle. Handles are not used again.
var objects struct {
	sync.RWMutex
	byHandle map[int64]*object
	last     int64
}

func find(handle int64) *object {
	objects.RLock()
	defer objects.RUnlock()
	return objects.byHandle[handle]
}

// enter returns a handle for the object. It is an error if that has a parent
// that has been removed meanwhile: nothing would remove the object with it.
func enter(o *object) (handle int64, err error) {
	objects.Lock()
	defer objects.Unlock()
	if o.parent != nil && !there(o.parent) {
		return 0, errHandle
	}
	if objects.byHandle == nil {
		objects.byHandle = map[int64]*object{}
	}
	objects.last++
	objects.byHandle[objects.last] = o
	setProcs()
	return objects.last, nil
}

// there reports whether the object has a handle.
func there(o *object) bool {
	for _, other := range objects.byHandle {
		if other == o {
			return true
		}
	}
	return false
}

// remove removes the object and its channels. It reports false where there is
// none.
func remove(handle int64) bool {
	there, whole := forget(handle)
	if whole {
		// A cache may be large: so that its memory goes back now, but not while
		// the guest waits for it.
		go debug.FreeOSMemory()
	}
	return there
}

// forget does that, and reports whether it was a session or receiver. It leaves
// nothing of it on the stack of its caller, where it would outlive a collection.
//
//go:noinline
func forget(handle int64) (there, whole bool) {
	objects.Lock()
	defer objects.Unlock()
	o := objects.byHandle[handle]
	if o == nil {
		return false, false
	}
	delete(objects.byHandle, handle)
	for h, other := range objects.byHandle {
		if other.parent == o {
			delete(objects.byHandle, h)
		}
	}
	setProcs()
	return true, o.parent == nil
}

// setProcs lets as many threads run Go code as there are channels, and one
// more.
func setProcs() {
	n := 1
	for _, o := range objects.byHandle {
		if o.parent != nil {
			n++
		}
	}
	if n = min(n, runtime.NumCPU()); n != runtime.GOMAXPROCS(0) {
		runtime.GOMAXPROCS(n)
	}
}
