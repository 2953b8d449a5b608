package guest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
)

// diskFormat is part of every disk's cache key: raise it when buildDisk makes
// other disks from the same packages.
const diskFormat = 1

// diskDir returns the directory in cacheDir for the recipe's disk, and nothing
// if it has none. Recipes that differ only in what is in the initramfs share
// it.
func (r Recipe) diskDir(cacheDir string) (string, error) {
	if len(r.Disk) == 0 {
		return "", nil
	}
	release, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return "", err
	}
	key := sha256.Sum256(fmt.Appendf(nil, "%d\n%q\n%q\n", diskFormat, release, r.Disk))
	return filepath.Join(cacheDir, "disk-"+hex.EncodeToString(key[:8])), nil
}

// buildDisk puts a disk with the packages, and what they depend on, into dir,
// and their list.
func buildDisk(ctx context.Context, private apt, names []string, dir string, progress func(string)) error {
	packages, err := private.resolve(ctx, withMergedUsr(names)...)
	if err != nil {
		return err
	}
	progress(fmt.Sprintf("fetching %d packages for a disk with %s", len(packages), strings.Join(names, ", ")))
	debs, err := private.download(ctx, packages)
	if err != nil {
		return err
	}
	progress("making the disk")
	root, err := userSpaceTree(ctx, debs)
	if err != nil {
		return err
	}
	return writeFiles(dir, func(fresh string) error {
		if err := root.writeDisk(ctx, filepath.Join(fresh, "disk")); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(fresh, "packages"), packageList(packages), 0o644)
	})
}

// writeDisk writes the tree as an ext4 file system to be read only, to the
// file at path. The files belong to the user who calls it.
func (t tree) writeDisk(ctx context.Context, path string) error {
	tool, err := LookTool("mke2fs")
	if err != nil {
		return err
	}
	files, err := os.MkdirTemp(filepath.Dir(path), "files-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(files)
	if err := t.writeFiles(files); err != nil {
		return err
	}
	var bytes, inodes int64 = 0, int64(len(t))
	for _, n := range t {
		bytes += (int64(len(n.data)) + 4095) / 4096 * 4096
	}
	// Directories and the file system's own tables need room as well; a disk
	// that is too small is an error, one that is too large has holes.
	size := bytes + bytes/8 + inodes*4096 + 16<<20
	cmd := exec.CommandContext(ctx, tool, "-q", "-t", "ext4", "-b", "4096", "-m", "0",
		"-O", "^has_journal", "-N", fmt.Sprint(inodes+1024), "-E", "root_owner=0:0,nodiscard",
		"-d", files, path, fmt.Sprintf("%dk", size>>10))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mke2fs %s: %w\n%s", path, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// writeFiles writes the tree below the directory root.
func (t tree) writeFiles(root string) error {
	names := make([]string, 0, len(t))
	for name := range t {
		names = append(names, name)
	}
	sort.Strings(names) // a directory sorts before the files in it
	for _, name := range names {
		path, n := filepath.Join(root, name), t[name]
		mode := os.FileMode(n.mode & 0o777)
		var err error
		switch n.mode & 0o170000 {
		case typeDir:
			// mke2fs must be able to read what is written here
			err = os.Mkdir(path, mode|0o700)
		case typeSymlink:
			err = os.Symlink(string(n.data), path)
		default:
			err = os.WriteFile(path, n.data, mode|0o400)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
