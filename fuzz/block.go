package fuzz

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/lzpage/lzpage/internal/lzrw1spec"
	"github.com/lzpage/lzpage/lzrw1"
)

// maxBlock bounds the input of a block target, in bytes: more of it would
// only be slower.
const maxBlock = 1 << 16

// check panics unless what it is told holds.
func check(holds bool, format string, args ...any) {
	if !holds {
		panic(fmt.Sprintf(format, args...))
	}
}

// choices takes the bytes that choose how an input is used from its front.
type choices struct{ rest []byte }

func (c *choices) byte() int {
	if len(c.rest) == 0 {
		return 0
	}
	b := c.rest[0]
	c.rest = c.rest[1:]
	return int(b)
}

func (c *choices) bool() bool { return c.byte()&1 != 0 }

func (c *choices) uint16() int { return c.byte() | c.byte()<<8 }

// noise returns n bytes that repeat nothing.
func noise(n int, seed uint32) []byte {
	b := make([]byte, n)
	for i := range b {
		seed = seed*1664525 + 1013904223
		b[i] = byte(seed >> 24)
	}
	return b
}

// canary is what stands behind a destination, and must go on standing there.
var canary = noise(64, 1)

// blockDecode decodes a hostile block in every way there is. What lzrw1spec
// makes of it is right.
func blockDecode(data []byte) {
	if len(data) > maxBlock {
		return
	}
	c := choices{data}
	history := noise([...]int{0, 0, 1, 15, 300, 4095, 5000, 70000}[c.byte()&7], 2)
	spare := [...]int{0, -1, 1, 16, 300, -100, -1 << 20, 7}[c.byte()&7]
	block := c.rest

	want, wantErr := lzrw1spec.Decode(history, block)
	size := len(want)
	if wantErr != nil {
		size = len(block)
	}
	size = max(size+spare, 0)
	decodeInto(history, size, block, want, wantErr)
	if len(history) == 0 {
		decodeAlone(block, want, wantErr)
	}
	decodeAsRun(history, size, block, want, wantErr)
}

// destination returns memory of history, room for size bytes, and a canary.
func destination(history []byte, size int) (dst, behind []byte) {
	b := make([]byte, len(history)+size, len(history)+size+len(canary))
	copy(b, history)
	b = append(b, canary...)
	return b[:len(history)+size], b[len(history)+size:]
}

func decodeInto(history []byte, size int, block, want []byte, wantErr error) {
	dst, behind := destination(history, size)
	n, err := lzrw1.DecodeHistory(dst, len(history), block)
	check(bytes.Equal(behind, canary), "wrote behind the destination")
	check(bytes.Equal(dst[:len(history)], history), "wrote into the history")
	checkDecoded(block, err)
	switch {
	case wantErr != nil:
		check(err != nil, "took a corrupt block")
	case len(want) > size:
		check(err == lzrw1.ErrTooLong, "%d bytes into %d: %v", len(want), size, err)
	default:
		check(err == nil, "refused a good block: %v", err)
		check(bytes.Equal(dst[len(history):][:n], want), "decoded to something else")
	}
	if len(history) > 0 {
		return
	}
	again, behind := destination(nil, size)
	n2, err2 := lzrw1.Decode(again, block)
	check(bytes.Equal(behind, canary), "Decode wrote behind the destination")
	check(n2 == n && fmt.Sprint(err2) == fmt.Sprint(err), "Decode says %d, %v, DecodeHistory %d, %v", n2, err2, n, err)
	check(err != nil || bytes.Equal(again[:n], dst[:n]), "Decode and DecodeHistory differ")
}

// checkDecoded checks that err is one that decoding block may return.
func checkDecoded(block []byte, err error) {
	var corrupt *lzrw1.CorruptError
	switch {
	case errors.As(err, &corrupt):
		check(errors.Is(err, lzrw1.ErrCorrupt), "%v is not ErrCorrupt", err)
		check(corrupt.Offset >= 0 && corrupt.Offset <= len(block), "damage at byte %d of %d", corrupt.Offset, len(block))
	default:
		check(err == nil || err == lzrw1.ErrTooLong, "unexpected error %v", err)
	}
}

