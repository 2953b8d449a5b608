package qemuram

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lzpage/lzpage/delta"
	"github.com/lzpage/lzpage/lzrw1"
	"github.com/lzpage/lzpage/pagestream"
)

// text makes pages that shrink.
func text(seed uint64, pages, pageSize int) []byte {
	rng := rand.New(rand.NewPCG(seed, 5))
	b := make([]byte, pages*pageSize)
	for i := range b {
		b[i] = "the quick brown fox jumps over the lazy dog "[(i*7/5+rng.IntN(2))%44]
	}
	return b
}

// A pair is a channel of a session and one of a receiver.
type pair struct {
	t        testing.TB
	session  *Session
	channel  *Channel
	receiver *ReceiverChannel
	target   []byte
}

func newPair(t testing.TB, cache int64, size int) *pair {
	t.Helper()
	s, err := NewSession(Options{PageSize: 4096, CacheBytes: cache})
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.NewChannel()
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReceiver(4096)
	if err != nil {
		t.Fatal(err)
	}
	rc, err := r.NewChannel()
	if err != nil {
		t.Fatal(err)
	}
	s.load = func(time.Time) float64 { return 0 } // so that the test's result does not depend on time
	return &pair{t, s, c, rc, make([]byte, size)}
}

// send sends pages by a channel and checks that they arrive. It returns the
// kinds that they had.
func (p *pair) send(c *Channel, memory []byte, offsets ...uint64) (kinds [pagestream.Kinds]uint64) {
	p.t.Helper()
	before := p.session.Stats()
	frame, err := c.Encode(nil, 0, memory, offsets)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.receiver.Decode(p.target, offsets, frame); err != nil {
		p.t.Fatal(err)
	}
	for _, offset := range offsets {
		if !bytes.Equal(p.target[offset:][:4096], memory[offset:][:4096]) {
			p.t.Fatalf("the page at %#x differs", offset)
		}
	}
	for kind, n := range p.session.Stats().Pages {
		kinds[kind] = n - before.Pages[kind]
	}
	return kinds
}

// A page goes as a delta only to what it was in an earlier round, whichever
// channel it takes, and not to what it was before it was zero or was sent twice
// in a round.
func TestWhenDeltas(t *testing.T) {
	memory := text(1, 4, 4096)
	p := newPair(t, 8<<20, len(memory))
	other, err := p.session.NewChannel()
	if err != nil {
		t.Fatal(err)
	}
	const page = 2 * 4096
	change := func() { memory[page+100]++ }
	deltas := func(what string, want bool, kinds [pagestream.Kinds]uint64) {
		t.Helper()
		if (kinds[pagestream.Delta] == 1) != want {
			t.Errorf("%s: %v", what, kinds)
		}
	}
	deltas("first round", false, p.send(p.channel, memory, page))
	change()
	deltas("the same round", false, p.send(p.channel, memory, page))
	p.session.NextRound()
	change()
	deltas("behind a round in which it was sent twice", false, p.send(p.channel, memory, page))
	p.session.NextRound()
	change()
	deltas("next round", true, p.send(other, memory, page))
	p.session.NextRound()
	deltas("unchanged", true, p.send(p.channel, memory, page))
	if n := p.session.Stats().Unchanged; n != 1 {
		t.Errorf("%d pages were unchanged", n)
	}
	p.session.NextRound()
	p.session.NextRound()
	change()
	deltas("two rounds on", true, p.send(other, memory, page))

	p.session.NextRound()
	clear(p.target[page:][:4096])
	if err := p.session.Zero(0, []uint64{page}); err != nil {
		t.Fatal(err)
	}
	change()
	deltas("the round in which it was zero", false, p.send(other, memory, page))
	p.session.NextRound()
	deltas("next round", false, p.send(other, memory, page))
	p.session.NextRound()
	change()
	deltas("round behind that", true, p.send(other, memory, page))
	p.session.NextRound()
	clear(p.target[page:][:4096])
	if err := p.session.Zero(0, []uint64{page}); err != nil {
		t.Fatal(err)
	}
	p.session.NextRound()
	deltas("round behind the one in which it was zero", false, p.send(p.channel, memory, page))
}

