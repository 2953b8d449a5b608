package workload

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lzpage/lzpage/bench/guest"
)

// bootDirty boots the dirtier's guest in 128 MiB.
func bootDirty(t *testing.T, ctx context.Context, settings ...string) *guest.VM {
	t.Helper()
	for _, tool := range guest.Tools() {
		if _, err := guest.LookTool(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	agent, err := BuildAgent(ctx)
	if err != nil {
		t.Fatal(err)
	}
	recipe, err := Recipe("dirty", agent)
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	image, err := guest.Build(ctx, recipe, filepath.Join(cache, "lzpage", "guest"), func(step string) { t.Log(step) })
	if err != nil {
		t.Fatal(err)
	}
	vm, err := guest.Start(ctx, guest.Config{Image: image, MemoryMiB: 128, KernelArgs: KernelArgs("dirty", settings...)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { vm.Close() })
	return vm
}

func TestDirtyGuest(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	vm := bootDirty(t, ctx, "dirty.size=24", "dirty.hot=8", "dirty.rate=1")
	wait := func(prefix string) string {
		t.Helper()
		line, err := vm.Console.Wait(ctx, prefix)
		if err != nil {
			t.Fatal(err)
		}
		return line
	}
	send := func(line string) {
		t.Helper()
		if err := vm.Console.Send(line); err != nil {
			t.Fatal(err)
		}
	}
	// speed returns the pages rewritten in 50 ticks, a second.
	next := 0
	speed := func() int {
		t.Helper()
		first, last := 0, 0
		for i := range 51 {
			tick, err := guest.ParseTick(wait("tick "))
			if err != nil {
				t.Fatal(err)
			}
			if next != 0 && tick.Number != next {
				t.Fatalf("tick %d comes where %d is due", tick.Number, next)
			}
			next = tick.Number + 1
			if i == 0 {
				first = tick.Ops
			}
			last = tick.Ops
		}
		return last - first
	}
	if line := wait("ready "); line != "ready dirty 24 MiB filled, 8 MiB of them rewritten at 1 MiB/s" {
		t.Errorf("guest printed %q", line)
	}
	slow := speed()
	if slow == 0 {
		t.Error("no work")
	}
	// An answer stands among ticks: what is between is not looked at.
	ask := func(line, answer string) string {
		t.Helper()
		send(line)
		next = 0
		return wait(answer)
	}
	if line := ask("check", "checked "); line != "checked 6144 bad 0 pages, all bytes of each" {
		t.Errorf("guest printed %q", line)
	}
	ask("set dirty.rate 16", "set dirty.rate 16")
	// Sixteen times as fast, where the host has the time for it.
	if fast := speed(); fast < 3*slow {
		t.Errorf("%d pages a second at 16 MiB/s, %d at 1 MiB/s", fast, slow)
	}
	if line := ask("set dirty.rate -1", "refused "); !strings.Contains(line, "dirty.rate=-1") {
		t.Errorf("guest printed %q", line)
	}
	ask("rest", "rest")
	if pages := speed(); pages != 0 {
		t.Errorf("%d pages a second at rest", pages)
	}
	ask("work", "work")
	if pages := speed(); pages == 0 {
		t.Error("no work after rest")
	}
	if line := ask("check", "checked "); line != "checked 6144 bad 0 pages, all bytes of each" {
		t.Errorf("guest printed %q", line)
	}
}

func TestRecipes(t *testing.T) {
	for _, name := range Names() {
		recipe, err := Recipe(name, []byte("\x7fELF"))
		if err != nil {
			t.Fatal(err)
		}
		if hasDisk := len(recipe.Disk) > 0; hasDisk != slices.Contains(recipe.Modules, "virtio_blk") {
			t.Errorf("%s: disk with %v, modules %v", name, recipe.Disk, recipe.Modules)
		}
		file, err := recipe.Files.Open("init")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		file.Close()
	}
	if _, err := Recipe("sleep", nil); err == nil || !strings.Contains(err.Error(), strings.Join(Names(), ", ")) {
		t.Errorf("unknown workload: error %v", err)
	}
}
