package main

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// A proxy is a link that may fail: it takes the connections of a migration to
// the destination.
type proxy struct {
	listener *net.UnixListener
	target   string        // where the destination listens
	gate     sync.RWMutex  // bytes pass while nobody has it locked
	damage   atomic.Bool   // the next payload of multifd is to be damaged
	damaged  chan struct{} // closed once it is

	mu          sync.Mutex
	connections []*net.UnixConn
}

// newProxy makes a proxy from one path to another.
func newProxy(t *testing.T, path, target string) *proxy {
	t.Helper()
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, target: target, damaged: make(chan struct{})}
	go p.serve()
	t.Cleanup(p.cut)
	return p
}

func (p *proxy) serve() {
	for {
		source, err := p.listener.AcceptUnix()
		if err != nil {
			return
		}
		destination, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: p.target, Net: "unix"})
		if err != nil {
			source.Close()
			continue
		}
		p.mu.Lock()
		p.connections = append(p.connections, source, destination)
		p.mu.Unlock()
		go p.pass(destination, source)
		go func() {
			io.Copy(source, destination)
			source.CloseWrite()
		}()
	}
}

// cut ends all connections, and there will be no more.
func (p *proxy) cut() {
	p.listener.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.connections {
		c.Close()
	}
}

// stall lets nothing pass to the destination until the function that it
// returns is called. The connections stay.
func (p *proxy) stall() (resume func()) {
	p.gate.Lock()
	return p.gate.Unlock
}

// What a connection of multifd begins with, and the headers of its packets
// with 128 pages at most.
const (
	multifdMagic  = 0x11223344
	multifdHello  = 64
	multifdHeader = 1344
)

// pass passes on what the source sends.
func (p *proxy) pass(destination, source *net.UnixConn) {
	defer source.CloseRead()
	defer destination.CloseWrite()
	r := bufio.NewReaderSize(source, 64<<10)
	start, err := r.Peek(4)
	if err != nil {
		return
	}
	multifd := binary.BigEndian.Uint32(start) == multifdMagic
	b := make([]byte, 1<<20)
	// part passes on so many bytes, changed or not.
	part := func(size int, change func([]byte)) error {
		if _, err := io.ReadFull(r, b[:size]); err != nil {
			return err
		}
		if change != nil {
			change(b[:size])
		}
		p.gate.RLock()
		defer p.gate.RUnlock()
		_, err := destination.Write(b[:size])
		return err
	}
	if !multifd {
		for err == nil {
			if _, err = r.Peek(1); err == nil {
				err = part(r.Buffered(), nil)
			}
		}
		return
	}
	if err := part(multifdHello, nil); err != nil {
		return
	}
	for {
		if err := part(multifdHeader, nil); err != nil {
			return
		}
		pages, size := binary.BigEndian.Uint32(b[16:]), binary.BigEndian.Uint32(b[20:])
		if pages == 0 {
			continue
		}
		var change func([]byte)
		if p.damage.CompareAndSwap(true, false) {
			change = func(b []byte) { b[len(b)/2] ^= 0x10 }
		}
		if err := part(int(size), change); err != nil {
			return
		}
		if change != nil {
			close(p.damaged)
		}
	}
}
