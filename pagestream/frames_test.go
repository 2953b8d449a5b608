package pagestream

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/lzpage/lzpage/delta"
	"github.com/lzpage/lzpage/lzrw1"
)

// pick chooses pages of memory for a frame.
func pick(rng *rand.Rand, pages int) (numbers []uint64) {
	want := 1 + rng.IntN(MaxClusterPages)
	for at := rng.IntN(pages); at < pages && len(numbers) < want; at++ {
		if rng.IntN(8) > 0 {
			numbers = append(numbers, uint64(at))
		}
	}
	return numbers
}

// framePages returns the numbered pages of memory and, but for one of eight,
// their earlier versions.
func framePages(rng *rand.Rand, numbers []uint64, memory, old []byte, pageSize int) FramePages {
	p := FramePages{Numbers: numbers, Earlier: make([][]byte, len(numbers))}
	for i, number := range numbers {
		at := int(number) * pageSize
		p.Data = append(p.Data, memory[at:at+pageSize]...)
		if rng.IntN(8) > 0 {
			p.Earlier[i] = old[at : at+pageSize]
		}
	}
	return p
}

// A frame written to the earlier version of memory gives its pages their new
// content and leaves all others, whoever reads it.
func TestFrames(t *testing.T) {
	const region = 7
	var kinds [Kinds]uint64
	for _, pageSize := range []int{512, 4096, 65536} {
		for _, level := range []lzrw1.Level{lzrw1.Fast, lzrw1.Dense} {
			t.Run(fmt.Sprintf("pages of %d, %v", pageSize, level), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(uint64(pageSize), uint64(level)))
				encoder, err := NewFrameEncoder(pageSize, level)
				if err != nil {
					t.Fatal(err)
				}
				decoder, err := NewFrameDecoder(pageSize)
				if err != nil {
					t.Fatal(err)
				}
				const pages = 400
				old := guestMemory(rng.Uint64(), pages*pageSize, pageSize)
				rounds := 12
				if pageSize > 4096 && testing.Short() {
					rounds = 2
				}
				stored := 0
				for range rounds {
					memory := changed(rng, old, len(old), pageSize)
					numbers := pick(rng, pages)
					if len(numbers) == 0 {
						continue
					}
					want := bytes.Clone(old)
					for _, n := range numbers {
						copy(want[int(n)*pageSize:][:pageSize], memory[int(n)*pageSize:])
					}
					frame, err := encoder.Append([]byte("before"), region, framePages(rng, numbers, memory, old, pageSize))
					if err != nil {
						t.Fatal(err)
					}
					frame = frame[len("before"):]
					stored += len(frame)
					if len(frame) > FrameBound(pageSize, len(numbers)) {
						t.Fatalf("a frame of %d bytes is larger than its bound, %d", len(frame), FrameBound(pageSize, len(numbers)))
					}

					slow := slowStream{pageSize: pageSize, regions: make([]slowRegion, region+1)}
					slow.regions[region] = slowRegion{data: bytes.Clone(old), carried: []map[uint64]byte{{}}}
					if _, err := slow.takePages(frame[:32], frame[32:], true, &kinds, delta.NewDecoder()); err != nil {
						t.Fatalf("the slow reader says %v", err)
					}
					if !bytes.Equal(slow.regions[region].data, want) {
						t.Fatal("the slow reader gets other bytes")
					}

					if err := decoder.Parse(frame); err != nil {
						t.Fatal(err)
					}
					if decoder.Region() != region || fmt.Sprint(decoder.Numbers()) != fmt.Sprint(numbers) {
						t.Fatalf("a frame of region %d, pages %v became one of region %d, pages %v", region, numbers, decoder.Region(), decoder.Numbers())
					}
					got := bytes.Clone(old)
					if err := decoder.Decode(got); err != nil {
						t.Fatal(err)
					}
					if !bytes.Equal(got, want) {
						t.Fatal("memory differs")
					}
					old = want
				}
				in, out := encoder.Totals(), decoder.Totals()
				if in != out || in.Stored != uint64(stored) {
					t.Errorf("%d bytes: written were %+v, read %+v", stored, in, out)
				}
			})
		}
	}
	for kind, n := range kinds {
		if n == 0 {
			t.Errorf("no page of kind %v was tried", Kind(kind))
		}
	}
}

