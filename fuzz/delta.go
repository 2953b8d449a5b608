package fuzz

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/lzpage/lzpage/delta"
	"github.com/lzpage/lzpage/internal/deltaspec"
)

// deltaDecoder is used for all inputs, as users do.
var deltaDecoder = delta.NewDecoder()

var deltaEncoders = func() (all [len(levels)]*delta.Encoder) {
	for i, level := range levels {
		all[i] = delta.NewEncoder(level)
	}
	return all
}()

// oldPage returns an old page: noise, or zeros and a little noise.
func oldPage(choice int) []byte {
	page := noise([...]int{64, 512, 4096, 576, 4160, 128, 16384, 1024}[choice&7], uint32(choice))
	if choice&8 != 0 {
		clear(page[len(page)/16:])
	}
	return page
}

// deltaApply applies a hostile record. What comes of it is what deltaspec says.
func deltaApply(data []byte) {
	if len(data) > maxBlock {
		return
	}
	defer watch(len(data))()
	c := choices{data}
	old, repair := oldPage(c.byte()), c.bool()
	record := bytes.Clone(c.rest)
	want, wantErr := deltaspec.Apply(old, record)
	if repair && errors.Is(wantErr, deltaspec.ErrMismatch) {
		binary.LittleEndian.PutUint32(record[1:], delta.Checksum(want))
		wantErr = nil
	}
	page := bytes.Clone(old)
	err := deltaDecoder.Apply(page, record)
	var corrupt *delta.CorruptError
	switch {
	case wantErr == nil:
		check(err == nil && bytes.Equal(page, want), "record refused or applied wrongly: %v", err)
	case errors.Is(wantErr, deltaspec.ErrMismatch):
		check(errors.Is(err, delta.ErrMismatch), "no mismatch but %v", err)
	default:
		check(errors.As(err, &corrupt), "a corrupt record gives %v", err)
		check(bytes.Equal(page, old), "a corrupt record changes the page")
	}
}

// deltaEncode makes records of a page that has changed here and there, in all
// ways there are, and applies them.
func deltaEncode(data []byte) {
	if len(data) > maxBlock {
		return
	}
	defer watch(len(data))()
	c := choices{data}
	var pairs []delta.Pair
	for range 1 + c.byte()%4 {
		old := oldPage(c.byte())
		new := bytes.Clone(old)
		for change := c.byte(); change > 0 && len(c.rest) > 0; change = c.byte() {
			at := c.uint16() % len(new)
			switch n := min(change>>2+1, len(new)-at); change & 3 {
			case 0:
				copy(new[at:at+n], c.rest)
			case 1: // every 24th byte
				for i := at; i < len(new); i += 24 {
					new[i] += byte(change)
				}
			case 2:
				copy(new[at:], old[:min(16*n, len(old))])
			case 3:
				clear(new[at:][:min(16*n, len(new)-at)])
			}
		}
		pairs = append(pairs, delta.Pair{Old: old, New: new})
	}
	for i, e := range deltaEncoders {
		records, ends := e.AppendAll(nil, nil, pairs)
		start := 0
		for k, p := range pairs {
			record := records[start:ends[k]]
			start = ends[k]
			if len(record) == 0 {
				continue
			}
			check(len(record) < len(p.New), "level %v: a record of %d bytes", levels[i], len(record))
			want, err := deltaspec.Apply(p.Old, record)
			check(err == nil && bytes.Equal(want, p.New), "level %v: no record of the page: %v", levels[i], err)
			page := bytes.Clone(p.Old)
			err = deltaDecoder.Apply(page, record)
			check(err == nil && bytes.Equal(page, p.New), "level %v: applying it: %v", levels[i], err)
		}
	}
	for _, p := range pairs {
		if len(p.New) > delta.MaxXBZRLEPage {
			continue
		}
		want := deltaspec.EncodeXBZRLE(p.Old, p.New)
		record, ok := delta.AppendXBZRLE(nil, p.Old, p.New)
		check(ok == (len(want) <= len(p.New)) && (!ok || bytes.Equal(record, want)), "XBZRLE is not as specified")
	}
}

// xbzrleApply applies a hostile XBZRLE record.
func xbzrleApply(data []byte) {
	if len(data) > maxBlock {
		return
	}
	c := choices{data}
	old := oldPage(c.byte())
	want, wantErr := deltaspec.ApplyXBZRLE(old, c.rest)
	page := bytes.Clone(old)
	err := delta.ApplyXBZRLE(page, c.rest)
	var corrupt *delta.CorruptError
	if wantErr != nil {
		check(errors.As(err, &corrupt), "a corrupt XBZRLE record gives %v", err)
		return
	}
	check(err == nil && bytes.Equal(page, want), "XBZRLE applied wrongly: %v", err)
}

// deltaSeeds returns records of each form behind the bytes that choose the
// page.
func deltaSeeds() [][]byte {
	var seeds [][]byte
	for choice := range 16 {
		old := oldPage(choice)
		for change := range 4 {
			new := bytes.Clone(old)
			for i := 8 * change; i < len(new); i += [...]int{1000, 9, 24, 1}[change] {
				new[i] ^= byte(i/256 + 1)
			}
			for _, e := range deltaEncoders {
				if record, ok := e.Append(nil, old, new); ok && len(record) < 1500 {
					seeds = append(seeds, append([]byte{byte(choice), 1}, record...))
				}
			}
		}
	}
	return seeds
}

// xbzrleSeeds returns XBZRLE records likewise.
func xbzrleSeeds() [][]byte {
	seeds := [][]byte{{0}, {2, 0x80, 0x01, 0x02, 'a', 'b', 0x3F, 0x01, 'c'}}
	for choice := range 8 {
		if old := oldPage(choice); len(old) <= delta.MaxXBZRLEPage {
			seeds = append(seeds, append([]byte{byte(choice)}, deltaspec.EncodeXBZRLE(old, oldPage(choice|8))...))
		}
	}
	return seeds
}
