package delta

// requestCounts counts how often each page has been asked for, those that are
// not in the cache included, in four bits each: a count-min sketch of two rows
// in one. Pages that share both counters with others seem asked for more often
// than they were.
type requestCounts struct {
	counters []uint64 // 16 each
}

// A shard has 16 counters for each of its entries, and so many words of 16
// beside, since pages that are asked for may be many more than fit.
const (
	requestBytes   = 8
	requestsBeside = 2048
)

// sampleRequests is how many words a model has for each entry of the sample.
const sampleRequests = 4

func (r *requestCounts) init(m *cacheMemory, words int) { r.counters = take(&m.counters, words) }

// at returns where a page's two counters are: their words and how far to shift
// them.
func (r *requestCounts) at(h uint64) (words [2]*uint64, shifts [2]uint) {
	for row, factor := range [2]uint64{0x9fb21c651e98df25, 0xd1342543de82ef95} {
		h := h * factor
		words[row], shifts[row] = &r.counters[reduce(h, len(r.counters))], uint(h>>28&15)*4
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
