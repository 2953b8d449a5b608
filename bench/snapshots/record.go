package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/lzpage/lzpage/bench/guest"
)

// firstTaken is when the first generation is taken, in seconds of the guest's
// work.
const firstTaken = 5

// A recording says what generations of a guest's memory to take.
type recording struct {
	memoryMiB   int
	generations int
	interval    int // seconds that the guest runs between two, by its own clock
	atRest      int // how many of the last are taken of the guest without work
}

func (r recording) String() string {
	return fmt.Sprintf("guest of make demo, %d MiB, taken after %d s of work and every %d s from then on, the last %d without work",
		r.memoryMiB, firstTaken, r.interval, r.atRest)
}

// record boots the guest of the demo, lets it work, and writes its memory to
// files in dir, one for each generation, in the order of their names. The guest
// stands still while it is written. Images of an earlier recording are removed.
func (r recording) record(ctx context.Context, dir string, say func(string)) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if err := needRoom(dir, int64(r.generations)*int64(r.memoryMiB)<<20, "the images", say); err != nil {
		return err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	image, err := guest.Build(ctx, guest.Server(), filepath.Join(cache, "lzpage", "guest"), say)
	if err != nil {
		return err
	}
	say(fmt.Sprintf("booting %s with %d MiB under QEMU", image.Packages[0], r.memoryMiB))
	lastAtWork := firstTaken + (r.generations-1-r.atRest)*r.interval
	vm, err := guest.Start(ctx, guest.Config{
		Image:      image,
		MemoryMiB:  r.memoryMiB,
		KernelArgs: []string{fmt.Sprintf("SHOP_REST=%d", lastAtWork)},
		OnLine: func(line string) {
			if kind, text, _ := strings.Cut(line, " "); kind == "step" || kind == "ready" {
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
	for generation := range r.generations {
		tick, err := waitUntil(ctx, vm, firstTaken+generation*r.interval)
		if err != nil {
			return err
		}
		if err := vm.Pause(ctx); err != nil {
			return err
		}
		if err := vm.DumpRaw(ctx, filepath.Join(dir, fmt.Sprintf("gen%03d.ram", generation))); err != nil {
			return err
		}
		say(fmt.Sprintf("generation %d taken after %d s, %d records written", generation, tick.Number, tick.Ops))
		if err := vm.Resume(ctx); err != nil {
			return err
		}
	}
	return nil
}

// waitUntil waits until the guest has run so many seconds since it was ready.
func waitUntil(ctx context.Context, vm *guest.VM, seconds int) (tick guest.Tick, err error) {
	for tick.Number < seconds {
		line, err := vm.Console.Wait(ctx, "tick ")
		if err != nil {
			return tick, err
		}
		if tick, err = guest.ParseTick(line); err != nil {
			return tick, err
		}
	}
	return tick, nil
}
