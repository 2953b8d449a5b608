package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// TestMemory checks how much memory the commands take for an image larger than
// that, with as many threads as they have by default at most.
func TestMemory(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector takes memory itself")
	}
	const most, size = 128 << 20, 256 << 20
	stream := filepath.Join(t.TempDir(), "guest.lzp")
	step := func(in io.Reader, args ...string) {
		t.Helper()
		cmd := exec.Command("lzpage", append(args, "--threads", strconv.Itoa(maxDefaultThreads))...)
		cmd.Stdin = in
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v: %v: %s", args, err, &stderr)
		}
		var s struct {
			Bytes      uint64 `json:"bytes"`
			PeakMemory uint64 `json:"peak_memory_bytes"`
		}
		if err := json.Unmarshal(stdout.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d MiB", args[0], s.PeakMemory>>20)
		if s.Bytes != size || s.PeakMemory < 1<<20 || s.PeakMemory > most {
			t.Errorf("%v took %d bytes of memory for %d, more than %d", args, s.PeakMemory, s.Bytes, most)
		}
	}
	step(&guest{left: size}, "compress", "--json", "-o", stream, "-")
	step(nil, "verify", "--json", stream)
	step(nil, "decompress", "--json", "-o", stream+".ram", stream)
	// Half of the pages differ from those of the base, in all their bytes or in
	// the number that makes them differ.
	next := stream + ".next"
	step(&guest{left: size, changed: true}, "compress", "--json", "--base", stream, "-o", next, "-")
	step(nil, "verify", "--json", next)
	step(nil, "decompress", "--json", "-o", next+".ram", next)
	step(nil, "rebase", "--json", "-o", next+".alone", next)
}

// A guest is memory of which no page equals another.
type guest struct {
	left    int
	page    uint64
	changed bool // some of it
	rest    []byte
}

func (g *guest) Read(p []byte) (int, error) {
	if len(g.rest) == 0 {
		if g.left == 0 {
			return 0, io.EOF
		}
		seed, number := g.page, g.page
		if g.changed && g.page%1024 == 0 {
			seed += 1 << 40
		}
		if g.changed && g.page%1024 == 512 {
			number += 1 << 40
		}
		g.rest = memory(seed, 256)
		for i := range 256 {
			g.page++
			number++
			binary.LittleEndian.PutUint64(g.rest[i*4096:], number)
		}
		g.left -= len(g.rest)
	}
	n := copy(p, g.rest)
	g.rest = g.rest[n:]
	return n, nil
}