func decodeAlone(block, want []byte, wantErr error) {
	n, lenErr := lzrw1.DecodedLen(block)
	checkDecoded(block, lenErr)
	check(lenErr == nil || wantErr != nil, "DecodedLen refused a good block: %v", lenErr)
	check(wantErr != nil || n == len(want), "DecodedLen says %d, it is %d", n, len(want))
	check(34*n <= 256*len(block), "%d bytes from %d", n, len(block))

	prefix := []byte("prefix")
	got, err := lzrw1.AppendDecode(bytes.Clone(prefix), block)
	checkDecoded(block, err)
	check((err == nil) == (wantErr == nil), "AppendDecode says %v, right is %v", err, wantErr)
	check(bytes.Equal(got, append(prefix, want...)), "AppendDecode decoded to something else")
	var atLen, at *lzrw1.CorruptError
	if errors.As(lenErr, &atLen) && errors.As(err, &at) {
		check(at.Offset <= atLen.Offset, "damage at byte %d found only at byte %d", atLen.Offset, at.Offset)
	}
}

func decodeAsRun(history []byte, size int, block, want []byte, wantErr error) {
	dst, behind := destination(history, size)
	err := lzrw1.DecodeRuns([]lzrw1.Run{{
		Data:    dst,
		History: len(history),
		Cuts:    []int{len(dst)},
		Blocks:  block,
		Ends:    []int{len(block)},
	}})
	check(bytes.Equal(behind, canary), "DecodeRuns wrote behind the destination")
	check(bytes.Equal(dst[:len(history)], history), "DecodeRuns wrote into the history")
	got := dst[len(history):]
	switch {
	case len(block) == size:
		check(err == nil && bytes.Equal(got, block), "plain block: %v", err)
	case wantErr != nil:
		check(err != nil, "DecodeRuns took a corrupt block")
	case len(want) > size:
		check(errors.Is(err, lzrw1.ErrTooLong), "%d bytes into %d: %v", len(want), size, err)
	case len(want) < size:
		check(errors.Is(err, lzrw1.ErrTooShort), "%d bytes for %d: %v", len(want), size, err)
	default:
		check(err == nil && bytes.Equal(got, want), "DecodeRuns decoded to something else: %v", err)
	}
}

var levels = [...]lzrw1.Level{lzrw1.Fast, lzrw1.Dense, lzrw1.Reference}

// encoders are used over and over: what they did before must not matter.
var encoders = [...]*lzrw1.Encoder{lzrw1.NewEncoder(lzrw1.Fast), lzrw1.NewEncoder(lzrw1.Dense), lzrw1.NewEncoder(lzrw1.Reference)}

// blockEncode encodes memory at every level, in one block and in runs, and
// has lzrw1spec decode it.
func blockEncode(data []byte) {
	if len(data) > maxBlock {
		return
	}
	c := choices{data}
	history := c.uint16()
	cut := 1 + c.uint16()
	repeat := c.byte()
	memory := c.rest
	if repeat&3 == 3 { // to and over 64 KiB, where positions wrap
		memory = stretch(memory, 60000+repeat<<7)
		cut += 1000
	}
	history %= len(memory) + 1
	for _, level := range levels {
		encodeBlock(level, memory)
		encodeHistory(level, memory, history)
		encodeRun(level, memory, history, cut)
	}
	got := encoders[lzrw1.Reference].AppendFlagged(nil, memory)
	check(bytes.Equal(got, lzrw1spec.EncodeFlagged(memory)), "level reference differs from the 1991 encoder")
}

// stretch repeats b to n bytes, each time changed a little.
func stretch(b []byte, n int) []byte {
	out := make([]byte, 0, n+len(b))
	for i := byte(0); len(out) < n && len(b) > 0; i++ {
		at := len(out)
		out = append(out, b...)
		out[at+int(i)%len(b)] += i
	}
	return out
}