// A page that is sent for the first time enters the cache only while channels
// are idle, any other always; and a page that is not kept has no delta.
func TestFirstPages(t *testing.T) {
	memory := text(1, 3, 4096)
	p := newPair(t, 8<<20, len(memory))
	load := 0.1
	p.session.load = func(time.Time) float64 { return load }
	p.send(p.channel, memory, 0)
	load = 0.2
	p.send(p.channel, memory, 4096)
	if err := p.session.Zero(0, []uint64{8192}); err != nil {
		t.Fatal(err)
	}
	for round, want := range []uint64{1, 3, 3} {
		p.session.NextRound()
		for page := range 3 {
			memory[page*4096]++
		}
		if kinds := p.send(p.channel, memory, 0, 4096, 8192); kinds[pagestream.Delta] != want {
			t.Errorf("round %d: %v, want %d deltas", round+1, kinds, want)
		}
	}
}

// The load is what packets took of the last second or two.
func TestMeter(t *testing.T) {
	start := time.Now()
	after := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	m := newMeter(start)
	expect := func(ms int, want float64) {
		t.Helper()
		if got := m.load(after(ms)); math.Abs(got-want) > 1e-6 {
			t.Errorf("after %d ms: load %v, want %v", ms, got, want)
		}
	}
	expect(0, 1)
	expect(600, 0.4)
	m.add(after(600), after(700))
	m.add(after(600), after(800)) // another channel's
	expect(900, 0.3+0.1)
	expect(1500, 0.3/2)
	m.add(after(1500), after(1900))
	expect(1900, 0.4+0.03)
	expect(2000, 0.4)
	expect(3500, 0)
	m.add(after(9000), after(9100))
	expect(9100, 0.1)
}

// Channels that mostly wait for the link leave time to compress what is kept.
func TestLinkWaits(t *testing.T) {
	p := newPair(t, 8<<20, 4096) // of one channel
	if _, err := p.session.NewChannel(); err != nil {
		t.Fatal(err)
	}
	for load, want := range map[float64][2]bool{0.1: {true, true}, 0.2: {false, true}, 0.9: {false, true}, 1.1: {false, false}} {
		p.session.load = func(time.Time) float64 { return load }
		if idle, waits := p.session.linkWaits(time.Now()); idle != want[0] || waits != want[1] {
			t.Errorf("load %v: idle %v, waits %v", load, idle, waits)
		}
	}
}

// The cache keeps the same pages however often the channels are synchronized
// during a pass over the dirty memory.
func TestRoundsInAPass(t *testing.T) {
	const pages, packets = 1600, 100 // 6.25 MiB, more than the cache holds
	hits := func(syncEvery int) (hits, misses uint64) {
		rng := rand.New(rand.NewPCG(7, 8))
		memory := make([]byte, pages*4096)
		for i := range memory {
			memory[i] = byte(rng.Uint32())
		}
		p := newPair(t, 3<<20, len(memory))
		for pass := range 30 {
			var dirty []uint64
			for page := range uint64(pages) {
				// some pages change in each pass, others now and then
				if pass == 0 || page%5 == 0 || rng.IntN(6) == 0 {
					memory[page*4096+rng.Uint64N(4096)]++
					dirty = append(dirty, page*4096)
				}
			}
			size := (len(dirty) + packets - 1) / packets
			for i := 0; len(dirty) > 0; i++ {
				n := min(size, len(dirty))
				p.send(p.channel, memory, dirty[:n]...)
				if dirty = dirty[n:]; i%syncEvery == syncEvery-1 {
					p.session.NextRound()
				}
			}
			p.session.NextRound()
		}
		s := p.session.Stats()
		return s.Hits, s.Misses
	}
	wantHits, wantMisses := hits(packets)
	if wantHits == 0 || wantMisses == 0 {
		t.Errorf("%d hits and %d misses: the cache was not put to the test", wantHits, wantMisses)
	}
	if hits, misses := hits(2); hits != wantHits || misses != wantMisses {
		t.Errorf("with many rounds in a pass %d hits and %d misses, with one %d and %d", hits, misses, wantHits, wantMisses)
	}
}

