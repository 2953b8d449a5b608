package pagestream

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// A window's pages stay what they were while their buffers come and go, and the
// buffers that it holds take no more than twice the memory of what it
// remembers, whatever share of them was entered.
func TestWindowLending(t *testing.T) {
	const size, buffer = 512, 8 * 512
	for _, limit := range []uint64{1, 5, 64} {
		for _, fill := range []int{0, 1, 4, 8, 9} {
			t.Run(fmt.Sprintf("%d pages, %d in 8", limit, fill), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(limit, uint64(fill)))
				r := newResolver(size, limit)
				w := r.window
				var entered [][]byte // copies of all pages
				var data []byte
				made := 0
				for round := range 200 {
					if data == nil {
						data = make([]byte, buffer)
						made++
					}
					for i := range data { // whoever gets a buffer back writes to it
						data[i] = byte(rng.Uint32())
					}
					since := w.count.Load()
					for i := range 8 {
						if fill == 9 && rng.IntN(2) == 0 || fill <= 8 && i >= fill {
							continue
						}
						page := data[i*size:][:size]
						r.enter(pageAddress{uint32(round), uint64(i)}, page, uint32(len(entered)))
						entered = append(entered, bytes.Clone(page))
					}
					if w.leave(buffer, since) {
						data = w.lend(data, w.count.Load())
					}
					for back := uint64(0); back < limit+3; back++ {
						number := len(entered) - 1 - int(back)
						if number < 0 {
							break
						}
						at := w.addresses[uint64(number)%limit]
						page, crc, ok := r.resolve(at)
						if back < limit && (!ok || crc != uint32(number) || !bytes.Equal(page, entered[number])) {
							t.Fatalf("round %d: page %d is not what it was", round, number)
						}
					}
				}
				if _, _, ok := r.resolve(pageAddress{0, 0}); ok && uint64(len(entered)) > limit {
					t.Error("the first page is still remembered")
				}
				if held, allowed := made*buffer, 2*int(limit)*size+3*buffer; held > allowed {
					t.Errorf("%d bytes of buffers for a window of %d", held, int(limit)*size)
				}
			})
		}
	}
}

// Small buffers that have come back do not make room for large ones: what a
// window holds stays within its bound when pages begin to come in large ones.
func TestWindowLetsGoOfSmallBuffers(t *testing.T) {
	const size, limit = 512, 64
	w := newPageWindow(size, limit)
	for i := range 4 * limit {
		pages := 1
		if i >= 2*limit {
			pages = 16
		}
		data := make([]byte, pages*size)
		since := w.count.Load()
		for p := range pages {
			w.enter(pageAddress{page: uint64(16*i + p)}, data[p*size:][:size], 0)
		}
		if !w.leave(len(data), since) {
			t.Fatalf("buffer %d, all of it entered, is not lent", i)
		}
		w.lend(data, w.count.Load())
		held := 0
		for _, l := range w.lent {
			held += len(l.buffer)
		}
		if allowed := 2*limit*size + len(data); held > allowed {
			t.Fatalf("after buffer %d, %d bytes are held for a window of %d", i, held, limit*size)
		}
	}
}
