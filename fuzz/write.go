package fuzz

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/lzpage/lzpage/lzrw1"
	"github.com/lzpage/lzpage/pagestream"
)

// maxMemory bounds the memory that a plan writes, in bytes.
const maxMemory = 1 << 19

// A plan is memory, and how it is to be written.
type plan struct {
	options pagestream.Options
	regions []plannedRegion
}

type plannedRegion struct {
	pagestream.Region
	announced uint64 // the length that it begins with
	memory    []byte
	pieces    []piece
}

// A piece is the next bytes of a region.
type piece struct {
	size int
	how  byte // see the hows
}

const (
	byWrite = iota
	byReadFrom
	bySkip
	hows
)

// makePlan makes a plan of any bytes: first the options, then regions and
// pieces of memory as memory is.
func makePlan(data []byte) plan {
	c := choices{data}
	p := plan{options: pagestream.Options{
		PageSize:        512 << (c.byte() & 3),
		ClusterPages:    1 << (c.byte() % 5),
		Level:           lzrw1.Level(c.byte() % 3),
		DuplicateWindow: [...]int{pagestream.NoDuplicates, 1, 2, 3, 17, 0, 64, 5}[c.byte()&7],
	}}
	if n := c.byte(); n&1 != 0 {
		p.options.Metadata = []pagestream.Metadata{{Key: "guest", Value: strings.Repeat("x", n)}, {Key: "", Value: "none"}}
	}
	size := p.options.PageSize
	total := 0
	for len(c.rest) > 0 && total < maxMemory {
		op := c.byte()
		if len(p.regions) == 0 || op%16 == 15 && len(p.regions) < 50 {
			offset := uint64(c.uint16()) << 8
			p.regions = append(p.regions, plannedRegion{Region: pagestream.Region{
				Class:      pagestream.Class(c.byte() & 1),
				Name:       string(bytes.ToValidUTF8(take(&c, c.byte()%20), nil)),
				FileOffset: offset,
			}})
			r := &p.regions[len(p.regions)-1]
			if r.Class == pagestream.Memory {
				r.Address = offset << (c.byte() & 31)
			}
			if c.bool() {
				r.announced = pagestream.UnknownLength
			}
			continue
		}
		r := &p.regions[len(p.regions)-1]
		var more []byte
		how := byte(op/16) % hows
		switch op % 8 {
		case 0:
			more = make([]byte, c.byte()*size/4)
			how = bySkip
		case 1:
			more = take(&c, c.byte())
		case 2:
			more = bytes.Repeat(take(&c, 8), c.byte()*size/32)
		case 3:
			more = noise(c.byte()*size/16, uint32(c.byte()))
		case 4: // what stood there before
			if at := c.uint16() * size / 4; at < len(r.memory) {
				more = r.memory[at:min(len(r.memory), at+c.byte()*size/8)]
			}
		case 5: // mostly zero
			more = make([]byte, c.byte()*size/8)
			for i := c.byte(); i < len(more); i += 8 + c.byte() {
				more[i] = byte(i)
			}
		case 6:
			more = []byte(strings.Repeat(fmt.Sprintf("%d bottles of beer on the wall, ", c.byte()), c.byte()))
		case 7: // up to a page's end, so that pages can equal
			more = make([]byte, -len(r.memory)&(size-1))
		}
		if how == bySkip && !isZero(more) {
			how = byWrite
		}
		if total += len(more); total > maxMemory {
			break
		}
		r.memory = append(r.memory, more...)
		r.pieces = append(r.pieces, piece{len(more), how})
	}
	for i := range p.regions {
		r := &p.regions[i]
		r.Length = uint64(len(r.memory))
		if r.announced == 0 {
			r.announced = r.Length
		}
	}
	return p
}

// take takes n bytes, or as many as there are.
func take(c *choices, n int) []byte {
	b := c.rest[:min(n, len(c.rest))]
	c.rest = c.rest[len(b):]
	return b
}

// write writes the plan's stream.
func (p *plan) write(workers int) ([]byte, pagestream.Totals) {
	var out bytes.Buffer
	options := p.options
	options.Workers = workers
	w, err := pagestream.NewWriter(context.Background(), &out, options)
	check(err == nil, "%v", err)
	p.writeRegions(w)
	totals, err := w.Close()
	check(err == nil, "%v", err)
	return out.Bytes(), totals
}

// writeRegions gives the plan's memory to a Writer.
func (p *plan) writeRegions(w *pagestream.Writer) {
	for i := range p.regions {
		r := &p.regions[i]
		begun := r.Region
		begun.Length = r.announced
		err := w.BeginRegion(begun)
		check(err == nil, "%v", err)
		at := 0
		for _, piece := range r.pieces {
			b := r.memory[at:][:piece.size]
			at += piece.size
			switch piece.how {
			case byWrite:
				_, err = w.Write(b)
			case byReadFrom:
				_, err = w.ReadFrom(io.LimitReader(bytes.NewReader(b), int64(len(b))))
			case bySkip:
				err = w.Skip(uint64(len(b)))
			}
			check(err == nil, "%v", err)
		}
	}
}

