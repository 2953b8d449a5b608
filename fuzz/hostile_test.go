//go:build !gofuzz

package fuzz

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/lzpage/lzpage/pagestream"
)

// Geometries, as a frame's header has them.
const (
	tiny  = 0          // pages of 512 bytes, alone
	usual = 3 | 4<<4   // of 4 KiB, in clusters of 16
	wide  = 3 | 8<<4   // of 4 KiB, in clusters of 256
	giant = 12 | 8<<4  // of 2 MiB, in clusters of 256
	most  = 1<<24 - 1  // the highest number of a region
	never = 0xDEADBEEF // no payload's CRC here
)

func header(geometry byte) frame {
	return frame{typ: typeHeader, geometry: geometry, payload: []byte{1, 0}}
}

func region(geometry byte, number uint32, length uint64) frame {
	b := append([]byte{0}, make([]byte, 16)...)
	return frame{typ: typeRegion, geometry: geometry, region: number, payload: le.AppendUint64(b, length)}
}

// placed puts a region at an offset of its file.
func placed(f frame, offset uint64) frame {
	le.PutUint64(f.payload[9:], offset)
	return f
}

func zeros(geometry byte, region uint32, first, pages uint64) frame {
	return frame{typ: typeZeros, geometry: geometry, region: region, first: first, payload: le.AppendUint64(nil, pages)}
}

// words is a frame of pages of one word, which the pages do not share.
func words(geometry byte, region uint32, first uint64, pages int) frame {
	var b []byte
	for i := range pages {
		b = append(b, 1)
		b = le.AppendUint64(b, first+uint64(i)+1)
	}
	return frame{typ: typePages, geometry: geometry, region: region, first: first, pages: uint16(pages), payload: b}
}

// hostile holds streams that once cost too much or were not read right, by
// name.
func hostile() map[string][]byte {
	all := map[string][]byte{
		"nothing":              nil,
		"header unreadable":    join([]frame{{typ: typeHeader, geometry: usual, payload: []byte{1, 0, 2, 9}}}),
		"header alone":         join([]frame{header(usual)}),
		"highest region":       join([]frame{header(usual), region(usual, most, 0)}),
		"highest region pages": join([]frame{header(usual), words(usual, most, 0, 16)}),
		"giant geometry":       join([]frame{header(giant), region(giant, 0, 1<<40)}),
		"pages beyond a file":  join([]frame{header(tiny), placed(region(tiny, 0, unknownLength), 1<<62), zeros(tiny, 0, 0, 1<<54-1)}),
		"last page":            join([]frame{header(tiny), region(tiny, 0, unknownLength), zeros(tiny, 0, 0, 1<<54-1), words(tiny, 0, 1<<54-1, 1)}),
		"run of no pages":      join([]frame{header(usual), region(usual, 0, 1<<20), zeros(usual, 0, 0, 0)}),
		"run without an end":   join([]frame{header(usual), region(usual, 0, unknownLength), zeros(usual, 0, 16, unknownLength-15)}),
		"geometry changes":     join([]frame{header(usual), region(usual, 0, 1<<20), words(tiny, 0, 0, 1)}),
		"stream in a stream":   join([]frame{header(usual), region(usual, 0, 1<<20), header(usual), region(usual, 0, 1<<20), words(usual, 0, 0, 16)}),
		"self duplicate":       join([]frame{header(tiny), region(tiny, 0, 512), duplicates(0, 0, 0)}),
		"next duplicate":       join([]frame{header(tiny), region(tiny, 0, 1024), duplicates(0, 0, 1), duplicates(0, 1, 0)}),
		"fat pages frame": join([]frame{header(tiny), region(tiny, 0, 1<<20),
			{typ: typePages, geometry: tiny, pages: 1, payload: append([]byte{3}, make([]byte, 1<<16)...)}}),
	}
	var planted []byte
	for range 1 << 11 {
		planted = append(planted, plant(usual, 1<<15)...)
	}
	all["planted headers"] = append(join([]frame{header(usual)}), planted...)
	return all
}

// duplicates is a frame of one page, a duplicate of another.
func duplicates(region uint32, first, of uint64) frame {
	b := binary.AppendUvarint([]byte{2, byte(region)}, of)
	return frame{typ: typePages, geometry: tiny, region: region, first: first, pages: 1, payload: le.AppendUint32(b, 0)}
}

