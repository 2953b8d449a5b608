//go:build !gofuzz

package fuzz

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/lzpage/lzpage/pagestream"
)

// onTop is the header of a stream on top of the good base.
func onTop(name string) frame {
	id := goodBase().Totals().ID
	value := append(id[:], name...)
	return frame{typ: typeHeader, geometry: tiny, payload: append([]byte{1, 0, 4, byte(len(value))}, value...)}
}

// basedOn has a region's pages compared with those of a region of the base.
func basedOn(f frame, number byte) frame {
	f.payload = append(f.payload, 2, 1, number)
	return f
}

func round(geometry byte, number uint32) frame {
	return frame{typ: typeRound, geometry: geometry, payload: le.AppendUint32(nil, number)}
}

// sparsePages is a pages frame of so many pages, whose records are given.
func sparsePages(geometry byte, region uint32, first uint64, pages uint16, records ...byte) frame {
	return frame{typ: typePages, geometry: geometry, region: region, first: first, pages: pages, payload: records}
}

// pairOf is a good base and what stands on top of it.
func pairOf(frames ...frame) hostilePair {
	top := join(completed(frames))
	return hostilePair{base: goodBase(), top: top, workers: 1, largest: max(len(top), int(goodBase().Totals().Stored))}
}

// readPair reads the top in order. Its sink has the earlier versions.
func readPair(p *hostilePair) (*layeredSink, error) {
	sink := newLayeredSink(p.base, p.top)
	options := limits(p.workers)
	options.Earlier = sink
	r, err := pagestream.NewReader(bytes.NewReader(p.top), options)
	if err == nil {
		_, err = r.Each(context.Background(), sink)
	}
	return sink, err
}

const four = 0 | 2<<4 // pages of 512 bytes in clusters of four

