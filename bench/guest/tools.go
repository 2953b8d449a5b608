package guest

import (
	"fmt"
	"os/exec"
)

// debianPackage tells which Debian package holds a program.
var debianPackage = map[string]string{
	"apt-get":            "apt",
	"dpkg-deb":           "dpkg",
	"debugfs":            "e2fsprogs",
	"mke2fs":             "e2fsprogs",
	"qemu-system-x86_64": "qemu-system-x86",
}

// Tools returns the programs that Build and Start run. A recipe with a disk
// takes mke2fs as well.
func Tools() []string {
	return []string{"apt-get", "dpkg-deb", "qemu-system-x86_64"}
}

// LookTool returns the path of a program in PATH. If there is none, the error
// names the Debian package to install.
func LookTool(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		// where those of the system's administrator are, in whose PATH alone it is
		path, err = exec.LookPath("/usr/sbin/" + name)
	}
	if err == nil {
		return path, nil
	}
	if pkg, known := debianPackage[name]; known {
		return "", fmt.Errorf("%s not found: install the Debian package %s", name, pkg)
	}
	return "", fmt.Errorf("%s not found: install it or correct its path", name)
}