// A frame's window is whole although it is encoded as several runs: of pages
// of the same few tokens, only the first of the frame has to learn them.
func TestFrameWindow(t *testing.T) {
	const pageSize = 4096
	const last = 3 * runPages // which begins a run, with more than DefaultClusterPages
	const pages = last + 1
	rng := rand.New(rand.NewPCG(1, 9))
	encoder, err := NewFrameEncoder(pageSize, lzrw1.Fast)
	if err != nil {
		t.Fatal(err)
	}
	tokens := make([]uint64, 150)
	for i := range tokens {
		tokens[i] = rng.Uint64()
	}
	var p FramePages
	for i := range uint64(pages) {
		p.Numbers = append(p.Numbers, i)
		for range pageSize / 8 {
			p.Data = le.AppendUint64(p.Data, tokens[rng.IntN(len(tokens))])
		}
	}
	size := func(first, end int) int {
		frame, err := encoder.Append(nil, 0, FramePages{Numbers: p.Numbers[first:end], Data: p.Data[first*pageSize : end*pageSize]})
		if err != nil {
			t.Fatal(err)
		}
		return len(frame)
	}
	alone, inFrame := size(last, pages), size(0, pages)-size(0, last)
	if inFrame > alone/10*8 {
		t.Errorf("a page that takes %d bytes alone takes %d as the first of a frame's fourth run", alone, inFrame)
	}
}

// Frames that are encoded by those who make mistakes are refused.
func TestFrameArguments(t *testing.T) {
	if _, err := NewFrameEncoder(1000, lzrw1.Fast); err == nil {
		t.Error("an encoder of pages of 1000 bytes")
	}
	if _, err := NewFrameDecoder(256); err == nil {
		t.Error("a decoder of pages of 256 bytes")
	}
	if FrameBound(4096, 0) != 0 || FrameBound(4096, 257) != 0 || FrameBound(4000, 1) != 0 {
		t.Error("frames that are not have a bound")
	}
	encoder, err := NewFrameEncoder(512, lzrw1.Fast)
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 257*512)
	many := make([]uint64, 257)
	for i := range many {
		many[i] = uint64(i)
	}
	for name, c := range map[string]struct {
		region uint32
		pages  FramePages
	}{
		"no pages":       {0, FramePages{}},
		"too many":       {0, FramePages{Numbers: many, Data: data}},
		"region":         {MaxRegions, FramePages{Numbers: many[:1], Data: data[:512]}},
		"data":           {0, FramePages{Numbers: many[:2], Data: data[:1023]}},
		"order":          {0, FramePages{Numbers: []uint64{2, 1}, Data: data[:1024]}},
		"twice":          {0, FramePages{Numbers: []uint64{2, 2}, Data: data[:1024]}},
		"page":           {0, FramePages{Numbers: []uint64{1 << 54}, Data: data[:512]}},
		"earlier":        {0, FramePages{Numbers: many[:2], Data: data[:1024], Earlier: [][]byte{nil}}},
		"part of a page": {0, FramePages{Numbers: many[:1], Data: data[:512], Earlier: [][]byte{data[:511]}}},
	} {
		if got, err := encoder.Append([]byte("x"), c.region, c.pages); err == nil || string(got) != "x" {
			t.Errorf("%s: %d bytes, error %v", name, len(got), err)
		}
	}
	if encoder.Totals() != (Totals{}) {
		t.Errorf("%+v was counted", encoder.Totals())
	}
}

