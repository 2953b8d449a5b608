package pagestream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/lzpage/lzpage/lzrw1"
)

// smallStream is a stream of two regions in which all kinds of pages occur,
// and what it is made of.
func smallStream(t testing.TB) ([]byte, []memory) {
	const pageSize = 512
	var all []memory
	for i, size := range []int{30*pageSize + 100, 20 * pageSize} {
		data := guestMemory(uint64(20+i), size, pageSize)
		clear(data[8*pageSize : 16*pageSize])
		all = append(all, memory{Region{Name: fmt.Sprint("ram", i), Address: uint64(i) << 32, FileOffset: uint64(i) << 20, Length: uint64(size)}, data})
	}
	return write(t, Options{PageSize: pageSize, ClusterPages: 4, Level: lzrw1.Fast, Metadata: []Metadata{{"guest", "small"}}}, all...), all
}

// holds reports whether all that the recorder got is right, and how many pages
// of memory that is.
func (r *recorder) holds(all []memory) (pages int, ok bool) {
	for number, data := range r.data {
		if number >= len(all) {
			return pages, false
		}
		want := all[number].data
		for i, got := range r.got[number] {
			if !got {
				continue
			}
			pages++
			at := i * r.pageSize
			if at >= len(want) {
				return pages, false
			}
			n := min(r.pageSize, len(want)-at)
			if !bytes.Equal(data[at:at+n], want[at:at+n]) {
				return pages, false
			}
		}
	}
	return pages, true
}

func read(stream []byte, options ReadOptions) (*recorder, error) {
	got := newRecorder(512)
	if options.Salvage != nil {
		options.Salvage = got.salvage()
	}
	r, err := NewReader(bytes.NewReader(stream), options)
	if err == nil {
		_, err = r.Each(context.Background(), got)
	}
	return got, err
}

// stride is 1, or more where tests are to be short, for the loops over each
// byte of a stream.
func stride(short int) int {
	if testing.Short() {
		return short
	}
	return 1
}

// A stream that is cut anywhere is reported as cut, with how far it is good,
// and what precedes the cut is read.
func TestCut(t *testing.T) {
	stream, all := smallStream(t)
	var ends []int // of frames
	for at := 0; at < len(stream); {
		h, ok := parseFrameHeader(stream[at:])
		if !ok {
			t.Fatal("no frame")
		}
		at += int(h.size())
		ends = append(ends, at)
	}
	lastPages := 0
	for n := 0; n < len(stream); n += stride(13) {
		good := 0
		for _, end := range ends {
			if end <= n {
				good = end
			}
		}
		got, err := read(stream[:n], ReadOptions{Workers: 1})
		if n == 0 {
			if !errors.Is(err, ErrFormat) {
				t.Errorf("an empty stream gives %v", err)
			}
			continue
		}
		var e *Error
		if !errors.Is(err, ErrCut) || !errors.As(err, &e) || e.Offset != int64(good) {
			t.Fatalf("cut at %d, good up to %d: %v", n, good, err)
		}
		pages, ok := got.holds(all)
		if !ok || pages < lastPages {
			t.Fatalf("cut at %d: %d pages, right %v", n, pages, ok)
		}
		lastPages = pages
		if _, err := NewReaderAt(bytes.NewReader(stream[:n]), int64(n), ReadOptions{}); !errors.Is(err, ErrCut) {
			t.Fatalf("cut at %d: NewReaderAt says %v", n, err)
		}
		salvaged, err := read(stream[:n], ReadOptions{Workers: 1, Salvage: &Salvage{}})
		if err != nil && good > 0 {
			t.Fatalf("cut at %d: salvage says %v", n, err)
		}
		if more, ok := salvaged.holds(all); !ok || more != pages || good > 0 && len(salvaged.damages) == 0 {
			t.Fatalf("cut at %d: %d pages salvaged, %d read, right %v", n, more, pages, ok)
		}
	}
	if lastPages != 51 && !testing.Short() {
		t.Errorf("%d pages before the last cut, want 51", lastPages)
	}
}

