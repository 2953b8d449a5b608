package guest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// DumpRaw writes the RAM of a paused guest to a file, byte by byte from
// physical address 0: MemoryBytes long, the page at offset N*4096 is guest page
// N. The legacy hole at 640 KiB holds what the guest would read there.
func (vm *VM) DumpRaw(ctx context.Context, path string) error {
	return vm.dump(ctx, path, func(partial string) error {
		err := vm.QMP.Execute(ctx, "pmemsave", map[string]any{
			"val": 0, "size": vm.MemoryBytes(), "filename": partial,
		}, nil)
		if err != nil {
			return err
		}
		// QEMU does not report an error that shows only when the file is closed.
		info, err := os.Stat(partial)
		if err == nil && info.Size() != vm.MemoryBytes() {
			err = fmt.Errorf("QEMU wrote %d of %d bytes: is the disk full?", info.Size(), vm.MemoryBytes())
		}
		return err
	})
}

// DumpELF writes the RAM of a paused guest to a file as an ELF core: a note
// with the CPU's registers and a PT_LOAD segment, addressed physically, for
// each block of memory.
func (vm *VM) DumpELF(ctx context.Context, path string) error {
	return vm.dump(ctx, path, func(partial string) error {
		err := vm.QMP.Execute(ctx, "dump-guest-memory", map[string]any{
			"paging": false, "protocol": "file:" + partial,
		}, nil)
		if err != nil {
			return err
		}
		return os.Chmod(partial, 0o644) // QEMU makes it readable by its user alone
	})
}

// dump has a file written beside path and renames it to path once it is whole.
func (vm *VM) dump(ctx context.Context, path string, write func(partial string) error) error {
	var status struct{ Running bool }
	if err := vm.QMP.Execute(ctx, "query-status", nil, &status); err != nil {
		return err
	}
	if status.Running {
		return errors.New("guest memory cannot be dumped while the guest changes it: pause it first")
	}
	path, err := filepath.Abs(path) // QEMU resolves it, not this process
	if err != nil {
		return err
	}
	partial := path + ".partial"
	defer os.Remove(partial)
	if err := write(partial); err != nil {
		return fmt.Errorf("dump guest memory to %s: %w", path, err)
	}
	return os.Rename(partial, path)
}
