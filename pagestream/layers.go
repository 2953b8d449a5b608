package pagestream

import (
	"fmt"
	"iter"
	"slices"
)

// A readScratch is what reading pages at random needs. Pages are read in two
// passes: down through the layers, to find for each page the topmost one that
// carries it whole, and up again, to decode it and apply the deltas that stand
// above. Neither goes deeper into the stack with the layers: a hostile stream
// has many.
type readScratch struct {
	page []byte // for parts of pages

	// the frame read last
	frame   []byte
	header  frameHeader
	decoder clusterDecoder
	from    *ReaderAt // where it was read
	round   int
	entry   indexEntry

	// the pages: consecutive ones from first on, or those of the numbers
	first   uint64
	dst     []byte
	numbers []uint64 // ascending
	dsts    [][]byte

	settled   []int // by page: the layer, 0 being the topmost, that has it whole; notSettled
	unsettled int   // pages
	written   []bool
	steps     []readStep
	pages     [][]byte // where a frame's pages go

	duplicates []int // records of the frame
}

const notSettled = -1

// A readStep is what the way up does with pages in a layer.
type readStep struct {
	stream *ReaderAt
	region int
	round  int
	layer  int
	entry  indexEntry // the frame to decode, if its length is not 0
	read   bool       // on the way down: the frame has this header CRC
	crc    uint32
	clear  []byte // else bytes to clear
}

// readPages reads pages of a region from first on into dst, as they are before
// the given round. There must be so many.
func (r *ReaderAt) readPages(dst []byte, before, region int, first uint64) error {
	s := r.scratch.Get().(*readScratch)
	defer r.scratch.Put(s)
	s.dst, s.first = dst, first
	defer s.end()
	return s.read(r, len(dst)/r.geometry.pageSize(), before, region)
}

// readScattered does so with pages of ascending numbers.
func (r *ReaderAt) readScattered(dsts [][]byte, before, region int, numbers []uint64) error {
	s := r.scratch.Get().(*readScratch)
	defer r.scratch.Put(s)
	s.dsts, s.numbers = dsts, numbers
	defer s.end()
	return s.read(r, len(numbers), before, region)
}

// read reads the n pages that are wanted.
func (s *readScratch) read(r *ReaderAt, n, before, region int) error {
	s.begin(n)
	if err := s.down(r, before, region); err != nil {
		return err
	}
	return s.up()
}

func (s *readScratch) begin(n int) {
	s.unsettled = n
	s.settled = slices.Grow(s.settled[:0], n)[:n]
	for i := range s.settled {
		s.settled[i] = notSettled
	}
	s.written = slices.Grow(s.written[:0], n)[:n]
	clear(s.written)
	s.steps = s.steps[:0]
}

// end lets go of what is the caller's, and of what may have changed when the
// scratch is used again.
func (s *readScratch) end() {
	s.dst, s.dsts, s.numbers, s.from = nil, nil, nil, nil
	clear(s.steps)
	clear(s.pages)
}

// number returns the number of page k of those wanted.
func (s *readScratch) number(k int) uint64 {
	if s.numbers != nil {
		return s.numbers[k]
	}
	return s.first + uint64(k)
}

// target returns where page k of those wanted goes.
func (s *readScratch) target(k int) []byte {
	if s.numbers != nil {
		return s.dsts[k]
	}
	size := len(s.dst) / len(s.settled)
	return s.dst[k*size:][:size]
}

// before returns how many of the pages wanted come before the one of the number.
func (s *readScratch) before(number uint64) int {
	if s.numbers != nil {
		k, _ := slices.BinarySearch(s.numbers, number)
		return k
	}
	return int(min(max(number, s.first)-s.first, uint64(len(s.settled))))
}

// down settles each page, and lists the steps of the way up in reverse.
func (s *readScratch) down(r *ReaderAt, before, region int) error {
	for layer := 0; ; {
		s.clip(r, region, layer)
		rounds := r.regions[region].rounds
		for i := len(rounds) - 1; i >= 0 && s.unsettled > 0; i-- {
			if number := rounds[i].number; number < before {
				layer++
				if err := s.settle(r, region, &rounds[i], layer); err != nil {
					return err
				}
			}
		}
		if s.unsettled == 0 {
			return nil
		}
		layer++
		page := s.number(slices.Index(s.settled, notSettled))
		switch base := r.regions[region].base; {
		case r.header.Base == nil:
			return &Error{ErrCorrupt, r.index, region, int64(page), "the index does not list the page", nil}
		case base == noBase:
			s.settleAsZero(0, len(s.settled), layer)
			return nil
		case r.base == nil:
			return &Error{ErrBase, r.index, region, int64(page), "the page is in stream " + r.header.Base.describe() + ", which was not given", nil}
		default:
			r, region, before = r.base, base, allRounds
		}
	}
}

// describe names the base for people.
func (b *Base) describe() string {
	if b.Name == "" {
		return b.ID.String()
	}
	return fmt.Sprintf("%v (%q)", b.ID, b.Name)
}

