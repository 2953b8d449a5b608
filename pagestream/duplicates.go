package pagestream

import (
	"cmp"
	"fmt"
	"slices"
)

// readDuplicates reads the pages that the duplicates in the step's frame, which
// go to pages, equal. A frame that has several of them is decoded once.
func (s *readScratch) readDuplicates(step *readStep, pages [][]byte) error {
	records := s.decoder.records
	s.duplicates = s.duplicates[:0]
	for i, page := range pages {
		if page != nil && records[i].kind == Duplicate {
			s.duplicates = append(s.duplicates, i)
		}
	}
	slices.SortFunc(s.duplicates, func(a, b int) int {
		x, y := &records[a].duplicate, &records[b].duplicate
		return cmp.Or(cmp.Compare(x.region, y.region), cmp.Compare(x.page, y.page))
	})
	other := step.stream.scratch.Get().(*readScratch)
	defer step.stream.scratch.Put(other)
	defer other.end()
	for left := s.duplicates; len(left) > 0; {
		n, err := s.readSame(other, step, pages, left)
		if err != nil {
			return err
		}
		left = left[n:]
	}
	return nil
}

// readSame reads the frame of the page that the first of the duplicates equals,
// by another scratch. It returns for how many of the duplicates that has the
// pages: they are in order of these.
func (s *readScratch) readSame(other *readScratch, step *readStep, pages [][]byte, duplicates []int) (n int, err error) {
	r, records := step.stream, s.decoder.records
	damaged := func(record *pageRecord, reason string, err error) error {
		same := record.duplicate
		return s.header.corrupt(step.entry.offset, int64(record.page), fmt.Sprintf("duplicate of page %d of region %d: %s", same.page, same.region, reason), err)
	}
	first := &records[duplicates[0]]
	same := first.duplicate
	if !same.before(s.header.region, first.page) {
		return 0, damaged(first, "not an earlier page", nil)
	}
	e, listed, err := r.find(int(same.region), step.round, same.page)
	if err != nil {
		return 0, damaged(first, "", err)
	}
	if !listed || e.zeros {
		return 0, damaged(first, "a page without content", nil)
	}
	if err := other.load(r, int(same.region), step.round, e); err != nil {
		return 0, damaged(first, "", err)
	}
	of := other.decoder.records
	to := other.noPages(len(of))
	k := 0
	for ; n < len(duplicates); n++ {
		record := &records[duplicates[n]]
		same := record.duplicate
		if same.region != first.duplicate.region || same.page >= e.end() {
			break
		}
		for of[k].page < same.page {
			k++
		}
		if !same.before(s.header.region, record.page) {
			return 0, damaged(record, "not an earlier page", nil)
		}
		if of[k].page != same.page || !of[k].kind.hasContent() || of[k].crc != record.crc {
			return 0, damaged(record, "not the same page", nil)
		}
		if to[k] == nil {
			to[k] = pages[duplicates[n]]
		}
	}
	if err := other.decoder.decode(&other.header, e.offset, to[:k+1]); err != nil {
		return 0, damaged(first, "", err)
	}
	k = 0
	for _, i := range duplicates[:n] {
		for of[k].page < records[i].duplicate.page {
			k++
		}
		copy(pages[i], to[k])
	}
	return n, nil
}

// before reports whether the page comes before another one of its round.
func (a pageAddress) before(region uint32, page uint64) bool {
	return a.region < region || a.region == region && a.page < page
}
