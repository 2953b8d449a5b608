package image

import (
	"bytes"
	"cmp"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/lzpage/lzpage/pagestream"
)

const elfMagic = elf.ELFMAG

// extendedCount is the number of program headers that stands for one that the
// field cannot hold (PN_XNUM): it is in the first section header instead.
const extendedCount = 0xffff

// A segment is memory that lies in one piece in the file.
type segment struct {
	offset, end int64 // in the file
	address     uint64
}

// segments are the rest of an ELF core's memory, in the order of the file.
type segments []segment

func (s *segments) next(r *Reader) (pagestream.Class, uint64, int64, error) {
	for len(*s) > 0 && (*s)[0].end <= r.pos {
		*s = (*s)[1:]
	}
	switch {
	case len(*s) == 0:
		return pagestream.Other, 0, toEnd, nil
	case r.pos < (*s)[0].offset:
		return pagestream.Other, 0, (*s)[0].offset, nil
	}
	return pagestream.Memory, (*s)[0].address, (*s)[0].end, nil
}

// readELF finds the memory of an ELF core.
func readELF(r *Reader) (layout, error) {
	ident, err := r.peek(0, elf.EI_NIDENT)
	if err != nil {
		return nil, err
	}
	if len(ident) < elf.EI_NIDENT || string(ident[:len(elfMagic)]) != elfMagic {
		return nil, unfit("it does not begin with an ELF header")
	}
	var order binary.ByteOrder
	switch elf.Data(ident[elf.EI_DATA]) {
	case elf.ELFDATA2LSB:
		order = binary.LittleEndian
	case elf.ELFDATA2MSB:
		order = binary.BigEndian
	default:
		return nil, unfit("its ELF header names no byte order")
	}
	var progs []elf.Prog64
	switch elf.Class(ident[elf.EI_CLASS]) {
	case elf.ELFCLASS32:
		progs, err = readProgs32(r, order)
	case elf.ELFCLASS64:
		progs, err = readProgs64(r, order)
	default:
		return nil, unfit("its ELF header names neither 32 nor 64 bits")
	}
	if err != nil {
		return nil, err
	}
	return memoryOf(r, progs)
}

func readProgs32(r *Reader, order binary.ByteOrder) ([]elf.Prog64, error) {
	var h elf.Header32
	if err := decode(r, order, 0, &h); err != nil {
		return nil, err
	}
	var first elf.Section32
	if h.Phnum == extendedCount && h.Shoff != 0 {
		if err := decode(r, order, uint64(h.Shoff), &first); err != nil {
			return nil, err
		}
	}
	n, err := countProgs(elf.Type(h.Type), h.Phnum, h.Phentsize, binary.Size(elf.Prog32{}), first.Info)
	if err != nil {
		return nil, err
	}
	narrow := make([]elf.Prog32, n)
	if err := decode(r, order, uint64(h.Phoff), narrow); err != nil {
		return nil, err
	}
	progs := make([]elf.Prog64, n)
	for i, p := range narrow {
		progs[i] = elf.Prog64{
			Type:   p.Type,
			Off:    uint64(p.Off),
			Vaddr:  uint64(p.Vaddr),
			Paddr:  uint64(p.Paddr),
			Filesz: uint64(p.Filesz),
		}
	}
	return progs, nil
}

func readProgs64(r *Reader, order binary.ByteOrder) ([]elf.Prog64, error) {
	var h elf.Header64
	if err := decode(r, order, 0, &h); err != nil {
		return nil, err
	}
	var first elf.Section64
	if h.Phnum == extendedCount && h.Shoff != 0 {
		if err := decode(r, order, h.Shoff, &first); err != nil {
			return nil, err
		}
	}
	n, err := countProgs(elf.Type(h.Type), h.Phnum, h.Phentsize, binary.Size(elf.Prog64{}), first.Info)
	if err != nil {
		return nil, err
	}
	progs := make([]elf.Prog64, n)
	return progs, decode(r, order, h.Phoff, progs)
}

// decode reads data, a pointer to a struct or a slice of structs, at an offset.
func decode(r *Reader, order binary.ByteOrder, offset uint64, data any) error {
	size := binary.Size(data)
	if offset > math.MaxInt64-maxAhead {
		return unfit(fmt.Sprintf("its ELF header points to offset %#x", offset))
	}
	b, err := r.peek(int64(offset), size)
	if err != nil {
		return err
	}
	if len(b) < size {
		return unfit(fmt.Sprintf("it ends within the ELF headers: of %d bytes at offset %d it has %d", size, offset, len(b)))
	}
	return binary.Read(bytes.NewReader(b), order, data)
}

// countProgs returns how many program headers a core has, given what its
// header says and the first section header's info.
func countProgs(kind elf.Type, count, entrySize uint16, wantSize int, info uint32) (int, error) {
	if kind != elf.ET_CORE {
		return 0, unfit(fmt.Sprintf("it is an ELF file but not a core (its type is %s)", kind))
	}
	if int(entrySize) != wantSize {
		return 0, unfit(fmt.Sprintf("its program headers have %d bytes each instead of %d", entrySize, wantSize))
	}
	n := int64(count)
	if count == extendedCount && info != 0 {
		n = int64(info)
	}
	if n > int64(maxAhead/wantSize) {
		return 0, unfit(fmt.Sprintf("it has %d program headers, more than the %d bytes that are read of them", n, maxAhead))
	}
	return int(n), nil
}

// memoryOf returns the memory that program headers describe. Segments that
// continue each other in file and memory are joined: the headers, which are
// kept as they are, still have them apart.
func memoryOf(r *Reader, progs []elf.Prog64) (layout, error) {
	// gcore and the kernel, in cores of processes, leave out physical
	// addresses.
	physical := false
	loads := progs[:0]
	for _, p := range progs {
		if elf.ProgType(p.Type) == elf.PT_LOAD && p.Filesz > 0 {
			loads = append(loads, p)
			physical = physical || p.Paddr != 0
		}
	}
	if len(loads) == 0 {
		return nil, unfit("it has no PT_LOAD segments with bytes")
	}
	slices.SortStableFunc(loads, func(a, b elf.Prog64) int { return cmp.Compare(a.Off, b.Off) })

	var found segments
	beyond := 0
	for _, p := range loads {
		address := p.Vaddr
		if physical {
			address = p.Paddr
		}
		if p.Off > math.MaxInt64 || p.Filesz >= math.MaxInt64-p.Off {
			return nil, unfit(fmt.Sprintf("it has a segment of %d bytes at offset %#x", p.Filesz, p.Off))
		}
		// A range of addresses does not run over 2^64.
		if address+p.Filesz < address {
			beyond++
			continue
		}
		s := segment{int64(p.Off), int64(p.Off + p.Filesz), address}
		if len(found) == 0 || s.offset > found[len(found)-1].end {
			found = append(found, s)
			continue
		}
		last := &found[len(found)-1]
		continued := s.address-last.address == uint64(s.offset-last.offset)
		switch {
		case continued:
			// QEMU's dumps with paging describe memory that is mapped
			// several times as often, all over the same bytes.
			last.end = max(last.end, s.end)
		case s.offset == last.end:
			found = append(found, s)
		default:
			return nil, unfit(fmt.Sprintf("its segments overlap at offset %#x, under different addresses", s.offset))
		}
	}
	if beyond > 0 {
		r.addNote("%d of its %d segments have addresses that run over 2^64 and are kept without them", beyond, len(loads))
	}
	return &found, nil
}
