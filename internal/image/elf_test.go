package image

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/lzpage/lzpage/pagestream"
)

// A core describes an ELF core of 64 bits, little-endian, to be built.
type core struct {
	typ       elf.Type // ET_CORE if 0
	progs     []elf.Prog64
	size      int    // of the file; noise behind the headers
	progsAt   uint64 // offset of the program headers, 64 if 0
	sectionAt uint64 // offset of the section header that counts them, none if 0
	entrySize uint16 // of a program header, 56 if 0
}

func load(offset, length, physical, virtual uint64) elf.Prog64 {
	return elf.Prog64{Type: uint32(elf.PT_LOAD), Off: offset, Filesz: length, Memsz: length, Paddr: physical, Vaddr: virtual}
}

func note(offset, length uint64) elf.Prog64 {
	return elf.Prog64{Type: uint32(elf.PT_NOTE), Off: offset, Filesz: length}
}

func (c core) build() []byte {
	b := noise(uint32(c.size), c.size)
	h := elf.Header64{
		Type:      uint16(elf.ET_CORE),
		Version:   1,
		Phoff:     64,
		Ehsize:    8, // as QEMU has it
		Phentsize: 56,
		Phnum:     uint16(len(c.progs)),
		Shoff:     c.sectionAt,
	}
	copy(h.Ident[:], "\x7fELF\x02\x01\x01")
	if c.typ != 0 {
		h.Type = uint16(c.typ)
	}
	if c.progsAt != 0 {
		h.Phoff = c.progsAt
	}
	if c.entrySize != 0 {
		h.Phentsize = c.entrySize
	}
	if c.sectionAt != 0 {
		h.Phnum = 0xffff
		place(b, int(c.sectionAt), elf.Section64{Info: uint32(len(c.progs))})
	}
	place(b, int(h.Phoff), c.progs)
	place(b, 0, h)
	return b
}

func place(b []byte, offset int, data any) {
	if _, err := binary.Encode(b[offset:], binary.LittleEndian, data); err != nil {
		panic(err)
	}
}

// goodELF is a core with bytes before, between and behind its two segments.
func goodELF() []byte {
	return core{
		progs: []elf.Prog64{load(256, 1000, 0x100000, 0), load(1300, 8192, 0x40000000, 0)},
		size:  9500,
	}.build()
}

var goodELFRegions = []pagestream.Region{
	other(0, 256), memory(0x100000, 256, 1000), other(1256, 44), memory(0x40000000, 1300, 8192), other(9492, 8),
}

// bigEndianELF is a core of 32 bits, big-endian: header, two program headers,
// a note of 4 bytes, 16 bytes of memory at 0x80001000.
var bigEndianELF = []byte("" +
	"\x7fELF\x01\x02\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x04\x00\x16\x00\x00\x00\x01" + // core, S/390, version
	"\x00\x00\x00\x00\x00\x00\x00\x34\x00\x00\x00\x00\x00\x00\x00\x00" + // entry, phoff 52, shoff, flags
	"\x00\x34\x00\x20\x00\x02\x00\x00\x00\x00\x00\x00" + // ehsize, phentsize 32, phnum 2, shentsize, shnum, shstrndx
	"\x00\x00\x00\x04\x00\x00\x00\x74\x00\x00\x00\x00\x00\x00\x00\x00" + // note at 116
	"\x00\x00\x00\x04\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x00\x01\x00\x00\x00\x78\x00\x00\x00\x00\x80\x00\x10\x00" + // load at 120, paddr 0x80001000
	"\x00\x00\x00\x10\x00\x00\x00\x10\x00\x00\x00\x07\x00\x00\x00\x00" + // 16 bytes
	"note" +
	"sixteen bytes !!")

// countedELF is bigEndianELF with its program headers counted in a section
// header.
func countedELF() []byte {
	b := append([]byte(nil), bigEndianELF...)
	copy(b[32:], "\x00\x00\x00\x88") // shoff 136
	copy(b[44:], "\xff\xff")         // phnum
	section := make([]byte, 40)
	section[31] = 2 // info
	return append(b, section...)
}

