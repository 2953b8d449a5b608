package image

// A Format says how a memory image is laid out.
type Format string

const (
	// Auto chooses by the first bytes of the input, and Raw where they say
	// nothing or promise what the input does not keep.
	Auto Format = "auto"
	// Raw is memory from address 0 on and nothing else.
	Raw Format = "raw"
	// ELF is an ELF core, as QEMU's dump-guest-memory, virsh dump
	// --memory-only, gcore and the Linux kernel write it, of 32 or 64 bits and
	// either byte order.
	ELF Format = "elf"
	// LiME is a dump in the lime format, version 1, of LiME or AVML.
	LiME Format = "lime"
)

// unfit says why an input cannot be taken as a format, in a clause of its own.
type unfit string

func (u unfit) Error() string { return string(u) }
