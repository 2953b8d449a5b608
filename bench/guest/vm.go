package guest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
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
	// Env are further variables of QEMU's environment, as NAME=VALUE.
	Env []string
	// Disks are files with file systems, which the guest sees as its virtio
	// disks /dev/vda, /dev/vdb and so on, and cannot write to.
	Disks []string
	// Network is a file of the network namespace that QEMU shall run in, such
	// as /run/netns/NAME. Empty means that of this process.
	Network string
	// Incoming has QEMU wait for a guest that is migrated to it: after the QMP
	// command migrate-incoming it takes it. Image and all that makes up the
	// machine must be those of the guest.
	Incoming bool
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
	pid       int
	dir       string // holds the QMP socket
	cancel    context.CancelFunc
	exited    chan struct{} // closed when QEMU has ended
	exitErr   error         // how it ended; valid once exited is closed
}

// Start boots a guest, with one emulated CPU and no network, or makes room for
// one that is migrated here. It returns as soon as QEMU answers, before the
// guest is up. When ctx ends, QEMU is killed; call Close in any case.
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
	args := []string{
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-name", "guest,debug-threads=on", // CPUTime goes by the threads' names
		"-machine", machine, "-accel", "tcg", "-smp", "1",
		"-m", strconv.Itoa(memoryMiB) + "M",
		"-kernel", config.Image.Kernel, "-initrd", config.Image.Initramfs,
		"-append", strings.Join(append([]string{appendLine}, config.KernelArgs...), " "),
		"-serial", "stdio",
		"-qmp", "unix:" + socket + ",server=on,wait=off",
	}
	for i, disk := range config.Disks {
		args = append(args,
			"-drive", fmt.Sprintf("file=%s,if=none,id=disk%d,format=raw,read-only=on", strings.ReplaceAll(disk, ",", ",,"), i),
			"-device", fmt.Sprintf("virtio-blk-pci,drive=disk%d", i))
	}
	if config.Incoming {
		args = append(args, "-incoming", "defer")
	}
	cmd := exec.CommandContext(ctx, qemu, append(args, config.Args...)...)
	cmd.Env = append(cmd.Environ(), config.Env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	// QEMU must not outlive this program, however it ends.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	serial, err := cmd.StdoutPipe()
	var input io.Writer
	if err == nil {
		input, err = cmd.StdinPipe()
	}
	if err != nil {
		cancel()
		os.RemoveAll(dir)
		return nil, err
	}

	vm := &VM{
		Console: newConsole(input, config.OnLine), memoryMiB: memoryMiB,
		dir: dir, cancel: cancel, exited: make(chan struct{}),
	}
	started := make(chan error, 1)
	go func() {
		// The death signal is tied to the thread that started QEMU, and so is
		// the network namespace: the thread ends with this function.
		runtime.LockOSThread()
		err := enterNetwork(config.Network)
		if err == nil {
			err = cmd.Start()
		}
		if err == nil {
			vm.pid = cmd.Process.Pid
		}
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

// enterNetwork moves the calling thread to the network namespace of a file,
// unless path is empty.
func enterNetwork(path string) error {
	if path == "" {
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := unix.Setns(int(file.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("network namespace %s: %w", path, err)
	}
	return nil
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

// PID returns the id of QEMU's process.
func (vm *VM) PID() int { return vm.pid }

// Exited is closed when QEMU has ended.
func (vm *VM) Exited() <-chan struct{} { return vm.exited }

// Err returns how QEMU ended, and what it had to say, or nil if all was well.
// Call it once Exited is closed.
func (vm *VM) Err() error { return vm.exitErr }

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
