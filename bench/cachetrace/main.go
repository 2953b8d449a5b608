// Command cachetrace replays which pages a guest changed from round to round
// to the page cache of package delta, to other ways of choosing what to keep,
// and to ones that know the future.
//
//	cachetrace guest.trace
//	cachetrace -record guest.trace gen00.ram gen01.ram gen02.ram
//
// Its arguments are a trace, or consecutive raw images of one memory, or a
// directory of such images, named *.ram, in the order of their names.
//
// testdata holds two traces of the guest of bench/demo with 512 MiB under
// QEMU's TCG: shop-5s.trace of eleven images taken every five seconds of its
// work, the last three while it had none, and shop-500ms.trace of another run,
// 41 images taken every half second.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "cachetrace:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("cachetrace", flag.ContinueOnError)
	flags.SetOutput(stdout)
	record := flags.String("record", "", "`file` to write the trace of images to; nothing is replayed")
	pageSize := flags.Int("page", 4096, "size of the images' pages in `bytes`")
	merge := flags.Int("merge", 1, "`number` of rounds to make one")
	list := flags.String("sizes", "2,4,8,16,32,64,128,256", "sizes of caches in `MiB`")
	if err := flags.Parse(args); err == flag.ErrHelp {
		return nil
	} else if err != nil {
		return err
	}
	sizes, err := parseSizes(*list)
	if err != nil {
		return err
	}
	if *merge < 1 {
		return fmt.Errorf("-merge %d: it must be 1 or more", *merge)
	}
	if *pageSize < 64 || *pageSize > 2<<20 || *pageSize%64 != 0 {
		return fmt.Errorf("-page %d: it must be a multiple of 64 from 64 to 2097152", *pageSize)
	}
	trace, err := load(flags.Args(), *pageSize)
	if err != nil {
		return err
	}
	if *record != "" {
		return writeTrace(*record, trace)
	}
	if len(trace.Rounds) < 2 {
		return errors.New("a trace of one round asks for nothing: give more images")
	}
	return report(stdout, trace.Merge(*merge), sizes)
}

func parseSizes(list string) (mib []int, err error) {
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 1<<16 {
			return nil, fmt.Errorf("-sizes %s: %q is not a number of MiB from 1 to 65536", list, text)
		}
		mib = append(mib, n)
	}
	return mib, nil
}

// load reads a trace, or makes it of images.
func load(args []string, pageSize int) (*Trace, error) {
	if len(args) == 0 {
		return nil, errors.New("what to replay is missing: a trace, images, or a directory of images")
	}
	if len(args) == 1 {
		info, err := os.Stat(args[0])
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			file, err := os.Open(args[0])
			if err != nil {
				return nil, err
			}
			defer file.Close()
			trace, err := ReadTrace(file)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", args[0], err)
			}
			return trace, nil
		}
		names, err := filepath.Glob(filepath.Join(args[0], "*.ram"))
		if err != nil {
			return nil, err
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("%s holds no images named *.ram", args[0])
		}
		args = names
	}
	return Record(args, pageSize)
}

// writeTrace leaves no half of a file behind.
func writeTrace(name string, trace *Trace) error {
	file, err := os.CreateTemp(filepath.Dir(name), ".cachetrace-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	if _, err = trace.WriteTo(file); err == nil {
		err = file.Chmod(0o644)
	}
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), name)
}

// entryBytes is what the models count for a page beside its bytes: what
// delta.Cache spends on one.
const entryBytes = 44

// plainSize and packedSize say what a page of a form takes in the models that
// keep pages as they are, and in those that compress as delta.Cache does.
func plainSize(pageSize int) func(uint8) int {
	return func(uint8) int { return pageSize + entryBytes }
}

func packedSize(pageSize int) func(uint8) int {
	block := (pageSize/16 + 63) &^ 63
	return func(form uint8) int {
		bytes := 0
		switch {
		case form == formWord:
			bytes = 8
		case form > formPlain*3/4:
			bytes = pageSize
		default:
			bytes = int(form) * pageSize / formPlain
		}
		return (bytes+block-1)/block*(block+4) + entryBytes
	}
}

