// Command demo shows lzpage at work on the memory of a real guest: it boots a
// small server under QEMU, lets it work, takes its RAM, and compresses and
// decompresses that with lzpage, lz4 and zstd.
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
	"strings"
	"syscall"
	"time"

	"github.com/lzpage/lzpage/bench/guest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted")
		}
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(stdout)
	mem := flags.Int("mem", 512, fmt.Sprintf("guest memory in `MiB`, %d to %d", guest.MinServerMiB, guest.MaxMemoryMiB))
	out := flags.String("out", filepath.Join(os.TempDir(), "lzpage-demo"), "`directory` for the memory images")
	lzpage := flags.String("lzpage", "", "the lzpage `program` to show; without it only the memory is taken")
	image := flags.String("image", "", "raw memory image `file` to use instead of booting a guest")
	format := flags.String("format", "raw", "which image to leave there: raw (guest.ram), elf (guest.elf) or both")
	if err := flags.Parse(args); err == flag.ErrHelp {
		return nil
	} else if err != nil {
		return err
	}
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case *mem < guest.MinServerMiB || *mem > guest.MaxMemoryMiB:
		return fmt.Errorf("-mem %d: it must be %d to %d", *mem, guest.MinServerMiB, guest.MaxMemoryMiB)
	case *format != "raw" && *format != "elf" && *format != "both":
		return fmt.Errorf("-format %s: it must be raw, elf or both", *format)
	}
	// before minutes are spent
	if *lzpage != "" {
		if *format == "elf" {
			return errors.New("-lzpage needs the raw image: leave -format elf away")
		}
		for _, tool := range []string{*lzpage, "lz4", "zstd"} {
			if _, err := exec.LookPath(tool); err != nil {
				return fmt.Errorf("%w (on Debian: apt-get install lz4 zstd)", err)
			}
		}
	}
	if *image == "" {
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
	if *image == "" {
		if err := takeMemory(ctx, *mem, *out, *format, say); err != nil {
			return err
		}
		*image = filepath.Join(*out, "guest.ram")
	}
	if *lzpage == "" {
		return nil
	}
	if err := comparePrograms(ctx, *lzpage, *image, stdout, say); err != nil {
		return err
	}
	stream, picture := *image+".lzp", *image+".png"
	if err := showPages(ctx, *lzpage, stream, picture, stdout); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "\nThe memory is in %s,\nits stream in %s,\nits picture in %s.\n", *image, stream, picture)
	return nil
}

// takeMemory boots the guest, waits until it has worked a while, and writes its
// memory to guest.ram and guest.elf in the directory out.
func takeMemory(ctx context.Context, memMiB int, out, format string, say func(string)) error {
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	image, err := guest.Build(ctx, guest.Server(), filepath.Join(cache, "lzpage", "guest"), say)
	if err != nil {
		return err
	}
	say(fmt.Sprintf("booting %s with %d MiB under QEMU", image.Packages[0], memMiB))
	vm, err := guest.Start(ctx, guest.Config{
		Image:     image,
		MemoryMiB: memMiB,
		OnLine: func(line string) {
			kind, text, _ := strings.Cut(line, " ")
			switch kind {
			case "step", "ready":
				say("guest: " + text)
			}
		},
	})
	if err != nil {
		return err
	}
	defer vm.Close()
	if _, err := vm.Console.Wait(ctx, "ready "); err != nil {
		return err
	}
	var tick guest.Tick
	for tick.Number < 5 {
		line, err := vm.Console.Wait(ctx, "tick ")
		if err != nil {
			return err
		}
		if tick, err = guest.ParseTick(line); err != nil {
			return err
		}
	}
	if err := vm.Pause(ctx); err != nil {
		return err
	}
	say(fmt.Sprintf("paused after %d s of work, %d records written", tick.Number, tick.Ops))
	if format != "elf" {
		path := filepath.Join(out, "guest.ram")
		if err := vm.DumpRaw(ctx, path); err != nil {
			return err
		}
		say("guest memory is in " + path)
	}
	if format != "raw" {
		path := filepath.Join(out, "guest.elf")
		if err := vm.DumpELF(ctx, path); err != nil {
			return err
		}
		say("guest memory as an ELF core is in " + path)
	}
	return nil
}
