package pagestream

import (
	"bytes"

	"github.com/lzpage/lzpage/delta"
)

// A comparer classifies pages, in a stream with earlier versions by comparing
// them with these. It is for one goroutine.
type comparer struct {
	geometry geometry
	base     *ReaderAt
	encoder  *delta.Encoder
	old      []byte // earlier versions of a batch's pages
	pairs    []delta.Pair
	changed  []int // records of the pairs' pages
	ends     []int // of the deltas
}

func newComparer(g geometry, options *Options) *comparer {
	c := &comparer{geometry: g, base: options.Base}
	if c.base != nil {
		c.encoder = delta.NewEncoder(options.Level)
		c.old = make([]byte, g.batchBytes())
	}
	return c
}

// classify finds out what can be told of the batch's pages without the pages
// before them.
func (c *comparer) classify(b *batch) error {
	if b.round == 0 && c.base != nil {
		return c.classifyByBase(b)
	}
	for i := range b.records {
		b.records[i] = classify(b.records[i].page, b.page(c.geometry, i))
	}
	return nil
}

// classifyByBase compares the batch's pages with those of the base.
func (c *comparer) classifyByBase(b *batch) error {
	old := c.old[:len(b.records)<<c.geometry.pageLog2]
	if b.region.base == noBase {
		clear(old)
	} else if len(old) > 0 {
		if err := c.base.readPages(old, allRounds, b.region.base, b.first); err != nil {
			return err
		}
	}
	if b.ends { // an earlier version is zero where the region has ended
		if end := b.region.final - b.first<<c.geometry.pageLog2; end < uint64(len(old)) {
			clear(old[end:])
		}
	}
	for i := range b.records {
		c.compare(b, i, old[i<<c.geometry.pageLog2:][:c.geometry.pageSize()])
	}
	c.encode(b)
	return nil
}

// compare classifies the batch's page number i, of which old is the earlier
// version.
func (c *comparer) compare(b *batch, i int, old []byte) {
	record, page := &b.records[i], b.page(c.geometry, i)
	if bytes.Equal(page, old) {
		record.kind = kept
		return
	}
	*record = classify(record.page, page)
	if record.kind == Plain && !isZero(old) { // a page is smaller than its delta to nothing
		c.pairs = append(c.pairs, delta.Pair{Old: old, New: page})
		c.changed = append(c.changed, i)
	}
}

// encode makes deltas of those of the batch's changed pages for which they pay.
func (c *comparer) encode(b *batch) {
	b.deltas, c.ends = c.encoder.AppendAll(b.deltas[:0], c.ends[:0], c.pairs)
	start := 0
	for k, end := range c.ends {
		if end > start {
			record := &b.records[c.changed[k]]
			record.kind, record.delta, record.block = Delta, start, end-start
		}
		start = end
	}
	clear(c.pairs)
	c.pairs, c.changed = c.pairs[:0], c.changed[:0]
}

func isZero(page []byte) bool {
	return le.Uint64(page) == 0 && bytes.Equal(page[wordBytes:], page[:len(page)-wordBytes])
}