// manySegments are more than the header can count, a byte each, two bytes
// apart.
func manySegments(progsAt, sectionAt uint64, size int) (imageTest, int) {
	const n = 70000
	c := core{progsAt: progsAt, sectionAt: sectionAt}
	first := max(progsAt+56*n, sectionAt+64)
	if size > 0 {
		first = progsAt + 56*n
	}
	test := imageTest{want: ELF, regions: []pagestream.Region{other(0, first)}}
	for i := range uint64(n) {
		c.progs = append(c.progs, load(first+2*i, 1, 0x1000*(i+1), 0))
		test.regions = append(test.regions, memory(0x1000*(i+1), first+2*i, 1), other(first+2*i+1, 1))
	}
	end := int(first) + 2*n
	c.size = max(end, size)
	if size > end {
		test.regions[len(test.regions)-1].Length += uint64(size - end)
	}
	test.data = c.build()
	return test, end
}

func TestELF(t *testing.T) {
	tests := []imageTest{
		{name: "good", data: goodELF(), want: ELF, regions: goodELFRegions},
		{name: "asked for", data: goodELF(), format: ELF, want: ELF, regions: goodELFRegions},
		{
			name: "32 bits big-endian", data: bigEndianELF, want: ELF,
			regions: []pagestream.Region{other(0, 120), memory(0x80001000, 120, 16)},
		},
		{
			name: "32 bits, counted in a section header", data: countedELF(), want: ELF,
			regions: []pagestream.Region{other(0, 120), memory(0x80001000, 120, 16), other(136, 40)},
		},
		{
			name: "as QEMU does",
			data: core{
				progs: []elf.Prog64{note(0x168, 0x330), load(0x498, 0x2000, 0, 0), load(0x2498, 0x1000, 0xfffc0000, 0)},
				size:  0x3498, progsAt: 192,
			}.build(),
			want:    ELF,
			regions: []pagestream.Region{other(0, 0x498), memory(0, 0x498, 0x2000), memory(0xfffc0000, 0x2498, 0x1000)},
		},
		{
			name: "as gcore does: only virtual addresses, one of them far up",
			data: core{
				progs: []elf.Prog64{
					note(344, 16), load(360, 40, 0, 0x400000), load(400, 0, 0, 0x500000), load(400, 60, 0, 0x7f0000000000),
					load(460, 20, 0, 0xffffffffff600000),
				},
				size: 480 + 20,
			}.build(),
			want:    ELF,
			regions: []pagestream.Region{other(0, 360), memory(0x400000, 360, 40), memory(0x7f0000000000, 400, 60), memory(0xffffffffff600000, 460, 20), other(480, 20)},
		},
		{
			name: "a segment whose addresses run over 2^64",
			data: core{progs: []elf.Prog64{load(300, 10, 1<<64-11, 0), load(310, 10, 1<<64-9, 0)}, size: 320}.build(),
			want: ELF, regions: []pagestream.Region{other(0, 300), memory(1<<64-11, 300, 10), other(310, 10)},
			note: "1 of its 2 segments have addresses that run over 2^64",
		},
		{
			name: "one segment at physical 0 among others",
			data: core{progs: []elf.Prog64{load(500, 50, 0, 0xa000), load(600, 50, 0x9000, 0xb000)}, size: 650}.build(),
			want: ELF,
			regions: []pagestream.Region{
				other(0, 500), memory(0, 500, 50), other(550, 50), memory(0x9000, 600, 50),
			},
		},
		{
			name: "segments out of order",
			data: core{progs: []elf.Prog64{load(600, 50, 0x1000, 0), load(300, 50, 0x9000, 0), load(500, 100, 0x5000, 0)}, size: 650}.build(),
			want: ELF,
			regions: []pagestream.Region{
				other(0, 300), memory(0x9000, 300, 50), other(350, 150), memory(0x5000, 500, 100), memory(0x1000, 600, 50),
			},
		},
		{
			name: "segments that continue each other",
			data: core{progs: []elf.Prog64{load(300, 100, 0x1000, 0), load(400, 100, 0x1064, 0)}, size: 500}.build(),
			want: ELF, regions: []pagestream.Region{other(0, 300), memory(0x1000, 300, 200)},
		},
		{
			name: "as QEMU does with paging: memory mapped three times",
			data: core{
				progs: []elf.Prog64{load(300, 100, 0x1000, 0xc000), load(320, 20, 0x1014, 0xd000), load(350, 100, 0x1032, 0xe000)},
				size:  500,
			}.build(),
			want: ELF, regions: []pagestream.Region{other(0, 300), memory(0x1000, 300, 150), other(450, 50)},
		},
		{
			name: "a segment over the headers",
			data: core{progs: []elf.Prog64{load(0, 400, 0x1000, 0)}, size: 500}.build(),
			want: ELF, regions: []pagestream.Region{memory(0x1000, 0, 400), other(400, 100)},
		},
		{
			name: "program headers behind the memory",
			data: core{progs: []elf.Prog64{load(100, 400, 0x1000, 0)}, size: 600, progsAt: 512}.build(),
			want: ELF, regions: []pagestream.Region{other(0, 100), memory(0x1000, 100, 400), other(500, 100)},
		},

		// Cores that are cut, and say so.
		{
			name: "cut in a segment", data: goodELF()[:2000], want: ELF, cut: true,
			regions: []pagestream.Region{other(0, 256), memory(0x100000, 256, 1000), other(1256, 44), memory(0x40000000, 1300, 700)},
			note:    "cut short: its headers promise at least 9492 bytes, it has 2000",
		},
		{
			name: "cut between segments", data: goodELF()[:1270], want: ELF, cut: true,
			regions: []pagestream.Region{other(0, 256), memory(0x100000, 256, 1000), other(1256, 14)},
			note:    "cut short: its headers promise at least 1300 bytes, it has 1270",
		},
		{
			name: "cut behind a segment", data: goodELF()[:1256], want: ELF, cut: true,
			regions: []pagestream.Region{other(0, 256), memory(0x100000, 256, 1000)},
			note:    "cut short: its headers promise at least 1300 bytes, it has 1256",
		},
		{
			name: "segment far beyond the end", want: ELF, cut: true,
			data:    core{progs: []elf.Prog64{load(300, 10, 0x1000, 0), load(1<<62, 1<<61, 0x2000, 0)}, size: 400}.build(),
			regions: []pagestream.Region{other(0, 300), memory(0x1000, 300, 10), other(310, 90)},
			note:    "cut short: its headers promise at least 4611686018427387904 bytes, it has 400",
		},
	}
	// What begins as a core and cannot be taken as one.
	for _, odd := range []struct {
		name string
		data []byte
		note string
	}{
		{"magic alone", []byte("\x7fELF"), "does not begin with an ELF header"},
		{"class", append([]byte("\x7fELF\x03\x01"), noise(1, 500)...), "neither 32 nor 64 bits"},
		{"byte order", append([]byte("\x7fELF\x02\x03"), noise(1, 500)...), "no byte order"},
		{"header cut", goodELF()[:63], "of 64 bytes at offset 0 it has 63"},
		{"table cut", goodELF()[:175], "of 112 bytes at offset 64 it has 111"},
		{"section header cut", countedELF()[:175], "of 40 bytes at offset 136 it has 39"},
		{"32 bits, table cut", bigEndianELF[:100], "of 64 bytes at offset 52 it has 48"},
		{"32 bits, header cut", bigEndianELF[:51], "of 52 bytes at offset 0 it has 51"},
		{"executable", core{typ: elf.ET_EXEC, progs: []elf.Prog64{load(300, 10, 0x1000, 0)}, size: 400}.build(), "not a core (its type is ET_EXEC)"},
		{"entry size", core{progs: []elf.Prog64{load(300, 10, 0x1000, 0)}, size: 400, entrySize: 57}.build(), "57 bytes each instead of 56"},
		{"no program headers", core{size: 400}.build(), "no PT_LOAD segments"},
		{"no bytes", core{progs: []elf.Prog64{note(300, 10), load(300, 0, 1, 1)}, size: 400}.build(), "no PT_LOAD segments"},
		{"overlap", core{progs: []elf.Prog64{load(300, 10, 0x1000, 0), load(309, 10, 0x2000, 0)}, size: 400}.build(), "overlap at offset 0x135"},
		{"offset beyond 2^63", core{progs: []elf.Prog64{load(1<<63, 10, 0x1000, 0)}, size: 400}.build(), "segment of 10 bytes at offset 0x8000000000000000"},
		{"end beyond 2^63", core{progs: []elf.Prog64{load(300, 1<<63-301, 0x1000, 0)}, size: 400}.build(), "at offset 0x12c"},
		{"end beyond 2^64", core{progs: []elf.Prog64{load(300, 1<<64-1, 0x1000, 0)}, size: 400}.build(), "at offset 0x12c"},
	} {
		tests = append(tests, imageTest{
			name: odd.name, data: odd.data, want: Raw, note: odd.note,
			regions: []pagestream.Region{memory(0, 0, uint64(len(odd.data)))},
		})
	}
	for _, at := range []uint64{1 << 40, 1<<63 - 1, 1<<64 - 1} {
		data := goodELF()
		binary.LittleEndian.PutUint64(data[32:], at)
		test := imageTest{name: "table nowhere", data: data, want: Raw, regions: []pagestream.Region{memory(0, 0, 9500)}}
		for _, way := range ways {
			test.note = "points to offset"
			if at == 1<<40 {
				test.note = "of 112 bytes at offset 1099511627776 it has 0"
				if !way.size {
					test.note = "further away than the 16777216 bytes that are read ahead"
				}
			}
			test.runOne(t, way)
		}
	}
	for _, test := range tests {
		test.run(t)
	}
}

