package guest

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestWriteDisk(t *testing.T) {
	need(t, "mke2fs")
	root := tree{}
	root.put("bin", node{typeSymlink | 0o777, []byte("usr/bin")})
	root.put("usr/bin/tool", node{typeRegular | 0o755, []byte("a program")})
	root.put("var/secret", node{mode: typeDir | 0o500})
	root.put("var/secret/key", node{typeRegular | 0o200, []byte(strings.Repeat("long", 1<<18))})
	path := filepath.Join(t.TempDir(), "disk")
	if err := root.writeDisk(context.Background(), path); err != nil {
		t.Fatal(err)
	}
	tool, err := LookTool("debugfs") // of the same package as mke2fs
	if err != nil {
		t.Fatal(err)
	}
	ask := func(request string) string {
		t.Helper()
		out, err := exec.Command(tool, "-R", request, path).Output()
		if err != nil {
			t.Fatalf("debugfs %s: %v", request, err)
		}
		return string(out)
	}
	if got := ask("cat /usr/bin/tool"); got != "a program" {
		t.Errorf("the program is %q", got)
	}
	if got := ask("cat /var/secret/key"); got != strings.Repeat("long", 1<<18) {
		t.Errorf("the file of 1 MiB has %d bytes", len(got))
	}
	if got := ask("stat /bin"); !strings.Contains(got, `Fast link dest: "usr/bin"`) {
		t.Errorf("the link is\n%s", got)
	}
	if got := ask("stat /usr/bin/tool"); !strings.Contains(got, "Mode:  0755") {
		t.Errorf("the program is\n%s", got)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); err != nil || len(left) != 1 {
		t.Errorf("left beside the disk: %v, %v", left, err)
	}
}

func TestDiskDir(t *testing.T) {
	dir := func(r Recipe) string {
		t.Helper()
		dir, err := r.diskDir("/cache")
		if err != nil {
			t.Fatal(err)
		}
		return dir
	}
	one := dir(Recipe{Name: "a", Disk: []string{"gcc"}})
	if got := dir(recipeOf("#!/bin/a", "gcc")); got != "" {
		t.Errorf("a recipe without a disk has %s", got)
	}
	if got := dir(Recipe{Name: "b", Packages: []string{"busybox"}, Disk: []string{"gcc"}}); got != one || filepath.Dir(got) != "/cache" {
		t.Errorf("the same packages are in %s and %s", one, got)
	}
	if got := dir(Recipe{Name: "a", Disk: []string{"gcc", "make"}}); got == one {
		t.Errorf("other packages are in %s too", got)
	}
}
