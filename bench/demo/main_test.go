package main

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
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
	if good < 1000 || bad > good/100 {
		t.Errorf("%d records good, %d bad; want 1000 or more and next to none", good, bad)
	}
}
