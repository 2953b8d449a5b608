package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// compile is a workload that compiles C programs again and again, those of the
// stb libraries. Its unit of work is what the compiler tells of: a function
// parsed or assembled, or a pass over all of them. Each object file must be
// that of the first time.
type compile struct {
	n       *counts
	dir     string // where programs and object files are
	running *exec.Cmd
	ended   chan error
	next    int // the program that is compiled, or will be next
	objects [][]byte
	kept    int // object files of later times, which lie in memory too
	cache   files
}

// programs are what is compiled.
var programs = [][2]string{
	{"image_write", "#define STB_IMAGE_WRITE_IMPLEMENTATION\n#include <stb/stb_image_write.h>\n"},
	{"sprintf", "#define STB_SPRINTF_IMPLEMENTATION\n#include <stb/stb_sprintf.h>\n"},
	{"truetype", "#define STB_TRUETYPE_IMPLEMENTATION\n#include <stb/stb_truetype.h>\n"},
	{"image_resize", "#define STB_IMAGE_RESIZE_IMPLEMENTATION\n#include <stb/stb_image_resize.h>\n"},
	{"image", "#define STB_IMAGE_IMPLEMENTATION\n#include <stb/stb_image.h>\n"},
	{"dxt", "#define STB_DXT_IMPLEMENTATION\n#include <stb/stb_dxt.h>\n"},
}

// keepObjects is how many object files stay, as in a tree that is built.
const keepObjects = 600

func newCompile(given settings, n *counts) (load, error) {
	return &compile{n: n, dir: "/tmp", objects: make([][]byte, len(programs))}, nil
}

func (c *compile) set(string, string) error { return errNotASetting }

func (c *compile) prepare(step func(string, ...any)) (string, error) {
	free, err := freeMiB()
	if err != nil {
		return "", err
	}
	step("reading the compiler and what belongs to it")
	// What is run comes first.
	for _, dir := range []string{"/usr/lib/gcc", "/usr/include", "/usr/bin", "/usr/lib"} {
		if err := c.cache.read(dir, int64(free*2/3)<<20); err != nil {
			return "", err
		}
	}
	for _, program := range programs {
		if err := os.WriteFile(filepath.Join(c.dir, program[0]+".c"), []byte(program[1]), 0o644); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("gcc compiles %d programs, %d MiB of files in the page cache", len(programs), c.cache.bytes>>20), nil
}

// work sees to it that a compiler runs, and looks after it for a moment.
func (c *compile) work() error {
	if c.running == nil {
		if err := c.start(); err != nil {
			return err
		}
	}
	select {
	case err := <-c.ended:
		c.running = nil
		if err != nil {
			return err
		}
		return c.finish()
	case <-time.After(50 * time.Millisecond):
		return nil
	}
}

func (c *compile) start() error {
	name := programs[c.next][0]
	c.running = command(0, "gcc", "-Q", "-O0", "-c", "-o", name+".o", name+".c")
	c.running.Dir = c.dir
	progress, err := c.running.StderrPipe()
	if err != nil {
		return err
	}
	if err := c.running.Start(); err != nil {
		return err
	}
	c.ended = make(chan error, 1)
	go func(cmd *exec.Cmd, ended chan<- error) {
		said := countProgress(progress, func() { c.n.ops.Add(1) })
		err := cmd.Wait()
		if err != nil {
			err = fmt.Errorf("gcc %s.c: %w: %s", name, err, lastLines(said))
		}
		ended <- err
	}(c.running, c.ended)
	return nil
}

// countProgress counts the words that the compiler says, up to its account of
// the time, and returns the last of them.
func countProgress(progress io.Reader, count func()) (last []byte) {
	words := bufio.NewScanner(progress)
	words.Split(bufio.ScanWords)
	for counting := true; words.Scan(); {
		if counting = counting && words.Text() != "Time"; counting {
			count()
		}
		if last = append(append(last, words.Bytes()...), ' '); len(last) > 1000 {
			last = last[500:]
		}
	}
	return last
}

// finish compares the object file with the first of its program.
func (c *compile) finish() error {
	name := programs[c.next][0]
	path := filepath.Join(c.dir, name+".o")
	object, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if c.objects[c.next] == nil {
		c.objects[c.next] = object
	} else if !bytes.Equal(object, c.objects[c.next]) {
		c.n.bad.Add(1)
	}
	if err := os.Rename(path, filepath.Join(c.dir, fmt.Sprintf("%03d-%s.o", c.kept%keepObjects, name))); err != nil {
		return err
	}
	c.kept++
	c.next = (c.next + 1) % len(programs)
	return nil
}

// check compiles a small program, compares all object files that have been
// kept with the first ones, and reads all files of the page cache.
func (c *compile) check() (n, bad int, text string, err error) {
	if err := os.WriteFile(filepath.Join(c.dir, "small.c"), []byte("int twice(int x) { return 2 * x; }\n"), 0o644); err != nil {
		return 0, 0, "", err
	}
	cmd := command(0, "gcc", "-S", "-O1", "-o", "small.s", "small.c")
	cmd.Dir = c.dir
	if err := run(cmd); err != nil {
		return 0, 0, "", err
	}
	assembly, err := os.ReadFile(filepath.Join(c.dir, "small.s"))
	if err != nil {
		return 0, 0, "", err
	}
	if !strings.Contains(string(assembly), "leal\t(%rdi,%rdi), %eax") {
		bad++
	}
	n++
	looked, found, err := c.checkObjects()
	n, bad = n+looked, bad+found
	if err != nil {
		return n, bad, "", err
	}
	found, err = c.cache.bad()
	return n + len(c.cache.paths), bad + found, "object files and files of the compiler", err
}

func (c *compile) checkObjects() (n, bad int, err error) {
	kept, err := filepath.Glob(filepath.Join(c.dir, "[0-9]*.o"))
	if err != nil {
		return 0, 0, err
	}
	for _, path := range kept {
		object, err := os.ReadFile(path)
		if err != nil {
			return n, bad, err
		}
		for i, program := range programs {
			if strings.HasSuffix(path, "-"+program[0]+".o") {
				if n++; !bytes.Equal(object, c.objects[i]) {
					bad++
				}
			}
		}
	}
	return n, bad, nil
}
