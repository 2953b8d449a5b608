package pagestream

import (
	"bytes"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
)

// A countingReaderAt counts what is read of a stream.
type countingReaderAt struct {
	io.ReaderAt
	calls atomic.Int64
}

func (c *countingReaderAt) ReadAt(p []byte, off int64) (int, error) {
	c.calls.Add(1)
	return c.ReaderAt.ReadAt(p, off)
}

// Duplicates in a frame that equal pages of one other frame take one reading of
// that, whichever of its pages they equal.
func TestDuplicatesShareAFrame(t *testing.T) {
	const pageSize = 512
	for _, cluster := range []int{16, 256} {
		for _, rounds := range []int{0, 1} {
			t.Run(fmt.Sprintf("clusters of %d, %d rounds", cluster, rounds), func(t *testing.T) {
				data := make([]byte, 20*cluster*pageSize)
				fillNoise(data[:cluster*pageSize])
				for page := cluster; page < 20*cluster; page++ {
					same := page * 7 % cluster / 2 * 2 // in no order, some more than once
					copy(data[page*pageSize:][:pageSize], data[same*pageSize:])
				}
				m := memory{Region{Length: uint64(len(data))}, data}
				stream := writeRounds(t, Options{PageSize: pageSize, ClusterPages: cluster, DuplicateWindow: 1 << 16}, []memory{m}, make([][]change, rounds))
				src := &countingReaderAt{ReaderAt: bytes.NewReader(stream)}
				r, err := NewReaderAt(src, int64(len(stream)), ReadOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if n := r.Totals().Pages[Duplicate]; n != uint64(19*cluster) {
					t.Fatalf("%d pages are duplicates", n)
				}
				src.calls.Store(0)
				got := make([]byte, len(data))
				if _, err := r.ReadRegionAt(got, 0, 0); err != nil && err != io.EOF || !bytes.Equal(got, data) {
					t.Fatalf("error %v, right: %v", err, bytes.Equal(got, data))
				}
				if n := src.calls.Load(); n > 20+19 {
					t.Errorf("20 frames were read in %d pieces", n)
				}
			})
		}
	}
}
