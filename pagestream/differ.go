package pagestream

import (
	"bytes"

	"github.com/lzpage/lzpage/delta"
	"github.com/lzpage/lzpage/lzrw1"
)

// A differ makes deltas of those pages of a batch for which they pay.
type differ struct {
	geometry geometry
	encoder  *delta.Encoder
	pairs    []delta.Pair
	changed  []int // records of the pairs' pages
	ends     []int // of the deltas
}

func newDiffer(g geometry, level lzrw1.Level) differ {
	return differ{geometry: g, encoder: delta.NewEncoder(level)}
}

// take classifies the batch's page number i, of which old is the earlier
// version: valid, as the page is, until encode.
func (d *differ) take(b *batch, i int, old []byte) {
	record, page := &b.records[i], b.page(d.geometry, i)
	*record = classify(record.page, page)
	if record.kind == Plain && !isZero(old) { // a page is smaller than its delta to nothing
		d.pairs = append(d.pairs, delta.Pair{Old: old, New: page})
		d.changed = append(d.changed, i)
	}
}

// encode makes the deltas.
func (d *differ) encode(b *batch) {
	b.deltas, d.ends = d.encoder.AppendAll(b.deltas[:0], d.ends[:0], d.pairs)
	start := 0
	for k, end := range d.ends {
		if end > start {
			record := &b.records[d.changed[k]]
			record.kind, record.delta, record.block = Delta, start, end-start
		}
		start = end
	}
	clear(d.pairs)
	d.pairs, d.changed = d.pairs[:0], d.changed[:0]
}

func isZero(page []byte) bool {
	return le.Uint64(page) == 0 && bytes.Equal(page[wordBytes:], page[:len(page)-wordBytes])
}
