//go:build linux && cgo

// Command shim is package qemuram as a shared library for C, built with
// -buildmode=c-shared: see lzpage-qemu.h.
//
// A guest runs in the process that loads it. So C checks what it is given, in
// shim.c, before Go sees it; each function that C calls recovers from panics, a
// fault of memory included; and the Go runtime, whose threads would not outlive
// a fork, starts with the first session only, in start.c.
package main

// #include "start.h"
import "C"

// Go raises the process's limit of open files as it starts. That is the
// program's to do: it has reasons for its limit, and its children inherit it.
func init() { C.lzpage_restore_limit() }

func main() {}
