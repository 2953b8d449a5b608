package main

import "golang.org/x/sys/unix"

// warm touches memory, in huge pages as QEMU has them for a guest, and gives it
// back, so that what is allocated right after is there already. Where this
// machine is itself a virtual one that returns free memory to its host, the
// first use of a page costs several times what a migration does with it, and
// counts as CPU time of whoever uses it.
func warm(bytes int64) error {
	memory, err := unix.Mmap(-1, 0, int(bytes), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return err
	}
	if err := unix.Madvise(memory, unix.MADV_HUGEPAGE); err != nil {
		return err
	}
	for i := 0; i < len(memory); i += 4096 {
		memory[i] = 1
	}
	return unix.Munmap(memory)
}