func TestELFManySegments(t *testing.T) {
	test, _ := manySegments(128, 64, 0)
	test.name = "counted in front"
	test.run(t)

	// As the Linux kernel does it.
	const far = 20 << 20
	test, _ = manySegments(64, far-64, far)
	test.name = "counted at the end"
	for _, way := range ways {
		raw := test
		if !way.size {
			if way.name == "bytes" {
				continue // nothing new, for long
			}
			raw.want = Raw
			raw.regions = []pagestream.Region{memory(0, 0, far)}
			raw.note = "further away than the 16777216 bytes that are read ahead"
		}
		raw.runOne(t, way)
	}

	data := goodELF()
	binary.LittleEndian.PutUint64(data[40:], 1000)    // section headers
	binary.LittleEndian.PutUint16(data[56:], 0xffff)  // program headers
	binary.LittleEndian.PutUint32(data[1044:], 1<<31) // how many they are
	imageTest{
		name: "too many", data: data, want: Raw, regions: []pagestream.Region{memory(0, 0, 9500)},
		note: "2147483648 program headers, more than the 16777216 bytes that are read of them",
	}.run(t)
}

// Whatever the headers say, the regions make up the file.
func TestELFRandom(t *testing.T) {
	rounds := 2000
	if testing.Short() {
		rounds = 200
	}
	for seed := range uint64(rounds) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		data := randomELF(rnd)
		format := []Format{Auto, Auto, Raw, ELF, LiME}[rnd.IntN(5)]
		for _, way := range ways[1:] { // not files, for their number
			if way.name == "pipe" {
				continue
			}
			r, err := Open("image", way.open(t, data), format)
			if err != nil {
				if format == Auto || format == Raw {
					t.Errorf("seed %d, %s: %v", seed, way.name, err)
				}
				continue
			}
			w := walkOver(t, r)
			switch {
			case errors.Is(w.err, io.ErrUnexpectedEOF) && !way.size && w.format == ELF:
			case w.err != nil:
				t.Errorf("seed %d, %s: %v", seed, way.name, w.err)
			}
			if !bytes.Equal(w.data, data) {
				t.Errorf("seed %d, %s: the regions are not the file", seed, way.name)
			}
			if t.Failed() {
				return
			}
		}
	}
}