// streamWrite writes memory as a stream and reads it back in both ways.
func streamWrite(data []byte) {
	if len(data) > maxStream {
		return
	}
	p := makePlan(data)
	defer watch(maxMemory)()
	stream, totals := p.write(1)
	parallel, parallelTotals := p.write(3)
	check(bytes.Equal(stream, parallel), "the stream depends on the number of workers")
	check(totals == parallelTotals, "totals depend on the number of workers: %+v, %+v", totals, parallelTotals)
	check(totals.Stored == uint64(len(stream)), "%d bytes stored, the stream has %d", totals.Stored, len(stream))
	check(bytes.Equal(repair(stream, complete), stream), "index or end are not as the specification has them")

	got, readTotals, err := collect(stream, limits(2), false, 0, false)
	check(err == nil, "cannot be read: %v", err)
	check(readTotals == totals, "written %+v, read %+v", totals, readTotals)
	check(len(got.regions) == len(p.regions), "%d regions became %d", len(p.regions), len(got.regions))
	r, err := pagestream.NewReaderAt(bounded{stream}, int64(len(stream)), limits(1))
	check(err == nil, "cannot be read at random: %v", err)
	for i := range p.regions {
		want := &p.regions[i]
		check(got.regions[i].Region == want.Region, "region %+v became %+v", want.Region, got.regions[i].Region)
		check(bytes.Equal(got.regions[i].memory(got.header.PageSize), want.memory), "region %d has other bytes", i)
		again := make([]byte, len(want.memory))
		n, err := r.ReadRegionAt(again, i, 0)
		check(n == len(again) && (err == nil || len(again) == 0), "region %d cannot be read at random: %d bytes, %v", i, n, err)
		check(bytes.Equal(again, want.memory), "region %d has other bytes at random", i)
	}
	sameAtRandom(stream, got, readTotals)
}

// memory returns the bytes of a region that was not too large to write.
func (r *collected) memory(pageSize int) []byte {
	var b []byte
	for _, run := range r.runs {
		if run.data == nil {
			b = append(b, make([]byte, int(run.count)*pageSize)...)
		}
		b = append(b, run.data...)
	}
	check(isZero(b[r.Length:]), "the last page is not filled up with zeros")
	return b[:r.Length]
}

// streamDamage damages a good stream and checks that salvage loses nothing
// but what the damage touches, and the duplicates of that.
func streamDamage(data []byte) {
	if len(data) > maxStream {
		return
	}
	c := choices{data}
	kind, where, length := c.byte(), c.uint16()<<8|c.byte(), 1+c.uint16()%2000
	p := makePlan(c.rest)
	for i := range p.regions {
		if bytes.Contains(p.regions[i].memory, marker) {
			return // a guest that plants frames can make salvage lose more
		}
	}
	stream, _ := p.write(1)
	from := where % len(stream)
	length = min(length, len(stream)-from)
	var damaged []byte
	switch kind % 4 {
	case 0: // other bytes
		damaged = bytes.Clone(stream)
		for i := range length {
			damaged[from+i] ^= byte(1 + i%255)
		}
	case 1: // one bit
		length = 1
		damaged = bytes.Clone(stream)
		damaged[from] ^= 1 << (kind >> 2 & 7)
	case 2: // bytes lost
		damaged = append(bytes.Clone(stream[:from]), stream[from+length:]...)
	case 3: // bytes added
		damaged = append(bytes.Clone(stream[:from]), noise(length, uint32(where))...)
		damaged = append(damaged, stream[from:]...)
		length = 0
	}
	frames := split(stream)
	if from < headerSize+len(frames[0].payload) {
		return // without its header a stream's window is not known
	}
	got, _, err := collect(damaged, limits(1+kind>>5&1), true, 0, false)
	check(err == nil, "salvage gives up: %v", err)
	have := got.content()
	gone := make(map[pageAddress]bool)
	offset := 0
	to := max(from+length, from+1)
	for i := range frames {
		f := &frames[i]
		size := headerSize + len(f.payload)
		hit := offset < to && from < offset+size && (length > 0 || from > offset)
		if hit && kind%4 == 2 && offset <= from {
			// what follows the lost bytes may fill their frame up exactly
			to = max(to, offset+size+length)
		}
		offset += size
		if f.typ != typePages {
			continue
		}
		records, _ := parseRecords(f)
		for _, r := range records {
			at := pageAddress{uint64(f.region), r.page}
			if hit || r.kind == 2 && gone[r.duplicate] {
				gone[at] = true
			}
		}
	}
	check(got.cut || kind%4 != 2 || from+length < len(stream), "salvage does not say that the stream was cut")
	check(len(gone) == 0 || got.damages > 0 || got.missing > 0, "salvage sees no damage")
	for number := range p.regions {
		memory := p.regions[number].memory
		size := p.options.PageSize
		for n := 0; n*size < len(memory); n++ {
			at := pageAddress{uint64(number), uint64(n)}
			page := make([]byte, size)
			copy(page, memory[n*size:])
			if !gone[at] && !isZero(page) {
				check(have[at] == string(page), "page %d of region %d is lost or wrong, damage is at %d", n, number, from)
			}
			if found, ok := have[at]; ok {
				check(found == string(page), "page %d of region %d is another", n, number)
			}
		}
	}
}
