package pagestream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
)

// Limits that readers set where [ReadOptions] does not.
const (
	DefaultMaxClusterBytes = 64 << 20
	DefaultMaxWindowBytes  = 256 << 20
)

// ReadOptions says how a [Reader] or [ReaderAt] reads. The zero value is a
// good choice.
type ReadOptions struct {
	// MaxClusterBytes bounds the bytes of a cluster, 0 meaning
	// DefaultMaxClusterBytes. A few clusters a worker are held in memory.
	MaxClusterBytes int
	// MaxWindowBytes bounds the bytes of pages that a Reader remembers for
	// duplicates, 0 meaning DefaultMaxWindowBytes. A quarter as many it
	// remembers of pages of rounds if there is Earlier, so that this is asked
	// for a page once and not in each round.
	MaxWindowBytes int
	// Workers is how many goroutines of a Reader decode; 0 means one for each
	// CPU that this process may use.
	Workers int
	// Progress, unless nil, is called by Reader.Each now and then with what
	// has been read so far, by one goroutine at a time.
	Progress func(Totals)
	// Salvage, unless nil, makes a Reader go on behind damage. It is for
	// streams without base and rounds: another one is ErrNoSalvage, where that
	// shows.
	Salvage *Salvage
	// Base is the stream that the one opened by NewReaderAt is based on.
	// Another one than it names is ErrBase. Without it the pages that need it
	// are.
	Base *ReaderAt
	// Earlier has the earlier versions of pages of which a Reader's stream
	// holds deltas. Without it the first delta is ErrBase.
	Earlier Earlier
}

// Earlier has earlier versions of pages: a [ReaderAt] of the same stream, or
// whoever has the memory that a [Sink] was given.
type Earlier interface {
	// ReadEarlier reads the pages of a region that have these numbers, which
	// ascend, each into its dst, as they are before the given round, zero
	// beyond the region's end. It is called by several goroutines at a time,
	// and only for pages that have not been handed out in this round or a
	// later one: as they were handed out last, they are right.
	ReadEarlier(dsts [][]byte, round, region int, numbers []uint64) error
}

