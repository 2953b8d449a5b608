//go:build linux && cgo

package main

/*
#cgo CFLAGS: -Wall -Wextra
#cgo LDFLAGS: -Wl,-wrap,x_cgo_sys_thread_create
#include "lzpage-qemu.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime/debug"
	"unsafe"

	"github.com/lzpage/lzpage/delta"
	"github.com/lzpage/lzpage/internal/qemuram"
	"github.com/lzpage/lzpage/lzrw1"
	"github.com/lzpage/lzpage/pagestream"
	"golang.org/x/sys/unix"
)

// codeOf returns the number that C knows the error by.
func codeOf(err error) int64 {
	switch {
	case errors.Is(err, errHandle):
		return C.LZPAGE_E_HANDLE
	case errors.Is(err, qemuram.ErrArgument):
		return C.LZPAGE_E_ARGUMENT
	case errors.Is(err, errSpace):
		return C.LZPAGE_E_SPACE
	case errors.Is(err, delta.ErrMismatch): // before ErrCorrupt, which it is as well
		return C.LZPAGE_E_MISMATCH
	case errors.Is(err, pagestream.ErrUnsupported):
		return C.LZPAGE_E_UNSUPPORTED
	case errors.Is(err, qemuram.ErrOtherPages), errors.Is(err, pagestream.ErrCorrupt), errors.Is(err, pagestream.ErrFormat), errors.Is(err, pagestream.ErrCut):
		return C.LZPAGE_E_CORRUPT
	case errors.Is(err, unix.ENOMEM):
		return C.LZPAGE_E_MEMORY
	case errors.Is(err, errFault):
		return C.LZPAGE_E_FAULT
	}
	return C.LZPAGE_E_INTERNAL
}

var (
	errHandle = errors.New("no such session, channel or receiver")
	errSpace  = errors.New("not enough room for the result")
	errFault  = errors.New("memory that cannot be read or written")
)

// call calls f for the object, nil for none, and returns what C is to get. No
// panic leaves it.
func call(o *object, f func() (int64, error)) (result int64) {
	debug.SetPanicOnFault(true) // of this goroutine, which C's thread keeps
	defer func() {
		if r := recover(); r != nil {
			result = settle(o, panicked(r))
		}
	}()
	n, err := f()
	if err != nil {
		return settle(o, err)
	}
	return n
}

func settle(o *object, err error) int64 {
	o.fail(err)
	return codeOf(err)
}

// panicked makes an error of what was recovered.
func panicked(r any) error {
	err, _ := r.(error)
	if fault, ok := err.(interface{ Addr() uintptr }); ok {
		return fmt.Errorf("%w, at %#x", errFault, fault.Addr())
	}
	return fmt.Errorf("internal error: %v", r)
}

//export goSessionNew
func goSessionNew(pageSize, level uint32, cacheSize uint64) int64 {
	return call(nil, func() (int64, error) {
		if err := probe(cacheSize); err != nil {
			return 0, err
		}
		levels := map[uint32]lzrw1.Level{C.LZPAGE_LEVEL_FAST: lzrw1.Fast, C.LZPAGE_LEVEL_DENSE: lzrw1.Dense}
		session, err := qemuram.NewSession(qemuram.Options{PageSize: int(pageSize), Level: levels[level], CacheBytes: int64(cacheSize)})
		if err != nil {
			return 0, err
		}
		return enter(&object{session: session, pageSize: int(pageSize)})
	})
}

// probe finds out whether the system has memory for a cache of so many bytes:
// where Go runs out of memory, the process ends.
func probe(bytes uint64) error {
	const beside = 64 << 20 // for all else
	memory, err := unix.Mmap(-1, 0, int(bytes)+beside, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return err
	}
	return unix.Munmap(memory)
}

//export goReceiverNew
func goReceiverNew(pageSize uint32) int64 {
	return call(nil, func() (int64, error) {
		target, err := qemuram.NewReceiver(int(pageSize))
		if err != nil {
			return 0, err
		}
		return enter(&object{target: target, pageSize: int(pageSize)})
	})
}

//export goChannelNew
func goChannelNew(handle int64) int64 {
	parent := find(handle)
	return call(parent, func() (int64, error) {
		if parent == nil || parent.parent != nil {
			return 0, errHandle
		}
		o := &object{parent: parent, pageSize: parent.pageSize}
		var err error
		if parent.session != nil {
			o.encoder, err = parent.session.NewChannel()
		} else {
			o.decoder, err = parent.target.NewChannel()
		}
		if err != nil {
			return 0, err
		}
		return enter(o)
	})
}

//export goNextRound
func goNextRound(handle int64) int64 {
	o := find(handle)
	return call(o, func() (int64, error) {
		if o == nil || o.session == nil {
			return 0, errHandle
		}
		o.session.NextRound()
		return 0, nil
	})
}

//export goZero
func goZero(handle int64, block uint64, offsets unsafe.Pointer, pages uint32) int64 {
	o := find(handle)
	return call(o, func() (int64, error) {
		if o == nil || o.session == nil {
			return 0, errHandle
		}
		return 0, o.session.Zero(block, unsafe.Slice((*uint64)(offsets), pages))
	})
}

//export goEncode
func goEncode(handle int64, block uint64, memory unsafe.Pointer, size uint64, offsets unsafe.Pointer, pages uint32, frame unsafe.Pointer, frameSize uint64) int64 {
	o := find(handle)
	return call(o, func() (int64, error) {
		if o == nil || o.encoder == nil {
			return 0, errHandle
		}
		if frameSize < uint64(qemuram.FrameBound(o.pageSize, int(pages))) {
			return 0, fmt.Errorf("%w: %d bytes for a frame of %d pages", errSpace, frameSize, pages)
		}
		defer o.parent.clock(threadTime())
		room := unsafe.Slice((*byte)(frame), frameSize)[:0]
		b, err := o.encoder.Encode(room, block, unsafe.Slice((*byte)(memory), size), unsafe.Slice((*uint64)(offsets), pages))
		if err != nil {
			return 0, err
		}
		if unsafe.SliceData(b) != (*byte)(frame) {
			return 0, fmt.Errorf("a frame of %d pages has %d bytes, more than its bound", pages, len(b))
		}
		return int64(len(b)), nil
	})
}

//export goDecode
func goDecode(handle int64, memory unsafe.Pointer, size uint64, offsets unsafe.Pointer, pages uint32, frame unsafe.Pointer, frameSize uint64) int64 {
	o := find(handle)
	return call(o, func() (int64, error) {
		if o == nil || o.decoder == nil {
			return 0, errHandle
		}
		defer o.parent.clock(threadTime())
		return 0, o.decoder.Decode(unsafe.Slice((*byte)(memory), size), unsafe.Slice((*uint64)(offsets), pages), unsafe.Slice((*byte)(frame), frameSize))
	})
}

// threadTime returns the CPU time of C's thread, which runs no other Go code
// during a call.
func threadTime() int64 {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) != nil {
		return 0
	}
	return t.Nano()
}

// clock counts what the thread has used since.
func (o *object) clock(since int64) { o.cpu.Add(threadTime() - since) }

//export goGetStats
func goGetStats(handle int64, to *C.struct_lzpage_stats) int64 {
	o := find(handle)
	return call(o, func() (int64, error) {
		var s qemuram.Stats
		switch {
		case o != nil && o.session != nil:
			s = o.session.Stats()
		case o != nil && o.target != nil:
			s = o.target.Stats()
		default:
			return 0, errHandle
		}
		*to = C.struct_lzpage_stats{
			packets:      C.uint64_t(s.Packets),
			unchanged:    C.uint64_t(s.Unchanged),
			frame_bytes:  C.uint64_t(s.FrameBytes),
			delta_bytes:  C.uint64_t(s.DeltaBytes),
			zero_told:    C.uint64_t(s.ZeroTold),
			cache_hits:   C.uint64_t(s.Hits),
			cache_misses: C.uint64_t(s.Misses),
			rounds:       C.uint64_t(s.Rounds),
			cpu_ns:       C.uint64_t(o.cpu.Load()),
		}
		for kind, n := range s.Pages {
			to.pages[kind] = C.uint64_t(n)
		}
		return 0, nil
	})
}

//export goLastError
func goLastError(handle int64, text unsafe.Pointer, size uint64) int64 {
	o := find(handle)
	return call(o, func() (int64, error) {
		if o == nil {
			return 0, errHandle
		}
		room := unsafe.Slice((*byte)(text), size)
		n := 0
		if err := o.lastError(); err != nil {
			n = copy(room[:size-1], err.Error())
		}
		room[n] = 0
		return 0, nil
	})
}

//export goFree
func goFree(handle int64) int64 {
	return call(nil, func() (int64, error) {
		if !remove(handle) {
			return 0, errHandle
		}
		return 0, nil
	})
}