// TestLayersRefused has streams whose layers are not as the specification has
// them, in frames that are right but for that.
func TestLayersRefused(t *testing.T) {
	based := func(frames ...frame) []frame {
		all := append([]frame{onTop("base"), basedOn(region(tiny, 0, 20*512), 0)}, frames...)
		for i := range all {
			all[i].geometry = four
		}
		return all
	}
	complete := func(frames ...frame) []frame {
		all := []frame{header(four), region(four, 0, 8*512), words(four, 0, 0, 4), words(four, 0, 4, 4)}
		return append(all, frames...)
	}
	gap := func(n uint64) []byte { return binary.AppendUvarint([]byte{8}, n) }
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	zero := []byte{0}
	same := append([]byte{7, 5, 0}, le.AppendUint32(nil, checksum(make([]byte, 512)))...) // as nothing
	window := header(tiny)
	window.payload = []byte{1, 0, 2, 1, 4}
	page := noise(512, 3)
	plain := append(le.AppendUint32([]byte{3}, checksum(page)), page...)
	duplicate := le.AppendUint32([]byte{2, 0, 0}, checksum(page))
	second := region(four, 1, 512)
	second.payload[9] = 1
	for name, c := range map[string]struct {
		frames []frame
		want   error // nil where it is right
	}{
		"nothing carried":                   {based(), nil},
		"a page":                            {based(sparsePages(four, 0, 7, 1, 0)), nil},
		"a gap":                             {based(sparsePages(four, 0, 7, 2, join(zero, gap(9), zero)...)), nil},
		"four pages over gaps":              {based(sparsePages(four, 0, 1, 4, join(zero, gap(2), zero, zero, gap(5), zero)...)), nil},
		"up to the region's end":            {based(sparsePages(four, 0, 1, 2, join(zero, gap(17), zero)...)), nil},
		"a zero run anywhere":               {based(zeros(four, 0, 3, 2)), nil},
		"a round":                           {complete(round(four, 1), sparsePages(four, 0, 7, 1, 0)), nil},
		"rounds of nothing":                 {complete(round(four, 1), round(four, 2)), nil},
		"five pages":                        {based(sparsePages(four, 0, 1, 5, 0, 0, 0, 0, 0)), pagestream.ErrCorrupt},
		"beyond the region's end":           {based(sparsePages(four, 0, 1, 2, join(zero, gap(18), zero)...)), pagestream.ErrCorrupt},
		"far beyond":                        {based(sparsePages(four, 0, 1, 2, join(zero, gap(1<<62), zero)...)), pagestream.ErrCorrupt},
		"over the last number":              {based(sparsePages(four, 0, 1, 2, join(zero, gap(1<<64-2), zero)...)), pagestream.ErrCorrupt},
		"a gap of nothing":                  {based(sparsePages(four, 0, 1, 2, join(zero, gap(0), zero)...)), pagestream.ErrCorrupt},
		"a gap in front":                    {based(sparsePages(four, 0, 1, 1, join(gap(1), zero)...)), pagestream.ErrCorrupt},
		"a gap at the end":                  {based(sparsePages(four, 0, 1, 1, join(zero, gap(1))...)), pagestream.ErrCorrupt},
		"two gaps":                          {based(sparsePages(four, 0, 1, 2, join(zero, gap(1), gap(1), zero)...)), pagestream.ErrCorrupt},
		"a gap without an end":              {based(sparsePages(four, 0, 1, 2, 0, 8, 0x80)), pagestream.ErrCorrupt},
		"a delta without its record":        {based(sparsePages(four, 0, 1, 1, 7, 9)), pagestream.ErrCorrupt},
		"a delta of no bytes":               {based(sparsePages(four, 0, 1, 1, 7, 0)), pagestream.ErrCorrupt},
		"a delta that is none":              {based(sparsePages(four, 0, 1, 1, 7, 6, 0xFF, 0, 0, 0, 0, 0)), pagestream.ErrCorrupt},
		"a delta of another page":           {based(sparsePages(four, 0, 1, 1, 7, 5, 0, 1, 2, 3, 4)), pagestream.ErrCorrupt},
		"a delta larger than a page":        {based(sparsePages(four, 0, 1, 1, append([]byte{7, 0xFF, 0x7F}, make([]byte, 1<<14-1)...)...)), pagestream.ErrCorrupt},
		"pages that go back":                {based(sparsePages(four, 0, 4, 1, 0), sparsePages(four, 0, 3, 1, 0)), pagestream.ErrCorrupt},
		"a page twice":                      {based(sparsePages(four, 0, 4, 1, 0), sparsePages(four, 0, 4, 1, 0)), pagestream.ErrCorrupt},
		"a page in a gap":                   {based(sparsePages(four, 0, 1, 2, join(zero, gap(5), zero)...), sparsePages(four, 0, 4, 1, 0)), pagestream.ErrCorrupt},
		"a run over pages":                  {based(zeros(four, 0, 3, 4), sparsePages(four, 0, 6, 1, 0)), pagestream.ErrCorrupt},
		"a run beyond the end":              {based(zeros(four, 0, 3, 18)), pagestream.ErrCorrupt},
		"a run without an end":              {based(zeros(four, 0, 3, unknownLength)), pagestream.ErrCorrupt},
		"a run of nothing":                  {based(zeros(four, 0, 3, 0)), pagestream.ErrCorrupt},
		"pages of an older region":          {based(second, sparsePages(four, 0, 4, 1, 0)), pagestream.ErrCorrupt},
		"pages of a region to come":         {based(sparsePages(four, 1, 0, 1, 0), second), pagestream.ErrCorrupt},
		"a gap in the complete layer":       {complete()[:2:2], pagestream.ErrCorrupt},
		"a delta in the complete layer":     {[]frame{header(tiny), region(tiny, 0, 512), sparsePages(tiny, 0, 0, 1, same...)}, pagestream.ErrCorrupt},
		"a delta of nothing":                {[]frame{onTop(""), region(tiny, 0, 512), sparsePages(tiny, 0, 0, 1, same...)}, nil},
		"a duplicate in its round":          {[]frame{window, region(tiny, 0, 1024), sparsePages(tiny, 0, 0, 1, plain...), sparsePages(tiny, 0, 1, 1, duplicate...), round(tiny, 1)}, nil},
		"a duplicate of another round":      {[]frame{window, region(tiny, 0, 1024), sparsePages(tiny, 0, 0, 1, plain...), words(tiny, 0, 1, 1), round(tiny, 1), sparsePages(tiny, 0, 1, 1, duplicate...)}, pagestream.ErrCorrupt},
		"a kept page in the complete layer": {[]frame{header(tiny), region(tiny, 0, 512), sparsePages(tiny, 0, 0, 1, 8, 1)}, pagestream.ErrCorrupt},
		"round 0":                           {complete(round(four, 0)), pagestream.ErrCorrupt},
		"round 2 first":                     {complete(round(four, 2)), pagestream.ErrCorrupt},
		"round 1 twice":                     {complete(round(four, 1), round(four, 1)), pagestream.ErrCorrupt},
		"a round of no number":              {complete(frame{typ: typeRound, geometry: four}), pagestream.ErrCorrupt},
		"a round with more":                 {complete(frame{typ: typeRound, geometry: four, payload: make([]byte, 5)}), pagestream.ErrCorrupt},
		"a round too early":                 {append(complete()[:3:3], round(four, 1), words(four, 0, 4, 4)), pagestream.ErrCorrupt},
		"a region in a round":               {complete(round(four, 1), second), pagestream.ErrCorrupt},
		"a round's page beyond the end":     {complete(round(four, 1), sparsePages(four, 0, 8, 1, 0)), pagestream.ErrCorrupt},
		"a round's pages that go back":      {complete(round(four, 1), sparsePages(four, 0, 3, 1, 0), sparsePages(four, 0, 2, 1, 0)), pagestream.ErrCorrupt},
		"a round's region that goes back":   {append(complete()[:4:4], second, words(four, 1, 0, 1), round(four, 1), sparsePages(four, 1, 0, 1, 0), sparsePages(four, 0, 2, 1, 0)), pagestream.ErrCorrupt},
		"a round's page twice":              {complete(round(four, 1), sparsePages(four, 0, 3, 1, 0), zeros(four, 0, 3, 1)), pagestream.ErrCorrupt},
		"a base region without a base":      {[]frame{header(tiny), basedOn(region(tiny, 0, 0), 0)}, pagestream.ErrUnsupported},
		"a base region too many":            {[]frame{onTop(""), basedOn(basedOn(region(tiny, 0, 0), 0), 0)}, pagestream.ErrCorrupt},
		"a base region of no number":        {[]frame{onTop(""), func() frame { f := region(tiny, 0, 0); f.payload = append(f.payload, 2, 0); return f }()}, pagestream.ErrCorrupt},
		"a base region of two numbers":      {[]frame{onTop(""), func() frame { f := region(tiny, 0, 0); f.payload = append(f.payload, 2, 2, 0, 0); return f }()}, pagestream.ErrCorrupt},
		"a base with a path":                {[]frame{onTop("a/b")}, pagestream.ErrCorrupt},
		"a base above":                      {[]frame{onTop("..")}, pagestream.ErrCorrupt},
		"a base here":                       {[]frame{onTop(".")}, pagestream.ErrCorrupt},
		"a base with a zero byte":           {[]frame{onTop("a\x00")}, pagestream.ErrCorrupt},
		"half an identity":                  {[]frame{{typ: typeHeader, geometry: tiny, payload: []byte{1, 0, 4, 2, 1, 2}}}, pagestream.ErrCorrupt},
	} {
		for i := range c.frames {
			c.frames[i].geometry = c.frames[0].geometry
		}
		p := pairOf(c.frames...)
		_, err := readPair(&p)
		if c.want == nil && err != nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: Reader says %v, want %v", name, err, c.want)
		}
		for how := range byte(2 * repairs) {
			chainRead(append([]byte{how, 0, 0}, p.top...))
			chainReadAt(append([]byte{how, 0, 0}, p.top...))
		}
	}
}