// clip makes zero what lies beyond the end of the stream's region, on top of
// which the pages not settled yet are to be read.
func (s *readScratch) clip(r *ReaderAt, region, layer int) {
	size := uint64(r.geometry.pageSize())
	length := r.regions[region].Length
	s.settleAsZero(s.before(r.regions[region].Pages(int(size))), len(s.settled), layer)
	last := length / size
	if k := s.before(last); length%size != 0 && k < len(s.settled) && s.number(k) == last && s.settled[k] == notSettled {
		s.steps = append(s.steps, readStep{clear: s.target(k)[length%size:]})
	}
}

// settleAsZero clears those from first to before end of the pages wanted that
// are not settled.
func (s *readScratch) settleAsZero(first, end, layer int) {
	for k := first; k < end; k++ {
		if s.settled[k] == notSettled {
			clear(s.target(k))
			s.settled[k], s.written[k] = layer, true
			s.unsettled--
		}
	}
}

// settle settles the pages that the layer carries whole.
func (s *readScratch) settle(r *ReaderAt, region int, round *indexedRound, layer int) error {
	k := slices.Index(s.settled, notSettled)
	walk := walkIndex(r.geometry, round.parts, s.number(k))
	for walk.find(s.number(k)) {
		e := &walk.entry
		end := s.before(e.end())
		if first := s.before(e.first); first < end && e.zeros {
			s.settleAsZero(max(first, k), end, layer)
		} else if first < end {
			step := readStep{stream: r, region: region, round: round.number, layer: layer, entry: *e}
			if err := s.settleBy(&step, max(first, k), end); err != nil {
				return err
			}
		}
		next := slices.Index(s.settled[end:], notSettled)
		if next < 0 {
			return nil
		}
		k = end + next
	}
	if walk.bad {
		return r.badIndex(region, s.number(k))
	}
	return nil
}

// settleBy settles those from first to before end of the pages wanted that the
// step's frame carries whole. These are what it spans of them. Where any needs
// the frame, the step is one of the way up.
func (s *readScratch) settleBy(step *readStep, first, end int) error {
	used := false
	if step.stream.header.Base == nil && step.round == 0 { // complete: the frame carries what it spans
		for k := first; k < end; k++ {
			if s.settled[k] == notSettled {
				s.settled[k] = step.layer
				s.unsettled--
				used = true
			}
		}
	} else {
		if !slices.Contains(s.settled[first:end], notSettled) {
			return nil
		}
		if err := s.load(step.stream, step.region, step.round, step.entry); err != nil {
			return err
		}
		step.read, step.crc = true, s.header.crc
		for k, record := range s.carried(first) {
			if s.settled[k] == notSettled {
				used = true
				if s.decoder.records[record].kind != Delta {
					s.settled[k] = step.layer
					s.unsettled--
				}
			}
		}
	}
	if used {
		s.steps = append(s.steps, *step)
	}
	return nil
}

// carried returns which of the pages wanted, from page k of them on, the frame
// loaded last carries, and in which of its records.
func (s *readScratch) carried(k int) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		for i := range s.decoder.records {
			number := s.decoder.records[i].page
			for s.number(k) < number {
				if k++; k == len(s.settled) {
					return
				}
			}
			if s.number(k) == number && !yield(k, i) {
				return
			}
		}
	}
}

// up takes the steps of the way up. Each page must have been written then.
func (s *readScratch) up() error {
	for i := len(s.steps) - 1; i >= 0; i-- {
		step := &s.steps[i]
		if step.entry.length == 0 {
			clear(step.clear)
			continue
		}
		if err := s.load(step.stream, step.region, step.round, step.entry); err != nil {
			return err
		}
		if step.read && s.header.crc != step.crc {
			return s.header.corrupt(step.entry.offset, int64(step.entry.first), "the frame has changed while it was read", nil)
		}
		if err := s.decode(step); err != nil {
			return err
		}
	}
	if i := slices.Index(s.written, false); i >= 0 {
		return s.notWritten(i)
	}
	return nil
}

// notWritten returns the error of page k of those wanted, which the layer that
// should carry it does not.
func (s *readScratch) notWritten(k int) error {
	page := s.number(k)
	i := slices.IndexFunc(s.steps, func(step readStep) bool {
		return step.layer == s.settled[k] && step.entry.first <= page && page < step.entry.end()
	})
	step := &s.steps[i]
	return &Error{ErrCorrupt, step.entry.offset, step.region, int64(page), "the frame does not carry the page that the index says", nil}
}

