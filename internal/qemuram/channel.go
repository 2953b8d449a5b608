package qemuram

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	"github.com/lzpage/lzpage/delta"
	"github.com/lzpage/lzpage/pagestream"
)

// A Channel encodes packets of a session, one at a time: calls wait for each
// other.
type Channel struct {
	session *Session
	mu      sync.Mutex
	packet  packet
	encoder *pagestream.FrameEncoder
	data    []byte   // copies of the packet's pages
	old     []byte   // their earlier versions, where the cache has them
	earlier [][]byte // which of them it has
	first   []bool   // which pages are sent for the first time
}

// NewChannel returns a channel of the session. It holds some 2 MiB once it has
// had packets of 128 pages of 4 KiB.
func (s *Session) NewChannel() (*Channel, error) {
	p, err := newPacket(s.options.PageSize)
	if err != nil {
		return nil, err
	}
	encoder, err := pagestream.NewFrameEncoder(s.options.PageSize, s.options.Level)
	if err != nil {
		return nil, err
	}
	s.channels.Add(1)
	return &Channel{session: s, packet: p, encoder: encoder}, nil
}

// Encode appends to dst the frame of a packet: of the pages at these offsets,
// in any order, in the RAM block that begins at the address block and whose
// bytes are memory. The guest may write there at the same time: what goes is
// one copy of each page, made before anything looks at it.
func (c *Channel) Encode(dst []byte, block uint64, memory []byte, offsets []uint64) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.session
	began := time.Now()
	defer func() { s.meter.add(began, time.Now()) }()
	p := &c.packet
	if err := p.take(offsets, len(memory)); err != nil {
		return dst, err
	}
	size := p.pageSize()
	if block%uint64(size) != 0 || block+uint64(len(memory)) < block {
		return dst, fmt.Errorf("%w: a block of %#x bytes at the address %#x", ErrArgument, len(memory), block)
	}
	c.grow(len(p.numbers) * size)
	data := c.data[:len(p.numbers)*size]
	for i, number := range p.numbers {
		copy(data[i*size:][:size], memory[number<<p.pageLog2:])
	}
	var did Stats
	pages := pagestream.FramePages{Numbers: p.numbers, Data: data}
	if s.cache != nil {
		c.lookUp(block>>p.pageLog2, &did)
		pages.Earlier = c.earlier
	}
	before := c.encoder.Totals()
	dst, err := c.encoder.Append(dst, 0, pages)
	if err != nil {
		return dst, err
	}
	if s.cache != nil {
		c.keep(block>>p.pageLog2, began, &did)
	}
	after := c.encoder.Totals()
	s.shared.add(&before, &after, did)
	return dst, nil
}

// grow makes room for so many bytes of pages.
func (c *Channel) grow(bytes int) {
	if len(c.data) >= bytes {
		return
	}
	c.data = make([]byte, bytes)
	if c.session.cache != nil {
		c.old = make([]byte, bytes)
	}
}

// lookUp asks the cache for the earlier versions of the packet's pages, whose
// block begins with page number first. A page that was sent in this round has
// none that the destination is sure to have by then.
func (c *Channel) lookUp(first uint64, did *Stats) {
	s, size := c.session, c.packet.pageSize()
	round := s.round.Load()
	c.earlier, c.first = c.earlier[:0], c.first[:0]
	for i, n := range c.packet.numbers {
		var old []byte
		number := first + n
		again, firstTime := s.mark(number, round)
		if again {
			if old = c.old[i*size:][:size]; s.cache.Get(old, delta.Key{Page: number}) {
				did.Hits++
			} else {
				did.Misses++
				old = nil
			}
		}
		c.earlier, c.first = append(c.earlier, old), append(c.first, firstTime)
	}
}

// keep gives the cache what was sent. Most pages that are sent for the first
// time are not sent again, or not soon: they are worth keeping only where that
// costs nothing. To compress what is kept takes longer than to send pages whole
// whose earlier versions are not there, unless it is the link that takes long.
func (c *Channel) keep(first uint64, now time.Time, did *Stats) {
	s, size := c.session, c.packet.pageSize()
	idle, waits := s.linkWaits(now)
	s.cache.Compress(waits)
	for i, n := range c.packet.numbers {
		number, page := first+n, c.data[i*size:][:size]
		switch {
		case c.first[i] && !idle:
		case c.earlier[i] != nil && bytes.Equal(c.earlier[i], page):
			did.Unchanged++
		default:
			s.cache.Put(delta.Key{Page: number}, page)
		}
		// Which of two versions of a round the destination takes last, nobody
		// knows. Asked behind the Put, so that of two channels at a time the
		// later one knows of the other.
		if s.sent.again(number) {
			s.forget(number)
		}
	}
}
