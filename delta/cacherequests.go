package delta

// requestCounts counts how often each page has been asked for, those that are
// not in the cache included, in four bits each: a count-min sketch of two rows
// in one. Pages that share both counters with others seem asked for more often
// than they were.
type requestCounts struct {
	counters []uint64 // 16 each
}

// requestBytes is the size of the counters for each entry of the cache: 16 of
// them, and a cache has four entries for each page that fits as it is.
const requestBytes = 8

func (r *requestCounts) init(entries int) { r.counters = make([]uint64, entries) }

// at returns where a page's two counters are: their words and how far to shift
// them.
func (r *requestCounts) at(h uint64) (words [2]*uint64, shifts [2]uint) {
	for row, factor := range [2]uint64{0x9fb21c651e98df25, 0xd1342543de82ef95} {
		h := h * factor
		words[row], shifts[row] = &r.counters[reduce(h, len(r.counters))], uint(h>>8&15)*4
	}
	return
}

// of returns how often the page has been asked for, at most 15.
func (r *requestCounts) of(h uint64) int {
	words, shifts := r.at(h)
	return int(min(*words[0]>>shifts[0]&15, *words[1]>>shifts[1]&15))
}

// add counts a request and returns the new count.
func (r *requestCounts) add(h uint64) int {
	count := uint64(r.of(h))
	if count == cacheCounts-1 {
		return int(count)
	}
	words, shifts := r.at(h)
	for row, word := range words {
		if *word>>shifts[row]&15 == count {
			*word += 1 << shifts[row]
		}
	}
	return int(count) + 1
}

func (r *requestCounts) halve() {
	for i := range r.counters {
		r.counters[i] = r.counters[i] >> 1 & 0x7777777777777777
	}
}