// Pages of two RAM blocks at the same offset are different pages.
func TestBlocks(t *testing.T) {
	a, b := text(1, 3, 4096), text(2, 3, 4096)
	p := newPair(t, 8<<20, len(a))
	for range 2 {
		for block, memory := range map[uint64][]byte{0: a, 3 * 4096: b} {
			target := a
			if block > 0 {
				target = b
			}
			target[4096]++
			old := bytes.Clone(memory)
			old[4096]--
			frame, err := p.channel.Encode(nil, block, memory, []uint64{4096})
			if err != nil {
				t.Fatal(err)
			}
			if err := p.receiver.Decode(old, []uint64{4096}, frame); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(old, memory) {
				t.Error("pages differ")
			}
		}
		p.session.NextRound()
	}
	if n := p.session.Stats().Pages[pagestream.Delta]; n != 2 {
		t.Errorf("%d deltas", n)
	}
}

// Packets and options that cannot be are refused, and nothing happens.
func TestArguments(t *testing.T) {
	for _, o := range []Options{
		{PageSize: 0}, {PageSize: 4095}, {PageSize: 256}, {PageSize: 128 << 10},
		{PageSize: 4096, Level: lzrw1.Reference}, {PageSize: 4096, Level: 200},
		{PageSize: 4096, CacheBytes: 1}, {PageSize: 4096, CacheBytes: -1}, {PageSize: 4096, CacheBytes: 1 << 62},
	} {
		if _, err := NewSession(o); !errors.Is(err, ErrArgument) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, err := NewReceiver(100); !errors.Is(err, ErrArgument) {
		t.Error(err)
	}
	memory := text(1, 300, 4096)
	p := newPair(t, 8<<20, len(memory))
	many := make([]uint64, 257)
	for i := range many {
		many[i] = uint64(i) * 4096
	}
	frame, err := p.channel.Encode(nil, 0, memory, many[:2])
	if err != nil {
		t.Fatal(err)
	}
	before := p.session.Stats()
	for name, offsets := range map[string][]uint64{
		"no pages": {}, "too many": many, "part of a page": {5}, "behind the end": {300 * 4096}, "far away": {1<<64 - 4096}, "twice": {4096, 0, 4096},
	} {
		if got, err := p.channel.Encode([]byte("x"), 0, memory, offsets); !errors.Is(err, ErrArgument) || string(got) != "x" {
			t.Errorf("encode, %s: %v", name, err)
		}
		if err := p.receiver.Decode(p.target, offsets, frame); !errors.Is(err, ErrArgument) {
			t.Errorf("decode, %s: %v", name, err)
		}
	}
	for _, block := range []uint64{100, 1<<64 - 4096} {
		if _, err := p.channel.Encode(nil, block, memory, many[:1]); !errors.Is(err, ErrArgument) {
			t.Errorf("block at %#x: %v", block, err)
		}
		if err := p.session.Zero(block, many[:2]); !errors.Is(err, ErrArgument) {
			t.Errorf("zeros of a block at %#x: %v", block, err)
		}
	}
	if p.session.Stats() != before || !bytes.Equal(p.target, make([]byte, len(p.target))) {
		t.Error("something happened all the same")
	}
}

// A frame that is damaged, of other pages or of another version of memory is
// refused with what it is, and pages that are not the packet's stay as they
// were.
func TestHostilePackets(t *testing.T) {
	memory := text(1, 12, 4096)
	copy(memory[3*4096:], memory[4096:][:4096])
	clear(memory[4*4096:][:4000])
	p := newPair(t, 8<<20, len(memory))
	offsets := []uint64{0, 4096, 3 * 4096, 4 * 4096, 8 * 4096}
	p.send(p.channel, memory, 0, 4096, 8*4096)
	p.session.NextRound()
	memory[17], memory[4096+5], memory[8*4096+9] = 1, 2, 3
	frame, err := p.channel.Encode(nil, 0, memory, offsets)
	if err != nil {
		t.Fatal(err)
	}
	if p.session.Stats().Pages[pagestream.Delta] != 3 {
		t.Fatalf("%+v", p.session.Stats())
	}
	before := bytes.Clone(p.target)
	rng := rand.New(rand.NewPCG(2, 2))
	for at := range frame {
		damaged := bytes.Clone(frame)
		damaged[at] ^= byte(1 + rng.IntN(255))
		if err := p.receiver.Decode(p.target, offsets, damaged); !errors.Is(err, pagestream.ErrCorrupt) && !errors.Is(err, pagestream.ErrFormat) {
			t.Fatalf("byte %d: %v", at, err)
		}
		if err := p.receiver.Decode(p.target, offsets, frame[:at]); err == nil {
			t.Fatalf("%d bytes of %d are taken", at, len(frame))
		}
	}
	if err := p.receiver.Decode(p.target, offsets[:4], frame); !errors.Is(err, ErrOtherPages) {
		t.Error(err)
	}
	if err := p.receiver.Decode(p.target, []uint64{0, 4096, 3 * 4096, 4 * 4096, 9 * 4096}, frame); !errors.Is(err, ErrOtherPages) {
		t.Error(err)
	}
	encoder, err := pagestream.NewFrameEncoder(4096, lzrw1.Fast)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, err := encoder.Append(nil, 1, pagestream.FramePages{Numbers: []uint64{0}, Data: memory[:4096]})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.receiver.Decode(p.target, offsets[:1], elsewhere); !errors.Is(err, ErrOtherPages) {
		t.Error(err)
	}
	if !bytes.Equal(p.target, before) {
		t.Fatal("memory was written")
	}
	p.target[0]++ // the destination has lost what it was sent
	if err := p.receiver.Decode(p.target, offsets, frame); !errors.Is(err, delta.ErrMismatch) {
		t.Error(err)
	}
	p.target[0]--
	for page := range 12 {
		if page != 0 && page != 1 && page != 3 && page != 4 && page != 8 && !bytes.Equal(p.target[page*4096:][:4096], before[page*4096:][:4096]) {
			t.Errorf("page %d was written, which is none of the packet's", page)
		}
	}
}

// A packet does not allocate, once channels have had some.
func TestAllocations(t *testing.T) {
	const pages = 128
	memory := text(3, pages, 4096)
	p := newPair(t, 16<<20, len(memory))
	offsets := make([]uint64, pages)
	for i := range offsets {
		offsets[i] = uint64(pages-1-i) * 4096
	}
	frame := make([]byte, 0, FrameBound(4096, pages))
	n := byte(0)
	round := func() {
		n++
		for i := range memory {
			if i%500 == 0 {
				memory[i] = n
			}
		}
		p.session.NextRound()
		if err := p.session.Zero(0, offsets[:3]); err != nil {
			t.Fatal(err)
		}
		for _, offset := range offsets[:3] {
			clear(p.target[offset:][:4096])
		}
		b, err := p.channel.Encode(frame, 0, memory, offsets[3:])
		if err != nil {
			t.Fatal(err)
		}
		if err := p.receiver.Decode(p.target, offsets[3:], b); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 { // in which buffers grow to what such packets need
		round()
	}
	if allocations := testing.AllocsPerRun(20, round); allocations != 0 {
		t.Errorf("%v allocations", allocations)
	}
	if s := p.session.Stats(); s.Pages[pagestream.Delta] == 0 || s.Pages[pagestream.LZRW1]+s.Pages[pagestream.LZRW1Packed] == 0 {
		t.Errorf("%+v: not all that allocates was tried", s)
	}
}

// FrameBound is 0 where there are no packets.
func TestFrameBound(t *testing.T) {
	if FrameBound(4096, 0) != 0 || FrameBound(4096, MaxPages+1) != 0 || FrameBound(256, 1) != 0 || FrameBound(1<<20, 1) != 0 || FrameBound(4096, 128) < 128*4096 {
		t.Error("bounds")
	}
}
