package pagestream

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/lzpage/lzpage/lzrw1"
)

// changed returns a later version of memory, n bytes long, with some of its
// pages changed as programs change them.
func changed(rng *rand.Rand, old []byte, n, pageSize int) []byte {
	b := make([]byte, n)
	copy(b, old)
	if n > len(old) {
		copy(b[len(old):], guestMemory(rng.Uint64(), n-len(old), pageSize))
	}
	share := 1 + rng.IntN(12)
	for at := 0; at < n; at += pageSize {
		page := b[at:min(n, at+pageSize)]
		if rng.IntN(share) > 0 {
			continue
		}
		switch rng.IntN(8) {
		case 0:
			clear(page)
		case 1:
			copy(page, guestMemory(rng.Uint64(), len(page), pageSize))
		case 2: // what stood elsewhere
			copy(page, b[rng.IntN(at/pageSize+1)*pageSize:])
		default: // some words
			for range 1 + rng.IntN(1+len(page)/16) {
				if i := rng.IntN(len(page)); i+8 <= len(page) {
					binary.LittleEndian.PutUint64(page[i:], rng.Uint64()>>rng.IntN(64))
				}
			}
		}
	}
	if rng.IntN(3) == 0 { // much is freed
		at := rng.IntN(n + 1)
		clear(b[at : at+rng.IntN(n-at+1)])
	}
	return b
}

// writeOn writes a stream on top of base.
func writeOn(t testing.TB, base *ReaderAt, options Options, all ...memory) []byte {
	options.Base = base
	return write(t, options, all...)
}