// smallFrame returns a frame in which all kinds of pages occur, the memory that
// it is for, and how that is to become.
func smallFrame(t testing.TB) (frame, old, want []byte) {
	const pageSize, pages = 512, 40
	rng := rand.New(rand.NewPCG(5, 5))
	old = guestMemory(3, pages*pageSize, pageSize)
	want = changed(rng, old, len(old), pageSize)
	var numbers []uint64
	for i := range uint64(pages - 4) { // the last ones are not the frame's
		if i%5 != 4 {
			numbers = append(numbers, i)
		}
	}
	encoder, err := NewFrameEncoder(pageSize, lzrw1.Fast)
	if err != nil {
		t.Fatal(err)
	}
	frame, err = encoder.Append(nil, 0, framePages(rng, numbers, want, old, pageSize))
	if err != nil {
		t.Fatal(err)
	}
	for i := range pages {
		if i%5 == 4 || i >= pages-4 {
			copy(want[i*pageSize:][:pageSize], old[i*pageSize:])
		}
	}
	return frame, old, want
}

// reseal gives a damaged frame the CRCs that it should have.
func reseal(frame []byte) {
	le.PutUint32(frame[24:], crc(frame[frameHeaderSize:]))
	le.PutUint32(frame[28:], crc(frame[:28]))
}

// A damaged frame is an error of the right kind and leaves pages that are not
// its own alone; one that is damaged in spite of right CRCs does so, too, and
// if it is taken, its pages have the CRCs of their records.
func TestHostileFrames(t *testing.T) {
	const pageSize = 512
	frame, old, want := smallFrame(t)
	decoder, err := NewFrameDecoder(pageSize)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(6, 6))
	for _, sealed := range []bool{false, true} {
		refused, taken := 0, 0
		for at := 0; at < len(frame); at++ {
			for _, flip := range []byte{1, 0x80, byte(1 + rng.IntN(255))} {
				b := bytes.Clone(frame)
				b[at] ^= flip
				if sealed {
					reseal(b)
				}
				got := bytes.Clone(old)
				err := decoder.Parse(b)
				if err != nil && len(decoder.Numbers()) > 0 {
					t.Fatalf("byte %d: there are pages where there is the error %v", at, err)
				}
				if err == nil {
					numbers := append([]uint64(nil), decoder.Numbers()...)
					err = decoder.Decode(got)
					next := 0
					for page := range len(old) / pageSize {
						if next < len(numbers) && numbers[next] == uint64(page) {
							next++
							continue
						}
						if !bytes.Equal(got[page*pageSize:][:pageSize], old[page*pageSize:][:pageSize]) {
							t.Fatalf("byte %d: page %d was written, which is none of %v", at, page, numbers)
						}
					}
				} else if !bytes.Equal(got, old) {
					t.Fatalf("byte %d: memory was written in spite of %v", at, err)
				}
				if err == nil {
					taken++
					if !sealed && !bytes.Equal(got, want) {
						t.Fatalf("byte %d: nobody notices the damage", at)
					}
					continue
				}
				refused++
				var e *Error
				if !errors.As(err, &e) || !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrUnsupported) && !errors.Is(err, ErrFormat) {
					t.Fatalf("byte %d: %v", at, err)
				}
			}
		}
		if !sealed && taken > 0 || refused == 0 {
			t.Errorf("sealed %v: %d refused, %d taken", sealed, refused, taken)
		}
	}
	for n := range frame { // cut
		if err := decoder.Parse(frame[:n]); err == nil {
			t.Fatalf("a frame of %d bytes is taken of which %d are there", len(frame), n)
		}
	}
	if err := decoder.Parse(append(bytes.Clone(frame), 0)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a byte behind the frame: %v", err)
	}
	if err := decoder.Decode(bytes.Clone(old)); err == nil {
		t.Error("a frame that was refused is decoded")
	}
	if err := decoder.Parse(frame); err != nil {
		t.Fatal(err)
	}
	short := bytes.Clone(old[:20*pageSize])
	if err := decoder.Decode(short); !errors.Is(err, ErrCorrupt) || !bytes.Equal(short, old[:len(short)]) {
		t.Errorf("memory that is too short: %v", err)
	}
}