// report prints the tables.
func report(stdout io.Writer, t *Trace, mib []int) error {
	printTrace(stdout, t)
	replays := map[int64]replayed{}
	replayOnce := func(bytes int64) (r replayed, err error) {
		r, done := replays[bytes]
		if !done {
			r, err = replay(t, bytes)
			replays[bytes] = r
		}
		return r, err
	}
	if err := printPolicies(stdout, t, mib, replayOnce); err != nil {
		return err
	}
	return printCurves(stdout, mib, replayOnce)
}

func printTrace(stdout io.Writer, t *Trace) {
	packed := packedSize(t.PageSize)
	all, packedBytes := len(t.Rounds[0]), 0
	for _, touch := range t.Rounds[0] {
		if touch.Form != formZero {
			packedBytes += packed(touch.Form)
		}
	}
	distinct := map[uint32]bool{}
	for _, round := range t.Rounds[1:] {
		for _, touch := range round {
			distinct[touch.Page] = true
		}
	}
	mib := func(pages int) float64 { return float64(pages) * float64(t.PageSize) / (1 << 20) }
	fmt.Fprintf(stdout, "%d pages of %d bytes (%.0f MiB; %.0f MiB packed, zeros left out), %d rounds of %d changed pages on average (%.0f MiB), %d different ones (%.0f MiB)\n",
		all, t.PageSize, mib(all), float64(packedBytes)/(1<<20), len(t.Rounds)-1, t.changedPages(), mib(t.changedPages()), len(distinct), mib(len(distinct)))
}

func printPolicies(stdout io.Writer, t *Trace, mib []int, replay func(int64) (replayed, error)) error {
	plain, packed := plainSize(t.PageSize), packedSize(t.PageSize)
	_, asked := t.uses()
	fmt.Fprintln(stdout, "\npages found, in percent of those that are asked for and were not zeros:")
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "MiB\tof a round\tof memory\t| plain: LRU\tBelady\t| packed: LRU\tFIFO\trandom\tS3-FIFO\tdelta.Cache\tBelady\tbound\t| evictions\tdeclined\tpages\t")
	for _, n := range mib {
		limit := n << 20
		r, err := replay(int64(limit))
		if err != nil {
			return err
		}
		total := r.total()
		pages := float64(limit) / float64(t.PageSize)
		fmt.Fprintf(w, "%d\t%.2f\t%.3f\t", n, pages/float64(max(1, t.changedPages())), pages/float64(len(t.Rounds[0])))
		fmt.Fprintf(w, "%.1f\t%.1f\t", 100*replayPolicy(t, newLRU(limit, false), plain), 100*belady(t, limit, plain))
		for _, p := range []policy{newLRU(limit, false), newLRU(limit, true), newRandom(limit), newS3FIFO(limit)} {
			fmt.Fprintf(w, "%.1f\t", 100*replayPolicy(t, p, packed))
		}
		fmt.Fprintf(w, "%.1f\t%.1f\t%.1f\t%d\t%d\t%d\t\n", 100*float64(total.Hits)/float64(max(1, asked)),
			100*belady(t, limit, packed), 100*bound(t, limit, packed), total.Evictions, total.Declined, total.Pages)
	}
	return w.Flush()
}

func printCurves(stdout io.Writer, mib []int, replay func(int64) (replayed, error)) error {
	fmt.Fprintln(stdout, "\nhit ratio that a cache expects of other sizes / that they have, in percent:")
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "MiB\t| of 1/4\t1/2\t1\t2\t4\t8\t| largest error\taverage\t| MiB for 0.9 of the best\t")
	for _, n := range mib {
		r, err := replay(int64(n) << 20)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%d\t", n)
		largest, sum := 0.0, 0.0
		curve := r.cache.Curve()
		for _, point := range curve {
			other, err := replay(point.Bytes)
			if err != nil {
				return err
			}
			has := other.total().HitRatio()
			wrong := math.Abs(point.HitRatio - has)
			largest, sum = max(largest, wrong), sum+wrong
			fmt.Fprintf(w, "%.1f/%.1f\t", 100*point.HitRatio, 100*has)
		}
		fmt.Fprintf(w, "%.1f\t%.1f\t%.0f\t\n", 100*largest, 100*sum/float64(len(curve)), float64(r.cache.Advise(0.9))/(1<<20))
	}
	return w.Flush()
}
