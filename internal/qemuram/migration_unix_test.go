//go:build unix

package qemuram

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lzpage/lzpage/lzrw1"
	"github.com/lzpage/lzpage/pagestream"
	"golang.org/x/sys/unix"
)

const (
	testPage  = 4096
	blockBase = 3 << 30 // where the guest's RAM block begins
)

// A guest is a RAM block to which somebody writes. It does not lie in Go's
// memory, as QEMU's does not: so the race detector finds races of the code
// under test, not those that a guest is there for.
type guest struct {
	memory []byte
	dirty  []atomic.Bool // by page
}

func newGuest(t testing.TB, seed uint64, pages int) *guest {
	t.Helper()
	memory, err := unix.Mmap(-1, 0, pages*testPage, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Munmap(memory) })
	g := &guest{memory, make([]atomic.Bool, pages)}
	rng := rand.New(rand.NewPCG(seed, 1))
	for i := range pages {
		g.rewrite(rng, i)
	}
	return g
}

// rewrite gives a page new content of some kind.
func (g *guest) rewrite(rng *rand.Rand, page int) {
	b := g.memory[page*testPage:][:testPage]
	switch rng.IntN(6) {
	case 0:
		clear(b)
	case 1:
		copy(b, g.memory[rng.IntN(len(g.dirty))*testPage:][:testPage])
	case 2:
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
	default:
		for i := 0; i < testPage; i += 8 {
			binary.LittleEndian.PutUint64(b[i:], 0xffff888000000000+rng.Uint64N(300)*64)
		}
	}
	g.dirty[page].Store(true)
}

// touch changes some words of a page.
func (g *guest) touch(rng *rand.Rand, page int) {
	for range 1 + rng.IntN(40) {
		at := page*testPage + rng.IntN(testPage/8)*8
		binary.LittleEndian.PutUint64(g.memory[at:], rng.Uint64()>>rng.IntN(64))
	}
	g.dirty[page].Store(true)
}

// work writes to pages until stop is closed: most of the time to a few.
func (g *guest) work(seed uint64, stop <-chan struct{}) {
	rng := rand.New(rand.NewPCG(seed, 2))
	for {
		select {
		case <-stop:
			return
		default:
		}
		page := rng.IntN(len(g.dirty))
		if rng.IntN(4) > 0 {
			page = rng.IntN(1 + len(g.dirty)/8)
		}
		if rng.IntN(10) == 0 {
			g.rewrite(rng, page)
		} else {
			g.touch(rng, page)
		}
	}
}

// A sentPacket is a packet on its way, and what was copied for it.
type sentPacket struct {
	offsets []uint64
	frame   []byte
	zero    []uint64 // offsets of pages that go as zero
	copied  map[uint64][]byte
}

// A migration is a source, a destination, and the links between their
// channels.
type migration struct {
	t        *testing.T
	rng      *rand.Rand
	guest    *guest
	session  *Session
	receiver *Receiver
	channels []*Channel
	takers   []*ReceiverChannel
	target   []byte
}

func newMigration(t *testing.T, seed uint64, g *guest, options Options, channels int) *migration {
	t.Helper()
	session, err := NewSession(options)
	if err != nil {
		t.Fatal(err)
	}
	receiver, err := NewReceiver(options.PageSize)
	if err != nil {
		t.Fatal(err)
	}
	m := &migration{t: t, rng: rand.New(rand.NewPCG(seed, 3)), guest: g, session: session, receiver: receiver, target: make([]byte, len(g.memory))}
	for range channels {
		c, err := session.NewChannel()
		if err != nil {
			t.Fatal(err)
		}
		r, err := receiver.NewChannel()
		if err != nil {
			t.Fatal(err)
		}
		m.channels, m.takers = append(m.channels, c), append(m.takers, r)
	}
	return m
}

// sendRound sends all dirty pages, each by whichever channel, and returns when
// all of them have arrived, as behind a sync of multifd. It stops early where
// limit packets have been sent.
func (m *migration) sendRound(limit int) {
	m.t.Helper()
	var packets [][]uint64
	var packet []uint64
	for page := range m.guest.dirty {
		if m.guest.dirty[page].Swap(false) {
			packet = append(packet, uint64(page*testPage))
		}
		if len(packet) == 128 || len(packet) > 0 && (page == len(m.guest.dirty)-1 || m.rng.IntN(60) == 0) {
			m.rng.Shuffle(len(packet), func(i, j int) { packet[i], packet[j] = packet[j], packet[i] })
			packets, packet = append(packets, packet), nil
		}
	}
	packets = packets[:min(limit, len(packets))]
	work := make(chan []uint64, len(packets))
	for _, p := range packets {
		work <- p
	}
	close(work)
	var all sync.WaitGroup
	for i := range m.channels {
		link := make(chan sentPacket, 8)
		all.Go(func() { m.sendBy(m.channels[i], work, link) })
		all.Go(func() { m.takeBy(m.takers[i], link) })
	}
	all.Wait()
}

