//go:build !cgo

package main

// missing says which codecs this program was built without.
const missing = "LZ4, zstd and XBZRLE in C, and with them the figures relative to those: this program was built without cgo, which takes CGO_ENABLED=1, a C compiler, liblz4-dev and libzstd-dev"

func cLibraries() map[string]string { return nil }

func cCodecs() []codec { return nil }

func cDeltaCodecs() []codec { return nil }
