module github.com/lzpage/lzpage/bench

go 1.26.0

replace github.com/lzpage/lzpage => ../

require (
	github.com/klauspost/compress v1.20.3
	github.com/klauspost/cpuid/v2 v2.4.2
	github.com/lzpage/lzpage v0.0.0
	github.com/minio/minlz v1.2.3
	github.com/pierrec/lz4/v4 v4.1.33
	golang.org/x/sys v0.49.0
)
