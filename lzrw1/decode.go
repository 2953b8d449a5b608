package lzrw1

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/lzpage/lzpage/lzrw1/asm"
)

// AppendDecode appends what the block src decodes to to dst and returns the
// result. Copies reach back no farther than the block's own output. src must
// not overlap dst, its spare capacity included. It grows
// dst by no more than 7.53 times len(src). Errors are [*CorruptError].
func AppendDecode(dst, src []byte) ([]byte, error) {
	size, err := DecodedLen(src)
	if err != nil {
		return dst, err
	}
	n := len(dst)
	dst = slices.Grow(dst, size)[:n+size]
	_, err = Decode(dst[n:], src)
	if err != nil {
		return dst[:n], err
	}
	return dst, nil
}

// DecodedLen returns how many bytes the block src decodes to, without
// decoding it. Errors are [*CorruptError]; it finds all but offsets that are 0
// or reach too far.
func DecodedLen(src []byte) (int, error) {
	n, s := 0, 0
	for s < len(src) {
		if s+controlBytes > len(src) {
			return 0, &CorruptError{s, reasonCutControl}
		}
		control := binary.LittleEndian.Uint16(src[s:])
		s += controlBytes
		if s == len(src) {
			return 0, &CorruptError{s - controlBytes, reasonEmptyGroup}
		}
		for item := 0; item < groupItems; item++ {
			if s == len(src) {
				if control != 0 {
					return 0, &CorruptError{s, reasonSpareControl}
				}
				break
			}
			if control&1 == 0 {
				s++
				n++
			} else {
				if s+copyBytes > len(src) {
					return 0, &CorruptError{s, reasonCutCopy}
				}
				n += int(src[s]&0x0F) + 1
				s += copyBytes
			}
			control >>= 1
		}
	}
	return n, nil
}

// Decode decodes the block src into dst and returns the number of bytes
// written. It never writes beyond len(dst), which must not overlap src. Errors
// are [*CorruptError] and, where dst is too small, [ErrTooLong]; dst is then
// undefined.
func Decode(dst, src []byte) (int, error) {
	return DecodeHistory(dst, 0, src)
}

// DecodeHistory decodes the block src into data[history:], as [Decode] does;
// copies may reach back into data[:history], where the encoder's history must
// stand.
func DecodeHistory(data []byte, history int, src []byte) (int, error) {
	end, err := decode(data, history, src)
	return end - history, err
}

// A BlockError says in which block of which run decoding failed.
type BlockError struct {
	Run, Block int
	Err        error // a *CorruptError, ErrTooLong or ErrTooShort
}

func (e *BlockError) Error() string {
	return fmt.Sprintf("run %d, block %d: %v", e.Run, e.Block, e.Err)
}

func (e *BlockError) Unwrap() error { return e.Err }

// DecodeRuns decodes each run's Blocks into its Data, whose length the caller
// has set and whose first History bytes stand there already. Each block must
// fill its part of Data exactly. Errors are [*BlockError]; it panics where
// Cuts or Ends do not ascend within Data and Blocks, which are the caller's.
func DecodeRuns(runs []Run) error {
	for i := range runs {
		r := &runs[i]
		start, blockStart := r.History, 0
		for k, end := range r.Cuts {
			if err := decodeExactly(r.Data[:end], start, r.Blocks[blockStart:r.Ends[k]]); err != nil {
				return &BlockError{i, k, err}
			}
			start, blockStart = end, r.Ends[k]
		}
	}
	return nil
}

// decodeExactly decodes block, which is plain where it is as long as its
// data, into data[start:].
func decodeExactly(data []byte, start int, block []byte) error {
	if len(block) == len(data)-start {
		copy(data[start:], block)
		return nil
	}
	end, err := decode(data, start, block)
	if err == nil && end < len(data) {
		err = ErrTooShort
	}
	return err
}

// decode decodes src into data[o:] and returns the end of what it wrote. A
// kernel does all it can; the tail finds what is wrong where it stopped.
func decode(data []byte, o int, src []byte) (int, error) {
	o, s := asm.Decode(data, o, src)
	return decodeTail(data, o, src, s)
}

// decodeTail is decode from src[s:] on, a byte at a time with every test.
func decodeTail(data []byte, o int, src []byte, s int) (int, error) {
	for s < len(src) {
		if s+controlBytes > len(src) {
			return o, &CorruptError{s, reasonCutControl}
		}
		control := binary.LittleEndian.Uint16(src[s:])
		s += controlBytes
		if s == len(src) {
			return o, &CorruptError{s - controlBytes, reasonEmptyGroup}
		}
		for item := 0; item < groupItems; item++ {
			if s == len(src) {
				if control != 0 {
					return o, &CorruptError{s, reasonSpareControl}
				}
				return o, nil
			}
			if control&1 == 0 {
				if o == len(data) {
					return o, ErrTooLong
				}
				data[o] = src[s]
				s++
				o++
			} else {
				if s+copyBytes > len(src) {
					return o, &CorruptError{s, reasonCutCopy}
				}
				item := int(binary.BigEndian.Uint16(src[s:]))
				offset := item>>12<<8 | item&0xFF
				length := item>>8&0x0F + 1
				if uint(offset-1) >= uint(o) {
					return o, badOffset(s, offset)
				}
				if length > len(data)-o {
					return o, ErrTooLong
				}
				for range length {
					data[o] = data[o-offset]
					o++
				}
				s += copyBytes
			}
			control >>= 1
		}
	}
	return o, nil
}

func badOffset(s, offset int) error {
	if offset == 0 {
		return &CorruptError{s, reasonZeroOffset}
	}
	return &CorruptError{s, reasonBeforeStart}
}
