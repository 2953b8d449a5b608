package guest

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
)

// readDeb calls visit for each file of a .deb, in the archive's order. It
// stops early without error if visit returns io.EOF.
func readDeb(ctx context.Context, deb string, visit func(*tar.Header, io.Reader) error) error {
	tool, err := LookTool("dpkg-deb")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, tool, "--fsys-tarfile", deb)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	// dpkg-deb decompresses in a child of its own, which only the closed pipe
	// ends: without that, Wait would wait for it.
	abandon := func() {
		out.Close()
		cancel()
		cmd.Wait()
	}
	archive := tar.NewReader(out)
	for {
		header, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			abandon()
			return fmt.Errorf("%s: %w %s", deb, err, strings.TrimSpace(stderr.String()))
		}
		if err := visit(header, archive); err != nil {
			abandon()
			if err == io.EOF {
				return nil
			}
			return fmt.Errorf("%s: %w", deb, err)
		}
	}
	io.Copy(io.Discard, out) // the padding after the archive's end
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("dpkg-deb --fsys-tarfile %s: %w %s", deb, err, strings.TrimSpace(stderr.String()))
	}
	return nil
}

// unwanted holds the directories that a guest without users does not need.
var unwanted = []string{
	"usr/share/doc/", "usr/share/man/", "usr/share/info/", "usr/share/locale/",
	"usr/share/lintian/", "usr/share/bug/", "usr/share/icons/", "usr/share/pixmaps/",
	"usr/lib/systemd/", "usr/lib/udev/", "usr/share/initramfs-tools/",
}

// guestPath returns where a file of a package lies in the guest, where /bin,
// /sbin and /lib are links into /usr; ok is false for what is left out.
func guestPath(name string) (_ string, ok bool) {
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	top, _, _ := strings.Cut(name, "/")
	switch top {
	case "":
		return "", false
	case "bin", "sbin", "lib", "lib64":
		if top == name {
			return "", false // the directory itself
		}
		name = "usr/" + name
	}
	for _, dir := range unwanted {
		if strings.HasPrefix(name+"/", dir) {
			return "", false
		}
	}
	return name, true
}

// putDeb adds the files of a .deb.
func (t tree) putDeb(ctx context.Context, deb string) error {
	return readDeb(ctx, deb, func(h *tar.Header, content io.Reader) error {
		name, ok := guestPath(h.Name)
		if !ok {
			return nil
		}
		mode := uint32(h.Mode) & 0o7777
		switch h.Typeflag {
		case tar.TypeDir:
			t.put(name, node{mode: typeDir | mode})
		case tar.TypeSymlink:
			t.put(name, node{typeSymlink | 0o777, []byte(h.Linkname)})
		case tar.TypeLink:
			target, _ := guestPath(h.Linkname)
			original, have := t[target]
			if !have {
				return fmt.Errorf("%s is a hard link to %s, which is not there", h.Name, h.Linkname)
			}
			t.put(name, original)
		case tar.TypeReg:
			data, err := io.ReadAll(content)
			if err != nil {
				return err
			}
			t.put(name, node{typeRegular | mode, data})
		default:
			return fmt.Errorf("%s: file type %q is not supported", h.Name, h.Typeflag)
		}
		return nil
	})
}

// readKernel returns the kernel, boot/vmlinuz-VERSION, of a linux-image
// package, and the kernel modules of the given names.
func readKernel(ctx context.Context, deb string, modules []string) (kernel []byte, found map[string][]byte, err error) {
	found = map[string][]byte{}
	err = readDeb(ctx, deb, func(h *tar.Header, content io.Reader) error {
		var err error
		name := path.Clean(h.Name)
		if strings.HasPrefix(name, "boot/vmlinuz-") {
			kernel, err = io.ReadAll(content)
		} else if module, is := strings.CutSuffix(path.Base(name), ".ko"); is && slices.Contains(modules, module) {
			found[module], err = io.ReadAll(content)
		}
		if err == nil && kernel != nil && len(found) == len(modules) {
			err = io.EOF
		}
		return err
	})
	if err == nil && kernel == nil {
		err = errors.New(deb + ": no file boot/vmlinuz-*")
	}
	for _, module := range modules {
		if _, have := found[module]; err == nil && !have {
			err = fmt.Errorf("%s: no module %s.ko", deb, module)
		}
	}
	return kernel, found, err
}
