package pagestream

import (
	"errors"
	"fmt"
)

// A roundTurn is where in a round a Writer is.
type roundTurn struct {
	region int
	next   uint64 // the page that may come next
}

// BeginRound ends the last region or the round before, waits until all that
// came before has been written, and begins a round of pages that have changed
// since.
func (w *Writer) BeginRound() error {
	if w.closed {
		return errClosed
	}
	if err := w.endRegion(); err != nil {
		return err
	}
	w.endRound()
	w.inFlight.Wait() // a worker must not meet pages of two rounds
	if err := w.failed(); err != nil {
		return err
	}
	if w.round == MaxRounds {
		return w.fail(fmt.Errorf("pagestream: more than %d rounds", MaxRounds))
	}
	w.round++
	w.turn = roundTurn{}
	w.totals.Rounds = w.round
	if w.finder != nil {
		w.finder.forget()
	}
	err := w.writeZeros()
	if err == nil {
		err = w.writeFrame(frameHeader{typ: roundFrame}, func(b []byte) []byte {
			return le.AppendUint32(b, uint32(w.round))
		})
	}
	if err != nil {
		return w.fail(err)
	}
	return nil
}

// WritePages takes pages of a region from first on, as they are in the round
// that has begun. Pages come in ascending order of region and page, each once
// at most. data is whole pages, but the region's last one may end with it; no
// pages change nothing.
func (w *Writer) WritePages(region int, first uint64, data []byte) error {
	if err := w.failed(); err != nil {
		return err
	}
	switch {
	case w.closed:
		return errClosed
	case w.round == 0:
		return w.fail(errors.New("pagestream: no round has begun"))
	case region < 0 || region >= len(w.regions):
		return w.fail(fmt.Errorf("pagestream: there is no region %d", region))
	case region < w.turn.region || region == w.turn.region && first < w.turn.next:
		return w.fail(fmt.Errorf("pagestream: page %d of region %d comes after page %d of region %d in a round", first, region, w.turn.next, w.turn.region))
	}
	r := w.regions[region]
	size := w.geometry.pageSize()
	if at := first << w.geometry.pageLog2; first >= w.geometry.maxPages() || at > r.final || uint64(len(data)) > r.final-at ||
		len(data)%size != 0 && uint64(len(data)) < r.final-at {
		return w.fail(fmt.Errorf("pagestream: %d bytes at page %d are not pages of region %d, which has %d bytes", len(data), first, region, r.final))
	}
	if len(data) == 0 {
		return nil
	}
	if region != w.turn.region {
		w.endRound()
	}
	w.turn.region = region
	for len(data) > 0 {
		if w.batch == nil {
			if err := w.nextBatch(); err != nil {
				return err
			}
			w.batch.region = r
		}
		b := w.batch
		b.records = append(b.records, pageRecord{page: first})
		n := copy(b.data[w.filled:][:size], data)
		clear(b.data[w.filled:][n:size])
		data = data[n:]
		w.filled += size
		first++
		w.turn.next = first
		if w.filled == len(b.data) {
			w.handOn()
		}
	}
	return nil
}

// endRound hands on the pages of the round that wait for more.
func (w *Writer) endRound() {
	if w.round > 0 && w.batch != nil {
		w.handOn()
	}
}
