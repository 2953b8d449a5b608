//go:build !cgo

package main

// missing says which codecs this program was built without.
const missing = "LZ4 and zstd in C, and with them the speeds relative to LZ4: this program was built without cgo, which takes CGO_ENABLED=1, a C compiler, liblz4-dev and libzstd-dev"

func cLibraries() map[string]string { return nil }

func cCodecs() []codec { return nil }
