package pagestream

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/lzpage/lzpage/delta"
	"github.com/lzpage/lzpage/internal/lzrw1spec"
)

// A slowStream is what slowRead makes of a stream: the regions with all their
// bytes, and the kinds of their pages.
type slowStream struct {
	pageSize, clusterPages int
	metadata               [][2]string
	window                 uint64
	id                     []byte
	baseID                 []byte
	baseName               string
	rounds                 int
	regions                []slowRegion
}

type slowRegion struct {
	class                       byte
	address, fileOffset, length uint64
	name                        string
	base                        int
	data                        []byte
	carried                     []map[uint64]byte // by round: kinds of the pages that it carries
}

// slowRead reads a whole stream as SPEC.md says, with nothing of the package
// under test; base is what it made of the base, if there is one. It is the
// judge of what a stream means; it does not judge damage.
func slowRead(b []byte, base *slowStream) (s slowStream, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("slowRead: %v", r)
		}
	}()
	stream := b
	u16, u32, u64 := binary.LittleEndian.Uint16, binary.LittleEndian.Uint32, binary.LittleEndian.Uint64
	sum, varint, take := slowSum, slowVarint, slowTake
	lengths := map[uint32]uint64{} // of the regions' final forms
	for at := 0; at < len(b); at += 32 + int(u32(b[at+12:])) {
		if b[at+4] == 2 {
			lengths[u32(b[at+8:])] = u64(b[at+32+17:])
		}
	}
	type listed struct {
		round                        int
		offset, length, first, pages uint64
		zeros                        bool
	}
	frames, index := map[uint32][]listed{}, map[uint32][]listed{}
	var identity []byte // what is hashed
	var kinds [8]uint64
	deltas := delta.NewDecoder()
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
		sparse := base != nil || s.rounds > 0
		switch h[4] {
		case 1:
			s.pageSize, s.clusterPages = pageSize, clusterPages
			identity = append(identity, payload...)
			if u16(take(&payload, 2)) != 1 {
				return s, errors.New("version")
			}
			for len(payload) > 0 {
				tag := varint(&payload)
				value := take(&payload, int(varint(&payload)))
				switch tag {
				case 1:
					key := string(take(&value, int(varint(&value))))
					s.metadata = append(s.metadata, [2]string{key, string(value)})
				case 2:
					s.window = varint(&value)
				case 4:
					s.baseID, s.baseName = take(&value, 16), string(value)
				}
			}
			if (s.baseID == nil) != (base == nil) || base != nil && string(base.id) != string(s.baseID) {
				return s, errors.New("another base")
			}
		case 2:
			r := slowRegion{base: -1}
			r.class = take(&payload, 1)[0]
			r.address = u64(take(&payload, 8))
			r.fileOffset = u64(take(&payload, 8))
			r.length = u64(take(&payload, 8))
			for len(payload) > 0 {
				tag := varint(&payload)
				value := take(&payload, int(varint(&payload)))
				switch tag {
				case 1:
					r.name = string(value)
				case 2:
					r.base = int(varint(&value))
				}
			}
			if int(region) < len(s.regions) {
				s.regions[region].length = r.length
				break
			}
			final := int(lengths[region])
			r.data = make([]byte, (final+pageSize-1)/pageSize*pageSize)
			if r.base >= 0 {
				copy(r.data[:final], base.regions[r.base].data)
			}
			r.carried = []map[uint64]byte{{}}
			s.regions = append(s.regions, r)
		case 7:
			s.rounds++
			if u32(payload) != uint32(s.rounds) || len(payload) != 4 {
				return s, errors.New("number of a round")
			}
			for i := range s.regions {
				r := &s.regions[i]
				clear(r.data[lengths[uint32(i)]:])
				r.carried = append(r.carried, map[uint64]byte{})
			}
		case 3:
			pages, err := s.takePages(h, payload, sparse, &kinds, deltas)
			if err != nil {
				return s, err
			}
			frames[region] = append(frames[region], listed{s.rounds, offset, length, first, pages, false})
		case 4:
			r := &s.regions[region]
			zeros := u64(payload)
			clear(r.data[first*uint64(pageSize):][:zeros*uint64(pageSize)])
			for i := range zeros {
				r.carried[s.rounds][first+i] = 0
			}
			kinds[0] += zeros
			frames[region] = append(frames[region], listed{s.rounds, offset, length, first, zeros, true})
		case 5:
			at := u64(take(&payload, 8))
			round := int(varint(&payload))
			next := first
			for len(payload) > 0 {
				next += varint(&payload)
				length := varint(&payload)
				e := listed{round, at, length >> 1, next, varint(&payload), length&1 == 1}
				index[region] = append(index[region], e)
				at += e.length
				next += e.pages
			}
		case 6:
			total, kept := uint64(0), uint64(0)
			for i := range s.regions {
				r := &s.regions[i]
				total += r.length
				kept += uint64(len(r.data)/s.pageSize - len(r.carried[0]))
				r.data = r.data[:r.length]
			}
			if fmt.Sprint(index) != fmt.Sprint(frames) {
				return s, errors.New("the index does not list the frames")
			}
			if base == nil && kept > 0 {
				return s, errors.New("pages are missing")
			}
			take(&payload, 8) // where the index is
			if u64(take(&payload, 8)) != count || u64(take(&payload, 8)) != total || u64(take(&payload, 8)) != uint64(s.rounds) || u64(take(&payload, 8)) != kept {
				return s, errors.New("totals")
			}
			for _, n := range kinds {
				if u64(take(&payload, 8)) != n {
					return s, errors.New("pages by kind")
				}
			}
			hash := sha256.Sum256(identity)
			s.id = take(&payload, 16)
			if string(s.id) != string(hash[:16]) || u32(take(&payload, 4)) != uint32(32+len(whole)) || u32(payload) != 0x894C5A50 {
				return s, errors.New("end")
			}
			if len(b) > 0 {
				return s, errors.New("bytes behind the end")
			}
			return s, nil
		}
		identity = append(identity, h...)
	}
}

