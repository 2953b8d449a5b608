package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// built returns the path of a file that a target of the Makefile makes, and
// skips the test if it is not there; in CI that is an error.
func built(t *testing.T, name, target string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "build", name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing: make %s makes it", path, target)
	}
	t.Skipf("%s is missing: make %s makes it", path, target)
	return ""
}

// TestMigration is the measurement in short: a small guest that checks its
// memory goes to and fro over a unix socket by two methods. A run is made at
// all only if the guest comes through intact.
func TestMigration(t *testing.T) {
	m := measurement{
		matrix:     matrix{runs: 1, seed: 1},
		memoryMiB:  192,
		cacheBytes: 64 << 20,
		limit:      30 * time.Second,
		qemu:       built(t, "qemu/qemu-system-x86_64", "qemu"),
		library:    built(t, "liblzpage-qemu.so", "shim"),
		say:        func(line string) { t.Log(line) },
	}
	w, err := parseLoad("dirty:rate=20")
	if err != nil {
		t.Fatal(err)
	}
	l, err := linkNamed("unix")
	if err != nil {
		t.Fatal(err)
	}
	m.matrix.workloads, m.matrix.links = []load{w}, []link{l}
	for _, name := range []string{"multifd-none", "lzrw1-fast-delta"} {
		method, err := methodNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		m.matrix.methods = append(m.matrix.methods, method)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	dir := t.TempDir()
	if err := m.measure(ctx, dir); err != nil {
		t.Fatal(err)
	}

	// Called again, it finds nothing to do.
	began := time.Now()
	if err := m.measure(ctx, dir); err != nil {
		t.Fatal(err)
	}
	if again := time.Since(began); again > 3*time.Second {
		t.Errorf("the second call took %v", again)
	}
	kept, err := loadStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(kept.runs) != 2 {
		t.Fatalf("%d runs", len(kept.runs))
	}
	transferred := map[string]int64{}
	for _, r := range kept.runs {
		transferred[r.Method] = r.Transferred
		if !r.Completed || r.Rounds < 2 || r.Total <= 0 || r.Felt > r.LongestStall || r.Stopped <= 0 || r.Stopped > r.Total ||
			r.SourceCPU <= 0 || r.DestinationCPU <= 0 || r.RestSpeed <= 0 || r.Speed <= 0 || r.Sent != 0 {
			t.Errorf("run %+v", r)
		}
		if (r.LZRW1 != nil) != (r.Method == "lzrw1-fast-delta") {
			t.Errorf("%s: statistics %s", r.Method, r.LZRW1)
		}
	}
	plain, lzrw1 := transferred["multifd-none"], transferred["lzrw1-fast-delta"]
	if lzrw1 <= 0 || lzrw1 >= plain*9/10 {
		t.Errorf("lzrw1 transferred %d bytes, no compression %d", lzrw1, plain)
	}
}
