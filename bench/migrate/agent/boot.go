package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"
)

// disk is where the guest's disk is, if it has one.
const disk = "/dev/vda"

// boot brings the guest up from the bare kernel: file systems, modules, the
// console, and the disk as root if there are modules for one.
func boot() (*console, settings, error) {
	// With one P for each CPU, of which there is one, a goroutine that works
	// would hold up the one that ticks.
	runtime.GOMAXPROCS(4)
	// Collections cost much under emulation, and the heap is small.
	debug.SetGCPercent(400)
	if err := os.Setenv("PATH", "/usr/sbin:/usr/bin"); err != nil {
		return nil, nil, err
	}
	for _, m := range []struct{ kind, target string }{
		{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"},
	} {
		if err := mount(m.kind, m.kind, m.target, 0, ""); err != nil {
			return nil, nil, err
		}
	}
	c, err := openConsole()
	if err != nil {
		return nil, nil, err
	}
	// The runtime's last words and those of the services go there too.
	for fd := range 3 {
		if err := unix.Dup2(int(c.file.Fd()), fd); err != nil {
			return nil, nil, err
		}
	}
	commandLine, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return nil, nil, err
	}
	modules, err := filepath.Glob("/modules/*.ko")
	if err != nil {
		return nil, nil, err
	}
	if len(modules) > 0 {
		if err := loadModules(modules); err != nil {
			return nil, nil, err
		}
		if err := enterDisk(); err != nil {
			return nil, nil, err
		}
	}
	return c, parseSettings(string(commandLine)), nil
}

// mount mounts a file system and makes the directory for it.
func mount(source, kind, target string, flags uintptr, data string) error {
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(source, target, kind, flags, data); err != nil {
		return fmt.Errorf("mount %s as %s at %s: %w", source, kind, target, err)
	}
	return nil
}

// loadModules loads kernel modules. What a module needs of others differs from
// kernel to kernel, so it is tried again after them.
func loadModules(paths []string) error {
	for len(paths) > 0 {
		var left []string
		var why error
		for _, path := range paths {
			err := loadModule(path)
			if errors.Is(err, unix.ENOENT) { // a symbol
				left, why = append(left, path), err
			} else if err != nil {
				return err
			}
		}
		if len(left) == len(paths) {
			return why
		}
		paths = left
	}
	return nil
}

func loadModule(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := unix.FinitModule(int(file.Fd()), "", 0); err != nil {
		return fmt.Errorf("module %s: %w", path, err)
	}
	return nil
}

// enterDisk makes the disk the root, with an overlay in memory that takes what
// is written.
func enterDisk() error {
	deadline := time.Now().Add(10 * time.Second)
	for {
		if _, err := os.Stat(disk); err == nil {
			break
		} else if time.Now().After(deadline) {
			return fmt.Errorf("the guest's disk does not show up: %w", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := mount(disk, "ext4", "/disk", unix.MS_RDONLY, ""); err != nil {
		return err
	}
	if err := mount("written", "tmpfs", "/written", 0, "size=100%,mode=755"); err != nil {
		return err
	}
	for _, dir := range []string{"/written/files", "/written/work"} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	if err := mount("root", "overlay", "/root", 0, "lowerdir=/disk,upperdir=/written/files,workdir=/written/work"); err != nil {
		return err
	}
	for _, dir := range []string{"/proc", "/sys", "/dev"} {
		if err := os.MkdirAll("/root"+dir, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(dir, "/root"+dir, "", unix.MS_MOVE, ""); err != nil {
			return fmt.Errorf("move %s: %w", dir, err)
		}
	}
	if err := unix.Chroot("/root"); err != nil {
		return fmt.Errorf("chroot: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	for _, dir := range []string{"/dev/shm", "/run", "/tmp"} {
		if err := mount("memory", "tmpfs", dir, 0, "size=100%,mode=1777"); err != nil {
			return err
		}
	}
	return nil
}
