package qemuram

import (
	"fmt"
	"slices"
	"sync"

	"github.com/lzpage/lzpage/pagestream"
)

// A Receiver is the destination of one migration. It is safe for concurrent
// use.
type Receiver struct {
	pageSize int
	shared   sharedStats
}

// NewReceiver returns a receiver of pages of so many bytes.
func NewReceiver(pageSize int) (*Receiver, error) {
	if _, err := newPacket(pageSize); err != nil {
		return nil, err
	}
	return &Receiver{pageSize: pageSize}, nil
}

// Stats returns what has happened so far.
func (r *Receiver) Stats() Stats { return r.shared.get() }

// A ReceiverChannel decodes packets, one at a time: calls wait for each other.
type ReceiverChannel struct {
	receiver *Receiver
	mu       sync.Mutex
	packet   packet
	decoder  *pagestream.FrameDecoder
}

// NewChannel returns a channel of the receiver.
func (r *Receiver) NewChannel() (*ReceiverChannel, error) {
	p, err := newPacket(r.pageSize)
	if err != nil {
		return nil, err
	}
	decoder, err := pagestream.NewFrameDecoder(r.pageSize)
	if err != nil {
		return nil, err
	}
	return &ReceiverChannel{receiver: r, packet: p, decoder: decoder}, nil
}

// Decode writes the pages of a packet's frame to the RAM block whose bytes are
// memory. The frame must be of the pages at these offsets, in any order, and of
// no others. Errors are ErrArgument, ErrOtherPages and those of
// [pagestream.FrameDecoder]; only those of Decode there leave pages, none but
// the packet's, undefined.
func (c *ReceiverChannel) Decode(memory []byte, offsets []uint64, frame []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.packet.take(offsets, len(memory)); err != nil {
		return err
	}
	if err := c.decoder.Parse(frame); err != nil {
		return err
	}
	if region := c.decoder.Region(); region != 0 {
		return fmt.Errorf("%w: of region %d", ErrOtherPages, region)
	}
	if numbers := c.decoder.Numbers(); !slices.Equal(numbers, c.packet.numbers) {
		return fmt.Errorf("%w: %d, from page %d on, instead of %d, from page %d on", ErrOtherPages,
			len(numbers), numbers[0], len(c.packet.numbers), c.packet.numbers[0])
	}
	before := c.decoder.Totals()
	if err := c.decoder.Decode(memory); err != nil {
		return err
	}
	after := c.decoder.Totals()
	c.receiver.shared.add(&before, &after, Stats{})
	return nil
}
