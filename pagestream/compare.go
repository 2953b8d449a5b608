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
	cache    *delta.Cache
	old      []byte // earlier versions of a batch's pages
	differ   differ
}

func newComparer(g geometry, options *Options) *comparer {
	c := &comparer{geometry: g, base: options.Base, cache: options.Cache}
	if c.base != nil || c.cache != nil {
		c.differ = newDiffer(g, options.Level)
		c.old = make([]byte, g.batchBytes())
	}
	return c
}

// classify finds out what can be told of the batch's pages without the pages
// before them.
func (c *comparer) classify(b *batch) error {
	switch {
	case b.round == 0 && c.base != nil:
		if err := c.classifyByBase(b); err != nil {
			return err
		}
	case b.round > 0 && c.cache != nil:
		c.classifyByCache(b)
	default:
		for i := range b.records {
			b.records[i] = classify(b.records[i].page, b.page(c.geometry, i))
		}
	}
	if c.cache != nil {
		for i := range b.records {
			if record := &b.records[i]; record.kind != kept {
				c.cache.Put(delta.Key{Region: b.region.number, Page: record.page}, b.page(c.geometry, i))
			}
		}
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
	c.differ.encode(b)
	return nil
}

// classifyByCache compares those of the batch's pages whose earlier version is
// in the cache.
func (c *comparer) classifyByCache(b *batch) {
	for i := range b.records {
		number := b.records[i].page
		old := c.old[i<<c.geometry.pageLog2:][:c.geometry.pageSize()]
		if c.cache.Get(old, delta.Key{Region: b.region.number, Page: number}) {
			c.compare(b, i, old)
		} else {
			b.records[i] = classify(number, b.page(c.geometry, i))
		}
	}
	c.differ.encode(b)
	for i := range b.records {
		switch record := &b.records[i]; record.kind {
		case kept:
			c.cache.Saved(c.geometry.pageSize())
		case Delta:
			c.cache.Saved(c.geometry.pageSize() - record.block)
		}
	}
}

// compare classifies the batch's page number i, of which old is the earlier
// version.
func (c *comparer) compare(b *batch, i int, old []byte) {
	if bytes.Equal(b.page(c.geometry, i), old) {
		b.records[i].kind = kept
		return
	}
	c.differ.take(b, i, old)
}
