package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/lzpage/lzpage/bench/guest"
	"github.com/lzpage/lzpage/bench/migrate/workload"
)

// buildAgent makes the guests' first program, once.
func (m *measurement) buildAgent(ctx context.Context) (err error) {
	if m.agent == nil {
		m.agent, err = workload.BuildAgent(ctx)
	}
	return err
}

// guestConfig makes the guest of a workload, or finds the one made before.
func (m *measurement) guestConfig(ctx context.Context, name string) (guest.Config, error) {
	if err := m.buildAgent(ctx); err != nil {
		return guest.Config{}, err
	}
	recipe, err := workload.Recipe(name, m.agent)
	if err != nil {
		return guest.Config{}, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return guest.Config{}, err
	}
	image, err := guest.Build(ctx, recipe, filepath.Join(cache, "lzpage", "guest"), m.say)
	if err != nil {
		return guest.Config{}, err
	}
	// QEMU finds the library where the dynamic linker looks.
	library, err := filepath.Abs(filepath.Dir(m.library))
	if err != nil {
		return guest.Config{}, err
	}
	config := guest.Config{
		Image:      image,
		MemoryMiB:  m.memoryMiB,
		KernelArgs: workload.KernelArgs(name),
		QEMU:       m.qemu,
		Env:        []string{"LD_LIBRARY_PATH=" + library},
		OnLine: func(line string) {
			switch kind, text, _ := strings.Cut(line, " "); kind {
			case "step", "ready", "fault":
				m.say("guest: " + text)
			}
		},
	}
	if image.Disk != "" {
		config.Disks = []string{image.Disk}
	}
	return config, nil
}