func encodeBlock(level lzrw1.Level, memory []byte) {
	block := lzrw1.AppendEncode([]byte("prefix"), memory, level)
	check(bytes.HasPrefix(block, []byte("prefix")), "the prefix is gone")
	block = block[len("prefix"):]
	check(len(block) <= lzrw1.MaxEncodedLen(len(memory)), "%d bytes became %d", len(memory), len(block))
	check(bytes.Equal(block, encoders[level].AppendEncode(nil, memory)), "level %v: an encoder that was used before differs", level)
	got, err := lzrw1spec.Decode(nil, block)
	check(err == nil && bytes.Equal(got, memory), "level %v: does not decode: %v", level, err)
	mine := make([]byte, len(memory))
	n, err := lzrw1.Decode(mine, block)
	check(err == nil && n == len(memory) && bytes.Equal(mine, memory), "level %v: Decode fails: %v", level, err)
}

func encodeHistory(level lzrw1.Level, memory []byte, history int) {
	block := encoders[level].AppendEncodeHistory(nil, memory, history)
	check(len(block) <= lzrw1.MaxEncodedLen(len(memory)-history), "%d bytes became %d", len(memory)-history, len(block))
	got, err := lzrw1spec.Decode(memory[:history], block)
	check(err == nil && bytes.Equal(got, memory[history:]), "level %v: does not decode with history: %v", level, err)
}

// encodeRun encodes memory in blocks of cut bytes.
func encodeRun(level lzrw1.Level, memory []byte, history, cut int) {
	run := lzrw1.Run{Data: memory, History: history}
	for end := history + cut; end < len(memory); end += cut {
		run.Cuts = append(run.Cuts, end)
	}
	run.Cuts = append(run.Cuts, len(memory))
	runs := []lzrw1.Run{run, run}
	encoders[level].EncodeRuns(runs)
	run = runs[0]
	check(bytes.Equal(run.Blocks, runs[1].Blocks), "level %v: the same run, encoded again, differs", level)
	start, blockStart := history, 0
	for k, end := range run.Cuts {
		block := run.Blocks[blockStart:run.Ends[k]]
		got := block
		check(len(block) <= end-start, "level %v: a block grew", level)
		if len(block) < end-start {
			var err error
			got, err = lzrw1spec.Decode(memory[max(0, start-lzrw1.MaxOffset):start], block)
			check(err == nil, "level %v: block %d does not decode", level, k)
		}
		check(bytes.Equal(got, memory[start:end]), "level %v: block %d decodes to something else", level, k)
		start, blockStart = end, run.Ends[k]
	}
	back := run
	back.Data = make([]byte, len(memory))
	copy(back.Data, memory[:history])
	err := lzrw1.DecodeRuns([]lzrw1.Run{back})
	check(err == nil && bytes.Equal(back.Data, memory), "level %v: DecodeRuns fails: %v", level, err)
}

// flagged takes data for a flagged form and, the other way round, makes one of
// it.
func flagged(data []byte) {
	if len(data) > maxBlock {
		return
	}
	prefix := []byte("prefix")
	got, err := lzrw1.AppendUnflagged(bytes.Clone(prefix), data)
	var want []byte
	wantErr := lzrw1spec.ErrCorrupt
	if len(data) >= 4 {
		switch data[0] {
		case 0:
			want, wantErr = lzrw1spec.Decode(nil, data[4:])
		case 1:
			want, wantErr = data[4:], nil
		}
	}
	checkDecoded(data, err)
	check((err == nil) == (wantErr == nil), "AppendUnflagged says %v, right is %v", err, wantErr)
	check(bytes.Equal(got, append(prefix, want...)), "AppendUnflagged decoded to something else")

	for _, level := range levels {
		form := encoders[level].AppendFlagged(nil, data)
		check(len(form) <= lzrw1.MaxFlaggedLen(len(data)), "%d bytes became %d", len(data), len(form))
		back, err := lzrw1.AppendUnflagged(nil, form)
		check(err == nil && bytes.Equal(back, data), "level %v: flagged form does not decode: %v", level, err)
	}
}
