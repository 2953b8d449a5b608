// Package lzrw1 implements LZRW1, the byte-oriented Lempel-Ziv codec of Ross
// N. Williams ("An Extremely Fast Ziv-Lempel Data Compression Algorithm",
// Data Compression Conference 1991), for blocks the size of memory pages.
//
// # Block format
//
// A block is a sequence of groups. A group is a 16-bit little-endian control
// word and up to 16 items; only the last group may hold fewer. Bit i of the
// control word, counted from the least significant, describes item i:
//
//	0  literal  one byte
//	1  copy     two bytes: (offset>>8)<<4 | length-1, then offset&0xFF
//
// A copy repeats length bytes (1 to 16) found offset bytes (1 to 4095) back in
// the output; where offset < length it overlaps itself and repeats. A block
// has no length field: it ends where its bytes end, and control bits beyond
// the last item are zero. No block is smaller than 34/256 of its contents.
//
// # Levels
//
// Every level writes blocks that every LZRW1 decoder reads. [Fast] is for
// speed, [Dense] for ratio, and [Reference] equals the 1991 encoder to the
// byte. The output of a level depends on nothing but its input: not on what
// was encoded before, not on the machine.
//
// # History and runs
//
// A copy may reach back into bytes that precede the block and are known to
// both sides, its history. A [Run] is a stretch of memory cut into blocks, the
// history of each being the blocks before it: the 4 KiB window then reaches
// over block boundaries, yet each block is kept plain where it does not
// shrink, and a reader stops at the block it wants.
//
// # Hostile input
//
// Decoding trusts nothing. It returns a [*CorruptError] with the offset of the
// first byte that cannot be, never writes outside the destination, never
// reads outside the source, and takes time linear in the source.
package lzrw1
