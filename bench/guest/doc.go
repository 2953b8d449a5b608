// Package guest makes and runs a real Linux guest under QEMU (TCG, no KVM
// needed) and takes its memory over QMP.
//
// A Recipe names the Debian packages and the files a guest consists of. Build
// turns it into an Image: the kernel of linux-image-cloud-amd64, an initramfs
// and, for large services, a disk to be read only, all made from packages which
// apt fetches from the machine's own package sources. Start boots an Image, or
// waits for a guest that is migrated to it; the VM it returns has the guest's
// serial console, a QMP connection and the dumps of guest memory, raw or as an
// ELF core.
//
// The host needs the Debian packages apt, dpkg and qemu-system-x86, and
// e2fsprogs for a guest with a disk. No step needs root but a network namespace
// of its own.
package guest