func slowSum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(0x82F63B78)) }

func slowVarint(b *[]byte) uint64 {
	v, n := binary.Uvarint(*b)
	*b = (*b)[n:]
	return v
}

func slowTake(b *[]byte, n int) []byte {
	head := (*b)[:n]
	*b = (*b)[n:]
	return head
}

// takePages takes the pages frame of the header and the payload, and returns
// how many pages it spans.
func (s *slowStream) takePages(h, payload []byte, sparse bool, kinds *[8]uint64, deltas *delta.Decoder) (uint64, error) {
	u16, u32, u64 := binary.LittleEndian.Uint16, binary.LittleEndian.Uint32, binary.LittleEndian.Uint64
	sum, varint, take := slowSum, slowVarint, slowTake
	pageSize, region, first := 512<<(h[5]&15), u32(h[8:]), u64(h[16:])
	r := &s.regions[region]
	type record struct {
		page        uint64
		kind        byte
		word        []byte
		region, at  uint64
		crc         uint32
		blockLength int
	}
	var records []record
	page := first
	for range u16(h[6:]) {
		rec := record{page: page, kind: take(&payload, 1)[0]}
		if rec.kind == 8 {
			page += varint(&payload)
			rec = record{page: page, kind: take(&payload, 1)[0]}
		}
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
		case 7:
			rec.blockLength = int(varint(&payload))
		}
		records = append(records, rec)
		page++
	}
	var contents []byte
	for _, rec := range records {
		page := r.data[rec.page*uint64(pageSize):][:pageSize]
		if rec.kind == 7 {
			if !sparse {
				return 0, errors.New("a delta in the complete layer")
			}
			if err := deltas.Apply(page, take(&payload, rec.blockLength)); err != nil {
				return 0, err
			}
		} else {
			clear(page)
		}
		switch rec.kind {
		case 1:
			for i := range page {
				page[i] = rec.word[i%8]
			}
		case 2:
			other := &s.regions[rec.region]
			if kind := other.carried[s.rounds][rec.at]; kind < 3 || kind > 6 {
				return 0, errors.New("duplicate of a page without content")
			}
			copy(page, other.data[rec.at*uint64(pageSize):])
		case 3, 4, 5, 6:
			block := take(&payload, rec.blockLength)
			content := block
			if rec.kind == 4 || rec.kind == 6 {
				var err error
				if content, err = lzrw1spec.Decode(contents, block); err != nil {
					return 0, err
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
					return 0, errors.New("words left over")
				}
			} else {
				copy(page, content)
			}
		}
		if rec.kind >= 2 && rec.kind <= 6 && sum(page) != rec.crc {
			return 0, errors.New("page CRC")
		}
		r.carried[s.rounds][rec.page] = rec.kind
		kinds[rec.kind]++
	}
	if len(payload) > 0 {
		return 0, errors.New("blocks left over")
	}
	return page - first, nil
}