func (o *ReadOptions) setDefaults() {
	if o.MaxClusterBytes == 0 {
		o.MaxClusterBytes = DefaultMaxClusterBytes
	}
	if o.MaxWindowBytes == 0 {
		o.MaxWindowBytes = DefaultMaxWindowBytes
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
}

// Pages is what a [Reader] hands out: consecutive pages of a region.
type Pages struct {
	Round  int    // a page's version in it replaces that of all rounds before
	Region int    // its number
	First  uint64 // the first page, within the region
	Count  uint64
	// Data is the pages, the region's last one filled up; nil where
	// they were stored as a zero run. It is good until the call that it was
	// given to returns, and so are Kinds and Stored; none of them may be
	// changed.
	Data []byte
	// Kinds and Stored say of each page in Data how it is stored and what it
	// takes, in bytes, its share of frame headers left aside.
	Kinds  []Kind
	Stored []int
}

// A Sink takes what a [Reader] reads, in the order of the stream, one call at
// a time. An error that it returns ends the reading.
type Sink interface {
	// Region announces a region before its pages and again, with its final
	// length, behind the last page of the stream.
	Region(number int, r Region) error
	// Pages hands out pages that the stream carries. Round 0 of a stream
	// without base carries all of them.
	Pages(Pages) error
}

// A Reader reads a stream from its start to its end, with memory for a few
// batches of a megabyte and a half for each worker, the stream's duplicate
// window, and the last versions of pages that came in rounds, up to the limits
// of its options.
type Reader struct {
	options  ReadOptions
	scanner  scanner
	geometry geometry
	header   Header

	// of the goroutine that calls Each
	order  streamOrder
	passed passedPiece // not told of yet
	job    *readJob    // being filled, or nil
	jobs   uint64      // handed on

	// between goroutines
	ctx      context.Context
	failure  failure
	free     chan *readJob
	toDecode chan *readJob
	workers  sync.WaitGroup
	inFlight sync.WaitGroup // jobs handed on and not handed out
	toHand   *sequence[*readJob]

	// of the hand step
	sink     Sink
	resolver *resolver
	earlier  *earlierPages // shared with the workers
	totals   Totals
	first    uint64 // pages of round 0
	gaps     gapFinder
	damaged  bool // damage was told of
	cut      bool // and that the stream was cut
}

// NewReader starts reading the stream src and checks its header.
func NewReader(src io.Reader, options ReadOptions) (*Reader, error) {
	options.setDefaults()
	r := &Reader{
		options: options,
		scanner: scanner{src: src, limit: options.MaxClusterBytes},
		order:   streamOrder{lenient: options.Salvage != nil, ids: newIdentifier()},
		gaps:    gapFinder{salvage: options.Salvage},
	}
	if err := r.readHeader(); err != nil {
		return nil, err
	}
	if options.Salvage != nil && r.header.Base != nil {
		return nil, &Error{ErrNoSalvage, 0, -1, -1, "it is based on another", nil}
	}
	r.scanner.geometry = &r.geometry
	window := r.header.DuplicateWindow
	if window > uint64(options.MaxWindowBytes/r.geometry.pageSize()) {
		return nil, &Error{ErrLimit, 0, -1, -1, fmt.Sprintf("duplicates need the last %d pages, more than the %d bytes allowed", window, options.MaxWindowBytes), nil}
	}
	r.resolver = newResolver(r.geometry.pageSize(), window)
	r.earlier = newEarlierPages(options.MaxWindowBytes / 4 / r.geometry.pageSize())
	return r, nil
}

// readHeader reads the stream header. In salvage, where it is lost, the next
// frame tells the geometry.
func (r *Reader) readHeader() error {
	h, payload, err := r.scanner.nextHeader()
	if err == nil {
		r.header, err = parseHeader(h, payload)
	}
	if err == nil {
		r.geometry = h.geometry
		r.order.based = r.header.Base != nil
		return r.order.take(&h, 0, payload)
	}
	if r.options.Salvage == nil || !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrFormat) {
		return err
	}
	next, ok := r.scanner.frameHere()
	if !ok || next.typ == headerFrame {
		r.scanner.resync()
		if !r.scanner.need(frameHeaderSize) {
			return err // there is no other frame
		}
		next, _ = r.scanner.frameHere()
	}
	r.geometry = next.geometry
	r.header = Header{
		PageSize:        r.geometry.pageSize(),
		ClusterPages:    r.geometry.clusterPages(),
		DuplicateWindow: uint64(r.options.MaxWindowBytes / r.geometry.pageSize()),
	}
	r.damage(err, 0, r.scanner.offset)
	return nil
}

// Header returns what the stream says of itself.
func (r *Reader) Header() Header { return r.header }

// A readJob is something that a Reader hands out in order: pages of a region
// in a round, to be decoded before, or an event.
type readJob struct {
	number uint64 // jobs are numbered from 0
	event  func() error

	round   int
	region  int
	sparse  bool // of a sparse layer
	frames  []readFrame
	stream  []byte // the frames' payloads, one behind the other
	data    []byte // the pages
	records []pageRecord
	pages   [][]byte // of the frame being decoded
	deltas  []uint64 // the pages of that or of all frames that are
	earlier [][]byte // where their earlier versions go
	kinds   []Kind
	stored  []int
	lost    []bool
}

// A readFrame is a pages frame of a readJob.
type readFrame struct {
	header  frameHeader
	offset  int64 // in the stream
	payload int   // where its payload begins in the job's
	at      int   // its first page in the job
	err     error // what its decoding said
}

// Each reads the stream and hands it to sink. It returns what the stream
// held, once all of it, up to its end frame, has been read and found right.
// When ctx ends it returns its cause, as soon as the source's Read returns. It
// can be called once.
func (r *Reader) Each(ctx context.Context, sink Sink) (Totals, error) {
	r.ctx, r.sink = ctx, sink
	inFlight := batchesInFlight(r.options.Workers)
	r.free = make(chan *readJob, inFlight)
	r.toDecode = make(chan *readJob, inFlight)
	r.toHand = newSequence(r.hand)
	for range inFlight {
		r.free <- new(readJob)
	}
	for range r.options.Workers {
		r.workers.Add(1)
		go r.work()
	}
	r.read()
	close(r.toDecode)
	r.workers.Wait()
	return r.totals, r.failure.get(ctx)
}