// TestSpansCostNothing has streams of a few hundred bytes in which pages that
// nobody carries are without number.
func TestSpansCostNothing(t *testing.T) {
	last := uint64(1)<<54 - 2
	gap := func(n uint64) []byte { return binary.AppendUvarint([]byte{8}, n) }
	record := append(append([]byte{1, 1, 2, 3, 4, 5, 6, 7, 8}, gap(last-1)...), 0)
	long := region(tiny, 0, 1<<63-512)
	start := time.Now()
	for name, frames := range map[string][]frame{
		"a gap":            {onTop(""), long, sparsePages(tiny|1<<4, 0, 0, 2, record...)},
		"a run":            {onTop(""), long, zeros(tiny, 0, 0, last)},
		"nothing":          {onTop(""), long},
		"a gap in a round": {header(tiny), long, zeros(tiny, 0, 0, last+1), round(tiny, 1), sparsePages(tiny|1<<4, 0, 0, 2, record...), round(tiny, 2), zeros(tiny, 0, 1, last)},
	} {
		for i := range frames {
			frames[i].geometry = tiny | 1<<4
		}
		p := pairOf(frames...)
		if _, err := readPair(&p); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		r, err := p.open()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := make([]byte, 1<<20)
		for _, at := range []uint64{0, 1 << 40, 1 << 62, 1<<63 - 1<<21} {
			if n, err := r.ReadRegionAt(got, 0, int64(at)); n != len(got) || err != nil {
				t.Errorf("%s: %d bytes at %d, %v", name, n, at, err)
			}
		}
		var out bytes.Buffer
		w, err := pagestream.NewWriter(context.Background(), &out, pagestream.Options{Base: r, Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		_ = w.BeginRegion(pagestream.Region{Length: 1<<63 - 512})
		if err := w.Skip(1<<63 - 512); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := w.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		chainRead(append([]byte{0, 0, 0}, p.top...))
		chainReadAt(append([]byte{0, 0, 0}, p.top...))
	}
	if taken := time.Since(start); taken > 20*time.Second {
		t.Errorf("it took %v", taken)
	}
}

// TestManyLayers has the most rounds there may be, each with a page: what a
// page read at random costs is what the stream holds at most, and none of it
// is on the stack.
func TestManyLayers(t *testing.T) {
	frames := []frame{header(tiny), region(tiny, 0, 1024), words(tiny, 0, 0, 1), words(tiny, 0, 1, 1)}
	same := append([]byte{7, 5, 0}, le.AppendUint32(nil, checksum(bytes.Repeat([]byte{1, 0, 0, 0, 0, 0, 0, 0}, 64)))...)
	for n := range uint32(1<<16 - 1) {
		frames = append(frames, round(tiny, n+1), sparsePages(tiny, 0, 0, 1, same...))
	}
	stream := join(completed(frames))
	if _, err := pagestream.NewReader(bytes.NewReader(stream), limits(1)); err != nil {
		t.Fatal(err)
	}
	r, err := pagestream.NewReaderAt(bytes.NewReader(stream), int64(len(stream)), limits(1))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	page := make([]byte, 512)
	for n := range uint64(2) {
		if err := r.ReadPage(page, 0, n); err != nil || page[0] != byte(n+1) {
			t.Errorf("page %d: %v, %d", n, err, page[0])
		}
	}
	if taken := time.Since(start); taken > 10*time.Second {
		t.Errorf("two pages took %v", taken)
	}
	empty := frames[:4:4]
	for n := range uint32(1 << 16) {
		empty = append(empty, round(tiny, n+1))
	}
	if _, _, err := collect(join(completed(empty[:len(empty)-1])), limits(1), false, 0, false); err != errLayers {
		t.Errorf("the most rounds: %v", err)
	}
	if _, _, err := collect(join(completed(empty)), limits(1), false, 0, false); !errors.Is(err, pagestream.ErrCorrupt) {
		t.Errorf("a round too many: %v", err)
	}
}

// TestIndexOfLayers has indexes that list other frames than there are.
func TestIndexOfLayers(t *testing.T) {
	frames := completed([]frame{header(four), region(four, 0, 8*512), words(four, 0, 0, 4), words(four, 0, 4, 4),
		round(four, 1), sparsePages(four, 0, 2, 1, 0), sparsePages(four, 0, 5, 1, 0), round(four, 2), zeros(four, 0, 1, 2)})
	indexes := frames[len(frames)-4 : len(frames)-1]
	kept := uint64(0)
	read := func(change func()) error {
		before := make([]frame, len(frames))
		for i := range frames {
			before[i] = frames[i]
			before[i].payload = bytes.Clone(frames[i].payload)
		}
		change()
		end := &frames[len(frames)-1]
		all := withEnd(frames[:len(frames)-1:len(frames)-1], ending{
			index: le.Uint64(end.payload), bytes: le.Uint64(end.payload[16:]), rounds: 2, kept: kept, kinds: [8]uint64{4, 8},
		})
		copy(frames, before)
		stream := join(all)
		streamReadAt(append([]byte{0, 5}, stream...))
		sink := newLayeredSink(goodBase(), stream)
		r, err := pagestream.NewReader(bytes.NewReader(stream), limits(1))
		if err == nil {
			_, err = r.Each(context.Background(), sink)
		}
		return err
	}
	if err := read(func() {}); err != nil {
		t.Fatalf("a good index is refused: %v", err)
	}
	kept++
	if err := read(func() {}); !errors.Is(err, pagestream.ErrCorrupt) {
		t.Errorf("a page that nobody keeps: %v", err)
	}
	kept--
	for name, change := range map[string]func(){
		"another round":      func() { indexes[1].payload[8] = 2 },
		"no such round":      func() { indexes[2].payload[8] = 9 },
		"rounds swapped":     func() { indexes[1], indexes[2] = indexes[2], indexes[1] },
		"another gap":        func() { indexes[1].payload[len(indexes[1].payload)-3]++ },
		"a gap in front":     func() { indexes[1].payload[9]++ },
		"a gap for a page":   func() { indexes[1].first--; indexes[1].payload[9]++ },
		"another span":       func() { indexes[1].payload[len(indexes[1].payload)-1]++ },
		"another first page": func() { indexes[1].first-- },
		"another offset":     func() { indexes[1].payload[0]++ },
		"another length":     func() { indexes[1].payload[10] += 2 },
		"a run for pages":    func() { indexes[1].payload[10]++ },
		"entries missing":    func() { indexes[0].payload = indexes[0].payload[:12] },
	} {
		if err := read(change); !errors.Is(err, pagestream.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestIndexClaimsPages has an index that says that a frame spans a page more
// than it does. A page that is nowhere must not be read.
func TestIndexClaimsPages(t *testing.T) {
	frames := completed([]frame{header(four), region(four, 0, 8*512), words(four, 0, 0, 4), words(four, 0, 4, 3)})
	index := frames[len(frames)-2].payload
	if n := len(index); index[n-1] != 3 {
		t.Fatalf("an index of %x", index)
	} else {
		index[n-1]++
	}
	stream := join(frames)
	r, err := pagestream.NewReaderAt(bytes.NewReader(stream), int64(len(stream)), limits(1))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{512, 1024} {
		if _, err := r.ReadRegionAt(make([]byte, n), 0, int64(8*512-n)); !errors.Is(err, pagestream.ErrCorrupt) {
			t.Errorf("%d bytes, the last of them nowhere: %v", n, err)
		}
	}
}

// TestTailsAreNobodys has pages with something beyond their region's end, which
// no later version may rest on.
func TestTailsAreNobodys(t *testing.T) {
	word := []byte{1, 1, 2, 3, 4, 5, 6, 7, 8}
	page := bytes.Repeat(word[1:], 64)
	clear(page[100:])
	delta := append([]byte{7, 5, 0}, le.AppendUint32(nil, checksum(page))...)
	stream := join(completed([]frame{header(tiny), region(tiny, 0, 100), sparsePages(tiny, 0, 0, 1, word...), round(tiny, 1), sparsePages(tiny, 0, 0, 1, delta...)}))
	chainRead(append([]byte{0, 0, 0}, stream...))
	r, err := pagestream.NewReaderAt(bytes.NewReader(stream), int64(len(stream)), limits(1))
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 512)
	if err := r.ReadPage(got, 0, 0); err != nil || !bytes.Equal(got, page) {
		t.Errorf("%v, %x", err, got)
	}

	// a base that is longer than the region is zero beyond the region's end
	base := goodBase()
	want := make([]byte, 512)
	if _, err := base.ReadRegionAt(want[:100], 0, 0); err != nil && err != io.EOF {
		t.Fatal(err)
	}
	delta = append([]byte{7, 5, 0}, le.AppendUint32(nil, checksum(want))...)
	for name, frames := range map[string][]frame{
		"not carried": {onTop(""), basedOn(region(tiny, 0, 100), 0)},
		"a delta":     {onTop(""), basedOn(region(tiny, 0, 100), 0), sparsePages(tiny, 0, 0, 1, delta...)},
	} {
		p := pairOf(frames...)
		if _, err := readPair(&p); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		r, err := p.open()
		if err != nil {
			t.Fatal(err)
		}
		if err := r.ReadPage(got, 0, 0); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v, %x", name, err, got)
		}
	}
}
