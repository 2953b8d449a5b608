package main

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lzpage/lzpage/bench/guest"
)

func TestBadArguments(t *testing.T) {
	for args, want := range map[string]string{
		"-mem 64":       "-mem 64",
		"-mem 4096":     "-mem 4096",
		"-format qcow2": "-format qcow2",
		"-nonsense":     "-nonsense",
		"guest.ram":     `"guest.ram"`,
	} {
		var out bytes.Buffer
		if err := run(context.Background(), strings.Fields(args), &out); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q in it", args, err, want)
		}
	}
}

func TestMissingToolIsToldFirst(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	var out bytes.Buffer
	err := run(context.Background(), []string{"-out", t.TempDir()}, &out)
	if err == nil || !strings.Contains(err.Error(), "install the Debian package") || out.Len() != 0 {
		t.Errorf("error %v after\n%s", err, out.String())
	}
}

func TestGuestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("boots a guest for half a minute")
	}
	for _, tool := range guest.Tools() {
		if _, err := guest.LookTool(tool); err != nil && os.Getenv("CI") == "true" {
			t.Fatal(err)
		} else if err != nil {
			t.Skip(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	dir := t.TempDir()
	var out bytes.Buffer
	if err := run(ctx, []string{"-mem", "256", "-format", "both", "-out", dir}, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	t.Log("\n" + out.String())
	memory, err := os.ReadFile(filepath.Join(dir, "guest.ram"))
	if err != nil {
		t.Fatal(err)
	}
	if len(memory) != 256<<20 {
		t.Errorf("guest.ram has %d bytes", len(memory))
	}
	core, err := os.Stat(filepath.Join(dir, "guest.elf"))
	if err != nil {
		t.Fatal(err)
	}
	if core.Size() < 256<<20 {
		t.Errorf("guest.elf has %d bytes", core.Size())
	}
	// The checksums of the records that lie within one page tell that this is
	// the memory of the guest's databases, and undamaged. A few are in memory
	// that was freed and partly written to since.
	good, bad := 0, 0
	for rest := memory; len(rest) > 0; rest = rest[4096:] {
		for _, text := range bytes.Split(rest[:4096], []byte(`{"crc": "`))[1:] {
			if text, _, whole := bytes.Cut(text, []byte("]}")); whole && len(text) > 11 {
				sum := crc32.ChecksumIEEE([]byte("{" + string(text[11:]) + "]}"))
				if fmt.Sprintf("%08x", sum) == string(text[:8]) {
					good++
				} else {
					bad++
				}
			}
		}
	}
	t.Logf("%d records good, %d bad", good, bad)
	if good < 1000 || bad > good/20 {
		t.Errorf("%d records good, %d bad; want 1000 or more and few", good, bad)
	}
	showLzpage(ctx, t, dir)
}

// showLzpage has lzpage, lz4 and zstd work on the memory in dir, as the demo
// does, and lzpage on the ELF core as well.
func showLzpage(ctx context.Context, t *testing.T, dir string) {
	for _, tool := range []string{"lz4", "zstd"} {
		if _, err := exec.LookPath(tool); err != nil && os.Getenv("CI") == "true" {
			t.Fatal(err)
		} else if err != nil {
			t.Skip(err)
		}
	}
	lzpage := filepath.Join(t.TempDir(), "lzpage")
	build := exec.CommandContext(ctx, "go", "build", "-o", lzpage, "./cmd/lzpage")
	build.Dir = "../.."
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", build.Args, err, said)
	}
	var out bytes.Buffer
	ram, core := filepath.Join(dir, "guest.ram"), filepath.Join(dir, "guest.elf")
	if err := run(ctx, []string{"-lzpage", lzpage, "-image", ram, "-out", dir}, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	t.Log("\n" + out.String())
	for _, row := range []string{"lzpage", "lzpage --level dense", "lz4 -1", "zstd -1", "zero", "lzrw1-packed"} {
		if !regexp.MustCompile(`(?m)^ *` + regexp.QuoteMeta(row) + ` +\d`).MatchString(out.String()) {
			t.Errorf("no row of %s", row)
		}
	}
	picture, err := os.ReadFile(ram + ".png")
	if err != nil || !bytes.HasPrefix(picture, []byte("\x89PNG")) {
		t.Errorf("no picture: %v", err)
	}
	for _, args := range [][]string{{"compress", core}, {"decompress", "-o", core + ".back", core + ".lzp"}} {
		if said, err := exec.CommandContext(ctx, lzpage, args...).CombinedOutput(); err != nil {
			t.Fatalf("lzpage %v: %v\n%s", args, err, said)
		}
	}
	if err := sameFile(core, core+".back"); err != nil {
		t.Error(err)
	}
}

func TestSameFile(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	data := bytes.Repeat([]byte("memory "), 400_000)
	a, changed := file("a", data), bytes.Clone(data)
	changed[2_000_000]++
	if err := sameFile(a, file("same", data)); err != nil {
		t.Error(err)
	}
	for name, other := range map[string][]byte{
		"changed": changed, "shorter": data[:len(data)-1], "shorter by megabytes": data[:1<<20], "longer": append(data, 0), "empty": nil,
	} {
		if err := sameFile(a, file(name, other)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestMedian(t *testing.T) {
	s := time.Second
	for _, c := range []struct {
		in   []time.Duration
		want float64
	}{{[]time.Duration{3 * s}, 3}, {[]time.Duration{9 * s, 1 * s, 2 * s}, 2}, {[]time.Duration{4 * s, 1 * s, 2 * s, 9 * s}, 3}} {
		if got := median(c.in); got != c.want {
			t.Errorf("median(%v) = %v, want %v", c.in, got, c.want)
		}
	}
}
