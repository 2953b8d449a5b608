package guest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// MaxMemoryMiB is the most memory in MiB that a guest can have: what both
// machine types map as one run from address 0. They put what is more above
// 4 GiB.
const MaxMemoryMiB = 2048

// appendLine is the kernel's command line: the console, an exit of QEMU if the
// kernel panics, and a root file system that may take more than half of the
// memory.
const appendLine = "console=ttyS0 quiet panic=-1 rootfstype=ramfs"

// Config says how to run a guest.
type Config struct {
	Image *Image
	// MemoryMiB is the size of the guest's RAM in MiB, at most 2048. 0 means
	// 512.
	MemoryMiB int
	// Machine is QEMU's machine type, "pc" or "q35". Empty means "pc".
	Machine string
	// QEMU is the program to run. Empty means qemu-system-x86_64.
	QEMU string
	// Args are further arguments for QEMU.
	Args []string
	// KernelArgs are further arguments for the kernel. One of the form
	// NAME=VALUE that the kernel does not know becomes a variable in the
	// environment of the guest's first process.
	KernelArgs []string
	// OnLine and OnEvent, if not nil, are called for each line of the guest's
	// console and each QMP event. They must return soon.
	OnLine  func(string)
	OnEvent func(Event)
}

// VM is a QEMU process with a guest in it.
type VM struct {
	// Console is the guest's serial port.
	Console *Console
	// QMP is the connection to QEMU.
	QMP *QMP

	memoryMiB int
	dir       string // holds the QMP socket
	cancel    context.CancelFunc
	exited    chan struct{} // closed when QEMU has ended
	exitErr   error         // how it ended; valid once exited is closed
}

// Start boots a guest, with one emulated CPU and no network. It returns as
// soon as QEMU answers, before the guest is up. When ctx ends, QEMU is killed;
// call Close in any case.
func Start(ctx context.Context, config Config) (_ *VM, err error) {
	memoryMiB := config.MemoryMiB
	if memoryMiB == 0 {
		memoryMiB = 512
	}
	if memoryMiB < 0 || memoryMiB > MaxMemoryMiB {
		return nil, fmt.Errorf("guest memory of %d MiB: it must be 1 to %d MiB", memoryMiB, MaxMemoryMiB)
	}
	machine := config.Machine
	if machine == "" {
		machine = "pc"
	}
	qemu := config.QEMU
	if qemu == "" {
		qemu = "qemu-system-x86_64"
	}
	if qemu, err = LookTool(qemu); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "lzpage-guest-")
	if err != nil {
		return nil, err
	}
	socket := filepath.Join(dir, "qmp")
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, qemu, append([]string{
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-machine", machine, "-accel", "tcg", "-smp", "1",
		"-m", strconv.Itoa(memoryMiB) + "M",
		"-kernel", config.Image.Kernel, "-initrd", config.Image.Initramfs,
		"-append", strings.Join(append([]string{appendLine}, config.KernelArgs...), " "),
		"-serial", "stdio",
		"-qmp", "unix:" + socket + ",server=on,wait=off",
	}, config.Args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	// QEMU must not outlive this program, however it ends.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	serial, err := cmd.StdoutPipe()
	if err != nil {
		cancel()
		os.RemoveAll(dir)
		return nil, err
	}

	vm := &VM{
		Console: newConsole(config.OnLine), memoryMiB: memoryMiB,
		dir: dir, cancel: cancel, exited: make(chan struct{}),
	}
	started := make(chan error, 1)
	go func() {
		// The death signal is tied to the thread that started QEMU.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			vm.Console.read(serial)
			err = cmd.Wait()
		}
		if err != nil {
			err = fmt.Errorf("%s: %w %s", qemu, err, strings.TrimSpace(stderr.String()))
		}
		vm.exitErr = err
		close(vm.exited)
	}()
	if err = <-started; err == nil {
		vm.QMP, err = vm.connect(ctx, socket, config.OnEvent)
	}
	if err != nil {
		vm.Close()
		return nil, err
	}
	return vm, nil
}

// connect waits until QEMU answers on its QMP socket. If QEMU ends instead, the
// error is what it said.
func (vm *VM) connect(ctx context.Context, socket string, onEvent func(Event)) (*QMP, error) {
	for {
		q, err := DialQMP(ctx, socket, onEvent)
		if err == nil {
			return q, nil
		}
		// QEMU opens the socket early and may still give up.
		retry := errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)
		pause := 10 * time.Millisecond
		if !retry {
			pause = time.Second
		}
		select {
		case <-vm.exited:
			if vm.exitErr != nil {
				return nil, vm.exitErr
			}
			return nil, errors.New("QEMU ended before the guest began")
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
			if !retry {
				return nil, err
			}
		}
	}
}

// MemoryBytes returns the size of the guest's RAM in bytes.
func (vm *VM) MemoryBytes() int64 { return int64(vm.memoryMiB) << 20 }

// Exited is closed when QEMU has ended.
func (vm *VM) Exited() <-chan struct{} { return vm.exited }

// Pause stops the guest's CPU. Its memory no longer changes.
func (vm *VM) Pause(ctx context.Context) error {
	return vm.QMP.Execute(ctx, "stop", nil, nil)
}

// Resume lets a paused guest run on.
func (vm *VM) Resume(ctx context.Context) error {
	return vm.QMP.Execute(ctx, "cont", nil, nil)
}

// Close kills QEMU, waits for its end and removes its temporary files.
func (vm *VM) Close() error {
	vm.cancel()
	if vm.QMP != nil {
		vm.QMP.Close()
	}
	<-vm.exited
	return os.RemoveAll(vm.dir)
}
