package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestDamagedChain flips bits all over each stream of a chain. Whatever they hit,
// there is no output, or the right one.
func TestDamagedChain(t *testing.T) {
	dir := t.TempDir()
	lzpage := func(args ...string) (string, error) {
		cmd := exec.Command("lzpage", args...)
		cmd.Dir = dir
		said, err := cmd.CombinedOutput()
		return string(said), err
	}
	kinds := []string{"raw", "later", "latest"}
	base := []string{}
	for _, kind := range kinds {
		if err := os.WriteFile(filepath.Join(dir, kind), images[kind](), 0o666); err != nil {
			t.Fatal(err)
		}
		if said, err := lzpage(append([]string{"compress", "--quiet", kind}, base...)...); err != nil {
			t.Fatal(err, said)
		}
		base = []string{"--base", kind + ".lzp"}
	}
	want := images["latest"]()
	places := 60
	if testing.Short() {
		places = 10
	}
	for _, kind := range kinds {
		name := filepath.Join(dir, kind+".lzp")
		whole, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		failed := 0
		for i := 0; i < len(whole); i += 1 + len(whole)/places {
			damaged := bytes.Clone(whole)
			damaged[i] ^= 1 << (i % 8)
			if err := os.WriteFile(name, damaged, 0o666); err != nil {
				t.Fatal(err)
			}
			said, err := lzpage("decompress", "--output", "out", "latest.lzp")
			if err != nil {
				failed++
				if !strings.Contains(said, kind+".lzp") {
					t.Errorf("byte %d of %s.lzp: the message is %q", i, kind, said)
				}
				if left := leftIn(t, dir); !slices.Equal(left, []string{"later", "later.lzp", "latest", "latest.lzp", "raw", "raw.lzp"}) {
					t.Fatalf("byte %d of %s.lzp: it left %v", i, kind, left)
				}
				continue
			}
			out := filepath.Join(dir, "out")
			got, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("byte %d of %s.lzp: wrong memory", i, kind)
			}
			if err := os.Remove(out); err != nil {
				t.Fatal(err)
			}
		}
		if failed < places/3 {
			t.Errorf("%s.lzp: only %d damages were found", kind, failed)
		}
		if err := os.WriteFile(name, whole, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func leftIn(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
