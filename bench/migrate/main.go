// Command migrate compares ways to migrate a guest at work from one QEMU to
// another, LZRW1 among them: what each takes in time and CPU, what it sends,
// and what the guest feels of it. Each migration is proved to have left the
// guest intact.
//
//	migrate -out DIR          measures, and reports
//	migrate report -out DIR   reports what has been measured so far
//
// An interrupted measurement goes on where it was when called again.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/lzpage/lzpage/bench/guest"
	"github.com/lzpage/lzpage/bench/migrate/workload"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command(ctx, os.Args[1:], os.Stdout); err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted; the same command goes on from here")
		}
		fmt.Fprintln(os.Stderr, "migrate:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string, stdout io.Writer) error {
	reportOnly := len(args) > 0 && args[0] == "report"
	if reportOnly {
		args = args[1:]
	}
	flags := flag.NewFlagSet("migrate", flag.ContinueOnError)
	flags.SetOutput(stdout)
	out := flags.String("out", filepath.Join(os.TempDir(), "lzpage-migrate"), "`directory` for the runs and the report")
	var m measurement
	var workloads, linkNames, methodNames string
	var limit time.Duration
	var cacheMiB int
	if !reportOnly {
		flags.StringVar(&workloads, "workloads", strings.Join(workload.Names(), ","), "what the guest does, `names` with commas between, each with settings where it has some: dirty:rate=40:random=20")
		flags.StringVar(&linkNames, "links", "100mbit,1gbit,unlimited", "`names` of links, of "+join(links, func(l link) string { return l.name }))
		flags.StringVar(&methodNames, "methods", join(methods, func(m method) string { return m.name }), "`names` of methods")
		flags.IntVar(&m.matrix.runs, "runs", 3, "`number` of runs of each")
		flags.IntVar(&m.memoryMiB, "mem", 512, fmt.Sprintf("guest memory in `MiB`, up to %d", guest.MaxMemoryMiB))
		flags.IntVar(&cacheMiB, "cache", 0, "cache of xbzrle and lzrw1 in `MiB`, a power of two; 0 is a quarter of the guest's memory")
		flags.DurationVar(&limit, "limit", 2*time.Minute, "`time` after which a migration that does not come to an end is cancelled")
		flags.StringVar(&m.qemu, "qemu", "../build/qemu/qemu-system-x86_64", "QEMU with multifd-compression lzrw1 (make qemu)")
		flags.StringVar(&m.library, "library", "../build/liblzpage-qemu.so", "the library for it (make shim)")
		flags.Uint64Var(&m.matrix.seed, "seed", 1, "`number` that the order of methods follows from")
	}
	if err := flags.Parse(args); err == flag.ErrHelp {
		return nil
	} else if err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if reportOnly {
		return report(*out, stdout)
	}

	for _, text := range strings.Split(workloads, ",") {
		w, err := parseLoad(text)
		if err != nil {
			return err
		}
		m.matrix.workloads = append(m.matrix.workloads, w)
	}
	if err := checkSettings(m.matrix.workloads); err != nil {
		return fmt.Errorf("-workloads: %w", err)
	}
	for _, name := range strings.Split(linkNames, ",") {
		l, err := linkNamed(name)
		if err != nil {
			return fmt.Errorf("-links: %w", err)
		}
		m.matrix.links = append(m.matrix.links, l)
	}
	for _, name := range strings.Split(methodNames, ",") {
		method, err := methodNamed(name)
		if err != nil {
			return fmt.Errorf("-methods: %w", err)
		}
		m.matrix.methods = append(m.matrix.methods, method)
	}
	if cacheMiB == 0 {
		cacheMiB = 1
		for cacheMiB*8 <= m.memoryMiB {
			cacheMiB *= 2
		}
	}
	m.cacheBytes, m.limit = int64(cacheMiB)<<20, limit
	switch {
	case m.matrix.runs < 1:
		return fmt.Errorf("-runs %d: it must be 1 or more", m.matrix.runs)
	case m.memoryMiB < 64 || m.memoryMiB > guest.MaxMemoryMiB:
		return fmt.Errorf("-mem %d: it must be 64 to %d", m.memoryMiB, guest.MaxMemoryMiB)
	case cacheMiB < 4 || cacheMiB&(cacheMiB-1) != 0:
		return fmt.Errorf("-cache %d: it must be a power of two, 4 or more", cacheMiB)
	case limit < time.Second:
		return fmt.Errorf("-limit %v: it must be a second or more", limit)
	}
	began := time.Now()
	m.say = func(line string) {
		fmt.Fprintf(stdout, "%7.1f s  %s\n", time.Since(began).Seconds(), line)
	}
	if err := m.measure(ctx, *out); err != nil {
		return err
	}
	return report(*out, stdout)
}

func join[T any](all []T, name func(T) string) string {
	var names []string
	for _, one := range all {
		names = append(names, name(one))
	}
	return strings.Join(names, ",")
}