func (m *migration) sendBy(c *Channel, work <-chan []uint64, link chan<- sentPacket) {
	defer close(link)
	zeros := make([]byte, testPage)
	for offsets := range work {
		sent := sentPacket{copied: map[uint64][]byte{}}
		for _, offset := range offsets { // as QEMU does, before it looks again
			if bytes.Equal(m.guest.memory[offset:][:testPage], zeros) {
				sent.zero = append(sent.zero, offset)
			} else {
				sent.offsets = append(sent.offsets, offset)
			}
		}
		if err := m.session.Zero(blockBase, sent.zero); err != nil {
			m.t.Error(err)
		}
		if len(sent.offsets) > 0 {
			frame, err := c.Encode(nil, blockBase, m.guest.memory, sent.offsets)
			if err != nil {
				m.t.Error(err)
				return
			}
			sent.frame = frame
			for i, number := range c.packet.numbers {
				sent.copied[number*testPage] = bytes.Clone(c.data[i*testPage:][:testPage])
			}
		}
		link <- sent
	}
}

func (m *migration) takeBy(c *ReceiverChannel, link <-chan sentPacket) {
	for sent := range link {
		for _, offset := range sent.zero {
			clear(m.target[offset:][:testPage])
		}
		if sent.frame == nil {
			continue
		}
		if err := c.Decode(m.target, sent.offsets, sent.frame); err != nil {
			m.t.Error(err)
		}
		for offset, page := range sent.copied {
			if !bytes.Equal(m.target[offset:][:testPage], page) {
				m.t.Errorf("the page at %#x that arrives is not what was copied", offset)
			}
		}
	}
}

// migrate sends rounds while the guest works, and then one with the guest at
// rest, behind which the target is what the guest was.
func (m *migration) migrate(rounds int) {
	m.t.Helper()
	for i := range m.guest.dirty {
		m.guest.dirty[i].Store(true)
	}
	stop := make(chan struct{})
	seed := m.rng.Uint64()
	var guest sync.WaitGroup
	guest.Go(func() { m.guest.work(seed, stop) })
	m.session.NextRound() // as the sync of multifd's setup does
	for range rounds {
		m.sendRound(len(m.guest.dirty))
		m.session.NextRound()
	}
	close(stop)
	guest.Wait()
	m.sendRound(len(m.guest.dirty))
	if !bytes.Equal(m.target, m.guest.memory) {
		m.t.Fatal("the target's memory is not the guest's")
	}
}

// Memory arrives, through several channels, while it changes; pages change
// channel between rounds.
func TestMigration(t *testing.T) {
	rounds, pages := 12, 1500
	if testing.Short() {
		rounds, pages = 5, 600
	}
	for _, c := range []struct {
		level    lzrw1.Level
		cache    int64
		channels int
	}{
		{lzrw1.Fast, 0, 3},
		{lzrw1.Fast, 32 << 20, 4},
		{lzrw1.Fast, 1 << 20, 2}, // which does not hold all
		{lzrw1.Dense, 32 << 20, 2},
	} {
		t.Run(fmt.Sprintf("%v, cache of %d MiB, %d channels", c.level, c.cache>>20, c.channels), func(t *testing.T) {
			seed := uint64(c.cache) + uint64(c.channels)
			g := newGuest(t, seed, pages)
			m := newMigration(t, seed, g, Options{testPage, c.level, c.cache}, c.channels)
			m.migrate(rounds)
			in, out := m.session.Stats(), m.receiver.Stats()
			if in.Pages != out.Pages || in.Packets != out.Packets || in.FrameBytes != out.FrameBytes || in.DeltaBytes != out.DeltaBytes {
				t.Errorf("sent %+v, taken %+v", in, out)
			}
			if in.Rounds != uint64(rounds+1) || in.ZeroTold == 0 {
				t.Errorf("%+v", in)
			}
			deltas := in.Pages[pagestream.Delta]
			if (deltas > 0) != (c.cache > 0) || (in.Hits > 0) != (c.cache > 0) || deltas > in.Hits {
				t.Errorf("%d deltas with %d hits", deltas, in.Hits)
			}
		})
	}
}

// A migration that was cancelled in the middle of a round is no matter to the
// next one, whose target has nothing.
func TestCancel(t *testing.T) {
	g := newGuest(t, 9, 600)
	options := Options{testPage, lzrw1.Fast, 16 << 20}
	for i := range uint64(3) {
		m := newMigration(t, 20+i, g, options, 3)
		m.sendRound(len(g.dirty))
		m.session.NextRound()
		rng := rand.New(rand.NewPCG(i, 4))
		for range 300 {
			g.touch(rng, rng.IntN(len(g.dirty)))
		}
		m.sendRound(1)
	}
	m := newMigration(t, 30, g, options, 3)
	m.migrate(4)
	if m.session.Stats().Pages[pagestream.Delta] == 0 {
		t.Error("no delta was tried")
	}
}
