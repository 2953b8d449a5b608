package guest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Package is one Debian package at one version.
type Package struct {
	Name, Version, Arch string
}

// String returns the form that dpkg-query prints: name=version.
func (p Package) String() string { return p.Name + "=" + p.Version }

// fileName returns the name that apt-get download gives the package's file.
func (p Package) fileName() string {
	version := strings.NewReplacer(":", "%3a", "_", "%5f").Replace(p.Version)
	return p.Name + "_" + version + "_" + p.Arch + ".deb"
}

// apt is a private apt: the package sources and keys are the machine's own,
// lists and downloads are kept under dir. Its list of installed packages is
// empty, so that a resolution holds every dependency, whatever the machine
// already has, and no step needs root.
type apt struct {
	dir string
}

func newApt(dir string) (apt, error) {
	if _, err := LookTool("apt-get"); err != nil {
		return apt{}, err
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return apt{}, err
	}
	for _, sub := range []string{"state/lists/partial", "cache/archives/partial", "packages"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return apt{}, err
		}
	}
	return apt{dir}, os.WriteFile(filepath.Join(dir, "status"), nil, 0o644)
}

// get runs apt-get in workDir and returns its standard output.
func (a apt) get(ctx context.Context, workDir string, args ...string) ([]byte, error) {
	options := []string{
		"-o", "Dir::State=" + filepath.Join(a.dir, "state"),
		"-o", "Dir::State::status=" + filepath.Join(a.dir, "status"),
		"-o", "Dir::Cache=" + filepath.Join(a.dir, "cache"),
		"-o", "APT::Architecture=amd64",
		"-o", "APT::Architectures=amd64",
		// apt's own download user cannot enter a private cache directory.
		"-o", "APT::Sandbox::User=",
		"-o", "Acquire::Languages=none",
		"-o", "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
	}
	cmd := exec.CommandContext(ctx, "apt-get", append(options, args...)...)
	cmd.Dir = workDir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("apt-get %s: %w\n%s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.Bytes(), nil
}

// update fetches the package lists of the machine's package sources.
func (a apt) update(ctx context.Context) error {
	_, err := a.get(ctx, a.dir, "update", "--error-on=any")
	return err
}

// resolve returns the named packages and all they depend on, in the order in
// which they would be unpacked.
func (a apt) resolve(ctx context.Context, names ...string) ([]Package, error) {
	args := append([]string{"--simulate", "--no-install-recommends", "install"}, names...)
	out, err := a.get(ctx, a.dir, args...)
	if err != nil {
		return nil, fmt.Errorf("%w\n(check that the machine's package sources are those of Debian)", err)
	}
	packages, err := parseSimulation(out)
	if err != nil {
		return nil, fmt.Errorf("apt-get %s: %w", strings.Join(args, " "), err)
	}
	return packages, nil
}

// parseSimulation reads the "Inst" lines of apt-get --simulate:
//
//	Inst redis-server (5:7.0.15-1~deb12u5 Debian:12/stable [amd64])
func parseSimulation(out []byte) ([]Package, error) {
	var packages []Package
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		rest, isInst := strings.CutPrefix(lines.Text(), "Inst ")
		if !isInst {
			continue
		}
		name, rest, hasVersion := strings.Cut(rest, " (")
		version, rest, hasOrigin := strings.Cut(rest, " ")
		rest, _, hasArch := strings.Cut(rest, "])")
		arch := rest[strings.LastIndex(rest, "[")+1:]
		if !hasVersion || !hasOrigin || !hasArch || name == "" || version == "" || arch == "" {
			return nil, fmt.Errorf("line not understood: %q", lines.Text())
		}
		packages = append(packages, Package{name, version, arch})
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(packages) == 0 {
		return nil, errors.New("it would install no package")
	}
	return packages, nil
}

// kernelPackage finds the package with the kernel itself in what the
// metapackage linux-image-cloud-amd64 resolves to.
func kernelPackage(resolved []Package) (Package, error) {
	for _, p := range resolved {
		if strings.HasPrefix(p.Name, "linux-image-") && p.Name != kernelMetapackage {
			return p, nil
		}
	}
	return Package{}, fmt.Errorf("%s depends on no linux-image package", kernelMetapackage)
}

// download fetches those of the packages which are not there yet and returns
// the paths of their files. apt checks each against the signed package list.
func (a apt) download(ctx context.Context, packages []Package) ([]string, error) {
	store := filepath.Join(a.dir, "packages")
	files := make([]string, len(packages))
	var missing []string
	for i, p := range packages {
		files[i] = filepath.Join(store, p.fileName())
		if _, err := os.Stat(files[i]); errors.Is(err, os.ErrNotExist) {
			missing = append(missing, p.String())
		} else if err != nil {
			return nil, err
		}
	}
	if len(missing) == 0 {
		return files, nil
	}
	// Only whole files get into the store: fetch beside it, then rename.
	fresh, err := os.MkdirTemp(a.dir, "download-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(fresh)
	if _, err := a.get(ctx, fresh, append([]string{"download"}, missing...)...); err != nil {
		return nil, err
	}
	fetched, err := os.ReadDir(fresh)
	if err != nil {
		return nil, err
	}
	for _, f := range fetched {
		if err := os.Rename(filepath.Join(fresh, f.Name()), filepath.Join(store, f.Name())); err != nil {
			return nil, err
		}
	}
	for _, file := range files {
		if _, err := os.Stat(file); err != nil {
			return nil, fmt.Errorf("apt-get download: it left no such file: %w", err)
		}
	}
	return files, nil
}
