package main

import (
	"runtime/debug"

	"github.com/lzpage/lzpage/lzrw1/asm"
)

// version returns the version that this program was built as, and which inner
// loops it uses here.
func version() string {
	version := "(unknown)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	return version + ", " + asm.Active.Name + " kernels"
}
