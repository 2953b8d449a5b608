package pagestream

import (
	"bytes"
	"math/bits"
	"math/rand/v2"
	"sync/atomic"
)

// A pageAddress says where a page is in a stream.
type pageAddress struct {
	region uint32
	page   uint64
}

// A pageWindow remembers the last pages with content of their own, byte for
// byte, for duplicates to be found by the writer and resolved by the reader.
//
// Most pages are not copied for it: the buffer in which they came is lent to
// the window, and comes back when none of its pages is remembered any more.
type pageWindow struct {
	pageSize  int
	limit     uint64        // pages remembered
	count     atomic.Uint64 // pages ever entered; page n is in slot n % limit
	pages     [][]byte      // by slot
	addresses []pageAddress
	crcs      []uint32

	shelfLog2 int      // pages on a shelf
	shelves   [][]byte // copies, by slot; nil where there are none

	lent []lentBuffer // the oldest first
}

// A lentBuffer is a buffer that holds pages of a window.
type lentBuffer struct {
	buffer []byte
	end    uint64 // one more than the number of its last page
}

// shelfBytes is by how much the copies' memory grows, unless a page is larger.
const shelfBytes = 1 << 20

func newPageWindow(pageSize int, limit uint64) *pageWindow {
	return &pageWindow{
		pageSize:  pageSize,
		limit:     limit,
		shelfLog2: bits.Len(uint(max(shelfBytes/pageSize, 1))) - 1,
	}
}

// enter remembers the page, and forgets the one that is limit pages older. It
// returns the page's slot. What becomes of the buffer that page is in, leave
// says.
func (w *pageWindow) enter(at pageAddress, page []byte, crc uint32) (slot uint64) {
	slot = w.count.Load() % w.limit
	if slot == uint64(len(w.addresses)) {
		w.pages = append(w.pages, page)
		w.addresses = append(w.addresses, at)
		w.crcs = append(w.crcs, crc)
	}
	w.pages[slot] = page
	w.addresses[slot] = at
	w.crcs[slot] = crc
	w.count.Add(1) // behind this, the page that was in the slot is out of use
	return slot
}

// leave decides what becomes of a buffer of so many bytes whose pages were
// entered since the count was as given. If it reports true, the buffer is to be
// lent, and to stay as it is until then. If few of its pages were entered, they
// have been copied: what is lent takes no more than twice the memory of what is
// remembered.
func (w *pageWindow) leave(buffer int, since uint64) (lent bool) {
	n := w.count.Load()
	entered := n - since
	if entered > 0 && 2*entered*uint64(w.pageSize) >= uint64(buffer) {
		return true
	}
	for number := n - min(entered, w.limit); number < n; number++ {
		slot := number % w.limit
		own := w.shelved(slot)
		copy(own, w.pages[slot])
		w.pages[slot] = own
	}
	return false
}

// shelved returns the memory for a copy in the slot.
func (w *pageWindow) shelved(slot uint64) []byte {
	shelf := int(slot >> w.shelfLog2)
	for shelf >= len(w.shelves) {
		w.shelves = append(w.shelves, nil)
	}
	if w.shelves[shelf] == nil {
		w.shelves[shelf] = make([]byte, w.pageSize<<w.shelfLog2)
	}
	within := int(slot & (1<<w.shelfLog2 - 1))
	return w.shelves[shelf][within*w.pageSize:][:w.pageSize]
}

// lend takes a buffer of entered pages, the last of them being number end-1,
// and returns one that is no smaller and none of whose pages is remembered any
// more, or nil. Smaller ones that it finds before are let go, so that what is
// held does not grow by more than the pages remembered. It may be called by
// another goroutine than the rest.
func (w *pageWindow) lend(buffer []byte, end uint64) []byte {
	w.lent = append(w.lent, lentBuffer{buffer, end})
	for len(w.lent) > 0 && w.count.Load() >= w.lent[0].end+w.limit {
		oldest := w.lent[0].buffer
		w.lent[0].buffer = nil // the array outlives its first elements
		w.lent = w.lent[1:]
		if cap(oldest) >= cap(buffer) {
			return oldest
		}
	}
	return nil
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

// find returns the address of a remembered page that equals page.
//
// The CRC only proposes: a guest can make pages collide, so bytes decide.
func (f *finder) find(page []byte, crc uint32) (pageAddress, bool) {
	w := f.window
	if entry := f.slots[crc&uint32(len(f.slots)-1)]; entry != 0 {
		slot := uint64(entry - 1)
		if w.crcs[slot] == crc && bytes.Equal(w.pages[slot], page) {
			return w.addresses[slot], true
		}
	}
	return pageAddress{}, false
}

// enter remembers the page.
func (f *finder) enter(at pageAddress, page []byte, crc uint32) {
	f.slots[crc&uint32(len(f.slots)-1)] = uint32(f.window.enter(at, page, crc)) + 1
}

// forget forgets all pages.
func (f *finder) forget() { clear(f.slots) }

// A resolver finds remembered pages by their address. Pages whose addresses
// have the same hash form a chain, from the last one entered back.
type resolver struct {
	window *pageWindow
	from   uint64    // number of the first page that may be found
	secret [2]uint64 // of the hash, so that nobody can make a stream of long chains
	heads  []uint64  // by hash: 1 + the number of the last page of the chain
	before []uint64  // by slot: the same of the page before it in its chain
}

func newResolver(pageSize int, limit uint64) *resolver {
	return &resolver{
		window: newPageWindow(pageSize, limit),
		secret: [2]uint64{rand.Uint64() | 1, rand.Uint64() | 1},
	}
}

func (r *resolver) head(at pageAddress) *uint64 {
	hash := r.secret[0]*at.page + r.secret[1]*uint64(at.region)
	return &r.heads[hash>>(64-bits.Len(uint(len(r.heads)-1)))]
}

func (r *resolver) enter(at pageAddress, page []byte, crc uint32) {
	w := r.window
	if w.limit == 0 {
		return
	}
	if n := w.count.Load(); n >= uint64(len(r.heads)) && n < 2*w.limit {
		r.grow()
	}
	number := w.count.Load()
	slot := w.enter(at, page, crc)
	if slot == uint64(len(r.before)) {
		r.before = append(r.before, 0)
	}
	head := r.head(at)
	r.before[slot], *head = *head, number+1
}

// forget forgets all pages.
func (r *resolver) forget() { r.from = r.window.count.Load() }

// grow doubles the number of chains.
func (r *resolver) grow() {
	r.heads = make([]uint64, max(64, 2*len(r.heads)))
	w := r.window
	n := w.count.Load()
	for number := n - min(n, w.limit); number < n; number++ {
		slot := number % w.limit
		head := r.head(w.addresses[slot])
		r.before[slot], *head = *head, number+1
	}
}

// resolve returns the page at the address, and its CRC. It reports false where
// it is not among those remembered.
func (r *resolver) resolve(at pageAddress) (page []byte, crc uint32, ok bool) {
	w := r.window
	n := w.count.Load()
	if n == 0 {
		return nil, 0, false
	}
	for link := *r.head(at); link != 0; {
		number := link - 1
		if n-number > w.limit || number < r.from { // it and those before it are forgotten
			break
		}
		slot := number % w.limit
		if w.addresses[slot] == at {
			return w.pages[slot], w.crcs[slot], true
		}
		link = r.before[slot]
	}
	return nil, 0, false
}
