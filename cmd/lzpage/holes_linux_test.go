package main

import (
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// holes FILE SIZE checks that a file takes at most so many bytes of the disk.
func holes(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: holes FILE SIZE")
	}
	var stat syscall.Stat_t
	ts.Check(syscall.Stat(ts.MkAbs(args[0]), &stat))
	if taken := stat.Blocks * 512; taken > int64(number(ts, args[1])) {
		ts.Fatalf("%s takes %d bytes, more than %s", args[0], taken, args[1])
	}
}
