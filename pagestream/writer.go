package pagestream

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"github.com/lzpage/lzpage/delta"
	"github.com/lzpage/lzpage/lzrw1"
)

// Defaults of [Options].
const (
	DefaultPageSize     = 4096
	DefaultClusterPages = 16
	// DefaultWindowBytes is the size of the default duplicate window, in
	// bytes of pages.
	DefaultWindowBytes = 16 << 20
)

// MaxDuplicateWindow bounds Options.DuplicateWindow, in pages.
const MaxDuplicateWindow = 1 << 22

// NoDuplicates, as Options.DuplicateWindow, turns the search for duplicates
// off.
const NoDuplicates = -1

// Options says how a [Writer] writes. The zero value is a good choice.
type Options struct {
	// PageSize in bytes, a power of two from MinPageSize to MaxPageSize; 0
	// means that of Base, or else DefaultPageSize.
	PageSize int
	// ClusterPages is how many pages are decoded together, a power of two up
	// to MaxClusterPages; 0 means DefaultClusterPages. More pages take less
	// room, fewer are reached faster.
	ClusterPages int
	// Level of LZRW1.
	Level lzrw1.Level
	// DuplicateWindow is among how many pages before it a page's duplicate is
	// found, and so what readers must remember; 0 means DefaultWindowBytes of
	// them, NoDuplicates none.
	DuplicateWindow int
	// Workers is how many goroutines encode; 0 means one for each CPU that
	// this process may use. The stream does not depend on it, but for Cache.
	Workers int
	// Metadata goes into the stream's header.
	Metadata []Metadata
	// Base, unless nil, makes the stream hold only what differs from that one.
	// The Writer is given all memory nevertheless, and compares. A region is
	// compared with the one of the base that begins at the same address, or
	// at the same offset of the file if it is not memory; of several such, the
	// first that is not taken.
	Base *ReaderAt
	// BaseName is the name of the base's file, without its directory, for
	// those who look for it. It may be empty.
	BaseName string
	// Cache, unless nil, keeps what the stream carries, so that pages of later
	// rounds go as what differs from their earlier versions. It must be this
	// stream's alone, empty when that begins, and of pages of PageSize bytes. It counts as
	// saved what a page takes less than a plain one. Its rounds are the
	// caller's to end, with EndRound behind each BeginRound. Where it is too
	// small for all pages, what it keeps and so the stream depend on the
	// order in which workers come to it.
	Cache *delta.Cache
	// Progress, unless nil, is called now and then with what has been written
	// so far, by one goroutine at a time.
	Progress func(Totals)
}

// batchBytes is how much memory passes through a Writer or Reader in one
// piece, unless a cluster is larger: four times as many clusters of the default
// size as lzrw1 encodes together.
const batchBytes = 4 * 6 * DefaultClusterPages * DefaultPageSize

// batchBytes is the same in whole clusters.
func (g geometry) batchBytes() int {
	return max(1, batchBytes/g.clusterBytes()) * g.clusterBytes()
}

// batchesInFlight is how many batches so many workers have among them: one
// each, one being filled, and a few that wait for their turn.
func batchesInFlight(workers int) int { return workers + 4 }

// A Writer writes a stream. Give it regions one after the other, each begun
// with BeginRegion and filled by Write, ReadFrom and Skip, then any rounds of
// pages that have changed, each begun with BeginRound and filled by
// WritePages, and Close it. It is for one goroutine; the work is done by
// several.
type Writer struct {
	options  Options
	geometry geometry
	ctx      context.Context

	// of the caller's goroutine
	batch    *batch
	filled   int    // bytes of batch.data
	pages    uint64 // of the region, before batch
	length   uint64 // bytes of the region so far
	batches  uint64 // handed on
	regions  []*writtenRegion
	inRegion bool
	closed   bool
	based    baseRegions
	round    int
	turn     roundTurn

	// between goroutines
	free       chan *batch
	toClassify chan *batch
	toEncode   chan *batch
	quit       chan struct{}
	inFlight   sync.WaitGroup
	workers    sync.WaitGroup
	toFind     *sequence[*batch]
	toWrite    *sequence[*batch]
	failure    failure

	finder *finder // of the find step; nil without duplicates

	// of the write step
	dst     *bufio.Writer
	offset  int64
	ids     *identifier
	totals  Totals
	first   uint64 // pages carried in round 0
	zeros   pendingZeros
	scratch []byte
}

// A pendingZeros is zero pages for which no frame has been written yet.
type pendingZeros struct {
	region *writtenRegion
	round  int
	first  uint64
	pages  uint64 // 0 for none
}

