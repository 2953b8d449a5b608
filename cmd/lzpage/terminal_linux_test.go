package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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

	// In both of the following the command waits for the test, so that there is
	// time for a bar to appear.

	t.Run("progress of a pipe", func(t *testing.T) {
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
		shown(t, screen, `compress standard input +3.0 MiB in \d+ KiB, ratio \d.\d\d, [\d.]+ MB/s`)
		w.Close() // never fails
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %q", err, screen)
		}
		shown(t, screen, `y.lzp: 3.0 MiB in \d+ KiB`)
	})

	t.Run("progress of a file", func(t *testing.T) {
		user, program := openTerminal(t)
		screen := startReading(user)
		large := filepath.Join(dir, "large.ram")
		if err := os.WriteFile(large, noise(14, 32<<20), 0o666); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("lzpage", "compress", "--threads", "1", "-o", "-", large)
		cmd.Stderr = program
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, stdout, 16<<20); err != nil {
			t.Error(err)
		}
		shown(t, screen, `large.ram [45]\d% +\[=+>-+\] 1\d MiB in 1\d MiB, ratio [01].\d\d, [\d.]+ [MG]B/s, \d+s left`)
		if _, err := io.Copy(io.Discard, stdout); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %q", err, screen)
		}
	})
}

// shown waits until the screen shows what the regular expression matches.
func shown(t *testing.T, screen *lockedBuffer, what string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !regexp.MustCompile(what).MatchString(screen.String()); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the terminal has %q, not %q", screen, what)
		}
	}
}