// read makes jobs of the stream's frames, up to its end or the first failure.
func (r *Reader) read() {
	for r.failure.get(r.ctx) == nil {
		offset := r.scanner.offset
		h, payload, err := r.scanner.next()
		if err == io.EOF {
			r.flush()
			r.tellPassed()
			r.post(r.atEnd(offset))
			return
		}
		if err == nil {
			err = r.take(&h, payload, offset)
		}
		if err != nil && !r.passOver(err, offset) {
			return
		}
	}
}

// take puts a frame in its place.
func (r *Reader) take(h *frameHeader, payload []byte, offset int64) error {
	if h.typ == roundFrame && r.options.Salvage != nil {
		return &Error{ErrNoSalvage, offset, -1, -1, "a round begins; pages before it are as they were then", nil}
	}
	if err := r.order.take(h, offset, payload); err != nil {
		return err
	}
	r.tellPassed()
	number := int(h.region)
	switch h.typ {
	case roundFrame:
		r.flush()
		r.inFlight.Wait()
		r.resolver.forget()
	case pagesFrame:
		r.addFrame(h, payload, offset)
	case zerosFrame:
		zeros := Pages{Round: r.order.round, Region: number, First: h.first, Count: le.Uint64(payload)}
		r.flush()
		r.post(func() error { return r.handZeros(zeros) })
	case regionFrame:
		region := r.order.regions[number].Region
		r.flush()
		r.post(func() error { return r.sink.Region(number, region) })
	}
	return nil
}

// atEnd returns the event that the source has ended at offset.
func (r *Reader) atEnd(offset int64) func() error {
	return func() error {
		o := &r.order // complete by now
		r.totals.Regions = len(o.regions)
		r.totals.Frames = o.frames
		r.totals.Rounds = o.round
		r.totals.Bytes = o.bytes()
		r.totals.Stored = uint64(offset)
		if o.based {
			r.totals.Kept = o.pages(r.geometry) - r.first
		}
		r.totals.ID = o.id
		said := o.end.totals
		var err error
		switch {
		case !o.ended:
			err = &Error{ErrCut, offset, -1, -1, "its end is missing", nil}
		case said.Frames != o.beforeEnd || said.ID != o.id || said.Pages != r.totals.Pages || said.Bytes != r.totals.Bytes ||
			said.Rounds != r.totals.Rounds || said.Kept != r.totals.Kept:
			err = &Error{ErrCorrupt, offset, -1, -1, "its end frame's totals are not those of the stream", nil}
		}
		if r.options.Salvage == nil {
			return err
		}
		// other totals are what damage leads to; a cut is worth its own word
		told := r.damaged
		if errors.Is(err, ErrCut) {
			told = r.cut
		}
		if err != nil && !told {
			r.damage(err, offset, 0)
		}
		for i := range o.regions {
			if o.regions[i].Length != UnknownLength {
				r.gaps.upTo(i, o.regions[i].Pages(r.geometry.pageSize()))
			}
		}
		return nil
	}
}

// addFrame adds a pages frame to the job being filled, or to a new one.
func (r *Reader) addFrame(h *frameHeader, payload []byte, offset int64) {
	o := &r.order
	if j := r.job; j != nil {
		full := (len(j.records)+h.pages)*r.geometry.pageSize() > r.geometry.batchBytes()
		if full || j.region != int(h.region) {
			r.flush()
		}
	}
	if r.job == nil {
		r.job = <-r.free
		r.job.reset()
		r.job.round, r.job.region, r.job.sparse = o.round, int(h.region), o.sparse()
	}
	j := r.job
	j.frames = append(j.frames, readFrame{header: *h, offset: offset, payload: len(j.stream), at: len(j.records)})
	j.stream = append(j.stream, payload...)
	j.records = append(j.records, make([]pageRecord, h.pages)...)
}

