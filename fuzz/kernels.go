package fuzz

import (
	"bytes"
	"encoding/binary"
	"slices"
	"unsafe"

	"github.com/lzpage/lzpage/internal/lzrw1spec"
	"github.com/lzpage/lzpage/lzrw1"
	"github.com/lzpage/lzpage/lzrw1/asm"
)

// kernelEncoders are an encoder of each level for each implementation of the
// kernels, the portable one first.
var kernelEncoders = func() (all [][len(levels)]*lzrw1.Encoder) {
	for _, k := range asm.Available {
		var own [len(levels)]*lzrw1.Encoder
		using(k, func() {
			for i, level := range levels {
				own[i] = lzrw1.NewEncoder(level)
			}
		})
		all = append(all, own)
	}
	return all
}()

// using does something while k is the implementation in use.
func using(k *asm.Kernels, do func()) {
	defer func(active *asm.Kernels) { asm.Active = active }(asm.Active)
	asm.Active = k
	do()
}

// encodeKernels encodes runs of memory, enough of them to keep all lanes busy,
// with all implementations. Those of the greedy levels write what lzrw1spec
// says, those of Dense what the portable one writes.
func encodeKernels(data []byte) {
	if len(data) > maxBlock/4 {
		return
	}
	c := choices{data}
	history, cut, repeat := c.uint16(), 1+c.uint16(), c.byte()
	memory := c.rest
	if repeat&7 == 7 { // beyond 64 KiB, where positions move
		memory = stretch(memory, 60000+repeat<<7)
		cut += 1000
	}
	var runs []lzrw1.Run
	for i := range 2*asm.LaneCount - 1 { // of different lengths
		run := lzrw1.Run{Data: memory[i*len(memory)/(3*asm.LaneCount):]}
		if i&1 == 1 {
			run.History = history % (len(run.Data) + 1)
		}
		size := 1 + cut*(i+1)%5000
		for end := run.History + size; end < len(run.Data); end += size {
			run.Cuts = append(run.Cuts, end)
		}
		run.Cuts = append(run.Cuts, len(run.Data))
		runs = append(runs, run)
	}
	for i, level := range levels {
		var twins []lzrw1.Run
		for k, own := range kernelEncoders {
			got := slices.Clone(runs)
			using(asm.Available[k], func() { own[i].EncodeRuns(got) })
			if k == 0 {
				twins = got
				specify(level, got)
			}
			for j := range got {
				check(slices.Equal(got[j].Ends, twins[j].Ends) && bytes.Equal(got[j].Blocks, twins[j].Blocks),
					"kernels %s, level %v: run %d differs", asm.Available[k].Name, level, j)
			}
		}
	}
}

// specify checks what runs are encoded to, if lzrw1spec knows the level.
func specify(level lzrw1.Level, runs []lzrw1.Run) {
	spec, known := map[lzrw1.Level]lzrw1spec.Greedy{lzrw1.Fast: lzrw1spec.Fast, lzrw1.Reference: lzrw1spec.Reference}[level]
	if !known {
		return
	}
	for j, run := range runs {
		start := 0
		for i, want := range spec.EncodeRun(run.Data, run.History, run.Cuts, false) {
			check(bytes.Equal(run.Blocks[start:run.Ends[i]], want), "level %v: run %d, block %d is not as specified", level, j, i)
			start = run.Ends[i]
		}
	}
}