// Every changed byte is noticed by a Reader; no reader returns a wrong page;
// salvage loses one frame's pages, and the duplicates of them, and says so.
func TestChangedBytes(t *testing.T) {
	stream, all := smallStream(t)
	whole, err := read(stream, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	allPages, _ := whole.holds(all)
	for n := 0; n < len(stream); n += stride(13) {
		damaged := bytes.Clone(stream)
		damaged[n] ^= byte(1 + n%255)
		got, err := read(damaged, ReadOptions{Workers: 1})
		if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrCut) && (n >= 4 || !errors.Is(err, ErrFormat)) {
			t.Fatalf("byte %d changed: %v", n, err)
		}
		if _, ok := got.holds(all); !ok {
			t.Fatalf("byte %d changed: wrong pages before the damage", n)
		}

		random, err := NewReaderAt(bytes.NewReader(damaged), int64(len(damaged)), ReadOptions{})
		if err == nil {
			page := make([]byte, 512)
			for i := range random.Regions() {
				for p := range random.Regions()[i].Pages(512) {
					if err := random.ReadPage(page, i, p); err != nil {
						if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrUnsupported) {
							t.Fatalf("byte %d changed: %v", n, err)
						}
					} else if want := all[i].data[p*512:]; !bytes.Equal(page[:min(512, len(want))], want[:min(512, len(want))]) {
						t.Fatalf("byte %d changed: ReaderAt returns a wrong page", n)
					}
				}
			}
		} else if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrCut) && !errors.Is(err, ErrUnsupported) && !errors.Is(err, ErrFormat) {
			t.Fatalf("byte %d changed: NewReaderAt says %v", n, err)
		}

		salvaged, err := read(damaged, ReadOptions{Workers: 1, Salvage: &Salvage{}})
		if err != nil {
			t.Fatalf("byte %d changed: salvage says %v", n, err)
		}
		pages, ok := salvaged.holds(all)
		missing := 0
		for _, count := range salvaged.missing {
			missing += int(count)
		}
		if !ok || pages+missing != allPages || len(salvaged.damages) == 0 {
			t.Fatalf("byte %d changed: %d pages salvaged, %d reported missing of %d, right %v, %v", n, pages, missing, allPages, ok, salvaged.damages)
		}
		if missing > 16 {
			t.Errorf("byte %d changed: %d pages are missing", n, missing)
		}
	}
}

// Bytes that are inserted, removed or repeated lose what they touch and
// nothing else.
func TestShiftedStream(t *testing.T) {
	stream, all := smallStream(t)
	for n := 7; n < len(stream); n += 7 * stride(10) {
		for name, shifted := range map[string][]byte{
			"removed":  append(bytes.Clone(stream[:n]), stream[min(len(stream), n+50):]...),
			"inserted": append(append(bytes.Clone(stream[:n]), make([]byte, 50)...), stream[n:]...),
			"repeated": append(bytes.Clone(stream[:n]), stream[max(0, n-700):]...),
		} {
			got, err := read(shifted, ReadOptions{Workers: 1})
			if _, ok := got.holds(all); !ok || err == nil {
				t.Fatalf("%s at %d: right %v, %v", name, n, ok, err)
			}
			got, err = read(shifted, ReadOptions{Workers: 1, Salvage: &Salvage{}})
			pages, ok := got.holds(all)
			if !ok || err != nil {
				t.Fatalf("%s at %d: salvage: right %v, %v", name, n, ok, err)
			}
			if pages < 30 {
				t.Errorf("%s at %d: only %d pages salvaged", name, n, pages)
			}
		}
	}
}

// rebuilt returns the stream with change applied to each of its frames, which
// are then given right lengths and CRCs, and the end frame right totals.
func rebuilt(t *testing.T, stream []byte, change func(h *frameHeader, payload []byte) []byte) []byte {
	t.Helper()
	var out []byte
	for len(stream) > 0 {
		h, ok := parseFrameHeader(stream)
		if !ok {
			t.Fatal("no frame")
		}
		payload := change(&h, bytes.Clone(stream[frameHeaderSize:h.size()]))
		stream = stream[h.size():]
		frame := append(make([]byte, frameHeaderSize), payload...)
		h.seal(frame, nil)
		out = append(out, frame...)
	}
	return out
}

