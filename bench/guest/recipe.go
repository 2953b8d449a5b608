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
	// Files are added last, at the paths they have in it. One must be "init",
	// the program that the kernel starts. Files that begin with "#!" become
	// executable.
	Files fs.FS
}