// A writtenRegion is a region on its way.
type writtenRegion struct {
	storedRegion
	number uint32
	final  uint64 // its length, known when it ends
	index  indexBuilder
}

// NewWriter starts a stream on dst. When ctx ends, so does the writing: the
// Writer's methods return its cause.
func NewWriter(ctx context.Context, dst io.Writer, options Options) (*Writer, error) {
	if options.PageSize == 0 {
		options.PageSize = DefaultPageSize
		if options.Base != nil {
			options.PageSize = options.Base.geometry.pageSize()
		}
	}
	if options.ClusterPages == 0 {
		options.ClusterPages = DefaultClusterPages
	}
	g, ok := newGeometry(options.PageSize, options.ClusterPages)
	if !ok {
		return nil, fmt.Errorf("pagestream: no stream has pages of %d bytes in clusters of %d: page sizes are powers of two from %d to %d, clusters from 1 to %d",
			options.PageSize, options.ClusterPages, MinPageSize, MaxPageSize, MaxClusterPages)
	}
	if options.DuplicateWindow == 0 {
		options.DuplicateWindow = DefaultWindowBytes / options.PageSize
	}
	if options.DuplicateWindow > MaxDuplicateWindow {
		return nil, fmt.Errorf("pagestream: a duplicate window of %d pages is more than %d", options.DuplicateWindow, MaxDuplicateWindow)
	}
	if base := options.Base; base != nil && base.geometry.pageLog2 != g.pageLog2 {
		return nil, &Error{ErrBase, 0, -1, -1, fmt.Sprintf("its pages have %d bytes, those of the stream are to have %d", base.geometry.pageSize(), g.pageSize()), nil}
	}
	if cache := options.Cache; cache != nil {
		if cache.PageSize() != g.pageSize() {
			return nil, fmt.Errorf("pagestream: a cache of pages of %d bytes for a stream of pages of %d", cache.PageSize(), g.pageSize())
		}
		if n := cache.Len(); n > 0 {
			return nil, fmt.Errorf("pagestream: a cache that holds %d pages already, which readers of the stream have not: each stream needs a new one", n)
		}
	}
	if !validBaseName(options.BaseName) {
		return nil, fmt.Errorf("pagestream: %q is not the name of a file in a directory", options.BaseName)
	}
	if options.Workers <= 0 {
		options.Workers = runtime.GOMAXPROCS(0)
	}
	inFlight := batchesInFlight(options.Workers)
	w := &Writer{
		options:    options,
		geometry:   g,
		ctx:        ctx,
		free:       make(chan *batch, inFlight),
		toClassify: make(chan *batch, inFlight),
		toEncode:   make(chan *batch, inFlight),
		quit:       make(chan struct{}),
		ids:        newIdentifier(),
		dst:        bufio.NewWriterSize(dst, 64<<10),
	}
	if options.DuplicateWindow > 0 {
		w.finder = newFinder(options.PageSize, uint64(options.DuplicateWindow))
	}
	w.toFind = newSequence(w.find)
	w.toWrite = newSequence(w.write)
	for range inFlight {
		w.free <- new(batch)
	}
	header := Header{DuplicateWindow: uint64(max(options.DuplicateWindow, 0)), Metadata: options.Metadata}
	if options.Base != nil {
		header.Base = &Base{options.Base.totals.ID, options.BaseName}
		w.based = newBaseRegions(options.Base)
	}
	if err := w.writeFrame(frameHeader{typ: headerFrame}, header.appendPayload); err != nil {
		return nil, err
	}
	for range options.Workers {
		w.workers.Add(1)
		go w.work()
	}
	return w, nil
}

// BeginRegion begins a region and ends the one before it, if any. Its Length
// may be UnknownLength.
func (w *Writer) BeginRegion(r Region) error {
	if w.closed {
		return errClosed
	}
	if err := w.endRegion(); err != nil {
		return err
	}
	if w.round > 0 {
		return w.fail(errors.New("pagestream: regions begin in round 0"))
	}
	if !r.valid() {
		return w.fail(fmt.Errorf("pagestream: region %d (%+v) is beyond the format's limits", len(w.regions), r))
	}
	if len(w.regions) == MaxRegions {
		return w.fail(fmt.Errorf("pagestream: more than %d regions", MaxRegions))
	}
	w.regions = append(w.regions, &writtenRegion{storedRegion: storedRegion{r, w.based.take(r)}, number: uint32(len(w.regions))})
	w.inRegion = true
	w.pages, w.length = 0, 0
	if err := w.nextBatch(); err != nil {
		return err
	}
	w.batch.begins = true
	return nil
}

