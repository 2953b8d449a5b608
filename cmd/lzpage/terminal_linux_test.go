package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openTerminal returns both ends of a new terminal.
func openTerminal(t *testing.T) (user, program *os.File) {
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { user.Close() })
	if err := unix.IoctlSetPointerInt(int(user.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(user.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(user.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 120}); err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return user, program
}

// startReading collects what the program writes to its terminal.
func startReading(user *os.File) *lockedBuffer {
	screen := new(lockedBuffer)
	go io.Copy(screen, user) // ends with an error when the terminal closes
	return screen
}

// TestTerminal checks that a terminal shows progress and gets no stream.
func TestTerminal(t *testing.T) {
	dir := t.TempDir()
	image := filepath.Join(dir, "guest.ram")
	if err := os.WriteFile(image, memory(10, 1024), 0o666); err != nil {
		t.Fatal(err)
	}

	t.Run("no stream", func(t *testing.T) {
		user, program := openTerminal(t)
		screen := startReading(user)
		cmd := exec.Command("lzpage", "compress", "-o", "-", image)
		var stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = program, &stderr
		err := cmd.Run()
		const want = "lzpage: standard output is a terminal, which this would garble; redirect it or name a file with -o\n"
		if err == nil || stderr.String() != want {
			t.Errorf("%v: %q, not %q", err, &stderr, want)
		}
		if screen.String() != "" {
			t.Errorf("the terminal got %q", screen)
		}
	})

	t.Run("no memory", func(t *testing.T) {
		_, program := openTerminal(t)
		cmd := exec.Command("lzpage", "compress", "-", "-o", filepath.Join(dir, "x"))
		cmd.Stdin = program
		out, err := cmd.CombinedOutput()
		const want = "lzpage: standard input is a terminal; redirect it or name a file\n"
		if err == nil || string(out) != want {
			t.Errorf("%v: %q, not %q", err, out, want)
		}
	})

	t.Run("progress", func(t *testing.T) {
		user, program := openTerminal(t)
		screen := startReading(user)
		r, w := io.Pipe()
		cmd := exec.Command("lzpage", "compress", "-", "-o", filepath.Join(dir, "y.lzp"))
		cmd.Stdin, cmd.Stderr = r, program
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(memory(11, 768)); err != nil {
			t.Fatal(err)
		}
		shown := func(what string) {
			t.Helper()
			for deadline := time.Now().Add(20 * time.Second); !strings.Contains(screen.String(), what); time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("the terminal has %q, not %q", screen, what)
				}
			}
		}
		shown("compress standard input")
		shown("3.0 MiB in ")
		shown(" MB/s")
		w.Close() // never fails
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %q", err, screen)
		}
		shown("y.lzp: 3.0 MiB in ")
	})

	t.Run("progress of a file", func(t *testing.T) {
		user, program := openTerminal(t)
		screen := startReading(user)
		// A stream from a file of known length; the bar needs some time to
		// appear, so the image is larger.
		large := filepath.Join(dir, "large.ram")
		f, err := os.Create(large)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := io.Copy(f, &guest{left: 64 << 20}); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("lzpage", "compress", "--level", "dense", "--threads", "1", large)
		cmd.Stderr = program
		if err := cmd.Run(); err != nil {
			t.Errorf("%v: %q", err, screen)
		}
		if s := screen.String(); !strings.Contains(s, "% ") || !strings.Contains(s, "[") || !strings.Contains(s, "s left") {
			t.Errorf("the terminal has %q: no bar", s)
		}
	})
}
