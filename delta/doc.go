// Package delta stores a page of memory as what differs from an earlier
// version of it, which the receiver still has, and keeps such versions in a
// [Cache].
//
// An [Encoder] makes a record of the two versions, a [Decoder] applies it to
// the old one, in place. SPEC.md beside this file specifies the record. Pages
// may have any length from 64 bytes to 2 MiB that is a multiple of 64.
//
// XOR, or rather a comparison, finds the 8-byte words that have changed. Of
// those, the record holds the new values: XOR as a payload would destroy what
// a Lempel-Ziv codec lives on. Where most bytes of these words are as they
// were, it holds only the bytes that are not; else the words, as an LZRW1
// block whose window begins with their old values.
//
// XBZRLE, the delta of QEMU's migration, is here as well, to talk to others
// and to compare with: [AppendXBZRLE] and [ApplyXBZRLE].
package delta