// A delta to a page that is not the earlier version is a mismatch.
func TestFrameMismatch(t *testing.T) {
	frame, old, _ := smallFrame(t)
	decoder, err := NewFrameDecoder(512)
	if err != nil {
		t.Fatal(err)
	}
	if err := decoder.Parse(frame); err != nil {
		t.Fatal(err)
	}
	for i := range old {
		old[i] ^= 0x55
	}
	if err := decoder.Decode(old); !errors.Is(err, ErrCorrupt) || !errors.Is(err, delta.ErrMismatch) {
		t.Error(err)
	}
}

// Other frames than those of pages, and of other sizes, are refused.
func TestOtherFrames(t *testing.T) {
	decoder, err := NewFrameDecoder(4096)
	if err != nil {
		t.Fatal(err)
	}
	frame, _, _ := smallFrame(t)
	if err := decoder.Parse(frame); !errors.Is(err, ErrCorrupt) {
		t.Errorf("pages of 512 bytes: %v", err)
	}
	g, _ := frameGeometry(4096)
	zeros := make([]byte, frameHeaderSize+8)
	zeros[frameHeaderSize] = 1
	header := frameHeader{typ: zerosFrame, geometry: g}
	header.seal(zeros, nil)
	if err := decoder.Parse(zeros); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a zero run: %v", err)
	}
}

// Encoding and decoding frames does not allocate.
func TestFrameAllocations(t *testing.T) {
	const pageSize = 4096
	rng := rand.New(rand.NewPCG(8, 8))
	for _, level := range []lzrw1.Level{lzrw1.Fast, lzrw1.Dense} {
		encoder, err := NewFrameEncoder(pageSize, level)
		if err != nil {
			t.Fatal(err)
		}
		decoder, err := NewFrameDecoder(pageSize)
		if err != nil {
			t.Fatal(err)
		}
		old := guestMemory(4, 200*pageSize, pageSize)
		memory := changed(rng, old, len(old), pageSize)
		p := framePages(rng, pick(rng, 100), memory, old, pageSize)
		frame := make([]byte, 0, FrameBound(pageSize, len(p.Numbers)))
		work := make([]byte, len(old))
		allocations := testing.AllocsPerRun(10, func() {
			b, err := encoder.Append(frame, 0, p)
			if err != nil {
				t.Fatal(err)
			}
			copy(work, old)
			if err := decoder.Parse(b); err != nil {
				t.Fatal(err)
			}
			if err := decoder.Decode(work); err != nil {
				t.Fatal(err)
			}
		})
		if allocations != 0 {
			t.Errorf("%v: %v allocations", level, allocations)
		}
	}
}

// What frames of a packet of QEMU cost and give.
func BenchmarkFrames(b *testing.B) {
	const pageSize, packet = 4096, 128
	data := realPages(b)
	for _, level := range []lzrw1.Level{lzrw1.Fast, lzrw1.Dense} {
		encoder, err := NewFrameEncoder(pageSize, level)
		if err != nil {
			b.Fatal(err)
		}
		decoder, err := NewFrameDecoder(pageSize)
		if err != nil {
			b.Fatal(err)
		}
		numbers := make([]uint64, packet)
		for i := range numbers {
			numbers[i] = uint64(i)
		}
		var frames [][]byte
		b.Run(level.String()+"/encode", func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				frames = frames[:0]
				stored := 0
				for at := 0; at+packet*pageSize <= len(data); at += packet * pageSize {
					frame, err := encoder.Append(nil, 0, FramePages{Numbers: numbers, Data: data[at:][:packet*pageSize]})
					if err != nil {
						b.Fatal(err)
					}
					frames = append(frames, frame)
					stored += len(frame)
				}
				b.ReportMetric(float64(len(data))/float64(stored), "ratio")
			}
		})
		b.Run(level.String()+"/decode", func(b *testing.B) {
			memory := make([]byte, packet*pageSize)
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				for _, frame := range frames {
					if err := decoder.Parse(frame); err != nil {
						b.Fatal(err)
					}
					if err := decoder.Decode(memory); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