// decodeKernels decodes the groups of a hostile block with all implementations.
// How far they come, lzrw1spec must find nothing wrong, and decode the same.
func decodeKernels(data []byte) {
	if len(data) > maxBlock {
		return
	}
	c := choices{data}
	history := noise([...]int{0, 0, 1, 15, 300, 4095, 5000, 70000}[c.byte()&7], 2)
	spare := [...]int{0, -1, 1, 16, 300, -100, -1 << 20, 7}[c.byte()&7]
	block := c.rest
	want, err := lzrw1spec.Decode(history, block)
	size := len(want)
	if err != nil {
		size = len(block)
	}
	size = max(size+spare, 0)
	for _, k := range asm.Available {
		dst, behind := destination(history, size)
		src := slices.Clip(bytes.Clone(block))
		oEnd, sEnd := k.Decode(unsafe.SliceData(dst), len(dst), len(history), unsafe.SliceData(src), len(src), 0)
		check(bytes.Equal(behind, canary), "kernels %s: wrote behind the destination", k.Name)
		check(bytes.Equal(dst[:len(history)], history), "kernels %s: wrote into the history", k.Name)
		check(bytes.Equal(src, block), "kernels %s: wrote into the block", k.Name)
		want, err := lzrw1spec.Decode(history, block[:sEnd])
		check(err == nil, "kernels %s: took a corrupt block as far as byte %d of %d", k.Name, sEnd, len(block))
		check(bytes.Equal(dst[len(history):oEnd], want), "kernels %s: decoded to something else", k.Name)
	}
}

// wordKernels makes maps of two pages with all implementations, and packs,
// unpacks and merges by them, words and bytes.
func wordKernels(data []byte) {
	c := choices{data}
	shift := c.byte() & 15 // nothing is to be aligned
	n := len(c.rest) / 2 &^ 63
	if n == 0 || len(data) > maxBlock {
		return
	}
	at := func(b []byte) []byte { return append(make([]byte, shift), b...)[shift:] }
	a, b := at(c.rest[:n]), at(c.rest[n:2*n])

	notZero, differ, packed, unpacked := make([]byte, n/64), make([]byte, n/64), []byte{}, make([]byte, n)
	notZeros, differs := 0, 0
	masks, changed := []byte{}, []byte{}
	for i := range n / 8 {
		v, w := binary.LittleEndian.Uint64(a[8*i:]), binary.LittleEndian.Uint64(b[8*i:])
		if v != 0 {
			notZero[i/8] |= 1 << (i % 8)
			notZeros++
		}
		if v != w {
			differ[i/8] |= 1 << (i % 8)
			differs++
			packed = append(packed, a[8*i:8*i+8]...)
			copy(unpacked[8*i:], a[8*i:8*i+8])
			mask := byte(0)
			for j := range 8 {
				if a[8*i+j] != b[8*i+j] {
					mask |= 1 << j
					changed = append(changed, a[8*i+j])
				}
			}
			masks = append(masks, mask)
		}
	}
	for _, k := range asm.Available {
		set, behind := destination(nil, n/64)
		count := k.ZeroMap(set, a)
		check(count == notZeros && bytes.Equal(set, notZero) && bytes.Equal(behind, canary), "kernels %s: wrong map of zeros", k.Name)
		count = k.DiffMap(set, a, b)
		check(count == differs && bytes.Equal(set, differ) && bytes.Equal(behind, canary), "kernels %s: wrong map of differences", k.Name)

		dst, behind := destination(nil, n)
		k.Pack(dst, a, set)
		check(bytes.Equal(dst[:len(packed)], packed) && bytes.Equal(behind, canary), "kernels %s: packed wrongly", k.Name)
		k.Unpack(dst, at(packed), set)
		check(bytes.Equal(dst, unpacked) && bytes.Equal(behind, canary), "kernels %s: unpacked wrongly", k.Name)

		copy(dst, b)
		k.Merge(dst, at(packed), set)
		check(bytes.Equal(dst, a) && bytes.Equal(behind, canary), "kernels %s: merged wrongly", k.Name)

		count = k.DiffBytes(a, b)
		check(count == len(changed), "kernels %s: wrong count of bytes that differ", k.Name)
		ownMasks, masksBehind := destination(nil, differs)
		count = k.PackBytes(ownMasks, dst, b, a, set)
		check(count == len(changed) && bytes.Equal(dst[:count], changed) && bytes.Equal(behind, canary) &&
			bytes.Equal(ownMasks, masks) && bytes.Equal(masksBehind, canary), "kernels %s: packed bytes wrongly", k.Name)
		copy(dst, b)
		k.MergeBytes(dst, masks, at(changed), set)
		check(bytes.Equal(dst, a) && bytes.Equal(behind, canary), "kernels %s: merged bytes wrongly", k.Name)
	}
}
