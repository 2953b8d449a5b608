package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lzpage/lzpage/internal/chain"
	"github.com/lzpage/lzpage/internal/memdiff"
	"github.com/lzpage/lzpage/internal/memmap"
)

// changedSize is more than what commands read ahead of a pipe.
const changedSize = 32 << 20

// changing makes streams in a new directory: mon.lzp, tue.lzp, which is based on
// it, and new.lzp, which has other memory in frames of the same sizes as those
// of mon.lzp. writeOver writes new.lzp over mon.lzp in place.
func changing(t *testing.T) (at func(string) string, writeOver func()) {
	t.Helper()
	dir := t.TempDir()
	at = func(name string) string { return filepath.Join(dir, name) }
	mon := noise(30, changedSize)
	tue := bytes.Clone(mon)
	tue[5] ^= 1
	for name, memory := range map[string][]byte{"mon": mon, "tue": tue, "new": noise(31, changedSize)} {
		put(t, at(name), memory)
	}
	for _, args := range [][]string{{"mon"}, {"new"}, {"tue", "--base", at("mon.lzp")}} {
		cmd := exec.Command("lzpage", append([]string{"compress", "-q", "-o", at(args[0] + ".lzp"), at(args[0])}, args[1:]...)...)
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatal(err, string(said))
		}
	}
	other := get(t, at("new.lzp"))
	if len(other) != len(get(t, at("mon.lzp"))) {
		t.Fatal("the streams differ in size")
	}
	return at, func() {
		t.Helper()
		put(t, at("mon.lzp"), other)
	}
}

func put(t *testing.T, name string, data []byte) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o666)
	if err == nil {
		_, err = f.Write(data)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// ended checks that a command failed since a stream changed.
func ended(t *testing.T, err error, said, at string) {
	t.Helper()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !strings.Contains(said, at+", on which ") && !strings.Contains(said, at+": ") || !strings.Contains(said, "it changed while it was read: ") {
		t.Errorf("%v: %s", err, said)
	}
}

// TestBaseChangesWhileReading writes over the base of streams while commands
// whose output is a pipe wait for its reader.
func TestBaseChangesWhileReading(t *testing.T) {
	for _, args := range [][]string{{"decompress"}, {"rebase"}, {"cat", "--page", "0", "--count", "8192"}} {
		t.Run(args[0], func(t *testing.T) {
			at, writeOver := changing(t)
			cmd := exec.Command("lzpage", append(args, "-q", "-o", "-", at("tue.lzp"))...)
			var said bytes.Buffer
			cmd.Stderr = &said
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(out, make([]byte, 100)); err != nil {
				t.Fatal(err)
			}
			writeOver()
			if _, err := io.Copy(io.Discard, out); err != nil {
				t.Fatal(err)
			}
			ended(t, cmd.Wait(), said.String(), at("mon.lzp"))
		})
	}
}

// TestBaseChangedBefore writes over half of a base before it is read.
func TestBaseChangedBefore(t *testing.T) {
	at, _ := changing(t)
	put(t, at("mon.lzp"), get(t, at("new.lzp"))[:changedSize/2])
	for _, args := range [][]string{{"cat", "--page", "9", at("tue.lzp")}, {"cat", "--page", "9", at("mon.lzp")}, {"decompress", "-o", "-", at("tue.lzp")}, {"rebase", "-o", "-", at("tue.lzp")}} {
		cmd := exec.Command("lzpage", args...)
		var said bytes.Buffer
		cmd.Stderr = &said
		out, err := cmd.Output()
		if err == nil || len(out) > 0 || !strings.Contains(said.String(), at("mon.lzp")) || !strings.Contains(said.String(), "its frames are those of stream ") {
			t.Errorf("%v: %v, %d bytes: %s", args, err, len(out), &said)
		}
	}
}

// TestBaseChangesWhileComparing writes over a base while the command that
// compares with it waits for memory.
func TestBaseChangesWhileComparing(t *testing.T) {
	at, writeOver := changing(t)
	cmd := exec.Command("lzpage", "compress", "--base", at("mon.lzp"), "-o", at("out.lzp"), "-")
	var said bytes.Buffer
	cmd.Stderr = &said
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	memory := get(t, at("new"))
	if _, err := in.Write(memory[:changedSize/2]); err != nil {
		t.Fatal(err)
	}
	writeOver()
	if _, err := in.Write(memory[changedSize/2:]); err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	ended(t, cmd.Wait(), said.String(), at("mon.lzp"))
	if left := leftIn(t, filepath.Dir(at("mon"))); !slices.Equal(left, []string{"mon", "mon.lzp", "new", "new.lzp", "tue", "tue.lzp"}) {
		t.Errorf("it left %v", left)
	}
}

// TestBaseChangesAfterOpening writes over a base when it has been found to be
// right, before it is read.
func TestBaseChangesAfterOpening(t *testing.T) {
	at, writeOver := changing(t)
	a := newApp()
	a.quiet = true
	tue, err := a.openSnapshot(at("tue.lzp"))
	if err != nil {
		t.Fatal(err)
	}
	defer tue.Close()
	next, err := a.openSnapshot(at("new"))
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	writeOver()
	expect := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, chain.ErrChanged) || !strings.Contains(err.Error(), at("mon.lzp")+", on which "+at("tue.lzp")+" is based") {
			t.Errorf("%s: %v", what, err)
		}
	}
	ranges, _, _ := memdiff.Match(tue.regions, next.regions)
	d := &diffing{app: a}
	expect("diff", d.compare(t.Context(), tue, next, ranges, newDiffReport(tue, next, 4096, ranges), memmap.NewChanges(4096), 2))
	expect("diff", d.compare(t.Context(), next, tue, ranges, newDiffReport(next, tue, 4096, ranges), memmap.NewChanges(4096), 2))
	expect("verify", a.verifyLayers(t.Context(), tue.layers))
}
