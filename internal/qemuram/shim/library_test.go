//go:build linux

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The library, loaded by a C program, does what its header says.
func TestLibrary(t *testing.T) {
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	if _, err := exec.LookPath(cc); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("there is no C compiler: %v", err)
	}
	dir := t.TempDir()
	library, check := filepath.Join(dir, "liblzpage-qemu.so"), filepath.Join(dir, "check")
	run := func(name string, args ...string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		command := exec.CommandContext(ctx, name, args...)
		command.Env = append(os.Environ(), "CGO_ENABLED=1")
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, output)
		}
	}
	run("go", "build", "-buildmode=c-shared", "-o", library, ".")
	run(cc, "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread", "-I.", "-o", check, "testdata/check.c", "-ldl")
	run(check, library)
}