func openAt(t testing.TB, stream []byte, base *ReaderAt) *ReaderAt {
	t.Helper()
	r, err := NewReaderAt(bytes.NewReader(stream), int64(len(stream)), ReadOptions{Base: base})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A layered recorder keeps memory as of the last round, on top of a base.
type layered struct {
	*recorder
	rounds int
}

func (l *layered) Pages(p Pages) error {
	if p.Round < l.rounds {
		return fmt.Errorf("round %d after round %d", p.Round, l.rounds)
	}
	if p.Round > l.rounds {
		l.rounds = p.Round
		clear(l.got)
	}
	return l.recorder.Pages(p)
}

// checkLayers reads a stream with a base or rounds in every way and compares it
// with the memory that it should be.
func checkLayers(t testing.TB, stream []byte, base *ReaderAt, slowBase *slowStream, all ...memory) (*ReaderAt, *slowStream) {
	t.Helper()
	slow, err := slowRead(stream, slowBase)
	if err != nil {
		t.Fatalf("the slow reader says %v", err)
	}
	random := openAt(t, stream, base)
	pageSize := random.Header().PageSize
	if len(slow.regions) != len(all) || len(random.Regions()) != len(all) {
		t.Fatalf("%d regions became %d, %d", len(all), len(slow.regions), len(random.Regions()))
	}
	if id := random.Totals().ID; string(slow.id) != string(id[:]) {
		t.Errorf("the slow reader finds identity %x, ReaderAt %v", slow.id, id)
	}

	r, err := NewReader(bytes.NewReader(stream), ReadOptions{Workers: 3, Earlier: random})
	if err != nil {
		t.Fatal(err)
	}
	got := &layered{recorder: newRecorder(pageSize)}
	totals, err := r.Each(context.Background(), got)
	if err != nil {
		t.Fatal(err)
	}
	inIndex := random.Totals()
	inIndex.PageBytes = totals.PageBytes
	if diff := cmp.Diff(totals, inIndex); diff != "" {
		t.Errorf("totals read in order and through the index differ: %s", diff)
	}
	for k, n := range got.kinds {
		if totals.Pages[k] != uint64(n) {
			t.Errorf("%v: %d pages handed out, totals say %d", Kind(k), n, totals.Pages[k])
		}
	}

	for i, m := range all {
		want := m.region
		want.Length = uint64(len(m.data))
		if diff := cmp.Diff(want, random.Regions()[i]); diff != "" {
			t.Errorf("region %d: %s", i, diff)
		}
		if !bytes.Equal(slow.regions[i].data, m.data) {
			t.Fatalf("region %d: the slow reader gets other bytes", i)
		}
		pages := int(want.Pages(pageSize))
		last := make([]bool, pages) // carried in any round
		for round, carried := range slow.regions[i].carried {
			for p := range carried {
				last[p] = true
				if round == got.rounds && (int(p) >= len(got.got[i]) || !got.got[i][p]) {
					t.Fatalf("region %d, page %d: Reader does not hand it out in round %d", i, p, round)
				}
			}
		}
		page := make([]byte, pageSize)
		for p := range pages {
			wanted := m.data[p*pageSize : min(len(m.data), (p+1)*pageSize)]
			if err := random.ReadPage(page, i, uint64(p)); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(page[:len(wanted)], wanted) || !bytes.Equal(page[len(wanted):], make([]byte, pageSize-len(wanted))) {
				t.Fatalf("region %d, page %d: ReaderAt gets other bytes", i, p)
			}
			if last[p] && !bytes.Equal(got.data[i][p*pageSize:][:len(wanted)], wanted) {
				t.Fatalf("region %d, page %d: Reader gets other bytes", i, p)
			}
		}
		whole := make([]byte, len(m.data)+1)
		if n, err := random.ReadRegionAt(whole, i, 0); n != len(m.data) || err != io.EOF || !bytes.Equal(whole[:n], m.data) {
			t.Fatalf("region %d: ReadRegionAt gets %d bytes, %v", i, n, err)
		}
		rng := rand.New(rand.NewPCG(uint64(len(m.data)), 1))
		for range min(20, len(m.data)) {
			at := rng.IntN(len(m.data))
			p := whole[:rng.IntN(len(m.data)-at+1)]
			if _, err := random.ReadRegionAt(p, i, int64(at)); err != nil || !bytes.Equal(p, m.data[at:at+len(p)]) {
				t.Fatalf("region %d: %d bytes at %d: %v or other bytes", i, len(p), at, err)
			}
		}
	}
	return random, &slow
}

// Chains of increments give every generation back, whatever became of the
// regions.
func TestChains(t *testing.T) {
	var kinds [Kinds]uint64
	for _, pageSize := range []int{512, 4096, 65536} {
		for seed := range uint64(6) {
			if testing.Short() && (seed > 3 || pageSize > 4096 && seed != 3) {
				continue
			}
			rng := rand.New(rand.NewPCG(seed, uint64(pageSize)))
			t.Run(fmt.Sprintf("pages of %d, seed %d", pageSize, seed), func(t *testing.T) {
				length := func() int { return rng.IntN(min(700*pageSize, 8<<20)) }
				var all []memory
				add := func() {
					n := length()
					at := uint64(len(all)) << 40
					m := memory{Region{Address: at, FileOffset: at, Length: UnknownLength}, guestMemory(rng.Uint64(), n, pageSize)}
					if rng.IntN(3) == 0 {
						m.region.Class, m.region.Address = Other, 0
					}
					if rng.IntN(2) == 0 {
						m.region.Length = uint64(n)
					}
					all = append(all, m)
				}
				for range 1 + rng.IntN(3) {
					add()
				}
				var base *ReaderAt
				var slow *slowStream
				for range 5 {
					options := Options{
						PageSize:        pageSize,
						ClusterPages:    1 << rng.IntN(7),
						Level:           []lzrw1.Level{lzrw1.Fast, lzrw1.Dense, lzrw1.Reference}[rng.IntN(3)],
						DuplicateWindow: []int{NoDuplicates, 1, 100}[rng.IntN(3)],
					}
					stream := writeOn(t, base, with(options, 1), all...)
					if !bytes.Equal(writeOn(t, base, with(options, 3), all...), stream) {
						t.Fatal("three workers write other bytes than one")
					}
					base, slow = checkLayers(t, stream, base, slow, all...)
					for k, n := range base.Totals().Pages {
						kinds[k] += n
					}

					switch rng.IntN(4) {
					case 0:
						add()
					case 1:
						if i := rng.IntN(len(all)); len(all) > 1 {
							all = append(all[:i:i], all[i+1:]...)
						}
					}
					for i := range all {
						m := &all[i]
						n := len(m.data)
						switch rng.IntN(4) {
						case 0:
							n = length()
						case 1:
							n += rng.IntN(2 * pageSize)
						}
						m.data = changed(rng, m.data, n, pageSize)
						if m.region.Length != UnknownLength {
							m.region.Length = uint64(n)
						}
					}
				}
			})
		}
	}
	for k, n := range kinds {
		if n == 0 {
			t.Errorf("no page was of kind %v", Kind(k))
		}
	}
}
