package delta

// cacheCounts is how many counts of requests there are, from 0.
const cacheCounts = 16

// cacheLists is how many lists there are: for each count, the pages that are
// packed, and behind these lists for each count the loose ones.
const cacheLists = 2 * cacheCounts

// A cachePolicy decides which pages stay. It has an entry for each, found by a
// hash table, in a list of those that have been asked for as often. The first
// entries are the heads of these lists, so that 0 is no page's.
//
// A page enters loose, in a form that takes little to make. Loose pages are
// packed when their room is needed, those that have been asked for least often
// first; only when all are, pages go. Where packing takes too long, they go at
// once.
//
// It knows how long pages are but not where they are: with an arena it frees
// their blocks, without one it is a model of a cache.
type cachePolicy struct {
	entries []cacheEntry
	slots   []uint32 // hash table: the first entry of a chain
	free    uint32   // the first of the entries that are not in use
	used    int      // how many are
	room    int      // blocks that are not in use
	block   int      // size of one in bytes
	most    int      // blocks that a page takes at most
	arena   *blockArena
	// pack makes the shorter form of a loose page, whose length it sets.
	pack  func(e uint32)
	packs bool // before pages go

	unasked   uint64 // Puts of pages that nobody asked for, while it was full
	random    uint64
	evictions uint64
}

// A cacheEntry is a page in the cache.
type cacheEntry struct {
	page       uint64
	region     uint32
	chain      uint32 // the next entry in the slot or of those that are free
	prev, next uint32 // in the list
	block      uint32 // the first; of a model's loose page, the length when packed
	form       cacheForm
}

// A cacheForm is the length of what is kept of a page in bytes, and what that
// is. A page of more than 8 words has more than 8 bytes unless it is one word.
type cacheForm uint32

const (
	looseForm  cacheForm = 1 << 31
	blockForm  cacheForm = 1 << 30 // LZRW1
	askedForm  cacheForm = 1 << 29 // for, when the page was put in its list
	formLength           = askedForm - 1
)

func (f cacheForm) loose() bool { return f&looseForm != 0 }

func (f cacheForm) asked() bool { return f&askedForm != 0 }

func (f cacheForm) length() int { return int(f & formLength) }

const (
	cacheEntryBytes = 32
	cacheSlotBytes  = 4
)

func (p *cachePolicy) init(m *cacheMemory, entries, blocks, pageSize int) {
	*p = cachePolicy{
		entries: take(&m.entries, cacheLists+entries),
		slots:   take(&m.slots, entries),
		room:    blocks,
		block:   cacheBlock(pageSize),
		random:  0x9e3779b97f4a7c15,
	}
	p.most = p.blocks(pageSize)
	for i := range uint32(cacheLists) {
		p.entries[i].prev, p.entries[i].next = i, i
	}
	for i := len(p.entries) - 1; i >= cacheLists; i-- {
		p.entries[i].chain = p.free
		p.free = uint32(i)
	}
}

// blocks returns how many blocks so many bytes take.
func (p *cachePolicy) blocks(length int) int { return (length + p.block - 1) / p.block }

func (p *cachePolicy) slot(h uint64) *uint32 { return &p.slots[reduce(h, len(p.slots))] }

// reduce maps the upper half of a hash to 0 to n-1.
func reduce(h uint64, n int) uint64 { return h >> 32 * uint64(n) >> 32 }

// find returns the page's entry, 0 if it has none.
func (p *cachePolicy) find(h uint64, key Key) uint32 {
	e := *p.slot(h)
	for e != 0 && (p.entries[e].page != key.Page || p.entries[e].region != key.Region) {
		e = p.entries[e].chain
	}
	return e
}

// touch moves the page of entry e to the end of the list of a count.
func (p *cachePolicy) touch(e uint32, count int) {
	p.unlink(e)
	p.link(e, count)
}

func (p *cachePolicy) unlink(e uint32) {
	entry := &p.entries[e]
	p.entries[entry.prev].next = entry.next
	p.entries[entry.next].prev = entry.prev
}

// link puts the entry at the end of the list of a count.
func (p *cachePolicy) link(e uint32, count int) {
	head, form := uint32(count), &p.entries[e].form
	if form.loose() {
		head += cacheCounts
	}
	if *form &^= askedForm; count > 0 {
		*form |= askedForm
	}
	last := p.entries[head].prev
	p.entries[e].prev, p.entries[e].next = last, head
	p.entries[last].next = e
	p.entries[head].prev = e
}

// admits says whether to keep a page, in entry e or none, that has been asked
// for count times: it returns the count of the pages that may be evicted for
// it, or -1 if it is not to be kept.
func (p *cachePolicy) admits(e uint32, key Key, count int) (limit int) {
	if e != 0 || p.room >= p.most && p.free != 0 {
		return count
	}
	packs := p.packs && p.free != 0 && p.firstLoose() >= 0 // others, for it
	if count == 0 {
		if !packs && !p.draw() {
			return -1
		}
		count = 1
	}
	limit = count - 1
	// In a sweep, what was asked for as often in the rounds before and lies
	// ahead is to be asked for next. Evicting it for a page that has had its
	// turn already would go on with each page, always evicting the next one.
	if first := p.first(limit); limit > 0 && first != 0 && p.entries[first].follows(key) {
		limit--
	}
	for count := range limit + 1 {
		if packs || p.first(count) != 0 {
			return limit
		}
	}
	return -1
}