// randomELF returns a core with segments that are often good, sometimes with
// bytes of its headers changed, sometimes cut.
func randomELF(rnd *rand.Rand) []byte {
	n := rnd.IntN(8)
	c := core{size: 64 + 56*n + 64 + rnd.IntN(3000)}
	at := uint64(64 + 56*n)
	for range n {
		var p elf.Prog64
		length := uint64(rnd.IntN(400))
		switch rnd.IntN(12) {
		case 0:
			p = note(at, length)
		case 1:
			p = load(rnd.Uint64()>>rnd.IntN(64), rnd.Uint64()>>rnd.IntN(64), rnd.Uint64()>>rnd.IntN(64), rnd.Uint64())
		case 2:
			p = load(uint64(rnd.IntN(c.size)), length, at+0x1000, at)
		default:
			p = load(at, length, at+0x1000*uint64(rnd.IntN(2)), at)
		}
		c.progs = append(c.progs, p)
		at += length + uint64(rnd.IntN(2)*rnd.IntN(100))
	}
	rnd.Shuffle(len(c.progs), func(i, j int) { c.progs[i], c.progs[j] = c.progs[j], c.progs[i] })
	if rnd.IntN(10) == 0 {
		c.sectionAt = uint64(c.size - 64)
	}
	b := c.build()
	if rnd.IntN(3) == 0 {
		for range 1 + rnd.IntN(3) {
			b[4+rnd.IntN(60+56*n)] = byte(rnd.Uint32())
		}
	}
	if rnd.IntN(4) == 0 {
		b = b[:rnd.IntN(len(b))]
	}
	return b
}
