package fuzz

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"

	"github.com/lzpage/lzpage/pagestream"
)

// maxStream bounds the input of a stream target, in bytes.
const maxStream = 1 << 17

// streamRead reads a hostile stream from start to end. One that is taken must
// hold the same for random access, and after it was written again.
func streamRead(data []byte) {
	if len(data) > maxStream {
		return
	}
	c := choices{data}
	how := c.byte()
	stopAt := c.byte()
	stream := repair(c.rest, how%repairs)
	workers := 1 + how>>2&1

	unwatch := watch(len(stream))
	got, totals, err := collect(stream, limits(workers), false, stopAt, how>>3&1 != 0)
	unwatch()
	if err != nil {
		return
	}
	check(totals.Stored == uint64(len(stream)), "%d bytes stored, the stream has %d", totals.Stored, len(stream))
	got.trim()
	sameAtRandom(stream, got, totals)
	sameRewritten(got, workers)
}

// sameAtRandom checks that a ReaderAt sees what was collected.
func sameAtRandom(stream []byte, got *collector, totals pagestream.Totals) {
	r, err := pagestream.NewReaderAt(bytes.NewReader(stream), int64(len(stream)), limits(1))
	check(err == nil, "ReaderAt refuses what Reader takes: %v", err)
	check(reflect.DeepEqual(r.Header(), got.header), "headers %+v and %+v", r.Header(), got.header)
	totals.PageBytes = [pagestream.Kinds]uint64{}
	check(r.Totals() == totals, "totals %+v and %+v", r.Totals(), totals)
	regions := r.Regions()
	check(len(regions) == len(got.regions), "%d regions and %d", len(regions), len(got.regions))
	page := make([]byte, got.header.PageSize)
	for number, region := range regions {
		want := got.regions[number]
		check(want.final && want.Region == region, "region %d is %+v and %+v", number, want.Region, region)
		for _, run := range want.runs {
			if run.data == nil {
				for _, n := range []uint64{run.first, run.first + run.count/2, run.first + run.count - 1} {
					err := r.ReadPage(page, number, n)
					check(err == nil && isZero(page), "zero page %d of region %d: %v", n, number, err)
				}
				continue
			}
			for i := range run.count {
				err := r.ReadPage(page, number, run.first+i)
				check(err == nil && bytes.Equal(page, run.data[i*uint64(len(page)):][:len(page)]), "page %d of region %d: %v", run.first+i, number, err)
			}
		}
		err := r.ReadPage(page, number, want.next)
		check(err == pagestream.ErrRange, "page %d of region %d, behind its end: %v", want.next, number, err)
	}
}

// sameRewritten writes again what was collected, and reads that.
func sameRewritten(got *collector, workers int) {
	var out bytes.Buffer
	w, err := pagestream.NewWriter(context.Background(), &out, pagestream.Options{
		PageSize:        got.header.PageSize,
		ClusterPages:    got.header.ClusterPages,
		DuplicateWindow: 1 + int(min(got.header.DuplicateWindow, 100)),
		Workers:         workers,
		Metadata:        got.header.Metadata,
	})
	check(err == nil, "%v", err)
	for number := range len(got.regions) {
		r := got.regions[number]
		err := w.BeginRegion(r.Region)
		check(err == nil, "region %d cannot be written again: %v", number, err)
		left := r.Length
		for _, run := range r.runs {
			n := min(left, run.count*uint64(got.header.PageSize))
			left -= n
			if run.data == nil {
				err = w.Skip(n)
			} else {
				_, err = w.Write(run.data[:n])
			}
			check(err == nil, "pages of region %d cannot be written again: %v", number, err)
		}
	}
	_, err = w.Close()
	check(err == nil, "%v", err)
	again, _, err := collect(out.Bytes(), limits(workers), false, 0, false)
	check(err == nil, "what was written again cannot be read: %v", err)
	check(maps.Equal(again.content(), got.content()), "pages differ once written again")
	for number, r := range got.regions {
		check(again.regions[number].Region == r.Region, "region %d differs once written again", number)
	}
}

