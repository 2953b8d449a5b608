package guest

import "io/fs"

// kernelMetapackage depends on the newest kernel for virtual machines.
const kernelMetapackage = "linux-image-cloud-amd64"

// Recipe says what a guest consists of.
type Recipe struct {
	// Name names the recipe in the cache.
	Name string
	// Packages are the Debian packages of the guest's user space; what they
	// depend on is added. Their maintainer scripts are not run.
	Packages []string
	// Disk are Debian packages like Packages, which go to a disk instead, an
	// ext4 file system to be read only.
	Disk []string
	// Modules are the names of kernel modules, which become files like
	// /modules/virtio.ko. What they depend on is not added.
	Modules []string
	// Files are added last, at the paths they have in it. One must be "init",
	// the program that the kernel starts. Scripts, which begin with "#!", and
	// programs become executable.
	Files fs.FS
}