// plant returns the header of a pages frame with another payload of that size.
func plant(geometry byte, size int) []byte {
	f := words(geometry, 0, 0, 16)
	f.pages = 1 << (geometry >> 4)
	b := f.append(nil)[:headerSize]
	le.PutUint32(b[12:], uint32(size))
	le.PutUint32(b[24:], never)
	le.PutUint32(b[28:], checksum(b[:28]))
	return b
}

func TestHostileStreams(t *testing.T) {
	for name, stream := range hostile() {
		t.Run(name, func(t *testing.T) {
			for how := range byte(1 << 4) {
				data := append([]byte{how, 0}, stream...)
				streamRead(data)
				streamSalvage(data)
				streamReadAt(data)
			}
		})
	}
}

// counted counts the bytes that are read of it: the front, and then zeros
// without an end.
type counted struct {
	front []byte
	given int
}

func (c *counted) Read(p []byte) (int, error) {
	clear(p)
	n := copy(p, c.front)
	c.front = c.front[n:]
	c.given += len(p)
	return len(p), nil
}

func TestLimitStandsBeforeThePayload(t *testing.T) {
	// claiming returns the header of f that claims a payload of so many bytes.
	claiming := func(f frame, size uint32) []byte {
		b := f.append(nil)[:headerSize]
		le.PutUint32(b[12:], size)
		le.PutUint32(b[28:], checksum(b[:28]))
		return b
	}
	begin := join([]frame{header(tiny), region(tiny, 0, 1024)})
	for name, front := range map[string][]byte{
		"giant header":    claiming(header(giant), 1<<30),
		"fat pages frame": append(begin, claiming(words(tiny, 0, 0, 1), 1<<20)...),
	} {
		in := &counted{front: front}
		r, err := pagestream.NewReader(in, limits(1))
		if err == nil {
			_, err = r.Each(context.Background(), newCollector(r.Header(), false))
		}
		if err == nil {
			t.Errorf("%s: taken", name)
		}
		if in.given > 1<<19 {
			t.Errorf("%s: %d bytes were read", name, in.given)
		}
	}
}

