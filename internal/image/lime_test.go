package image

import (
	"encoding/binary"
	"testing"

	"github.com/lzpage/lzpage/pagestream"
)

// A limeRange is a range as its header has it, and how many bytes follow that.
type limeRange struct {
	first, size uint64
	bytes       int
}

func limeDump(ranges ...limeRange) []byte {
	var b []byte
	for i, r := range ranges {
		b = append(b, "EMiL\x01\x00\x00\x00"...)
		b = binary.LittleEndian.AppendUint64(b, r.first)
		b = binary.LittleEndian.AppendUint64(b, r.first+r.size-1)
		b = binary.LittleEndian.AppendUint64(b, 0)
		b = append(b, noise(uint32(i), r.bytes)...)
	}
	return b
}

func TestLiME(t *testing.T) {
	// As LiME writes them: System RAM of a machine that boots by BIOS.
	two := limeDump(limeRange{0x1000, 0x9ec00, 0x9ec00}, limeRange{0x100000, 5000, 5000})
	twoRegions := []pagestream.Region{
		other(0, 32), memory(0x1000, 32, 0x9ec00), other(0x9ec20, 32), memory(0x100000, 0x9ec40, 5000),
	}
	many := make([]limeRange, 65537)
	manyRegions := make([]pagestream.Region, 0, 2*len(many))
	for i := range many {
		many[i] = limeRange{uint64(i), 1, 1}
		manyRegions = append(manyRegions, other(uint64(33*i), 32), memory(uint64(i), uint64(33*i+32), 1))
	}
	manyRegions = append(manyRegions[:2*65536], other(33*65536, 33))
	badVersion := limeDump(limeRange{0, 10, 10}, limeRange{0x1000, 10, 10})
	badVersion[42+4] = 2
	// The magic number by its value.
	byValue := limeDump(limeRange{16, 16, 16})
	binary.LittleEndian.PutUint32(byValue, 0x4C694D45)

	for _, test := range []imageTest{
		{name: "two ranges", data: two, want: LiME, regions: twoRegions},
		{name: "asked for", data: two, format: LiME, want: LiME, regions: twoRegions},
		{name: "magic", data: byValue, want: LiME, regions: []pagestream.Region{other(0, 32), memory(16, 32, 16)}},
		{
			name: "trailing bytes", data: append(limeDump(limeRange{0, 10, 10}), make([]byte, 100)...), want: LiME,
			regions: []pagestream.Region{other(0, 32), memory(0, 32, 10), other(42, 100)},
			note:    "taken as other bytes from offset 42 on: there is no LiME header",
		},
		{
			name: "a few trailing bytes", data: append(limeDump(limeRange{0, 10, 10}), "EMiL"...), want: LiME,
			regions: []pagestream.Region{other(0, 32), memory(0, 32, 10), other(42, 4)},
			note:    "taken as other bytes from offset 42 on: there is no LiME header",
		},
		{
			name: "second range of version 2", data: badVersion, want: LiME,
			regions: []pagestream.Region{other(0, 32), memory(0, 32, 10), other(42, 42)},
			note:    "taken as other bytes from offset 42 on: the LiME header has version 2, only 1 is known",
		},
		{
			name: "first range of version 2", data: badVersion[42:], want: Raw,
			regions: []pagestream.Region{memory(0, 0, 42)},
			note:    "taken as raw although it begins as format lime does: the LiME header has version 2, only 1 is known",
		},
		{
			name: "magic alone", data: []byte("EMiL"), want: Raw, regions: []pagestream.Region{memory(0, 0, 4)},
			note: "there is no LiME header",
		},
		{
			name: "range backwards", data: limeDump(limeRange{0x1000, 0, 10}), want: Raw,
			regions: []pagestream.Region{memory(0, 0, 42)}, note: "a range from 0x1000 to 0xfff",
		},
		{
			name: "range of all addresses", data: limeDump(limeRange{0, 0, 10}), want: Raw,
			regions: []pagestream.Region{memory(0, 0, 42)}, note: "a range from 0x0 to 0xffffffffffffffff",
		},
		{
			name: "range to 2^63", data: limeDump(limeRange{1 << 62, 1 << 62, 10}), want: Raw,
			regions: []pagestream.Region{memory(0, 0, 42)}, note: "a range from 0x4000000000000000 to 0x7fffffffffffffff",
		},
		{
			name: "range that the file cannot hold", data: limeDump(limeRange{0, 1<<63 - 33, 10}), want: Raw,
			regions: []pagestream.Region{memory(0, 0, 42)}, note: "a range from 0x0 to 0x7fffffffffffffde",
		},
		{
			name: "cut in a range", data: two[:0x9ec40+77], want: LiME, cut: true,
			regions: append(twoRegions[:3:3], memory(0x100000, 0x9ec40, 77)),
			note:    "cut short: its headers promise at least 655304 bytes, it has 650381",
		},
		{
			name: "cut behind a header", data: two[:0x9ec40], want: LiME, cut: true,
			regions: twoRegions[:3],
			note:    "cut short: its headers promise at least 655304 bytes, it has 650304",
		},
		{
			name: "cut in a header", data: two[:0x9ec40-1], want: LiME,
			regions: append(twoRegions[:2:2], other(0x9ec20, 31)),
			note:    "there is no LiME header",
		},
		{
			name: "too many ranges", data: limeDump(many...), want: LiME, regions: manyRegions,
			note: "there are more than 65536 LiME ranges",
		},
	} {
		test.run(t)
	}
}