// Whatever a frame's fields say behind right CRCs, readers do not panic, and a
// stream that a Reader takes reads the same at random.
func TestHostileFields(t *testing.T) {
	stream, _ := smallStream(t)
	frames := 0
	rebuilt(t, stream, func(h *frameHeader, payload []byte) []byte { frames++; return payload })
	for frame := 0; frame < frames; frame += stride(5) {
		for at := -24; at < 100; at++ {
			for _, value := range []byte{0, 1, 0x80, 0xFF} {
				n, used := 0, true
				hostile := rebuilt(t, stream, func(h *frameHeader, payload []byte) []byte {
					if n++; n-1 != frame {
						return payload
					}
					switch {
					case at >= len(payload):
						used = false
					case at >= 0:
						payload[at] = value
					case at >= -8:
						h.first = h.first&^(0xFF<<(8*(at+8))) | uint64(value)<<(8*(at+8))
					case at >= -12:
						h.region = h.region&^(0xFF<<(8*(at+12))) | uint32(value)<<(8*(at+12))
					case at == -13:
						h.pages = int(value)
					case at == -14:
						h.typ = frameType(value)
					case at == -15:
						h.geometry = decodeGeometry(value)
					case at == -16:
						payload = nil
					case at == -17:
						payload = append(payload, value)
					default:
						used = false
					}
					return payload
				})
				if !used {
					continue
				}
				options := ReadOptions{Workers: 1, MaxClusterBytes: 1 << 20}
				got, err := read(hostile, options)
				random, openErr := NewReaderAt(bytes.NewReader(hostile), int64(len(hostile)), options)
				if err == nil && openErr != nil {
					t.Fatalf("frame %d, byte %d = %#x: Reader accepts what NewReaderAt refuses: %v", frame, at, value, openErr)
				}
				if openErr == nil {
					page := make([]byte, 512)
					for i := range min(len(random.Regions()), 2) {
						for p := range min(random.Regions()[i].Pages(512), 100) {
							pageErr := random.ReadPage(page, i, p)
							if err == nil && (pageErr != nil || !bytes.Equal(page, got.data[i][p*512:][:512])) {
								t.Fatalf("frame %d, byte %d = %#x: readers disagree on page %d: %v", frame, at, value, p, pageErr)
							}
						}
					}
				}
				options.Salvage = &Salvage{}
				_, _ = read(hostile, options)
			}
		}
	}
}

// Unknown fields and frames are passed over or refused as their numbers say.
func TestUnknown(t *testing.T) {
	stream, all := smallStream(t)
	edit := func(typ frameType, change func(payload []byte) []byte) []byte {
		done := false
		return rebuilt(t, stream, func(h *frameHeader, payload []byte) []byte {
			if h.typ == typ && !done {
				done = true
				payload = change(payload)
			}
			return payload
		})
	}
	for _, c := range []struct {
		name   string
		stream []byte
		want   error // nil: read but for the end frame's totals
	}{
		{"odd header field", edit(headerFrame, func(p []byte) []byte { return appendField(p, 99, []byte("x")) }), nil},
		{"even header field", edit(headerFrame, func(p []byte) []byte { return appendField(p, 98, []byte("x")) }), ErrUnsupported},
		{"odd region field", edit(regionFrame, func(p []byte) []byte { return appendField(p, 99, []byte("x")) }), nil},
		{"even region field", edit(regionFrame, func(p []byte) []byte { return appendField(p, 98, []byte("x")) }), ErrUnsupported},
		{"another version", edit(headerFrame, func(p []byte) []byte { p[0]++; return p }), ErrUnsupported},
		{"unknown kind", edit(pagesFrame, func(p []byte) []byte { p[0] = 9; return p }), ErrUnsupported},
		{"delta in the complete layer", edit(pagesFrame, func(p []byte) []byte { p[0] = 7; return p }), ErrCorrupt},
		{"page not carried in the complete layer", edit(pagesFrame, func(p []byte) []byte { p[0] = 8; return p }), ErrCorrupt},
		{"fields out of order", edit(headerFrame, func(p []byte) []byte { return appendField(appendField(p, 99, nil), 97, nil) }), ErrCorrupt},
		{"varint longer than need be", edit(headerFrame, func(p []byte) []byte { return append(p, 0xE3, 0x00, 0) }), ErrCorrupt},
	} {
		got, err := read(c.stream, ReadOptions{})
		if c.want != nil {
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", c.name, err, c.want)
			}
			continue
		}
		if pages, ok := got.holds(all); !ok || pages != 51 || !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %d pages, right %v, %v", c.name, pages, ok, err)
		}
	}
}

func TestLimits(t *testing.T) {
	m := memory{Region{Length: UnknownLength}, make([]byte, 10)}
	stream := write(t, Options{PageSize: 1 << 20, ClusterPages: 256}, m)
	if _, err := NewReader(bytes.NewReader(stream), ReadOptions{}); !errors.Is(err, ErrLimit) {
		t.Errorf("clusters of 256 MiB: %v", err)
	}
	if _, err := NewReaderAt(bytes.NewReader(stream), int64(len(stream)), ReadOptions{}); !errors.Is(err, ErrLimit) {
		t.Errorf("clusters of 256 MiB at random: %v", err)
	}
	if _, err := NewReader(bytes.NewReader(stream), ReadOptions{MaxClusterBytes: 256 << 20}); err != nil {
		t.Errorf("clusters of 256 MiB allowed: %v", err)
	}
	stream = write(t, Options{DuplicateWindow: 1 << 20}, m)
	if _, err := NewReader(bytes.NewReader(stream), ReadOptions{}); !errors.Is(err, ErrLimit) {
		t.Errorf("duplicate window of 4 GiB: %v", err)
	}
}
