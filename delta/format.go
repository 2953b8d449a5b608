package delta

import (
	"encoding/binary"
	"hash/crc32"
)

// Sizes of pages, in bytes. A page is a multiple of MinPageSize.
const (
	MinPageSize = 64
	MaxPageSize = 2 << 20
)

const (
	wordBytes = 8
	headBytes = 1 + 4 // form and checksum
)

// A record's first byte.
const (
	formMask  = 0x03
	formSame  = 0x00 // nothing changed
	formBytes = 0x01 // the changed bytes of the changed words
	formWords = 0x02 // the changed words

	flagRuns  = 0x04 // the map is runs, not a tree
	flagLZRW1 = 0x08 // the content is an LZRW1 block
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Checksum returns the checksum of a page as records hold it: CRC-32C
// (Castagnoli, as in iSCSI).
func Checksum(page []byte) uint32 { return crc32.Checksum(page, castagnoli) }

// validPage reports whether a page may have so many bytes.
func validPage(n int) bool { return n >= MinPageSize && n <= MaxPageSize && n%MinPageSize == 0 }

var le = binary.LittleEndian
