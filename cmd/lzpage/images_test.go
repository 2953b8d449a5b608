package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
)

// images are what mkimage makes; the same bytes each time.
var images = map[string]func() []byte{
	"raw":    func() []byte { return memory(1, 256) },
	"later":  laterMemory,
	"latest": latestMemory,
	"rounds": roundsMemory,
	"elf":    elfCore,
	"lime":   limeDump,
	"odd":    func() []byte { return memory(2, 65)[:64*4096+777] },
	"random": func() []byte { return noise(3, 256*4096) },
}

func noise(seed uint64, size int) []byte {
	b := make([]byte, size)
	r := rand.New(rand.NewPCG(seed, 0))
	for i := 0; i < size; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], r.Uint64())
	}
	return b
}

// memory returns pages as a guest might have them: of eight consecutive ones
// one is zero, one of a single word, one noise, one equal to an earlier one,
// and four are text.
func memory(seed uint64, pages int) []byte {
	var b bytes.Buffer
	r := rand.New(rand.NewPCG(seed, 1))
	for page := range pages {
		switch page % 8 {
		case 0:
			b.Write(make([]byte, 4096))
		case 1:
			b.Write(bytes.Repeat([]byte("one word"), 512))
		case 2:
			b.Write(noise(seed+uint64(page), 4096))
		case 3:
			if page > 8 {
				b.Write(b.Bytes()[:5*4096][4*4096:])
				break
			}
			fallthrough
		default:
			end := b.Len() + 4096
			for b.Len() < end {
				fmt.Fprintf(&b, "host%d kernel: eth%d link up, %d Mbit/s\n", r.IntN(50), r.IntN(4), 100*r.IntN(100))
			}
			b.Truncate(end)
		}
	}
	return b.Bytes()
}

// laterMemory returns the memory of raw at a later time. Of its 256 pages three
// changed: page 0 is no longer zero, page 1 became zero, and in page 4 three
// bytes in two words differ.
func laterMemory() []byte {
	b := memory(1, 256)
	b[5] = 1
	clear(b[4096:][:4096])
	for _, i := range []int{0, 7, 8} {
		b[4*4096+i] ^= 0x55
	}
	return b
}

// latestMemory returns the memory of later, still later: three pages changed, and
// there are ten more, the last one a part of a page.
func latestMemory() []byte {
	b := laterMemory()
	b[4*4096+100] ^= 0x55
	copy(b[12*4096:][:4096], b[2*4096:])
	clear(b[20*4096:][:4096])
	return append(b, memory(10, 10)[:9*4096+777]...)
}

const roundsSize = 8 * 4096

// roundsMemory returns the memory in the stream rounds: of its second round are
// page 2, which became zero, and page 5, in which a byte changed.
func roundsMemory() []byte {
	b := noise(20, roundsSize)
	clear(b[2*4096:][:4096])
	b[5*4096+7] ^= 1
	return b
}

// elfCore returns an ELF core with memory at 0 and at 0xfffc0000, a note, and
// bytes behind the last segment.
func elfCore() []byte {
	low, high, note := memory(4, 100), memory(5, 20), []byte("CORE note")
	const headers = 64 + 3*56
	at := uint64(headers)
	place := func(typ elf.ProgType, address uint64, data []byte) elf.Prog64 {
		p := elf.Prog64{Type: uint32(typ), Off: at, Paddr: address, Filesz: uint64(len(data)), Memsz: uint64(len(data))}
		at += uint64(len(data))
		return p
	}
	h := elf.Header64{Type: uint16(elf.ET_CORE), Machine: uint16(elf.EM_X86_64), Version: 1, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 3}
	copy(h.Ident[:], "\x7fELF\x02\x01\x01")
	var b bytes.Buffer
	for _, part := range []any{h, place(elf.PT_NOTE, 0, note), place(elf.PT_LOAD, 0, low), place(elf.PT_LOAD, 0xfffc0000, high), note, low, high, []byte("behind")} {
		if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}

// limeDump returns a LiME dump of two ranges.
func limeDump() []byte {
	var b bytes.Buffer
	for i, r := range []struct {
		address uint64
		data    []byte
	}{{0x1000, memory(6, 32)}, {0x100000, memory(7, 64)}} {
		header := []uint64{1<<32 | 0x4C694D45, r.address, r.address + uint64(len(r.data)) - 1, 0}
		if err := binary.Write(&b, binary.LittleEndian, header); err != nil {
			panic(fmt.Sprint(i, err))
		}
		b.Write(r.data)
	}
	return b.Bytes()
}

// The sparse image has 64 MiB, of which sparseData are data in two places.
const (
	sparseSize = 64 << 20
	sparseData = 1 << 20
)

func writeSparse(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	data := memory(8, sparseData/4096)
	if _, err := f.WriteAt(data[:sparseData/2], 4<<20); err != nil {
		return err
	}
	if _, err := f.WriteAt(data[sparseData/2:], 40<<20); err != nil {
		return err
	}
	return f.Truncate(sparseSize)
}
