// Command snapshots compares ways to keep generations of a guest's memory: it
// takes the memory of a guest at work again and again, and has lzpage keep what
// changed, beside zstd's patches, copies of the dirty pages, and each image on
// its own. Everything is restored and compared byte for byte.
//
//	snapshots -lzpage build/lzpage              boots a guest
//	snapshots -lzpage build/lzpage -images DIR  uses images that are there
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/lzpage/lzpage/bench/guest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	args := os.Args[1:]
	var err error
	switch {
	case len(args) == 4 && args[0] == takeDirty:
		err = writeDirtyPages(args[1], args[2], args[3])
	case len(args) == 3 && args[0] == putDirty:
		err = putDirtyPages(args[1], args[2])
	default:
		err = run(ctx, args, os.Stdout)
	}
	if err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted")
		}
		fmt.Fprintln(os.Stderr, "snapshots:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("snapshots", flag.ContinueOnError)
	flags.SetOutput(stdout)
	var r recording
	flags.IntVar(&r.memoryMiB, "mem", 512, fmt.Sprintf("guest memory in `MiB`, %d to %d", guest.MinServerMiB, guest.MaxMemoryMiB))
	flags.IntVar(&r.generations, "generations", 11, "`number` of images, the first one included; 2 or more")
	flags.IntVar(&r.interval, "interval", 5, "`seconds` that the guest runs between two, by its own clock")
	flags.IntVar(&r.atRest, "rest", 3, "how `many` of the last images are taken of the guest without work")
	images := flags.String("images", "", "`directory` with the images (*.ram, in the order of their names) to use instead of booting a guest")
	lzpage := flags.String("lzpage", "", "the lzpage `program` to show; without it only the images are taken")
	out := flags.String("out", filepath.Join(os.TempDir(), "lzpage-snapshots"), "`directory` for all files")
	rounds := flags.Int("rounds", 3, "how `often` each step is timed")
	if err := flags.Parse(args); err == flag.ErrHelp {
		return nil
	} else if err != nil {
		return err
	}
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case r.memoryMiB < guest.MinServerMiB || r.memoryMiB > guest.MaxMemoryMiB:
		return fmt.Errorf("-mem %d: it must be %d to %d", r.memoryMiB, guest.MinServerMiB, guest.MaxMemoryMiB)
	case r.generations < 2:
		return fmt.Errorf("-generations %d: it must be 2 or more", r.generations)
	case r.interval < 1:
		return fmt.Errorf("-interval %d: it must be 1 or more", r.interval)
	case r.atRest < 0 || r.atRest >= r.generations:
		return fmt.Errorf("-rest %d: it must be less than the %d generations", r.atRest, r.generations)
	case *rounds < 1:
		return fmt.Errorf("-rounds %d: it must be 1 or more", *rounds)
	case *images != "" && *lzpage == "":
		return errors.New("-images without -lzpage: nothing to do")
	}
	// before minutes are spent
	if *lzpage != "" {
		for _, tool := range []string{*lzpage, "lz4", "zstd"} {
			if _, err := exec.LookPath(tool); err != nil {
				return fmt.Errorf("%w (on Debian: apt-get install lz4 zstd)", err)
			}
		}
	}
	if *images == "" {
		for _, tool := range guest.Tools() {
			if _, err := guest.LookTool(tool); err != nil {
				return err
			}
		}
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return err
	}
	began := time.Now()
	say := func(line string) {
		fmt.Fprintf(stdout, "%5.1f s  %s\n", time.Since(began).Seconds(), line)
	}
	origin := "images given"
	if *images == "" {
		*images = filepath.Join(*out, "images")
		if err := r.record(ctx, *images, say); err != nil {
			return err
		}
		origin = r.String()
	}
	if *lzpage == "" {
		return nil
	}
	s, err := openSeries(*images, r.generations)
	if err != nil {
		return err
	}
	report, err := compare(ctx, s, *lzpage, *out, *rounds, say)
	if err != nil {
		return err
	}
	report.Origin = origin
	if err := report.write(*out); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "\n%s\nThe table, its figures and its picture are snapshots.md, .json and .svg in %s;\nlzpage's chain is in %s; the images, %s, in %s.\n",
		report.markdown(), *out, filepath.Join(*out, chainDir), gigabytes(s.size*int64(len(s.images))), *images)
	return nil
}