// Write takes the next bytes of the region.
func (w *Writer) Write(p []byte) (int, error) {
	if err := w.room(uint64(len(p))); err != nil {
		return 0, err
	}
	n := 0
	for n < len(p) {
		c := copy(w.batch.data[w.filled:], p[n:])
		n += c
		if err := w.take(c); err != nil {
			return n, err
		}
	}
	return n, nil
}

// ReadFrom takes the next bytes of the region from r, until its end.
func (w *Writer) ReadFrom(r io.Reader) (int64, error) {
	if err := w.room(0); err != nil {
		return 0, err
	}
	total := int64(0)
	for empty := 0; ; {
		n, err := r.Read(w.batch.data[w.filled:])
		total += int64(n)
		if n > 0 {
			empty = 0
			if roomErr := w.room(uint64(n)); roomErr != nil {
				return total, roomErr
			}
			if takeErr := w.take(n); takeErr != nil {
				return total, takeErr
			}
		} else if empty++; empty > 100 && err == nil {
			err = io.ErrNoProgress
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, w.fail(err)
		}
	}
}

// Skip takes the next n bytes of the region as zero. Whole clusters of them
// cost nothing; where there is a base, zeros that its index alone shows to be
// zero there, too.
func (w *Writer) Skip(n uint64) error {
	if err := w.room(n); err != nil {
		return err
	}
	if w.options.Base != nil {
		return w.skipSame(n)
	}
	if err := w.fillZero(min(n, uint64(-w.filled&(w.geometry.clusterBytes()-1))), &n); err != nil {
		return err
	}
	if clusters := n / uint64(w.geometry.clusterBytes()); clusters > 0 {
		if w.filled > 0 {
			if err := w.dispatch(); err != nil {
				return err
			}
		}
		zeros := clusters * uint64(w.geometry.clusterPages())
		w.batch.zeros += zeros
		w.pages += zeros
		skipped := clusters * uint64(w.geometry.clusterBytes())
		w.length += skipped
		n -= skipped
	}
	return w.fillZero(n, &n)
}

// fillZero takes count zero bytes, and deducts them from left.
func (w *Writer) fillZero(count uint64, left *uint64) error {
	*left -= count
	for count > 0 {
		n := int(min(count, uint64(len(w.batch.data)-w.filled)))
		clear(w.batch.data[w.filled:][:n])
		count -= uint64(n)
		if err := w.take(n); err != nil {
			return err
		}
	}
	return nil
}

var errClosed = errors.New("pagestream: the Writer is closed")

// room checks that n more bytes may come.
func (w *Writer) room(n uint64) error {
	if err := w.failed(); err != nil {
		return err
	}
	if w.closed {
		return errClosed
	}
	if !w.inRegion {
		return w.fail(errors.New("pagestream: no region has begun"))
	}
	r := w.regions[len(w.regions)-1]
	if n > r.Length-w.length {
		return w.fail(fmt.Errorf("pagestream: region %d gets more than the %d bytes announced", r.number, r.Length))
	}
	return nil
}

// take counts n more bytes of batch.data.
func (w *Writer) take(n int) error {
	w.filled += n
	w.length += uint64(n)
	if w.filled == len(w.batch.data) {
		return w.dispatch()
	}
	return nil
}

// dispatch hands the region's batch on and gets an empty one.
func (w *Writer) dispatch() error {
	w.endBatch()
	return w.nextBatch()
}

// endBatch ends the region's batch, whose last page may not be full.
func (w *Writer) endBatch() {
	size := w.geometry.pageSize()
	pages := (w.filled + size - 1) / size
	b := w.batch
	clear(b.data[w.filled : pages*size])
	b.region = w.regions[len(w.regions)-1]
	b.first = w.pages
	for i := range pages {
		b.records = append(b.records, pageRecord{page: w.pages + uint64(i)})
	}
	w.pages += uint64(pages)
	w.handOn()
}

// handOn hands the batch on.
func (w *Writer) handOn() {
	b := w.batch
	b.number = w.batches
	b.round = w.round
	w.batches++
	w.filled = 0
	w.batch = nil
	w.inFlight.Add(1)
	w.toClassify <- b
}

func (w *Writer) nextBatch() error {
	select {
	case b := <-w.free:
		if b.data == nil {
			b.data = make([]byte, w.geometry.batchBytes())
		}
		b.begins, b.ends, b.zeros = false, false, 0
		b.records = b.records[:0]
		w.batch = b
		return w.failed()
	case <-w.ctx.Done():
		return w.fail(context.Cause(w.ctx))
	}
}

