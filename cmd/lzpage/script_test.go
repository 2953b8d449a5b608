package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"lzpage": main})
}

func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"mkimage":  mkimage,
			"mkstream": mkstream,
			"same":     same,
			"status":   status,
			"damage":   damageFile,
			"cut":      cutFile,
			"size":     size,
			"holes":    holes,
			"swap":     swap,
			"only":     only,
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, errors.New("unknown condition " + cond)
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// mkimage KIND FILE writes a memory image. See images_test.go.
func mkimage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mkimage KIND FILE")
	}
	if args[0] == "sparse" {
		ts.Check(writeSparse(ts.MkAbs(args[1])))
		return
	}
	data, ok := images[args[0]]
	if !ok {
		ts.Fatalf("no image of kind %s", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data(), 0o666))
}

// mkstream KIND FILE writes a stream. See streams_test.go.
func mkstream(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mkstream KIND FILE")
	}
	data, ok := streams[args[0]]
	if !ok {
		ts.Fatalf("no stream of kind %s", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data(), 0o666))
}

// same A B checks that two files have the same bytes. Unlike cmp it does not
// print them.
func same(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: same A B")
	}
	a, b := []byte(ts.ReadFile(args[0])), []byte(ts.ReadFile(args[1]))
	if bytes.Equal(a, b) == neg {
		ts.Fatalf("%s has %d bytes, %s has %d; same: %t", args[0], len(a), args[1], len(b), !neg)
	}
}

// status N PROGRAM [ARG...] runs a program, which must exit with the status N.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N PROGRAM [ARG...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit status %d, not %s", got, args[0])
	}
}

// damage FILE OFFSET COUNT inverts bytes of a file.
func damageFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: damage FILE OFFSET COUNT")
	}
	data := []byte(ts.ReadFile(args[0]))
	offset, count := number(ts, args[1]), number(ts, args[2])
	if offset < 0 {
		offset += len(data)
	}
	for i := range data[offset:][:count] {
		data[offset+i] ^= 0xff
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o666))
}

// cut FILE SIZE makes a file size bytes long, or, where that is negative, so
// much shorter.
func cutFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cut FILE SIZE")
	}
	size := int64(number(ts, args[1]))
	if size < 0 {
		info, err := os.Stat(ts.MkAbs(args[0]))
		ts.Check(err)
		size += info.Size()
	}
	ts.Check(os.Truncate(ts.MkAbs(args[0]), size))
}

// swap A B gives each of two files the other's name.
func swap(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: swap A B")
	}
	a, b := ts.MkAbs(args[0]), ts.MkAbs(args[1])
	ts.Check(os.Rename(a, a+".swapped"))
	ts.Check(os.Rename(b, a))
	ts.Check(os.Rename(a+".swapped", b))
}

// size FILE SIZE checks a file's size.
func size(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: size FILE SIZE")
	}
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if info.Size() != int64(number(ts, args[1])) {
		ts.Fatalf("%s has %d bytes, not %s", args[0], info.Size(), args[1])
	}
}

// only FILE... checks that there are no other files in the current directory.
func only(ts *testscript.TestScript, neg bool, args []string) {
	entries, err := os.ReadDir(ts.MkAbs("."))
	ts.Check(err)
	want := make(map[string]bool)
	for _, name := range args {
		want[name] = true
	}
	for _, e := range entries {
		if !want[e.Name()] {
			ts.Fatalf("there is also %s", e.Name())
		}
		delete(want, e.Name())
	}
	for name := range want {
		ts.Fatalf("there is no %s", name)
	}
}

func number(ts *testscript.TestScript, s string) int {
	n, err := strconv.Atoi(s)
	ts.Check(err)
	return n
}