func (j *readJob) reset() {
	j.event = nil
	j.frames = j.frames[:0]
	j.stream = j.stream[:0]
	j.records = j.records[:0]
}

// flush hands on the job being filled, if any.
func (r *Reader) flush() {
	if r.job == nil {
		return
	}
	r.job.number = r.jobs
	r.jobs++
	r.inFlight.Add(1)
	r.toDecode <- r.job
	r.job = nil
}

// post has event run when all before it has been handed out.
func (r *Reader) post(event func() error) {
	j := <-r.free
	j.reset()
	j.event = event
	j.number = r.jobs
	r.jobs++
	r.inFlight.Add(1)
	r.toHand.put(j.number, j)
}

// work is a goroutine that decodes jobs.
func (r *Reader) work() {
	defer r.workers.Done()
	decoder := new(clusterDecoder)
	for j := range r.toDecode {
		if r.failure.get(r.ctx) == nil {
			r.decode(decoder, j)
		}
		r.toHand.put(j.number, j)
	}
}

func (r *Reader) decode(d *clusterDecoder, j *readJob) {
	size := r.geometry.pageSize()
	if need := len(j.records) * size; cap(j.data) < need {
		j.data = make([]byte, need)
	} else {
		j.data = j.data[:need]
	}
	deltas := false
	for i := range j.frames {
		f := &j.frames[i]
		f.err = j.parse(d, f)
		for k := range d.records {
			j.records[f.at+k] = d.records[k]
			deltas = deltas || d.records[k].kind == Delta
		}
	}
	if deltas && r.readEarlier(j, j.frames) != nil {
		for i := range j.frames { // an error is that of its frame
			if f := &j.frames[i]; f.err == nil {
				f.err = r.readEarlier(j, j.frames[i:][:1])
			}
		}
	}
	for i := range j.frames {
		f := &j.frames[i]
		if f.err != nil {
			continue
		}
		if len(j.frames) > 1 {
			f.err = j.parse(d, f)
		}
		j.pages = j.pages[:0]
		for k := range f.header.pages {
			j.pages = append(j.pages, j.data[(f.at+k)*size:][:size])
		}
		f.err = d.decode(&f.header, f.offset, j.pages)
	}
}

// parse has d parse the job's frame f.
func (j *readJob) parse(d *clusterDecoder, f *readFrame) error {
	return d.parse(&f.header, f.offset, j.stream[f.payload:][:f.header.payload], j.sparse)
}

// readEarlier reads the earlier versions of the deltas in frames of the job to
// where they go: of all at once, since each call may go through all layers.
func (r *Reader) readEarlier(j *readJob, frames []readFrame) error {
	size := r.geometry.pageSize()
	j.deltas, j.earlier = j.deltas[:0], j.earlier[:0]
	for i := range frames {
		f := &frames[i]
		if f.err != nil {
			continue
		}
		for k := f.at; k < f.at+f.header.pages; k++ {
			if record := &j.records[k]; record.kind == Delta {
				if r.options.Earlier == nil {
					return &Error{ErrBase, f.offset, j.region, int64(record.page), "the page is stored as what differs from its earlier version, which is not at hand", nil}
				}
				j.deltas, j.earlier = append(j.deltas, record.page), append(j.earlier, j.data[k*size:][:size])
			}
		}
	}
	numbers, dsts, round := j.deltas, j.earlier, j.round
	if round > 0 {
		var lost int
		numbers, dsts, lost = r.earlier.find(j.region, numbers, dsts)
		round = min(round, lost+1)
	}
	if len(numbers) == 0 {
		return nil
	}
	return r.options.Earlier.ReadEarlier(dsts, round, j.region, numbers)
}

// hand hands out a job, in the order of the stream.
func (r *Reader) hand(j *readJob) {
	if r.failure.get(r.ctx) == nil {
		var err error
		if j.event != nil {
			err = j.event()
		} else {
			err = r.handPages(j)
		}
		if err != nil {
			r.failure.set(err)
		} else if r.options.Progress != nil {
			r.options.Progress(r.totals)
		}
	}
	r.free <- j
	r.inFlight.Done()
}