func (w *Writer) endRegion() error {
	if err := w.failed(); err != nil || !w.inRegion {
		return err
	}
	r := w.regions[len(w.regions)-1]
	if r.Length != UnknownLength && r.Length != w.length {
		return w.fail(fmt.Errorf("pagestream: region %d ends after %d of the %d bytes announced", r.number, w.length, r.Length))
	}
	final := r.Region
	final.Length = w.length
	if !final.valid() {
		return w.fail(fmt.Errorf("pagestream: region %d (%+v) is beyond the format's limits", r.number, final))
	}
	r.final = w.length
	w.inRegion = false
	w.batch.ends = true
	w.endBatch()
	return nil
}

// Close ends the last region or round and the stream, and returns what was written. It
// must be called, once, whatever happened before; it does not close the
// underlying writer.
func (w *Writer) Close() (Totals, error) {
	if w.closed {
		return w.totals, errors.New("pagestream: the Writer is closed already")
	}
	err := w.endRegion()
	w.endRound()
	w.closed = true
	w.inFlight.Wait()
	close(w.quit)
	w.workers.Wait()
	if err == nil {
		err = w.failed()
	}
	if err == nil {
		err = w.writeEnd()
	}
	return w.totals, err
}

// work is a goroutine that classifies and encodes batches.
func (w *Writer) work() {
	defer w.workers.Done()
	comparer := newComparer(w.geometry, &w.options)
	encoder := newClusterEncoder(w.geometry, w.options.Level)
	for {
		var b *batch
		select {
		case b = <-w.toEncode: // older than any batch to classify
		default:
			select {
			case b = <-w.toEncode:
			case b = <-w.toClassify:
				if w.failed() == nil {
					if err := comparer.classify(b); err != nil {
						w.fail(err)
					}
				}
				w.toFind.put(b.number, b)
				continue
			case <-w.quit:
				return
			}
		}
		if w.failed() == nil {
			if w.sparse(b.round) {
				b.cutSparse(w.geometry)
			} else {
				b.cutComplete(w.geometry)
			}
			b.heads = b.heads[:0]
			encoder.encode(b)
		}
		w.toWrite.put(b.number, b)
	}
}

// sparse reports whether the round is a sparse layer.
func (w *Writer) sparse(round int) bool { return w.options.Base != nil || round > 0 }

// find finds the batch's duplicates, in the order of the stream.
func (w *Writer) find(b *batch) {
	if w.finder != nil && w.failed() == nil {
		window := w.finder.window
		since := window.count.Load()
		for i := range b.records {
			r := &b.records[i]
			if !r.kind.hasContent() && r.kind != Delta {
				continue
			}
			page := b.page(w.geometry, i)
			if same, found := w.finder.find(page, r.crc); found {
				r.kind, r.duplicate, r.block = Duplicate, same, 0
			} else if r.kind != Delta {
				w.finder.enter(pageAddress{b.region.number, r.page}, page, r.crc)
			}
		}
		b.lent, b.lentEnd = window.leave(len(b.data), since), window.count.Load()
	}
	w.toEncode <- b // has room for all batches there are
}

// write writes the batch's frames, in the order of the stream.
func (w *Writer) write(b *batch) {
	if w.failed() == nil {
		if err := w.writeBatch(b); err != nil {
			w.fail(err)
		} else if w.options.Progress != nil {
			w.options.Progress(w.totals)
		}
	}
	if b.lent {
		b.data, b.lent = w.finder.window.lend(b.data, b.lentEnd), false
	}
	w.free <- b
	w.inFlight.Done()
}

func (w *Writer) writeBatch(b *batch) error {
	r := b.region
	if b.begins {
		w.totals.Regions++
		if err := w.writeZeros(); err != nil { // of the region before
			return err
		}
		if err := w.writeFrame(frameHeader{typ: regionFrame, region: r.number}, r.appendPayload); err != nil {
			return err
		}
	}
	sparse := w.sparse(b.round)
	if !sparse {
		if err := w.addZeros(pendingZeros{r, b.round, b.first - b.zeros, b.zeros}); err != nil {
			return err
		}
	}
	heads := b.heads
	for i := range b.frames {
		f := &b.frames[i]
		first, end := b.records[f.start].page, b.records[f.end-1].page+1
		if f.pages == 0 {
			if err := w.addZeros(pendingZeros{r, b.round, first, end - first}); err != nil {
				return err
			}
			continue
		}
		if err := w.writeZeros(); err != nil {
			return err
		}
		r.index.add(b.round, indexEntry{w.offset, int64(f.head + len(f.blocks)), first, end - first, false})
		if err := w.writeBytes(heads[:f.head], f.blocks); err != nil {
			return err
		}
		heads = heads[f.head:]
		w.count(b.round, uint64(f.pages))
		for j := f.start; j < f.end; j++ {
			if record := &b.records[j]; record.kind != kept {
				w.totals.add(record)
			}
		}
	}
	if b.round == 0 {
		w.totals.Bytes += (b.zeros + uint64(len(b.records))) * uint64(w.geometry.pageSize())
	}
	return nil
}