// first returns the entry of the page that has been asked for so often and not
// for longest, a packed one if there is one; 0 if there is none.
func (p *cachePolicy) first(count int) uint32 {
	for _, head := range [...]uint32{uint32(count), cacheCounts + uint32(count)} {
		if e := p.entries[head].next; e != head {
			return e
		}
	}
	return 0
}

// firstLoose returns how often the loose pages that have been asked for least
// often were, -1 if there are none.
func (p *cachePolicy) firstLoose() (count int) {
	for count := range cacheCounts {
		if head := uint32(cacheCounts + count); p.entries[head].next != head {
			return count
		}
	}
	return -1
}

// follows reports whether the page comes after another in a sweep.
func (e *cacheEntry) follows(key Key) bool {
	return e.region > key.Region || e.region == key.Region && e.page > key.Page
}

// draw decides by chance about a page that nobody has asked for. The more of
// them there have been in the round, the less likely is the next one to enter,
// in the place of any other: by reservoir sampling, what is kept of a sweep is
// neither its beginning nor its end.
func (p *cachePolicy) draw() bool {
	p.unasked++
	return p.chance(p.used+int(min(p.unasked, 1<<30))) < uint64(p.used)
}

// chance returns a number from 0 to n-1.
func (p *cachePolicy) chance(n int) uint64 {
	p.random ^= p.random << 13
	p.random ^= p.random >> 7
	p.random ^= p.random << 17
	return reduce(p.random, n)
}

// claim returns an entry for the page, without blocks and in no list: entry e,
// unless that is 0, or one that may have to be evicted for it; 0 if there is
// none.
func (p *cachePolicy) claim(e uint32, h uint64, key Key, limit int) uint32 {
	if e != 0 {
		p.unlink(e)
		p.release(e)
		return e
	}
	if p.free == 0 && !p.evict(limit) {
		return 0
	}
	e = p.free
	slot := p.slot(h)
	p.free = p.entries[e].chain
	p.entries[e] = cacheEntry{page: key.Page, region: key.Region, chain: *slot}
	*slot = e
	p.used++
	return e
}

// loosen makes room for a loose page of so many bytes by packing others. It
// reports false if that is not enough.
func (p *cachePolicy) loosen(length int) bool {
	blocks := p.blocks(length)
	for p.room < blocks {
		count := p.firstLoose()
		if count < 0 {
			return false
		}
		e := p.entries[cacheCounts+count].next
		p.unlink(e)
		p.room += p.blocks(p.entries[e].form.length())
		p.pack(e)
		p.room -= p.blocks(p.entries[e].form.length())
		p.link(e, count)
	}
	return true
}

// place gives the page in an entry that was claimed its form. It evicts what
// has been asked for no more often than limit. Where that does not make room
// enough, the entry is dropped and place returns false.
func (p *cachePolicy) place(e uint32, count, limit int, form cacheForm) bool {
	blocks := p.blocks(form.length())
	for p.room < blocks {
		if !p.evict(limit) {
			p.drop(e)
			return false
		}
	}
	p.room -= blocks
	p.entries[e].form = form
	p.link(e, count)
	return true
}

// evict removes a page that nobody has asked for; if there is none, the page
// that has been asked for least often, and among several, the one that is so for
// longest. It reports false if that is more often than limit.
func (p *cachePolicy) evict(limit int) bool {
	for count := range limit + 1 {
		e := p.first(count)
		if e == 0 {
			continue
		}
		if count == 0 {
			e = p.anyUnasked(e)
		}
		p.remove(e)
		p.evictions++
		return true
	}
	return false
}

// anyUnasked returns the entry of a page that nobody has asked for, chosen by
// chance: e, which is one, where a few tries find none.
func (p *cachePolicy) anyUnasked(e uint32) uint32 {
	for range 8 {
		at := cacheLists + uint32(p.chance(len(p.entries)-cacheLists))
		if form := p.entries[at].form; form != 0 && !form.asked() {
			return at
		}
	}
	return e
}

// remove takes a page out.
func (p *cachePolicy) remove(e uint32) {
	p.unlink(e)
	p.release(e)
	p.drop(e)
}

// release frees the entry's blocks.
func (p *cachePolicy) release(e uint32) {
	entry := &p.entries[e]
	p.room += p.blocks(entry.form.length())
	if p.arena != nil {
		p.arena.release(entry.block)
	}
	entry.form = 0
}

// drop gives back an entry that is in no list and has no blocks.
func (p *cachePolicy) drop(e uint32) {
	entry := &p.entries[e]
	at := p.slot(Key{entry.region, entry.page}.hash())
	for *at != e {
		at = &p.entries[*at].chain
	}
	*at = entry.chain
	entry.chain = p.free
	p.free = e
	p.used--
}

// endRound returns the evictions of the round and the pages that are there. If
// it is time to age, counts are halved: two lists become one.
func (p *cachePolicy) endRound(age bool) (evictions, pages uint64) {
	evictions = p.evictions
	p.evictions, p.unasked = 0, 0
	if age {
		for count := uint32(1); count < cacheCounts; count++ {
			p.splice(count/2, count)
			p.splice(cacheCounts+count/2, cacheCounts+count)
		}
	}
	return evictions, uint64(p.used)
}

// splice moves all of one list to the end of another.
func (p *cachePolicy) splice(to, from uint32) {
	first, last := p.entries[from].next, p.entries[from].prev
	if first == from {
		return
	}
	end := p.entries[to].prev
	p.entries[end].next, p.entries[first].prev = first, end
	p.entries[last].next, p.entries[to].prev = to, last
	p.entries[from].prev, p.entries[from].next = from, from
}
