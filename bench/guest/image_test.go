package guest

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
)

func recipeOf(init string, packages ...string) Recipe {
	return Recipe{Name: "sample", Packages: packages, Files: fstest.MapFS{"init": {Data: []byte(init)}}}
}

func TestImageKey(t *testing.T) {
	keys := map[string]string{}
	for name, recipe := range map[string]Recipe{
		"a":              recipeOf("#!/bin/a", "busybox-static"),
		"other file":     recipeOf("#!/bin/b", "busybox-static"),
		"other package":  recipeOf("#!/bin/a", "busybox"),
		"other packages": recipeOf("#!/bin/a", "busybox", "static"),
		"other file name": {Name: "sample", Packages: []string{"busybox-static"},
			Files: fstest.MapFS{"inix": {Data: []byte("#!/bin/a")}}},
		"package on disk": {Name: "sample", Disk: []string{"busybox-static"},
			Files: fstest.MapFS{"init": {Data: []byte("#!/bin/a")}}},
		"module": {Name: "sample", Packages: []string{"busybox-static"}, Modules: []string{"virtio"},
			Files: fstest.MapFS{"init": {Data: []byte("#!/bin/a")}}},
	} {
		key, err := recipe.key()
		if err != nil {
			t.Fatal(err)
		}
		if other, taken := keys[key]; taken {
			t.Errorf("%s and %s share the key %s", name, other, key)
		}
		keys[key] = name
		if again, err := recipe.key(); err != nil || again != key {
			t.Errorf("%s: keys %s and %s, %v", name, key, again, err)
		}
	}
}

func TestBuildTakesCachedImage(t *testing.T) {
	t.Setenv("PATH", "") // no apt-get, no dpkg-deb: nothing can be made
	cache, recipe := t.TempDir(), recipeOf("#!/bin/a", "busybox-static")
	key, err := recipe.key()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "sample-"+key)
	write(t, dir, "initramfs", "files", 0o644)
	write(t, dir, "packages", "linux=6.1\nbusybox=1.35\n", 0o644)
	image, err := Build(context.Background(), recipe, cache, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	want := &Image{
		Kernel: dir + "/vmlinuz", Initramfs: dir + "/initramfs",
		Packages: []string{"linux=6.1", "busybox=1.35"}, Cached: true,
	}
	if !reflect.DeepEqual(image, want) {
		t.Errorf("got %+v, want %+v", image, want)
	}
	if content, err := os.ReadFile(image.Initramfs); err != nil || string(content) != "files" {
		t.Errorf("initramfs %q, %v", content, err)
	}
}

func TestMissingToolNamesPackage(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Build(context.Background(), recipeOf("#!/bin/a", "busybox-static"), t.TempDir(), func(string) {})
	if err == nil || !strings.Contains(err.Error(), "install the Debian package apt") {
		t.Errorf("Build: error %v", err)
	}
	_, err = Start(context.Background(), Config{Image: &Image{}})
	if err == nil || !strings.Contains(err.Error(), "install the Debian package qemu-system-x86") {
		t.Errorf("Start: error %v", err)
	}
}

func TestInitramfsNeedsInit(t *testing.T) {
	_, err := makeInitramfs(tree{}, fstest.MapFS{"etc/hosts": {Data: []byte("::1 me")}})
	if err == nil || !strings.Contains(err.Error(), "init") {
		t.Errorf("error %v", err)
	}
}
