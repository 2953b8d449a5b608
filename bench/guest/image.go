package guest

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// imageFormat is part of every image's cache key: raise it when Build makes
// other images from the same recipe.
const imageFormat = 2

// Image is a guest that Start can boot.
type Image struct {
	// Kernel and Initramfs are the paths of the two files.
	Kernel, Initramfs string
	// Disk is the path of the disk, empty if the recipe has none.
	Disk string
	// Packages are the Debian packages that the image was made from, the
	// kernel's first.
	Packages []string
	// Cached tells that an earlier Build made the image.
	Cached bool
}

// Build makes the image of a recipe, or finds it in cacheDir, where downloads
// and finished images are kept. An image is made anew when its recipe or the
// machine's Debian release changes; delete cacheDir to get newer packages of
// the same release. progress is called with one short line for each step.
func Build(ctx context.Context, recipe Recipe, cacheDir string, progress func(string)) (*Image, error) {
	if err := os.MkdirAll(cacheDir, 0o755); err != nil {
		return nil, err
	}
	unlock, err := lock(ctx, filepath.Join(cacheDir, "lock"))
	if err != nil {
		return nil, err
	}
	defer unlock()

	key, err := recipe.key()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(cacheDir, recipe.Name+"-"+key)
	diskDir, err := recipe.diskDir(cacheDir)
	if err != nil {
		return nil, err
	}
	if image, err := openImage(dir, diskDir); err == nil || !errors.Is(err, os.ErrNotExist) {
		return image, err
	}

	private, err := newApt(filepath.Join(cacheDir, "apt"))
	if err != nil {
		return nil, err
	}
	progress("fetching the package lists")
	if err := private.update(ctx); err != nil {
		return nil, err
	}
	if diskDir != "" {
		if _, err := os.Stat(diskDir); errors.Is(err, os.ErrNotExist) {
			if err := buildDisk(ctx, private, recipe.Disk, diskDir, progress); err != nil {
				return nil, err
			}
		} else if err != nil {
			return nil, err
		}
	}
	meta, err := private.resolve(ctx, kernelMetapackage)
	if err != nil {
		return nil, err
	}
	kernel, err := kernelPackage(meta)
	if err != nil {
		return nil, err
	}
	packages := []Package{kernel}
	if len(recipe.Packages) > 0 {
		userSpace, err := private.resolve(ctx, withMergedUsr(recipe.Packages)...)
		if err != nil {
			return nil, err
		}
		packages = append(packages, userSpace...)
	}
	progress(fmt.Sprintf("fetching %s and %d packages for %s", kernel, len(packages)-1, recipe.Name))
	debs, err := private.download(ctx, packages)
	if err != nil {
		return nil, err
	}

	progress("making the initramfs")
	vmlinuz, modules, err := readKernel(ctx, debs[0], recipe.Modules)
	if err != nil {
		return nil, err
	}
	root, err := userSpaceTree(ctx, debs[1:])
	if err != nil {
		return nil, err
	}
	for name, module := range modules {
		root.put("modules/"+name+".ko", node{typeRegular | 0o644, module})
	}
	initramfs, err := makeInitramfs(root, recipe.Files)
	if err != nil {
		return nil, err
	}
	err = writeFiles(dir, func(fresh string) error {
		for name, data := range map[string][]byte{
			"vmlinuz":   vmlinuz,
			"initramfs": initramfs,
			"packages":  packageList(packages),
		} {
			if err := os.WriteFile(filepath.Join(fresh, name), data, 0o644); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	image, err := openImage(dir, diskDir)
	if err == nil {
		image.Cached = false
	}
	return image, err
}

// withMergedUsr adds the package usr-is-merged, which says what userSpaceTree
// lays out; without it apt takes usrmerge, which would do it at installation,
// and Perl with it.
func withMergedUsr(names []string) []string {
	return append([]string{"usr-is-merged"}, names...)
}

func packageList(packages []Package) []byte {
	var names bytes.Buffer
	for _, p := range packages {
		fmt.Fprintln(&names, p)
	}
	return names.Bytes()
}

// userSpaceTree returns the files of the packages, and the directories that a
// system has.
func userSpaceTree(ctx context.Context, debs []string) (tree, error) {
	root := tree{}
	for _, dir := range []string{"bin", "sbin", "lib", "lib64"} {
		root.put(dir, node{typeSymlink | 0o777, []byte("usr/" + dir)})
	}
	for _, dir := range []string{"dev", "proc", "run", "sys", "tmp", "root"} {
		root.put(dir, node{mode: typeDir | 0o755})
	}
	for _, deb := range debs {
		if err := root.putDeb(ctx, deb); err != nil {
			return nil, err
		}
	}
	return root, nil
}

// makeInitramfs returns root, with files over it, as a gzip-compressed cpio
// archive.
func makeInitramfs(root tree, files fs.FS) ([]byte, error) {
	if err := root.putFS(files); err != nil {
		return nil, err
	}
	if _, have := root["init"]; !have {
		return nil, errors.New("the recipe has no file named init")
	}
	var archive bytes.Buffer
	// The guest unpacks this under emulation: speed counts, not size.
	compressed, err := gzip.NewWriterLevel(&archive, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := root.writeCpio(compressed); err != nil {
		return nil, err
	}
	if err := compressed.Close(); err != nil {
		return nil, err
	}
	return archive.Bytes(), nil
}

// writeFiles has write put files into a directory, which becomes dir. It
// appears last, by a rename, so that an interrupted Build leaves none.
func writeFiles(dir string, write func(fresh string) error) error {
	fresh, err := os.MkdirTemp(filepath.Dir(dir), "image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(fresh)
	if err := os.Chmod(fresh, 0o755); err != nil {
		return err
	}
	if err := write(fresh); err != nil {
		return err
	}
	return os.Rename(fresh, dir)
}

// openImage finds the image that Build left in dir, and its disk in diskDir
// unless that is empty.
func openImage(dir, diskDir string) (*Image, error) {
	names, err := os.ReadFile(filepath.Join(dir, "packages"))
	if err != nil {
		return nil, err
	}
	image := &Image{
		Kernel:    filepath.Join(dir, "vmlinuz"),
		Initramfs: filepath.Join(dir, "initramfs"),
		Cached:    true,
	}
	if diskDir != "" {
		onDisk, err := os.ReadFile(filepath.Join(diskDir, "packages"))
		if err != nil {
			return nil, err
		}
		image.Disk = filepath.Join(diskDir, "disk")
		names = append(names, onDisk...)
	}
	image.Packages = strings.Fields(string(names))
	return image, nil
}

// key hashes all that an image depends on: the recipe, the way images are
// made, and the release that apt takes packages from.
func (r Recipe) key() (string, error) {
	hash := sha256.New()
	release, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return "", err
	}
	fmt.Fprintf(hash, "%d\n%q\n%q\n%q\n%q\n", imageFormat, release, r.Packages, r.Modules, r.Disk)
	err = fs.WalkDir(r.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(r.Files, name)
		if err != nil {
			return err
		}
		fmt.Fprintf(hash, "%q %d\n", name, len(data))
		_, err = io.Copy(hash, bytes.NewReader(data))
		return err
	})
	return hex.EncodeToString(hash.Sum(nil)[:8]), err
}

// lock waits until no other process holds the lock on the file, and takes it.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { file.Close() }, nil
		}
		if err == syscall.EWOULDBLOCK || err == syscall.EINTR {
			select {
			case <-time.After(100 * time.Millisecond):
				continue
			case <-ctx.Done():
				err = ctx.Err()
			}
		}
		file.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
}
