//go:build unix

package main

import (
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A run is a compression of what comes through a pipe into out.lzp.
type run struct {
	*testing.T
	dir    string
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stderr *lockedBuffer
}

// startRun starts the command, feeds it some memory and waits until it has
// begun its output. Its input stays open.
func startRun(t *testing.T, name string, args ...string) *run {
	r := &run{T: t, dir: t.TempDir(), stderr: new(lockedBuffer)}
	r.cmd = exec.Command(name, args...)
	r.cmd.Dir = r.dir
	r.cmd.Stderr = r.stderr
	var err error
	if r.stdin, err = r.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.cmd.Process.Kill() // where it has ended, that says so
		r.cmd.Wait()
	})
	if _, err := r.stdin.Write(memory(9, 768)); err != nil {
		t.Fatal(err)
	}
	r.until("it writes", func() bool { return len(r.files()) == 1 })
	return r
}

// until waits for a condition.
func (r *run) until(what string, condition func() bool) {
	r.Helper()
	for deadline := time.Now().Add(20 * time.Second); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.Fatalf("not after 20 s: %s; standard error: %s", what, r.stderr)
		}
	}
}

func (r *run) files() []string {
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		r.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func (r *run) signal(s os.Signal) {
	r.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		r.Fatal(err)
	}
}

func TestSignalLeavesNothing(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(s.String(), func(t *testing.T) {
			// What is caught here is not ignored by lzpage, even where whoever
			// runs the tests, such as nohup, ignores it.
			caught := make(chan os.Signal, 1)
			signal.Notify(caught, s)
			defer signal.Stop(caught)
			r := startRun(t, "lzpage", "compress", "-", "-o", "out.lzp")
			r.signal(s)
			r.cmd.Wait() // its error is looked at below
			status := r.cmd.ProcessState.Sys().(syscall.WaitStatus)
			if !status.Signaled() || status.Signal() != s {
				t.Errorf("it ended with %v, not of the signal", r.cmd.ProcessState)
			}
			if left := r.files(); len(left) > 0 {
				t.Errorf("it left %v", left)
			}
			if want := "lzpage: stopped by a signal (" + s.String() + "); no file was written\n"; r.stderr.String() != want {
				t.Errorf("it said %q, not %q", r.stderr, want)
			}
		})
	}
}

func TestIgnoredHangupIsIgnored(t *testing.T) {
	r := startRun(t, "sh", "-c", `trap "" HUP; exec lzpage compress - -o out.lzp`)
	r.signal(syscall.SIGHUP)
	if err := r.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, r.stderr)
	}
	if files := r.files(); len(files) != 1 || files[0] != "out.lzp" {
		t.Errorf("there is %v, not out.lzp alone", files)
	}
}

func TestSignalAsksForProgress(t *testing.T) {
	r := startRun(t, "lzpage", "compress", "-", "-o", "out.lzp")
	r.until("it says how far it is", func() bool {
		r.signal(syscall.SIGUSR1)
		return strings.Contains(r.stderr.String(), "lzpage: compress standard input: 3.0 MiB in ")
	})
	if err := r.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, r.stderr)
	}
}
