package delta

import "testing"

// verify checks that all that a shard has is in one place: each entry in the
// free chain or in a list and its slot, each block in the free chain or an
// entry's.
func (s *cacheShard) verify(t *testing.T) {
	t.Helper()
	p := &s.policy
	seen := make([]bool, len(p.entries))
	mark := func(e uint32) {
		if seen[e] {
			t.Fatalf("entry %d is in two places", e)
		}
		seen[e] = true
	}
	free := 0
	for e := p.free; e != 0; e = p.entries[e].chain {
		mark(e)
		free++
	}
	owner := make([]uint32, len(s.arena.next))
	taken := 0
	listed := 0
	for head := range uint32(cacheLists) {
		mark(head)
		for e := p.entries[head].next; e != head; e = p.entries[e].next {
			mark(e)
			listed++
			entry := p.entries[e]
			if entry.form.loose() != (head >= cacheCounts) {
				t.Fatalf("form %#x in list %d", entry.form, head)
			}
			if p.entries[entry.next].prev != e || p.entries[entry.prev].next != e {
				t.Fatalf("entry %d is not where its neighbours are", e)
			}
			key := Key{entry.region, entry.page}
			if p.find(key.hash(), key) != e {
				t.Fatalf("%+v is listed but not found", key)
			}
			n := 0
			for b := entry.block; b != noBlock; b = s.arena.next[b] {
				if owner[b] != 0 {
					t.Fatalf("block %d is of entries %d and %d", b, owner[b], e)
				}
				owner[b] = e
				n++
			}
			if n == 0 || n != p.blocks(entry.form.length()) {
				t.Fatalf("%d bytes in %d blocks", entry.form.length(), n)
			}
			taken += n
		}
	}
	if listed != p.used || free+listed+cacheLists != len(p.entries) {
		t.Fatalf("%d entries are free, %d listed, of %d; %d are said to be used", free, listed, len(p.entries), p.used)
	}
	if n := chainLength(t, &s.arena, s.arena.free); n != p.room || n+taken != len(s.arena.next) {
		t.Fatalf("%d blocks are free, %d taken, of %d; %d are said to be free", n, taken, len(s.arena.next), p.room)
	}
}

func TestRequestCounts(t *testing.T) {
	const words = 1 << 10
	var r requestCounts
	r.init(&cacheMemory{counters: make([]uint64, words)}, words)
	hash := func(page int) uint64 { return Key{Page: uint64(page)}.hash() }
	for page := range 500 {
		for i := range page % 20 {
			if got := r.add(hash(page)); got < min(i+1, 15) {
				t.Fatalf("request %d of page %d counts as %d", i+1, page, got)
			}
		}
	}
	wrong := 0
	for page := range 500 {
		got, want := r.of(hash(page)), min(page%20, 15)
		if got < want {
			t.Errorf("page %d: count %d, want %d or more", page, got, want)
		} else if got > want {
			wrong++
		}
	}
	// with 1000 of 16384 counters in use, one page in 270 shares both
	if wrong > 10 {
		t.Errorf("%d pages of 500 are counted too often", wrong)
	}
	r.halve()
	for page := range 500 {
		if got, least := r.of(hash(page)), min(page%20, 15)/2; got < least || got > 7 {
			t.Errorf("page %d: count %d after halving, want %d to 7", page, got, least)
		}
	}
}
