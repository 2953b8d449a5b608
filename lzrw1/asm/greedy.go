package asm

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// Fast is the scheme of level Fast.
var Fast = Scheme{Hash: hash, Tail: minCopy - 1, enter: fastEnter}

// Reference is the scheme of the 1991 program.
var Reference = Scheme{Hash: hash1991, Tail: maxCopy - 1, enter: referenceEnter}

// hash maps the three low bytes of x to a slot.
func hash(x uint32) uint32 { return x << 8 * 2654435761 >> (32 - tableBits) }

// hash1991 is the hash of the 1991 program.
func hash1991(x uint32) uint32 {
	k := (x&0xFF<<4^x>>8&0xFF)<<4 ^ x>>16&0xFF
	return 40543 * k >> 4 & (tableSlots - 1)
}

func fastEnter(l *Lane, n int) {
	data, end := unsafe.Pointer(&l.data), firstPos+n
	for i := firstPos; i < end; i += 2 {
		l.table[hash(uint32(at8(data, i)))] = uint16(i)
	}
}

func referenceEnter(l *Lane, n int) {
	data, end := unsafe.Pointer(&l.data), firstPos+n
	for i := firstPos; i < end; i += 2 {
		l.table[hash1991(uint32(at8(data, i)))] = uint16(i)
	}
}

func fastSingle(l *Lane)      { single(l, fastGroup) }
func referenceSingle(l *Lane) { single(l, referenceGroup) }

// single encodes groups of the lane until it stops.
func single(l *Lane, group func(data, out unsafe.Pointer, i, o int, table *[tableSlots]uint16) (int, int)) {
	data, out := unsafe.Pointer(&l.data), unsafe.Pointer(&l.out)
	for l.pos <= l.limit {
		l.groupPos, l.groupAt = l.pos, l.at
		pos, at := group(data, out, int(l.pos), int(l.at), &l.table)
		l.pos, l.at = uint64(pos), uint64(at)
	}
}

// fastGroup encodes a group from data+i to out+o and returns where it ends. It
// is a function of its own for the sake of the compiler, which keeps all that
// the loop needs in registers then.
//
// It reads 16 bytes at i, which is maxGroup behind the lane's limit at most,
// and at positions before i.
func fastGroup(data, out unsafe.Pointer, i, o int, table *[tableSlots]uint16) (int, int) {
	at := o
	o += controlBytes
	control := uint32(groupStart)
	for control&1 == 0 {
		x := at8(data, i)
		slot := &table[hash(uint32(x))]
		offset := i - int(*slot)
		*slot = uint16(i)
		d := x ^ at8(data, i-offset)
		if d<<40 == 0 && uint(offset) <= maxOffset {
			n := agreement(data, i, offset, d)
			putCopy(out, o, offset, n)
			o += copyBytes
			i += n
			control = control>>1 | 1<<31
		} else {
			put1(out, o, byte(x))
			o++
			i++
			control >>= 1
		}
	}
	putControl(out, at, control>>16)
	return i, o
}

// referenceGroup is fastGroup with the other hash; a call of the hash by a
// variable would cost more than the rest of an item.
func referenceGroup(data, out unsafe.Pointer, i, o int, table *[tableSlots]uint16) (int, int) {
	at := o
	o += controlBytes
	control := uint32(groupStart)
	for control&1 == 0 {
		x := at8(data, i)
		slot := &table[hash1991(uint32(x))]
		offset := i - int(*slot)
		*slot = uint16(i)
		d := x ^ at8(data, i-offset)
		if d<<40 == 0 && uint(offset) <= maxOffset {
			n := agreement(data, i, offset, d)
			putCopy(out, o, offset, n)
			o += copyBytes
			i += n
			control = control>>1 | 1<<31
		} else {
			put1(out, o, byte(x))
			o++
			i++
			control >>= 1
		}
	}
	putControl(out, at, control>>16)
	return i, o
}

// groupStart is the control bits of a group without items: a marker that
// sixteen shifts bring down to bit 0. Each item shifts its bit in at bit 31.
const groupStart = 1 << groupItems

// agreement returns how many bytes agree at data+i and offset bytes before, at
// most 16. d is where the first eight do not.
func agreement(data unsafe.Pointer, i, offset int, d uint64) int {
	if d != 0 {
		return bits.TrailingZeros64(d) >> 3
	}
	return 8 + bits.TrailingZeros64(at8(data, i+8)^at8(data, i-offset+8))>>3
}

// The portable kernels address memory without bounds checks, which would cost
// them a third of their speed.

// at8 returns the eight bytes at p+i.
func at8(p unsafe.Pointer, i int) uint64 {
	return le.Uint64((*[8]byte)(unsafe.Add(p, i))[:])
}

// put1 writes a byte at p+i.
func put1(p unsafe.Pointer, i int, v byte) { *(*byte)(unsafe.Add(p, i)) = v }

// putCopy writes a copy item at p+i.
func putCopy(p unsafe.Pointer, i, offset, length int) {
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Add(p, i))[:], uint16(offset>>8<<12|(length-1)<<8|offset&0xFF))
}

// putControl writes a control word at p+i.
func putControl(p unsafe.Pointer, i int, control uint32) {
	le.PutUint16((*[2]byte)(unsafe.Add(p, i))[:], uint16(control))
}