// decode decodes the pages that are settled by the step's frame, and applies
// its deltas to those settled below.
func (s *readScratch) decode(step *readStep) error {
	records := s.decoder.records
	pages := s.noPages(len(records))
	last, duplicates := -1, false
	for k, i := range s.carried(s.before(step.entry.first)) {
		record, page := &records[i], s.target(k)
		switch {
		case record.kind == Delta && s.settled[k] > step.layer && s.written[k]:
			region := &step.stream.regions[step.region]
			if rest := region.Length - record.page*uint64(len(page)); rest < uint64(len(page)) {
				clear(page[rest:])
			}
		case record.kind != Delta && s.settled[k] == step.layer:
			duplicates = duplicates || record.kind == Duplicate
			s.written[k] = true
		default:
			continue
		}
		pages[i] = page
		last = i
	}
	if err := s.decoder.decode(&s.header, step.entry.offset, pages[:last+1]); err != nil || !duplicates {
		return err
	}
	return s.readDuplicates(step, pages[:last+1])
}

// noPages returns n slots for pages of a frame, all nil.
func (s *readScratch) noPages(n int) [][]byte {
	s.pages = slices.Grow(s.pages[:0], n)[:n]
	clear(s.pages)
	return s.pages
}

// load reads and parses the pages frame of the entry of the index, unless it
// is the one read last.
func (s *readScratch) load(r *ReaderAt, region, round int, e indexEntry) error {
	if s.from == r && s.round == round && s.entry == e && int(s.header.region) == region {
		return nil
	}
	s.from = nil
	if e.length > r.size-e.offset {
		return &Error{ErrCorrupt, r.index, region, int64(e.first), "the index points behind the stream's end", nil}
	}
	if int64(cap(s.frame)) < e.length {
		s.frame = make([]byte, e.length)
	}
	frame := s.frame[:e.length]
	if n, err := r.src.ReadAt(frame, e.offset); n < len(frame) {
		return fmt.Errorf("reading the stream at byte %d: %w", e.offset, err)
	}
	h, ok := parseFrameHeader(frame)
	if !ok || h.typ != pagesFrame || h.geometry != r.geometry || int(h.region) != region || h.first != e.first || h.size() != e.length {
		return &Error{ErrCorrupt, e.offset, region, int64(e.first), "the index points to something else", nil}
	}
	if crc(frame[frameHeaderSize:]) != h.payloadCRC {
		return h.corrupt(e.offset, int64(e.first), "frame differs from its CRC", nil)
	}
	if err := s.decoder.parse(&h, e.offset, frame[frameHeaderSize:], r.header.Base != nil || round > 0); err != nil {
		return err
	}
	if records := s.decoder.records; records[len(records)-1].page+1 != e.end() {
		return h.corrupt(e.offset, int64(e.first), "the frame has other pages than the index says", nil)
	}
	s.header, s.from, s.round, s.entry = h, r, round, e
	return nil
}

// zeroRun reports whether a page is zero, as far as that shows without decoding
// anything, and how many pages from it on are alike in this.
func (r *ReaderAt) zeroRun(region int, first uint64) (n uint64, zero bool, err error) {
	s := r.scratch.Get().(*readScratch)
	defer r.scratch.Put(s)
	defer s.end()
	n = r.geometry.maxPages()
	for {
		if first >= r.regions[region].Pages(r.geometry.pageSize()) {
			return n, true, nil
		}
		rounds := r.regions[region].rounds
		for i := len(rounds) - 1; i >= 0; i-- {
			walk := walkIndex(r.geometry, rounds[i].parts, first)
			for walk.next() && walk.entry.end() <= first {
			}
			e := &walk.entry
			switch {
			case walk.bad:
				return 0, false, r.badIndex(region, first)
			case e.first > first:
				n = min(n, e.first-first)
				continue
			case e.end() <= first: // nothing more is listed
				continue
			}
			n = min(n, e.end()-first)
			if e.zeros || r.header.Base == nil && rounds[i].number == 0 {
				return n, e.zeros, nil
			}
			if err := s.load(r, region, rounds[i].number, *e); err != nil {
				return 0, false, err
			}
			records := s.decoder.records
			k := slices.IndexFunc(records, func(record pageRecord) bool { return record.page >= first })
			if records[k].page == first {
				return 1, false, nil
			}
			n = min(n, records[k].page-first)
		}
		switch base := r.regions[region].base; {
		case base == noBase: // in a stream without base, an index that lists too little
			return n, r.header.Base != nil, nil
		case r.base == nil:
			return n, false, nil
		default:
			r, region = r.base, base
		}
	}
}

// ZeroRun returns how many pages of a region, from the given page on, are zero
// as far as that shows without decoding pages: it goes by zero runs, in all
// layers, and by what the layers above them do not carry. 0 means that the page
// is not known to be zero, and nothing of the pages behind it.
func (r *ReaderAt) ZeroRun(region int, page uint64) (pages uint64, err error) {
	if region < 0 || region >= len(r.regions) {
		return 0, ErrRange
	}
	all := r.regions[region].Pages(r.geometry.pageSize())
	if page >= all {
		return 0, ErrRange
	}
	n, zero, err := r.zeroRun(region, page)
	if err != nil || !zero {
		return 0, err
	}
	return min(n, all-page), nil
}
