package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/klauspost/cpuid/v2"
	"golang.org/x/sys/unix"
)

// bootLimit is how long a guest may take to boot and fill its memory.
const bootLimit = 15 * time.Minute

// A measurement is a matrix and how to go through it.
type measurement struct {
	matrix        matrix
	memoryMiB     int
	cacheBytes    int64
	limit         time.Duration
	qemu, library string
	say           func(string)

	agent []byte // the guests' first program, once buildAgent has made it
}

// measure makes those runs of the matrix that are not in dir, and keeps each
// there as soon as it is made.
func (m *measurement) measure(ctx context.Context, dir string) error {
	s, err := m.setting(ctx)
	if err != nil {
		return err
	}
	kept, err := openStore(dir, s)
	if err != nil {
		return err
	}
	defer kept.close()
	missing, all := 0, 0
	for _, steps := range m.matrix.steps() {
		for _, s := range steps {
			all++
			if !kept.has(s.load.text, s.link.name, s.method.name, s.round) {
				missing++
			}
		}
	}
	m.say(fmt.Sprintf("%d of %d runs to make, seed %d; QEMU of %s", missing, all, m.matrix.seed, m.qemu))
	for _, steps := range m.matrix.steps() {
		if err := m.measureGuest(ctx, kept, steps); err != nil {
			return err
		}
	}
	return nil
}

// measureGuest boots a guest and makes the runs that are missing with it.
func (m *measurement) measureGuest(ctx context.Context, kept *store, steps []step) (err error) {
	var missing []step
	network := false
	for _, s := range steps {
		if !kept.has(s.load.text, s.link.name, s.method.name, s.round) {
			missing = append(missing, s)
			network = network || !s.link.unix
		}
	}
	if len(missing) == 0 {
		return nil
	}
	config, err := m.guestConfig(ctx, missing[0].load.name)
	if err != nil {
		return err
	}
	room, err := newRoom(ctx, config, network)
	if err != nil {
		return err
	}
	defer room.close()
	m.say(fmt.Sprintf("booting the guest %s with %d MiB", missing[0].load.name, m.memoryMiB))
	now, err := room.source(ctx)
	if err != nil {
		return err
	}
	defer func() { now.Close() }()
	booting, cancel := context.WithTimeout(ctx, bootLimit)
	defer cancel()
	if _, err := now.Console.Wait(booting, "ready "); err != nil {
		return err
	}
	for i, s := range missing {
		if room.network != nil {
			if err := room.network.limit(ctx, s.link.rate); err != nil {
				return err
			}
		}
		for _, setting := range s.load.settings {
			if err := now.change(ctx, setting[0], setting[1]); err != nil {
				return err
			}
		}
		var result *run
		result, now, err = room.measure(ctx, now, way{s.method, s.link, m.cacheBytes, m.limit})
		if err != nil {
			return fmt.Errorf("%s, link %s, method %s, round %d: %w", s.load.text, s.link.name, s.method.name, s.round, err)
		}
		result.Workload, result.Round, result.Order = s.load.text, s.round, s.order
		if err := kept.add(*result); err != nil {
			return err
		}
		m.say(fmt.Sprintf("%d of %d: %s", i+1, len(missing), result))
	}
	return nil
}

// change changes a setting of the workload.
func (q *qemu) change(ctx context.Context, name, value string) error {
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	if err := q.Console.Send("set " + name + " " + value); err != nil {
		return err
	}
	for {
		answer, err := q.Console.Wait(ctx, "")
		switch {
		case err != nil:
			return err
		case answer == "set "+name+" "+value:
			return nil
		case strings.HasPrefix(answer, "refused "):
			return fmt.Errorf("setting %s to %s: the guest has %s", name, value, answer)
		}
	}
}

// String is a line about a run.
func (r *run) String() string {
	text := fmt.Sprintf("%s %s %s, round %d: ", r.Workload, r.Link, r.Method, r.Round)
	if r.Completed {
		text += fmt.Sprintf("%.2f s, felt %.0f ms", r.Total, r.Felt*1e3)
	} else {
		text += fmt.Sprintf("cancelled after %.2f s", r.Total)
	}
	text += fmt.Sprintf(", %.1f MB, %d rounds, CPU %.2f + %.2f s", float64(r.Sent)/1e6, r.Rounds, r.SourceCPU, r.DestinationCPU)
	if r.RestSpeed > 0 {
		text += fmt.Sprintf(", guest at %.0f %%", 100*r.slowed())
	}
	return text
}

// slowed returns the guest's speed during the migration as a part of that at
// rest, not a number if it has no work.
func (r *run) slowed() float64 {
	if r.RestSpeed == 0 {
		return math.NaN()
	}
	return r.Speed / r.RestSpeed
}

// setting returns what the runs have in common, and makes sure that QEMU and
// the library are there.
func (m *measurement) setting(ctx context.Context) (setting, error) {
	s := setting{
		MemoryMiB:  m.memoryMiB,
		CacheBytes: m.cacheBytes,
		Limit:      m.limit.Seconds(),
		Seed:       m.matrix.seed,
		Channels:   channels,
		Downtime:   downtimeLimit,
		CPU:        cmp.Or(cpuid.CPU.BrandName, "unknown CPU"),
		CPUs:       runtime.NumCPU(),
	}
	var kernel unix.Utsname
	if err := unix.Uname(&kernel); err != nil {
		return s, err
	}
	s.Kernel = unix.ByteSliceToString(kernel.Sysname[:]) + " " + unix.ByteSliceToString(kernel.Release[:])
	for _, file := range []struct {
		path, make string
		hash       *string
	}{
		{m.qemu, "qemu", &s.QEMUHash},
		{m.library, "shim", &s.Library},
	} {
		var err error
		if *file.hash, err = fileHash(file.path); errors.Is(err, os.ErrNotExist) {
			return s, fmt.Errorf("%w: make %s makes it", err, file.make)
		} else if err != nil {
			return s, err
		}
	}
	if err := m.buildAgent(ctx); err != nil {
		return s, err
	}
	hash := sha256.Sum256(m.agent)
	s.Agent = hex.EncodeToString(hash[:])
	version, err := exec.CommandContext(ctx, m.qemu, "--version").Output()
	if err != nil {
		return s, fmt.Errorf("%s --version: %w", m.qemu, err)
	}
	s.QEMU, _, _ = strings.Cut(string(version), "\n")
	return s, nil
}

func fileHash(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
