// Command compare measures this project's codec against others on pages of
// guests' memory: how small, how fast to encode and how fast to decode, all in
// one run.
//
//	go run ./compare -pages 'DIR/*/pages.bin.gz' -runs 'DIR/*/runs.bin.gz' -pairs 'DIR/*/dirty.bin.gz'
//	go run ./compare -quick guest.ram
//	go run ./compare -old before.ram -new after.ram
//
// Each file is a workload: raw memory, or such packed with gzip. Pages are
// sampled from it, none of them zero, the same ones in each run. Deltas take
// pairs of an old and a new page, or the pages that differ in two images.
//
// To add a codec, add a line to rivals; see codec.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"

	"github.com/lzpage/lzpage/bench/pages"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

const usage = `usage: compare [flags] [image ...]

Each file is raw memory, or such packed with gzip (.gz), and is a workload of
its own. Images are sampled for the tables of pages and of clusters; the table
of deltas is of -pairs, or of -old and -new.

`

// An effort is how much of each workload is taken, and how often it is run.
type effort struct{ pages, clusters, rounds int }

var (
	fullEffort  = effort{pages: 2048, clusters: 160, rounds: 7}
	quickEffort = effort{pages: 128, clusters: 8, rounds: 3}
)

func run(args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // errors are returned
	pageFiles := flags.String("pages", "", "`pattern` of files to take single pages from")
	runFiles := flags.String("runs", "", "`pattern` of files to take clusters of 16 pages from")
	pairFiles := flags.String("pairs", "", "`pattern` of files to take pairs of pages from: 4 KiB before and 4 KiB after a change, in turn")
	oldImage := flags.String("old", "", "`image` to take the earlier version of changed pages from")
	newImage := flags.String("new", "", "`image` of the same guest to take the later version from")
	quick := flags.Bool("quick", false, "few pages and rounds: a few seconds, rough figures")
	rounds := flags.Int("rounds", 0, fmt.Sprintf("`number` of rounds (default %d, with -quick %d)", fullEffort.rounds, quickEffort.rounds))
	markdown := flags.Bool("markdown", false, "print Markdown")
	asJSON := flags.Bool("json", false, "print JSON")
	if err := flags.Parse(args); err == flag.ErrHelp {
		flags.SetOutput(stdout)
		fmt.Fprint(stdout, usage)
		flags.PrintDefaults()
		return nil
	} else if err != nil {
		return fmt.Errorf("%w; see -help", err)
	}
	switch {
	case *markdown && *asJSON:
		return errors.New("-markdown and -json exclude each other")
	case *rounds < 0:
		return fmt.Errorf("-rounds %d: it must be 1 or more", *rounds)
	case (*oldImage == "") != (*newImage == ""):
		return errors.New("-old and -new need each other")
	case *pageFiles == "" && *runFiles == "" && *pairFiles == "" && *oldImage == "" && flags.NArg() == 0:
		return errors.New("nothing to measure: give memory images, or -pages, -runs or -pairs; see -help")
	}
	e := fullEffort
	if *quick {
		e = quickEffort
	}
	if *rounds > 0 {
		e.rounds = *rounds
	}

	// The thread's CPU time counts, so stay on one; and collect no garbage but
	// between rounds.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))

	r := newReport(e.rounds)
	for _, part := range []struct {
		mode mode
		load func(mode) ([]workload, error)
	}{
		{pageMode(), func(m mode) ([]workload, error) { return load(*pageFiles, flags.Args(), m.blockPages, e.pages) }},
		{clusterMode(), func(m mode) ([]workload, error) { return load(*runFiles, flags.Args(), m.blockPages, e.clusters) }},
		{deltaMode(), func(mode) ([]workload, error) { return loadPairs(*pairFiles, *oldImage, *newImage, e.pages) }},
	} {
		workloads, err := part.load(part.mode)
		if err != nil {
			return err
		}
		if len(workloads) == 0 {
			continue
		}
		measured, err := measure(part.mode, workloads, e.rounds, func(what string) {
			fmt.Fprintln(stderr, "measuring", what)
		})
		if err != nil {
			return err
		}
		r.Tables = append(r.Tables, summarize(part.mode, workloads, measured))
	}
	switch {
	case *asJSON:
		return r.writeJSON(stdout)
	case *markdown:
		return r.writeMarkdown(stdout)
	}
	return r.writeText(stdout)
}

// match returns the files of the pattern, if any.
func match(pattern string) ([]string, error) {
	if pattern == "" {
		return nil, nil
	}
	files, err := filepath.Glob(pattern)
	if err == nil && len(files) == 0 {
		err = errors.New("no such files")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", pattern, err)
	}
	return files, nil
}

// load samples the files of the pattern and the images.
func load(pattern string, images []string, blockPages, limit int) ([]workload, error) {
	files, err := match(pattern)
	if err != nil {
		return nil, err
	}
	var workloads []workload
	for _, file := range slices.Concat(files, images) {
		data, err := pages.SampleFile(file, blockPages, limit)
		if err != nil {
			return nil, err
		}
		workloads = append(workloads, workload{pages.Workload(file), memory{data: data}})
	}
	return workloads, nil
}

// loadPairs samples the files of the pattern, which hold pairs, and what
// differs in the images, if there are any.
func loadPairs(pattern, oldImage, newImage string, limit int) ([]workload, error) {
	files, err := match(pattern)
	if err != nil {
		return nil, err
	}
	var workloads []workload
	for _, file := range files {
		pairs, err := pages.SamplePairsFile(file, limit)
		if err != nil {
			return nil, err
		}
		workloads = append(workloads, workload{pages.Workload(file), memory{pairs.New, pairs.Old}})
	}
	if newImage != "" {
		pairs, err := pages.ComparePairs(oldImage, newImage, limit)
		if err != nil {
			return nil, err
		}
		workloads = append(workloads, workload{pages.Workload(newImage), memory{pairs.New, pairs.Old}})
	}
	return workloads, nil
}