// count counts pages carried in the round.
func (w *Writer) count(round int, pages uint64) {
	if round == 0 {
		w.first += pages
	}
}

// addZeros adds pages to the pending zero run, or writes that one and has them
// pending.
func (w *Writer) addZeros(more pendingZeros) error {
	z := &w.zeros
	if more.pages == 0 {
		return nil
	}
	if z.pages > 0 && (more.region != z.region || more.round != z.round || more.first != z.first+z.pages) {
		if err := w.writeZeros(); err != nil {
			return err
		}
	}
	if z.pages == 0 {
		*z = more
	} else {
		z.pages += more.pages
	}
	return nil
}

// writeZeros writes the pending zero run, if any.
func (w *Writer) writeZeros() error {
	z := w.zeros
	if z.pages == 0 {
		return nil
	}
	w.zeros = pendingZeros{}
	w.totals.Pages[Zero] += z.pages
	w.totals.PageBytes[Zero] += 8
	w.count(z.round, z.pages)
	z.region.index.add(z.round, indexEntry{w.offset, frameHeaderSize + 8, z.first, z.pages, true})
	return w.writeFrame(frameHeader{typ: zerosFrame, region: z.region.number, first: z.first}, func(b []byte) []byte {
		return le.AppendUint64(b, z.pages)
	})
}

func (w *Writer) writeEnd() error {
	if err := w.writeZeros(); err != nil {
		return w.fail(err)
	}
	index := w.offset
	w.totals.Bytes = 0 // so far it counted whole pages
	pages := uint64(0)
	for _, r := range w.regions {
		r.Length = r.final
		w.totals.Bytes += r.Length
		pages += r.Pages(w.geometry.pageSize())
		if err := w.writeFrame(frameHeader{typ: regionFrame, region: r.number}, r.appendPayload); err != nil {
			return w.fail(err)
		}
		for i := range r.index.parts {
			part := &r.index.parts[i]
			if err := w.writeFrame(frameHeader{typ: indexFrame, region: r.number, first: part.first}, part.appendPayload); err != nil {
				return w.fail(err)
			}
		}
	}
	if w.options.Base != nil {
		w.totals.Kept = pages - w.first
	}
	w.totals.ID = w.ids.id()
	err := w.writeFrame(frameHeader{typ: endFrame}, func(b []byte) []byte {
		return w.totals.appendEnd(b, index)
	})
	if err == nil {
		err = w.dst.Flush()
	}
	if err != nil {
		return w.fail(err)
	}
	return nil
}

// writeFrame writes a frame of the header and the payload that appendPayload
// appends.
func (w *Writer) writeFrame(h frameHeader, appendPayload func([]byte) []byte) error {
	h.geometry = w.geometry
	w.scratch = append(w.scratch[:0], make([]byte, frameHeaderSize)...)
	w.scratch = appendPayload(w.scratch)
	if len(w.scratch)-frameHeaderSize > maxPayload {
		return fmt.Errorf("pagestream: metadata or a name of %d bytes is more than a frame holds", len(w.scratch))
	}
	h.seal(w.scratch, nil)
	if h.typ == headerFrame {
		w.ids.addHeaderPayload(w.scratch[frameHeaderSize:])
	}
	return w.writeBytes(w.scratch, nil)
}

// writeBytes writes a whole frame, in two parts.
func (w *Writer) writeBytes(head, blocks []byte) error {
	w.offset += int64(len(head) + len(blocks))
	w.totals.Frames++
	w.totals.Stored = uint64(w.offset)
	w.ids.add(head[:frameHeaderSize])
	_, err := w.dst.Write(head)
	if err == nil {
		_, err = w.dst.Write(blocks)
	}
	return err
}

// fail keeps the first error and returns it.
func (w *Writer) fail(err error) error { return w.failure.set(err) }

// failed returns the first error, or the cause of the context's end.
func (w *Writer) failed() error { return w.failure.get(w.ctx) }
