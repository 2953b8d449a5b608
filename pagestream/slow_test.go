package pagestream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/lzpage/lzpage/internal/lzrw1spec"
)

// A slowStream is what slowRead makes of a stream: the regions with all their
// bytes, and the kinds of their pages.
type slowStream struct {
	pageSize, clusterPages int
	metadata               [][2]string
	window                 uint64
	regions                []slowRegion
}

type slowRegion struct {
	class                       byte
	address, fileOffset, length uint64
	name                        string
	data                        []byte
	kinds                       []byte
}

// slowRead reads a whole stream as SPEC.md says, with nothing of the package
// under test. It is the judge of what a stream means; it does not judge damage.
func slowRead(b []byte) (s slowStream, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("slowRead: %v", r)
		}
	}()
	stream := b
	u16, u32, u64 := binary.LittleEndian.Uint16, binary.LittleEndian.Uint32, binary.LittleEndian.Uint64
	castagnoli := crc32.MakeTable(0x82F63B78)
	sum := func(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }
	varint := func(b *[]byte) uint64 {
		v, n := binary.Uvarint(*b)
		*b = (*b)[n:]
		return v
	}
	take := func(b *[]byte, n int) []byte {
		head := (*b)[:n]
		*b = (*b)[n:]
		return head
	}
	type listed struct{ offset, length, zeros uint64 }
	var frames, index []listed
	var headerCRCs []byte
	var kinds [7]uint64
	for count := uint64(0); ; count++ {
		offset := uint64(len(stream) - len(b))
		h := take(&b, 32)
		if u32(h) != 0x505A4C89 || u32(h[28:]) != sum(h[:28]) {
			return s, errors.New("frame header")
		}
		payload := take(&b, int(u32(h[12:])))
		if sum(payload) != u32(h[24:]) {
			return s, errors.New("payload CRC")
		}
		pageSize, clusterPages := 512<<(h[5]&15), 1<<(h[5]>>4)
		region, first := u32(h[8:]), u64(h[16:])
		length := uint64(32 + len(payload))
		whole := payload
		switch h[4] {
		case 1:
			s.pageSize, s.clusterPages = pageSize, clusterPages
			if u16(take(&payload, 2)) != 1 {
				return s, errors.New("version")
			}
			for len(payload) > 0 {
				tag := varint(&payload)
				value := take(&payload, int(varint(&payload)))
				if tag == 1 {
					key := string(take(&value, int(varint(&value))))
					s.metadata = append(s.metadata, [2]string{key, string(value)})
				} else {
					s.window = varint(&value)
				}
			}
		case 2:
			var r slowRegion
			r.class = take(&payload, 1)[0]
			r.address = u64(take(&payload, 8))
			r.fileOffset = u64(take(&payload, 8))
			r.length = u64(take(&payload, 8))
			for len(payload) > 0 {
				tag := varint(&payload)
				value := take(&payload, int(varint(&payload)))
				if tag == 1 {
					r.name = string(value)
				}
			}
			if int(region) == len(s.regions) {
				s.regions = append(s.regions, r)
			} else {
				s.regions[region].length = r.length
			}
		case 3:
			r := &s.regions[region]
			if int(first) != len(r.kinds) {
				return s, errors.New("pages out of order")
			}
			type record struct {
				kind        byte
				word        []byte
				region, at  uint64
				crc         uint32
				blockLength int
			}
			var records []record
			for range u16(h[6:]) {
				rec := record{kind: take(&payload, 1)[0]}
				switch rec.kind {
				case 1:
					rec.word = take(&payload, 8)
				case 2:
					rec.region = varint(&payload)
					rec.at = varint(&payload)
					rec.crc = u32(take(&payload, 4))
				case 3:
					rec.crc = u32(take(&payload, 4))
					rec.blockLength = pageSize
				case 4, 5, 6:
					rec.crc = u32(take(&payload, 4))
					rec.blockLength = int(varint(&payload))
				}
				records = append(records, rec)
			}
			var contents []byte
			for _, rec := range records {
				page := make([]byte, pageSize)
				switch rec.kind {
				case 1:
					for i := range page {
						page[i] = rec.word[i%8]
					}
				case 2:
					other := &s.regions[rec.region]
					if other.kinds[rec.at] < 3 {
						return s, errors.New("duplicate of a page without content")
					}
					copy(page, other.data[rec.at*uint64(pageSize):])
				case 3, 4, 5, 6:
					block := take(&payload, rec.blockLength)
					content := block
					if rec.kind == 4 || rec.kind == 6 {
						content, err = lzrw1spec.Decode(contents, block)
						if err != nil {
							return s, err
						}
					}
					contents = append(contents, content...)
					if rec.kind >= 5 {
						set := take(&content, pageSize/64)
						for word := range pageSize / 8 {
							if set[word/8]>>(word%8)&1 == 1 {
								copy(page[8*word:], take(&content, 8))
							}
						}
						if len(content) > 0 {
							return s, errors.New("words left over")
						}
					} else {
						copy(page, content)
					}
				}
				if rec.kind >= 2 && sum(page) != rec.crc {
					return s, errors.New("page CRC")
				}
				r.data = append(r.data, page...)
				r.kinds = append(r.kinds, rec.kind)
				kinds[rec.kind]++
			}
			if len(payload) > 0 {
				return s, errors.New("blocks left over")
			}
			frames = append(frames, listed{offset, length, 0})
		case 4:
			r := &s.regions[region]
			zeros := u64(payload)
			r.data = append(r.data, make([]byte, zeros*uint64(pageSize))...)
			r.kinds = append(r.kinds, make([]byte, zeros)...)
			kinds[0] += zeros
			frames = append(frames, listed{offset, length, zeros})
		case 5:
			at := u64(take(&payload, 8))
			for len(payload) > 0 {
				v := varint(&payload)
				entry := listed{at, v >> 1, 0}
				if v&1 == 1 {
					entry.zeros = varint(&payload)
				}
				index = append(index, entry)
				at += v >> 1
			}
		case 6:
			total := uint64(0)
			for i := range s.regions {
				r := &s.regions[i]
				total += r.length
				r.data = r.data[:r.length]
			}
			if fmt.Sprint(index) != fmt.Sprint(frames) {
				return s, errors.New("the index does not list the frames")
			}
			take(&payload, 8) // where the index is
			if u64(take(&payload, 8)) != count || u64(take(&payload, 8)) != total {
				return s, errors.New("totals")
			}
			for _, n := range kinds {
				if u64(take(&payload, 8)) != n {
					return s, errors.New("pages by kind")
				}
			}
			if u32(take(&payload, 4)) != sum(headerCRCs) || u32(take(&payload, 4)) != uint32(32+len(whole)) || u32(payload) != 0x894C5A50 {
				return s, errors.New("end")
			}
			if len(b) > 0 {
				return s, errors.New("bytes behind the end")
			}
			return s, nil
		}
		headerCRCs = append(headerCRCs, h[28:32]...)
	}
}
