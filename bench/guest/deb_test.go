package guest

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// need skips a test where a program is missing, but fails it in CI, which has
// them all.
func need(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		_, err := LookTool(tool)
		switch {
		case err != nil && os.Getenv("CI") == "true":
			t.Fatal(err)
		case err != nil:
			t.Skip(err)
		}
	}
}

// makeDeb has dpkg-deb build a package of the files in root.
func makeDeb(t *testing.T, root string) string {
	t.Helper()
	need(t, "dpkg-deb")
	write(t, root, "DEBIAN/control", "Package: sample\nVersion: 1\nArchitecture: all\nMaintainer: Nobody\nDescription: sample\n", 0o644)
	deb := filepath.Join(t.TempDir(), "sample.deb")
	if out, err := exec.Command("dpkg-deb", "--root-owner-group", "--build", root, deb).CombinedOutput(); err != nil {
		t.Fatalf("dpkg-deb: %v\n%s", err, out)
	}
	return deb
}

func write(t *testing.T, root, name, content string, mode fs.FileMode) {
	t.Helper()
	path := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

func TestPutDeb(t *testing.T) {
	root := t.TempDir()
	write(t, root, "bin/tool", "a program", 0o755)
	write(t, root, "usr/share/doc/sample/copyright", "not wanted", 0o644)
	if err := os.Link(filepath.Join(root, "bin/tool"), filepath.Join(root, "bin/tool2")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/alternatives/x", filepath.Join(root, "bin/x")); err != nil {
		t.Fatal(err)
	}
	got := tree{}
	if err := got.putDeb(context.Background(), makeDeb(t, root)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]node{
		"usr":           {mode: 0o040755},
		"usr/bin":       {mode: 0o040755},
		"usr/bin/tool":  {0o100755, []byte("a program")},
		"usr/bin/tool2": {0o100755, []byte("a program")},
		"usr/bin/x":     {0o120777, []byte("/etc/alternatives/x")},
	} {
		n, have := got[name]
		if !have || n.mode != want.mode || !bytes.Equal(n.data, want.data) {
			t.Errorf("%s: got %o %q, want %o %q", name, n.mode, n.data, want.mode, want.data)
		}
	}
	for name := range got {
		if strings.HasPrefix(name, "bin") || strings.HasPrefix(name, "usr/share/doc/") {
			t.Errorf("%s is there", name)
		}
	}
}

func TestReadKernel(t *testing.T) {
	root := t.TempDir()
	write(t, root, "boot/System.map-6.1", "symbols", 0o644)
	write(t, root, "boot/vmlinuz-6.1", "the kernel", 0o644)
	// More than a pipe holds comes after it: reading must stop all the same.
	write(t, root, "lib/modules/big.ko", strings.Repeat("module", 1<<20), 0o644)
	deb := makeDeb(t, root)
	kernel, modules, err := readKernel(context.Background(), deb, nil)
	if err != nil || string(kernel) != "the kernel" || len(modules) != 0 {
		t.Errorf("got %q and %d modules, %v", kernel, len(modules), err)
	}
}

func TestReadModules(t *testing.T) {
	root := t.TempDir()
	write(t, root, "boot/vmlinuz-6.1", "the kernel", 0o644)
	write(t, root, "lib/modules/6.1/kernel/drivers/virtio/virtio.ko", "virtio's code", 0o644)
	write(t, root, "lib/modules/6.1/kernel/drivers/virtio/virtio_ring.ko", "the ring's", 0o644)
	write(t, root, "lib/modules/6.1/kernel/fs/xfs.ko", "not wanted", 0o644)
	deb := makeDeb(t, root)
	kernel, modules, err := readKernel(context.Background(), deb, []string{"virtio_ring", "virtio"})
	if err != nil || string(kernel) != "the kernel" {
		t.Errorf("got %q, %v", kernel, err)
	}
	if len(modules) != 2 || string(modules["virtio"]) != "virtio's code" || string(modules["virtio_ring"]) != "the ring's" {
		t.Errorf("got modules %q", modules)
	}
	if _, _, err := readKernel(context.Background(), deb, []string{"virtio", "overlay"}); err == nil || !strings.Contains(err.Error(), "overlay.ko") {
		t.Errorf("module that is not there: error %v", err)
	}
}

func TestReadKernelErrors(t *testing.T) {
	root := t.TempDir()
	write(t, root, "boot/config-6.1", "options", 0o644)
	deb := makeDeb(t, root)
	if _, _, err := readKernel(context.Background(), deb, nil); err == nil || !strings.Contains(err.Error(), "vmlinuz") {
		t.Errorf("package without a kernel: error %v", err)
	}
	data, err := os.ReadFile(deb)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(deb, data[:len(data)-40], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := readKernel(context.Background(), deb, nil); err == nil || !strings.Contains(err.Error(), "sample.deb") {
		t.Errorf("cut package: error %v", err)
	}
}