func (r *Reader) handZeros(zeros Pages) error {
	r.totals.Pages[Zero] += zeros.Count
	r.totals.PageBytes[Zero] += 8
	r.totals.Bytes += zeros.Count * uint64(r.geometry.pageSize())
	if zeros.Round == 0 {
		r.first += zeros.Count
	}
	if r.options.Salvage != nil {
		r.gaps.handed(zeros.Region, zeros.First, zeros.Count)
	}
	r.remember(&zeros)
	return r.sink.Pages(zeros)
}

// handPages hands out the job's pages; in salvage, those that are not lost.
func (r *Reader) handPages(j *readJob) error {
	j.kinds, j.stored, j.lost = j.kinds[:0], j.stored[:0], j.lost[:0]
	salvage := r.options.Salvage
	window := r.resolver.window
	since := window.count.Load()
	defer func() {
		if window.leave(cap(j.data), since) {
			j.data = window.lend(j.data[:cap(j.data)], window.count.Load())
		}
	}()
	var failure error
settling:
	for i := range j.frames {
		f := &j.frames[i]
		if f.err != nil && salvage != nil {
			r.damage(f.err, f.offset, f.header.size())
		}
		for range f.header.pages {
			at := len(j.kinds)
			record := &j.records[at]
			err := f.err
			if err == nil {
				err = r.settle(j, f, at)
				if err != nil && salvage != nil {
					r.damage(err, f.offset, 0)
				}
			}
			if err != nil && salvage == nil {
				failure = err
				break settling // what precedes is good
			}
			if err == nil {
				r.totals.add(record)
			}
			j.kinds = append(j.kinds, record.kind)
			j.stored = append(j.stored, record.size()+record.block)
			j.lost = append(j.lost, err != nil)
		}
		r.totals.Stored = uint64(f.offset + f.header.size())
	}
	r.totals.Bytes += uint64(len(j.lost) * r.geometry.pageSize())
	if j.round == 0 {
		r.first += uint64(len(j.lost))
	}
	for first := 0; first < len(j.lost); {
		end := first + 1
		for end < len(j.lost) && j.lost[end] == j.lost[first] && j.records[end].page == j.records[end-1].page+1 {
			end++
		}
		if !j.lost[first] {
			if err := r.handRange(j, first, end); err != nil {
				return err
			}
		}
		first = end
	}
	return failure
}

// settle resolves the job's page number at, of frame f, if it is a duplicate,
// and remembers it if it may be duplicated.
func (r *Reader) settle(j *readJob, f *readFrame, at int) error {
	record := &j.records[at]
	size := r.geometry.pageSize()
	page := j.data[at*size:][:size]
	switch {
	case record.kind.hasContent():
		r.resolver.enter(pageAddress{f.header.region, record.page}, page, record.crc)
	case record.kind == Duplicate:
		same, crc, ok := r.resolver.resolve(record.duplicate)
		if !ok || crc != record.crc {
			return f.header.corrupt(f.offset, int64(record.page), fmt.Sprintf("duplicate of page %d of region %d, which is not such a page", record.duplicate.page, record.duplicate.region), nil)
		}
		copy(page, same)
	}
	return nil
}

// handRange hands out the job's pages from first to before end.
func (r *Reader) handRange(j *readJob, first, end int) error {
	size := r.geometry.pageSize()
	p := Pages{
		Round:  j.round,
		Region: j.region,
		First:  j.records[first].page,
		Count:  uint64(end - first),
		Data:   j.data[first*size : end*size],
		Kinds:  j.kinds[first:end],
		Stored: j.stored[first:end],
	}
	if r.options.Salvage != nil {
		r.gaps.handed(p.Region, p.First, p.Count)
	}
	r.remember(&p)
	return r.sink.Pages(p)
}

// remember remembers pages of rounds for those of later ones.
func (r *Reader) remember(p *Pages) {
	if p.Round > 0 && r.options.Earlier != nil {
		r.earlier.hand(p, r.geometry.pageSize())
	}
}