// TestSearchIsLinear has four megabytes of headers without their payloads, each of
// which costs a CRC of a megabyte if it is believed.
func TestSearchIsLinear(t *testing.T) {
	stream := join([]frame{header(wide)})
	for range 1 << 17 {
		stream = append(stream, plant(wide, 1<<20+1)...) // behind which no frame stands
	}
	stream = append(stream, make([]byte, 1<<20)...)
	var taken time.Duration
	for range 3 { // a machine may pause once
		start := time.Now()
		r, err := pagestream.NewReader(bytes.NewReader(stream), pagestream.ReadOptions{Workers: 1, Salvage: new(pagestream.Salvage)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Each(context.Background(), newCollector(r.Header(), true)); err != nil {
			t.Fatal(err)
		}
		if taken = time.Since(start); taken <= 4*time.Second {
			return
		}
	}
	t.Errorf("the search took %v, three times more than 4 s", taken)
}

// TestPagesRefused has pages that neither reader may take, in frames that are
// right but for them.
func TestPagesRefused(t *testing.T) {
	first := noise(512, 1)
	plain := func(page []byte, crc uint32) []byte {
		return append(le.AppendUint32([]byte{3}, crc), page...)
	}
	packed := func(page, content []byte) []byte {
		b := le.AppendUint32([]byte{5}, checksum(page))
		return append(binary.AppendUvarint(b, uint64(len(content))), content...)
	}
	duplicate := func(region, page byte, crc uint32) []byte {
		return le.AppendUint32([]byte{2, region, page}, crc)
	}
	sparse := append(make([]byte, 504), "8 bytes."...)
	with := func(payloads ...[]byte) []byte {
		frames := []frame{header(tiny), region(tiny, 0, 512*uint64(len(payloads)))}
		frames[0].payload = []byte{1, 0, 2, 1, 4} // a window of four pages
		for i, payload := range payloads {
			frames = append(frames, frame{typ: typePages, geometry: tiny, pages: 1, first: uint64(i), payload: payload})
		}
		return join(completed(frames))
	}
	set := []byte{0, 0, 0, 0, 0, 0, 0, 0x80} // the last word
	for name, second := range map[string][]byte{
		"":                      packed(sparse, append(set, "8 bytes."...)),
		"-":                     duplicate(0, 0, checksum(first)),
		"plain, other CRC":      plain(first, checksum(first)+1),
		"duplicate, other CRC":  duplicate(0, 0, checksum(first)+1),
		"duplicate of itself":   duplicate(0, 1, checksum(first)),
		"duplicate of the next": duplicate(0, 3, checksum(first)),
		"duplicate of nothing":  duplicate(0, 9, checksum(first)),
		"duplicate of nowhere":  duplicate(7, 0, checksum(first)),
		"a word missing":        packed(sparse, set),
		"half a word missing":   packed(sparse, append(set, "8 by"...)),
		"a word too many":       packed(sparse, append(set, "8 bytes.8 bytes."...)),
		"a map cut":             packed(sparse, set[:7]),
		"a delta":               {7, 5, 0, 0, 0, 0, 0},
		"a gap":                 {8, 1},
		"kind 9":                {9},
		"a record cut":          {4, 0},
		"a byte too many":       append(plain(first, checksum(first)), 0),
		"LZRW1 block too short": append(le.AppendUint32([]byte{4}, checksum(first)), 3, 0, 0, 'x'),
	} {
		stream := with(plain(first, checksum(first)), second, plain(first, checksum(first)), plain(first, checksum(first)))
		good := len(name) < 2
		_, _, err := collect(stream, limits(1), false, 0, false)
		if (err == nil) != good {
			t.Errorf("%q: Reader says %v", name, err)
		}
		r, err := pagestream.NewReaderAt(bytes.NewReader(stream), int64(len(stream)), limits(1))
		if err != nil {
			t.Errorf("%q: ReaderAt says %v", name, err)
			continue
		}
		page := make([]byte, 512)
		if err := r.ReadPage(page, 0, 1); (err == nil) != good {
			t.Errorf("%q: ReadPage says %v", name, err)
		}
		if err := r.ReadPage(page, 0, 0); err != nil || !bytes.Equal(page, first) {
			t.Errorf("%q: the page before is not read: %v", name, err)
		}
	}
	for kind, original := range map[string][]byte{"zero": {0}, "word": words(tiny, 0, 0, 1).payload, "duplicate": duplicate(0, 0, checksum(first))} {
		stream := with(plain(first, checksum(first)), original, duplicate(0, 1, checksum(first)))
		if _, _, err := collect(stream, limits(1), false, 0, false); !errors.Is(err, pagestream.ErrCorrupt) {
			t.Errorf("duplicate of a page of kind %s: Reader says %v", kind, err)
		}
		r, err := pagestream.NewReaderAt(bytes.NewReader(stream), int64(len(stream)), limits(1))
		if err != nil {
			t.Fatal(err)
		}
		if err := r.ReadPage(make([]byte, 512), 0, 2); !errors.Is(err, pagestream.ErrCorrupt) {
			t.Errorf("duplicate of a page of kind %s: ReadPage says %v", kind, err)
		}
	}
}

// TestReaderRefuses has streams that are wrong only in what follows the pages,
// and whose index a ReaderAt could not use.
func TestReaderRefuses(t *testing.T) {
	pages := []frame{header(tiny), region(tiny, 0, 1024), words(tiny, 0, 0, 1), words(tiny, 0, 1, 1)}
	two := []frame{header(tiny), region(tiny, 0, 512), words(tiny, 0, 0, 1), region(tiny, 1, 0)}
	offset := func(frames []frame) uint64 { return uint64(len(join(frames))) }
	index := func(region uint32, frames []frame, of ...frame) frame {
		b := append(le.AppendUint64(nil, offset(frames)), 0)
		for _, f := range of {
			b = binary.AppendUvarint(append(b, 0), uint64(len(f.append(nil)))<<1)
			b = binary.AppendUvarint(b, uint64(f.pages))
		}
		return frame{typ: typeIndex, geometry: tiny, region: region, payload: b}
	}
	good := index(0, pages[:2], pages[2:]...)
	with := func(frames []frame, more ...frame) []byte {
		all := append(frames[:len(frames):len(frames)], more...)
		n := uint64(countPages(frames))
		return join(withEnd(all, ending{index: offset(frames), bytes: 512 * n, kinds: [8]uint64{1: n}}))
	}
	_, _, err := collect(with(pages, pages[1], good), limits(1), false, 0, false)
	if err != nil {
		t.Fatalf("a good stream is refused: %v", err)
	}
	for name, stream := range map[string][]byte{
		"no index":                   with(pages, pages[1]),
		"no final form":              with(pages),
		"index without frames first": with(pages, pages[1], index(0, pages[:2]), good),
		"index twice":                with(pages, pages[1], good, good),
		"index of half":              with(pages, pages[1], index(0, pages[:2], pages[2])),
		"index of the other region":  with(two, two[1], two[3], index(1, two[:2], two[2])),
		"region that never began":    with(pages, pages[1], good, region(tiny, 1, 0)),
		"pages behind the index":     with(pages[:3], region(tiny, 0, 512), index(0, pages[:2], pages[2]), words(tiny, 0, 1, 1)),
	} {
		if _, _, err := collect(stream, limits(1), false, 0, false); !errors.Is(err, pagestream.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func countPages(frames []frame) int {
	n := 0
	for i := range frames {
		n += int(frames[i].pages)
	}
	return n
}

// TestSalvagePassesOver has frames that a guest may have planted, or that lost
// those before them. None may cost the pages around them.
func TestSalvagePassesOver(t *testing.T) {
	begin := []frame{header(tiny), region(tiny, 0, 1024)}
	first, second := words(tiny, 0, 0, 1), words(tiny, 0, 1, 1)
	end := withEnd(nil, ending{})[0]
	with := func(between ...frame) []byte {
		return join(slices.Insert(completed(append(begin[:2:2], first, second)), 3, between...))
	}
	for name, stream := range map[string][]byte{
		"nothing":              with(),
		"an end frame":         with(end),
		"a final region":       with(begin[1]),
		"a stream header":      with(begin[0]),
		"an index":             with(frame{typ: typeIndex, geometry: tiny, payload: make([]byte, 12)}),
		"a frame of type 9":    with(frame{typ: 9, geometry: tiny}),
		"pages that went by":   with(first),
		"no header":            with()[headerSize+2:],
		"no header nor region": with()[2*headerSize+2+regionSize:],
	} {
		got, _, err := collect(stream, limits(1), true, 0, false)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if n := len(got.content()); n != 2 {
			t.Errorf("%s: %d of 2 pages are left", name, n)
		}
	}
}

// TestSalvageTellsOfACut has a stream that is cut, and damaged before the cut.
func TestSalvageTellsOfACut(t *testing.T) {
	frames := []frame{header(tiny), region(tiny, 0, 1536), words(tiny, 0, 0, 1), words(tiny, 0, 1, 1)}
	stream := join(frames)
	stream[len(join(frames[:3]))-1] ^= 1
	got, _, err := collect(stream, limits(1), true, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	if got.damages != 2 || !got.cut {
		t.Errorf("%d damages are told, the cut among them: %v", got.damages, got.cut)
	}
}

// TestSalvageTellsOnce has planted frames without end, one piece of damage.
func TestSalvageTellsOnce(t *testing.T) {
	got, _, err := collect(hostile()["planted headers"], limits(1), true, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	if got.damages > 2 {
		t.Errorf("%d damages are told", got.damages)
	}
}

// TestLongestRegion has a region that ends where no more can be.
func TestLongestRegion(t *testing.T) {
	for _, size := range []uint64{1<<63 - 1, 1<<63 - 4096} {
		var out bytes.Buffer
		w, err := pagestream.NewWriter(context.Background(), &out, pagestream.Options{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.BeginRegion(pagestream.Region{Length: size}); err != nil {
			t.Fatal(err)
		}
		if err := w.Skip(size); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got, totals, err := collect(out.Bytes(), limits(1), false, 0, false)
		if err != nil {
			t.Fatal(err)
		}
		sameAtRandom(out.Bytes(), got, totals)
	}
}

// TestUnknownLengths has regions that end where their clusters do, which says
// nothing in a stream until the next one begins.
func TestUnknownLengths(t *testing.T) {
	for _, size := range []int{0, 512, 65536, 65536 + 512} {
		p := plan{options: pagestream.Options{PageSize: 512, ClusterPages: 16, Workers: 1}}
		for range 3 {
			p.regions = append(p.regions, plannedRegion{
				Region:    pagestream.Region{Length: uint64(size)},
				announced: pagestream.UnknownLength,
				memory:    noise(size, 1),
				pieces:    []piece{{size, byWrite}},
			})
		}
		stream, totals := p.write(1)
		got, readTotals, err := collect(stream, limits(1), false, 0, false)
		if err != nil {
			t.Errorf("regions of %d bytes: %v", size, err)
			continue
		}
		if readTotals != totals {
			t.Errorf("regions of %d bytes: written %+v, read %+v", size, totals, readTotals)
		}
		sameAtRandom(stream, got, readTotals)
	}
}
