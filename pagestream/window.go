package pagestream

import (
	"bytes"
	"math/bits"
)

// A pageAddress says where a page is in a stream.
type pageAddress struct {
	region uint32
	page   uint64
}

// A pageWindow remembers the last pages with content of their own, byte for
// byte, for duplicates to be found by the writer and resolved by the reader.
type pageWindow struct {
	pageSize  int
	limit     uint64 // pages remembered
	count     uint64 // pages ever entered; page n is in slot n % limit
	shelfLog2 int    // pages on a shelf
	shelves   [][]byte
	addresses []pageAddress // by slot
	crcs      []uint32
}

// shelfBytes is by how much a window's memory grows, unless a page is larger.
const shelfBytes = 1 << 20

func newPageWindow(pageSize int, limit uint64) *pageWindow {
	return &pageWindow{
		pageSize:  pageSize,
		limit:     limit,
		shelfLog2: bits.Len(uint(max(shelfBytes/pageSize, 1))) - 1,
	}
}

// enter remembers the page, and forgets the one that is limit pages older. It
// returns the page's slot.
func (w *pageWindow) enter(at pageAddress, page []byte, crc uint32) (slot uint64) {
	slot = w.count % w.limit
	w.count++
	if slot == uint64(len(w.addresses)) {
		if slot>>w.shelfLog2 == uint64(len(w.shelves)) {
			w.shelves = append(w.shelves, make([]byte, w.pageSize<<w.shelfLog2))
		}
		w.addresses = append(w.addresses, at)
		w.crcs = append(w.crcs, crc)
	}
	copy(w.page(slot), page)
	w.addresses[slot] = at
	w.crcs[slot] = crc
	return slot
}

func (w *pageWindow) page(slot uint64) []byte {
	within := int(slot & (1<<w.shelfLog2 - 1))
	return w.shelves[slot>>w.shelfLog2][within*w.pageSize:][:w.pageSize]
}

// A finder finds, among the last pages, one that equals another.
type finder struct {
	window *pageWindow
	slots  []uint32 // by low bits of the CRC: 1 + the slot of the last such page
}

func newFinder(pageSize int, limit uint64) *finder {
	size := uint64(1)
	for size < 8*limit { // so that few pages take another's place
		size *= 2
	}
	return &finder{newPageWindow(pageSize, limit), make([]uint32, size)}
}

// find returns the address of a remembered page that equals page. If there is
// none, it remembers page, which stands at the given address.
//
// The CRC only proposes: a guest can make pages collide, so bytes decide.
func (f *finder) find(at pageAddress, page []byte, crc uint32) (pageAddress, bool) {
	entry := &f.slots[crc&uint32(len(f.slots)-1)]
	if *entry != 0 {
		slot := uint64(*entry - 1)
		if f.window.crcs[slot] == crc && bytes.Equal(f.window.page(slot), page) {
			return f.window.addresses[slot], true
		}
	}
	*entry = uint32(f.window.enter(at, page, crc)) + 1
	return pageAddress{}, false
}

// A resolver finds remembered pages by their address.
type resolver struct {
	window *pageWindow
	slots  map[pageAddress]uint64
}

func newResolver(pageSize int, limit uint64) *resolver {
	return &resolver{newPageWindow(pageSize, limit), make(map[pageAddress]uint64)}
}

func (r *resolver) enter(at pageAddress, page []byte, crc uint32) {
	w := r.window
	if w.limit == 0 {
		return
	}
	if w.count >= w.limit {
		delete(r.slots, w.addresses[w.count%w.limit])
	}
	r.slots[at] = w.enter(at, page, crc)
}

// resolve returns the page at the address, and its CRC. It reports false where
// it is not among those remembered.
func (r *resolver) resolve(at pageAddress) (page []byte, crc uint32, ok bool) {
	slot, ok := r.slots[at]
	if !ok {
		return nil, 0, false
	}
	return r.window.page(slot), r.window.crcs[slot], true
}
