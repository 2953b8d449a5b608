// Package memdiff compares two states of a machine's memory, page by page.
package memdiff

import (
	"cmp"
	"slices"

	"github.com/lzpage/lzpage/pagestream"
)

// A Range is a range of bytes that both states have, or one of them alone.
// Memory is matched by its addresses, other bytes by their place in the file:
// Start is the one or the other.
type Range struct {
	Class  pagestream.Class
	Name   string // of its region, the new one where both have it
	Start  uint64
	Length uint64 // in bytes, at least 1
	Old    Place
	New    Place
}

// A Place is where a range begins in a state.
type Place struct {
	Region int // its number, -1 where the state has no such bytes
	Offset uint64
}

// In reports whether the old and the new state have the range.
func (r *Range) In() (old, new bool) { return r.Old.Region >= 0, r.New.Region >= 0 }

// Pages returns how many pages the range has. They are counted from its start;
// the last one may be part of one.
func (r *Range) Pages(pageSize int) uint64 {
	return pagestream.Region{Length: r.Length}.Pages(pageSize)
}

// A piece is what is left of a region.
type piece struct {
	start, last uint64 // address or place in the file; the last byte, since 2^64 is no uint64
	place       Place
	name        string
}

// Match returns the ranges that make up the regions of two states, memory
// first, each class from its lowest byte to its highest, and how many bytes of
// each state are left aside since regions before them have the same addresses.
func Match(old, new []pagestream.Region) (ranges []Range, hiddenOld, hiddenNew uint64) {
	for _, class := range []pagestream.Class{pagestream.Memory, pagestream.Other} {
		a, hidden := pieces(old, class)
		hiddenOld += hidden
		b, hidden := pieces(new, class)
		hiddenNew += hidden
		ranges = append(ranges, merge(class, a, b)...)
	}
	return ranges, hiddenOld, hiddenNew
}

// pieces returns the regions of the class in the order of their bytes, without
// what regions before them have, and how much that is.
func pieces(regions []pagestream.Region, class pagestream.Class) (found []piece, hidden uint64) {
	for i, r := range regions {
		if r.Class != class || r.Length == 0 {
			continue
		}
		start := r.Address
		if class == pagestream.Other {
			start = r.FileOffset
		}
		found = append(found, piece{start, start + r.Length - 1, Place{Region: i}, r.Name})
	}
	slices.SortStableFunc(found, func(a, b piece) int { return cmp.Compare(a.start, b.start) })
	kept := found[:0]
	for _, p := range found {
		if n := len(kept); n > 0 && p.start <= kept[n-1].last {
			before := min(kept[n-1].last, p.last) - p.start + 1
			hidden += before
			if !p.cut(before) {
				continue
			}
		}
		kept = append(kept, p)
	}
	return kept, hidden
}

// cut takes n bytes from the piece's start, and reports whether any are left.
func (p *piece) cut(n uint64) bool {
	if n > p.last-p.start {
		return false
	}
	p.start += n
	p.place.Offset += n
	return true
}

// merge returns the ranges of two states' pieces.
func merge(class pagestream.Class, old, new []piece) []Range {
	none := Place{Region: -1}
	var ranges []Range
	for len(old) > 0 || len(new) > 0 {
		r := Range{Class: class, Old: none, New: none}
		last := uint64(1<<64 - 1)
		inOld := len(old) > 0 && (len(new) == 0 || old[0].start <= new[0].start)
		inNew := len(new) > 0 && (len(old) == 0 || new[0].start <= old[0].start)
		if inOld {
			r.Start, r.Name, r.Old, last = old[0].start, old[0].name, old[0].place, old[0].last
		} else if len(old) > 0 {
			last = old[0].start - 1
		}
		if inNew {
			r.Start, r.Name, r.New, last = new[0].start, new[0].name, new[0].place, min(last, new[0].last)
		} else if len(new) > 0 {
			last = min(last, new[0].start-1)
		}
		r.Length = last - r.Start + 1
		ranges = append(ranges, r)
		if inOld && !old[0].cut(r.Length) {
			old = old[1:]
		}
		if inNew && !new[0].cut(r.Length) {
			new = new[1:]
		}
	}
	return ranges
}
