package qemuram

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/lzpage/lzpage/lzrw1"
)

// guestPages returns pages of real guests, where there are some beside the
// repository.
func guestPages(b *testing.B, pattern string) []byte {
	names, err := filepath.Glob("../../../shared/pages/" + pattern)
	if err != nil {
		b.Fatal(err)
	}
	if len(names) == 0 {
		b.Skip("there are no guests' pages here")
	}
	var all []byte
	for _, name := range names {
		file, err := os.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		unzipped, err := gzip.NewReader(file)
		if err != nil {
			b.Fatal(err)
		}
		pages, err := io.ReadAll(unzipped)
		if err != nil {
			b.Fatal(err)
		}
		file.Close()
		all = append(all, pages...)
	}
	return all
}

// What a round costs that sends all pages for the first time, and one that
// sends pages that have changed.
func BenchmarkEncode(b *testing.B) {
	const pageSize, packet = 4096, 128
	first := guestPages(b, "*/runs.bin.gz")
	pairs := guestPages(b, "*/dirty.bin.gz")
	var old, now []byte
	for at := 0; at < len(pairs); at += 2 * pageSize {
		old = append(old, pairs[at:][:pageSize]...)
		now = append(now, pairs[at+pageSize:][:pageSize]...)
	}
	for _, level := range []lzrw1.Level{lzrw1.Fast, lzrw1.Dense} {
		// A cache in which all pages have room as they are, and one in which they
		// have when compressed.
		for name, cache := range map[string]int64{"": 0, "/cache": 256 << 20, "/tight": int64(len(now)) * 5 / 8} {
			name = level.String() + name
			pass := func(b *testing.B, c *Channel, memory []byte, frame []byte) {
				var offsets []uint64
				for at := 0; at+pageSize <= len(memory); {
					offsets = offsets[:0]
					for ; len(offsets) < packet && at+pageSize <= len(memory); at += pageSize {
						offsets = append(offsets, uint64(at))
					}
					if _, err := c.Encode(frame, 0, memory, offsets); err != nil {
						b.Fatal(err)
					}
				}
			}
			frame := make([]byte, 0, FrameBound(pageSize, packet))
			b.Run(name+"/first", func(b *testing.B) {
				b.SetBytes(int64(len(first)))
				for b.Loop() {
					b.StopTimer()
					s, err := NewSession(Options{PageSize: pageSize, Level: level, CacheBytes: cache})
					if err != nil {
						b.Fatal(err)
					}
					c, err := s.NewChannel()
					if err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
					pass(b, c, first, frame)
				}
			})
			b.Run(name+"/dirty", func(b *testing.B) {
				s, err := NewSession(Options{PageSize: pageSize, Level: level, CacheBytes: cache})
				if err != nil {
					b.Fatal(err)
				}
				c, err := s.NewChannel()
				if err != nil {
					b.Fatal(err)
				}
				pass(b, c, old, frame)
				b.SetBytes(2 * int64(len(now)))
				before := s.Stats()
				for b.Loop() {
					s.NextRound()
					pass(b, c, now, frame)
					s.NextRound()
					pass(b, c, old, frame)
				}
				after := s.Stats()
				b.ReportMetric(float64(after.FrameBytes-before.FrameBytes)/float64(after.Packets-before.Packets)/packet, "bytes/page")
			})
		}
	}
}
