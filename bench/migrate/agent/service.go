package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// postgresUser is who PostgreSQL runs as, which it refuses to do as root.
const postgresUser = 100

// users is the guest's list of them.
const users = "root:x:0:0:root:/root:/bin/sh\npostgres:x:100:100:postgres:/tmp:/bin/sh\n"

// command returns a command of the guest, to be run by a user.
func command(user uint32, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "HOME=/tmp", "LC_ALL=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
	return cmd
}

// run runs a command to its end.
func run(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, lastLines(out))
	}
	return nil
}

// serveAt starts a service and waits until connect succeeds.
func serveAt(cmd *exec.Cmd, connect func() error) error {
	log, err := os.Create(filepath.Join("/run", filepath.Base(cmd.Path)+".log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for began := time.Now(); ; {
		err := connect()
		if err == nil {
			return nil
		}
		select {
		case why := <-ended:
			said, _ := os.ReadFile(log.Name())
			return fmt.Errorf("%s ended: %v: %s", filepath.Base(cmd.Path), why, lastLines(said))
		case <-time.After(50 * time.Millisecond):
		}
		if time.Since(began) > time.Minute {
			return fmt.Errorf("%s does not answer: %w", filepath.Base(cmd.Path), err)
		}
	}
}

// lastLines returns the last few lines of what a program said, as one.
func lastLines(out []byte) string {
	lines := strings.Split(string(bytes.TrimSpace(out)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "; ")
}

// freeMiB returns how much of the guest's memory is not in use.
func freeMiB() (int, error) {
	var system unix.Sysinfo_t
	if err := unix.Sysinfo(&system); err != nil {
		return 0, err
	}
	return int(system.Freeram * uint64(system.Unit) >> 20), nil
}