// streamSalvage reads a hostile stream with its damage passed over.
func streamSalvage(data []byte) {
	if len(data) > maxStream {
		return
	}
	c := choices{data}
	how := c.byte()
	stopAt := c.byte()
	stream := repair(c.rest, how%repairs)
	workers := 1 + how>>2&1

	unwatch := watch(len(stream))
	got, _, err := collect(stream, limits(workers), true, stopAt, how>>3&1 != 0)
	unwatch()
	if err == errStop || err == errEnough {
		return
	}
	strict, _, strictErr := collect(stream, limits(workers), false, 0, false)
	if strictErr == nil {
		check(err == nil, "salvage refuses a good stream: %v", err)
		check(got.damages == 0 && got.missing == 0, "salvage finds damage in a good stream")
		check(maps.Equal(got.content(), strict.content()), "salvage reads other pages")
	} else if err == nil && errors.Is(strictErr, pagestream.ErrCut) {
		check(got.damages > 0, "salvage does not say that the stream was cut")
	}
	if strict != nil && err == nil {
		whole := got.content()
		for at, page := range strict.content() {
			check(whole[at] == page, "salvage loses page %d of region %d, which stands before the damage", at.page, at.region)
		}
	}
}

// A bounded source panics where it is read outside of its bytes.
type bounded struct{ b []byte }

func (s bounded) ReadAt(p []byte, off int64) (int, error) {
	check(off >= 0 && off+int64(len(p)) <= int64(len(s.b)), "%d bytes read at %d of %d", len(p), off, len(s.b))
	return copy(p, s.b[off:]), nil
}

// streamReadAt reads pages of a hostile stream at random.
func streamReadAt(data []byte) {
	if len(data) > maxStream {
		return
	}
	c := choices{data}
	how := c.byte()
	seed := uint64(c.byte())
	stream := repair(c.rest, how%repairs)

	defer watch(len(stream))()
	r, err := pagestream.NewReaderAt(bounded{stream}, int64(len(stream)), limits(1))
	if err != nil {
		checkError(err, len(stream))
		return
	}
	size := uint64(r.Header().PageSize)
	for number, region := range r.Regions() {
		if number == 8 {
			return
		}
		pages := region.Pages(int(size))
		check(pages <= 1<<63/size, "region of %d pages", pages)
		for _, n := range probes(pages, seed) {
			readPageBothWays(r, len(stream), number, n)
		}
		for _, off := range probes(region.Length, seed) {
			readAcross(r, len(stream), number, off, int(seed)*37)
		}
	}
}

// probes returns some numbers below n, both ends among them.
func probes(n, seed uint64) []uint64 {
	if n == 0 {
		return nil
	}
	some := []uint64{0, n - 1, n / 2, min(n-1, 16), min(n-1, seed)}
	for range 6 {
		seed = seed*6364136223846793005 + 1442695040888963407
		some = append(some, seed>>1%n, seed>>33%min(n, 64))
	}
	return some
}

func readPageBothWays(r *pagestream.ReaderAt, streamSize, number int, n uint64) {
	size := uint64(r.Header().PageSize)
	page := make([]byte, size)
	err := r.ReadPage(page, number, n)
	if err != nil {
		checkError(err, streamSize)
	}
	same := make([]byte, size)
	got, sameErr := r.ReadRegionAt(same, number, int64(n*size))
	within := min(size, r.Regions()[number].Length-n*size)
	if err != nil {
		check(fmt.Sprint(sameErr) == fmt.Sprint(err), "page %d of region %d: %v one way and %v the other", n, number, err, sameErr)
		return
	}
	check(sameErr == nil && uint64(got) == size || sameErr == io.EOF && uint64(got) == within && within < size,
		"page %d of region %d: %d bytes, %v", n, number, got, sameErr)
	check(bytes.Equal(same[:got], page[:got]), "page %d of region %d differs between ReadPage and ReadRegionAt", n, number)
}

// readAcross reads bytes over pages' ends. Pages read alone say what is right.
func readAcross(r *pagestream.ReaderAt, streamSize, number int, off uint64, n int) {
	p := make([]byte, n)
	got, err := r.ReadRegionAt(p, number, int64(off))
	check(got >= 0 && got <= n, "%d of %d bytes", got, n)
	if err != nil && err != io.EOF {
		checkError(err, streamSize)
	} else {
		check(got == n || err == io.EOF && uint64(got) == r.Regions()[number].Length-off, "%d of %d bytes: %v", got, n, err)
	}
	size := uint64(r.Header().PageSize)
	page := make([]byte, size)
	for at := off; at < off+uint64(got); {
		within := at % size
		err := r.ReadPage(page, number, at/size)
		rest := min(size-within, off+uint64(got)-at)
		check(err == nil && bytes.Equal(page[within:][:rest], p[at-off:][:rest]), "bytes at %d of region %d differ from the page's: %v", at, number, err)
		at += rest
	}
}
