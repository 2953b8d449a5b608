package main

import "testing"

// The pages that stand for those of a trace compress as they did.
func TestPageMaker(t *testing.T) {
	for _, size := range []int{4096, 1024, 1 << 16} {
		maker, forms := newPageMaker(size), newFormFinder(size)
		page := make([]byte, size)
		for form := range formPlain + 1 {
			for _, number := range []uint32{0, 1, 77777} {
				maker.fill(page, uint8(form), number, 3)
				got := int(forms.form(page))
				if form > formWord && form < 10 {
					continue // no block is as short
				}
				if got < form-1 || got > form+1 {
					t.Errorf("page %d of %d bytes has form %d, want %d", number, size, got, form)
				}
			}
		}
	}
}
