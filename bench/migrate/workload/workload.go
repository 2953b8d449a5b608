// Package workload holds the guests that are migrated: each does one kind of
// work, and proves again and again that its memory is what it wrote there. See
// the command agent for what they print and take on their serial port, which
// agent, their first process, sees to.
package workload

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing/fstest"

	"github.com/lzpage/lzpage/bench/guest"
)

// kinds are the workloads, with the Debian packages of what they run, and of
// text to fill it with.
var kinds = []struct {
	name string
	disk []string
}{
	{"idle", []string{"redis-server", "postgresql-15", "dash", "perl-doc"}},
	{"db", []string{"postgresql-15", "dash", "perl-doc"}},
	{"redis", []string{"redis-server", "perl-doc"}},
	{"compile", []string{"gcc", "libc6-dev", "libstb-dev"}},
	{"node", []string{"nodejs", "perl-doc"}},
	{"dirty", nil},
}

// Names returns the names of all workloads.
func Names() []string {
	var names []string
	for _, kind := range kinds {
		names = append(names, kind.name)
	}
	return names
}

// diskModules are the kernel modules for a virtio disk, and for the overlay
// that takes what is written.
var diskModules = []string{
	"virtio", "virtio_ring", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci", "virtio_blk", "overlay",
}

// Recipe returns the recipe of a workload's guest. agent is the program that
// BuildAgent made.
func Recipe(name string, agent []byte) (guest.Recipe, error) {
	for _, kind := range kinds {
		if kind.name != name {
			continue
		}
		recipe := guest.Recipe{Name: "migrate-" + name, Disk: kind.disk, Files: fstest.MapFS{"init": {Data: agent}}}
		if len(kind.disk) > 0 {
			recipe.Modules = slices.Clone(diskModules)
		}
		return recipe, nil
	}
	return guest.Recipe{}, fmt.Errorf("no workload is named %q; there are %s", name, strings.Join(Names(), ", "))
}

// KernelArgs returns the kernel's arguments for a workload with settings, as
// NAME=VALUE each.
func KernelArgs(name string, settings ...string) []string {
	return append([]string{"workload=" + name}, settings...)
}

// BuildAgent makes the guests' first program, from its source in the module
// that the working directory is in.
func BuildAgent(ctx context.Context) ([]byte, error) {
	dir, err := os.MkdirTemp("", "lzpage-agent-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "agent")
	// The same source makes the same bytes, wherever it lies: images are kept
	// by what is in them.
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w",
		"-o", program, "github.com/lzpage/lzpage/bench/migrate/agent")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the guest's first program failed (it needs the Go module of lzpage's bench as working directory): %w\n%s", err, bytes.TrimSpace(out))
	}
	return os.ReadFile(program)
}
