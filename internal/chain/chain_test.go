package chain

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lzpage/lzpage/pagestream"
)

const pages = 64

// generations returns memories of which each differs in some pages from the one
// before.
func generations(n int) [][]byte {
	r := rand.New(rand.NewPCG(1, 1))
	memory := make([]byte, pages*4096)
	for i := range memory[:len(memory)/2] {
		memory[i] = byte(r.Uint32())
	}
	all := [][]byte{bytes.Clone(memory)}
	for len(all) < n {
		for range 5 {
			memory[r.IntN(len(memory))] ^= 1
		}
		page := r.IntN(pages)
		for i := range memory[page*4096:][:2000] {
			memory[page*4096+i] = byte(r.Uint32())
		}
		all = append(all, bytes.Clone(memory))
	}
	return all
}

// write writes the memory as a stream, based on the one of baseName if that is
// not empty.
func write(t *testing.T, name, baseName string, memory []byte) {
	t.Helper()
	options := pagestream.Options{Workers: 1, ClusterPages: 4}
	if baseName != "" {
		below := open(t, baseName)
		options.Base, options.BaseName = below.Top().ReaderAt, filepath.Base(baseName)
	}
	var b bytes.Buffer
	w, err := pagestream.NewWriter(context.Background(), &b, options)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.BeginRegion(pagestream.Region{Length: uint64(len(memory))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(memory); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	put(t, name, b.Bytes())
}

func put(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// try opens the chain of the stream in the file.
func try(t *testing.T, name string, given ...string) (*Chain, error) {
	t.Helper()
	file, src, err := openFile(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	c, err := Open(name, file, src, given)
	if c != nil {
		t.Cleanup(func() {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return c, err
}

func open(t *testing.T, name string, given ...string) *Chain {
	t.Helper()
	c, err := try(t, name, given...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// series writes n generations as a chain, g0.lzp to g9.lzp, to a directory.
func series(t *testing.T, n int) (dir string, memories [][]byte) {
	t.Helper()
	dir = t.TempDir()
	memories = generations(n)
	base := ""
	for i, m := range memories {
		name := filepath.Join(dir, fmt.Sprintf("g%d.lzp", i))
		write(t, name, base, m)
		base = name
	}
	return dir, memories
}

// names returns the base names of the chain's files.
func (c *Chain) names() string {
	var names []string
	for _, s := range c.Streams {
		names = append(names, filepath.Base(s.Name))
	}
	return strings.Join(names, " ")
}

func expect(t *testing.T, c *Chain, names string, memory []byte) {
	t.Helper()
	if c.names() != names {
		t.Errorf("the chain is %s, not %s", c.names(), names)
	}
	got := make([]byte, len(memory))
	if _, err := c.Top().ReadRegionAt(got, 0, 0); err != nil || !bytes.Equal(got, memory) {
		t.Errorf("%s: another memory, %v", names, err)
	}
}

func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func TestFind(t *testing.T) {
	dir, memories := series(t, 4)
	at := func(name string) string { return filepath.Join(dir, name) }
	top := at("g3.lzp")
	expect(t, open(t, at("g0.lzp")), "g0.lzp", memories[0])
	expect(t, open(t, top), "g3.lzp g2.lzp g1.lzp g0.lzp", memories[3])
	if got, want := open(t, top).Stored(), len(get(t, at("g0.lzp")))+len(get(t, at("g1.lzp")))+len(get(t, at("g2.lzp")))+len(get(t, top)); got != uint64(want) {
		t.Errorf("%d bytes stored, not %d", got, want)
	}

	// Two have changed names, one has another.
	move(t, at("g1.lzp"), at("x"))
	move(t, at("g2.lzp"), at("g1.lzp"))
	move(t, at("x"), at("g2.lzp"))
	move(t, at("g0.lzp"), at("zero.lzp"))
	expect(t, open(t, top), "g3.lzp g1.lzp g2.lzp zero.lzp", memories[3])

	// One is in another directory, under a name that is not searched for.
	other := t.TempDir()
	move(t, at("zero.lzp"), filepath.Join(other, "zero"))
	expect(t, open(t, top, at("g1.lzp"), filepath.Join(other, "zero")), "g3.lzp g1.lzp g2.lzp zero", memories[3])

	// The rest of a chain is looked for beside the file that needs it.
	move(t, filepath.Join(other, "zero"), filepath.Join(other, "zero.lzp"))
	move(t, at("g2.lzp"), filepath.Join(other, "one.lzp"))
	expect(t, open(t, top, filepath.Join(other, "one.lzp")), "g3.lzp g1.lzp one.lzp zero.lzp", memories[3])
}

func id(t *testing.T, name string) string { return open(t, name).Top().Totals().ID.String() }

func TestMissing(t *testing.T) {
	dir, memories := series(t, 4)
	at := func(name string) string { return filepath.Join(dir, name) }
	top := at("g3.lzp")
	ids := []string{id(t, at("g0.lzp")), id(t, at("g1.lzp"))}
	one := get(t, at("g1.lzp"))

	check := func(what string, given []string, parts ...string) {
		t.Helper()
		c, err := try(t, top, given...)
		var missing *MissingError
		if !errors.As(err, &missing) || !errors.Is(err, pagestream.ErrBase) {
			t.Fatalf("%s: %v", what, err)
		}
		if missing.Stream != at("g2.lzp") || missing.Base.ID.String() != ids[1] || missing.Base.Name != "g1.lzp" {
			t.Errorf("%s: %+v", what, missing)
		}
		for _, p := range append(parts, at("g2.lzp")+` is based on stream `+ids[1]+`, which was in a file called "g1.lzp"; that is not to be found: `) {
			if !strings.Contains(err.Error(), p) {
				t.Errorf("%s: %q does not say %q", what, err, p)
			}
		}
		// What there is can be read as far as it goes.
		if c.names() != "g3.lzp g2.lzp" {
			t.Errorf("%s: the chain is %s", what, c.names())
		}
		if err := c.Top().ReadPage(make([]byte, 4096), 0, 0); !errors.Is(err, pagestream.ErrBase) {
			t.Errorf("%s: reading: %v", what, err)
		}
	}
	if err := os.Remove(at("g1.lzp")); err != nil {
		t.Fatal(err)
	}
	check("gone", nil, "there is no "+at("g1.lzp"), "none of the 3 other files *.lzp in "+dir+" has it")
	check("another given", []string{at("g0.lzp")}, at("g0.lzp")+" is stream "+ids[0])
	write(t, at("g1.lzp"), "", memories[1])
	check("another in its place", nil, at("g1.lzp")+" is now stream "+id(t, at("g1.lzp")))
	put(t, at("g1.lzp"), []byte("no stream at all, but a text"))
	check("no stream", nil, at("g1.lzp")+": not an lzpage stream")
	put(t, at("g1.lzp"), one[:len(one)-3])
	check("cut", nil, at("g1.lzp")+": cut stream")
	if err := os.Remove(at("g1.lzp")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(at("g1.lzp"), 0o777); err != nil {
		t.Fatal(err)
	}
	check("a directory", nil, at("g1.lzp")+" is not a regular file")

	// What is given must be streams.
	put(t, at("text"), []byte("a text"))
	for _, given := range []string{at("text"), at("nosuch")} {
		if c, err := try(t, top, given); c != nil || err == nil || !strings.Contains(err.Error(), given) {
			t.Errorf("given %s: %v", given, err)
		}
	}
}

func TestManyStreams(t *testing.T) {
	dir, _ := series(t, 3)
	at := func(name string) string { return filepath.Join(dir, name) }
	put(t, at("g1.moved"), get(t, at("g1.lzp")))
	if err := os.Remove(at("g1.lzp")); err != nil {
		t.Fatal(err)
	}
	for i := range 1500 {
		put(t, at(fmt.Sprintf("a%04d.lzp", i)), nil)
	}
	_, err := try(t, at("g2.lzp"))
	for _, part := range []string{"none of the 1024 other files", "478 more were not looked into"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not say %q", err, part)
		}
	}
	if _, err := try(t, at("g2.lzp"), at("g1.moved")); err != nil {
		t.Error(err)
	}
}

// TestDamage checks that the stream is named that is damaged.
func TestDamage(t *testing.T) {
	dir, memories := series(t, 4)
	top := filepath.Join(dir, "g3.lzp")
	for damaged := range 4 {
		name := filepath.Join(dir, fmt.Sprintf("g%d.lzp", damaged))
		whole := get(t, name)
		found := 0
		for i := 0; i < len(whole); i += 1 + len(whole)/200 {
			b := bytes.Clone(whole)
			b[i] ^= 0x20
			put(t, name, b)
			c, err := try(t, top)
			if err == nil {
				err = c.CheckIdentities()
			}
			if err == nil {
				got := make([]byte, len(memories[3]))
				if _, err = c.Top().ReadRegionAt(got, 0, 0); err == nil {
					if !bytes.Equal(got, memories[3]) {
						t.Fatalf("byte %d of %s: wrong memory", i, name)
					}
					continue // what was damaged is not used
				}
				err = c.Explain(err)
			}
			found++
			var bad *DamageError
			var missing *MissingError
			switch {
			case errors.As(err, &bad):
				if bad.Stream != name || bad.Top != top || !strings.Contains(err.Error(), name) {
					t.Errorf("byte %d of %s: %v", i, name, err)
				}
			case errors.As(err, &missing):
				if !strings.Contains(err.Error(), name) {
					t.Errorf("byte %d of %s: %v", i, name, err)
				}
			default:
				t.Errorf("byte %d of %s: %v", i, name, err)
			}
		}
		if found < 50 {
			t.Errorf("%s: only %d damages were found", name, found)
		}
		put(t, name, whole)
	}
}

// TestPatched checks that frames of another stream at the same places are not
// taken for those of the stream.
func TestPatched(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	memories := generations(3)
	r := rand.New(rand.NewPCG(2, 2))
	for i := range memories[0] {
		memories[0][i] = byte(r.Uint32()) // pages that stay plain, so that frames have one size
	}
	memories[1] = bytes.Clone(memories[0])
	memories[1][5000] ^= 1
	write(t, at("a.lzp"), "", memories[0])
	write(t, at("x.lzp"), "", memories[1])
	write(t, at("b.lzp"), at("a.lzp"), memories[0])
	a, x := get(t, at("a.lzp")), get(t, at("x.lzp"))
	if len(a) != len(x) {
		t.Fatalf("the streams have %d and %d bytes", len(a), len(x))
	}
	if err := open(t, at("b.lzp")).CheckIdentities(); err != nil {
		t.Fatal(err)
	}
	// All of x but the end, where the index and the identity of a stand.
	put(t, at("a.lzp"), append(x[:len(x)/2:len(x)/2], a[len(a)/2:]...))
	c := open(t, at("b.lzp"))
	got := make([]byte, len(memories[0]))
	if _, err := c.Top().ReadRegionAt(got, 0, 0); err != nil || bytes.Equal(got, memories[0]) {
		t.Fatalf("the frame shows by itself: %v", err)
	}
	var bad *DamageError
	if err := c.CheckIdentities(); !errors.As(err, &bad) || bad.Stream != at("a.lzp") || !errors.Is(err, pagestream.ErrCorrupt) {
		t.Error(err)
	}
}

// forge gives the stream in the file another identity, as far as its end says.
func forge(t *testing.T, name string, id pagestream.ID) {
	t.Helper()
	b := get(t, name)
	tail := b[len(b)-8:]
	end := b[len(b)-int(binary.LittleEndian.Uint32(tail)):]
	copy(end[len(end)-8-16:], id[:])
	const header = 32
	table := crc32.MakeTable(crc32.Castagnoli)
	binary.LittleEndian.PutUint32(end[24:], crc32.Checksum(end[header:], table))
	binary.LittleEndian.PutUint32(end[28:], crc32.Checksum(end[:28], table))
	put(t, name, b)
}

// TestCircle checks that streams are refused at once that name themselves or
// each other as their base.
func TestCircle(t *testing.T) {
	dir, _ := series(t, 3)
	at := func(name string) string { return filepath.Join(dir, name) }
	zero := open(t, at("g0.lzp")).Top().Totals().ID
	check := func(what, culprit string) {
		t.Helper()
		c, err := try(t, at("g1.lzp"))
		var bad *DamageError
		if c != nil || !errors.As(err, &bad) || bad.Stream != at(culprit) || !bad.Chained || !errors.Is(err, pagestream.ErrCorrupt) ||
			!strings.Contains(err.Error(), "which is based on it") {
			t.Errorf("%s: %v", what, err)
		}
	}
	// The third is based on the second, and claims to be the first.
	forge(t, at("g2.lzp"), zero)
	move(t, at("g2.lzp"), at("g0.lzp"))
	check("each other", "g0.lzp")

	forge(t, at("g1.lzp"), zero)
	check("itself", "g1.lzp")
}

// TestTooLong checks that a chain without an end in sight is given up.
func TestTooLong(t *testing.T) {
	dir := t.TempDir()
	memory := make([]byte, 4096)
	base := ""
	var below *pagestream.ReaderAt
	for i := range maxStreams + 1 {
		memory[0]++
		name := filepath.Join(dir, fmt.Sprintf("g%d.lzp", i))
		options := pagestream.Options{Workers: 1, Base: below, BaseName: base}
		var b bytes.Buffer
		w, err := pagestream.NewWriter(context.Background(), &b, options)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.BeginRegion(pagestream.Region{Length: 4096}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(memory); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Close(); err != nil {
			t.Fatal(err)
		}
		put(t, name, b.Bytes())
		if below, err = pagestream.NewReaderAt(bytes.NewReader(b.Bytes()), int64(b.Len()), pagestream.ReadOptions{Base: below}); err != nil {
			t.Fatal(err)
		}
		base = filepath.Base(name)
	}
	longest := filepath.Join(dir, fmt.Sprintf("g%d.lzp", maxStreams-1))
	memory[0]--
	if c := open(t, longest); len(c.Streams) != maxStreams {
		t.Errorf("%d streams", len(c.Streams))
	} else if got := make([]byte, 4096); c.Top().ReadPage(got, 0, 0) != nil || !bytes.Equal(got, memory) {
		t.Error("the longest chain cannot be read")
	}
	if _, err := try(t, filepath.Join(dir, fmt.Sprintf("g%d.lzp", maxStreams))); err == nil || !strings.Contains(err.Error(), "its chain has more than 1024 streams") {
		t.Error(err)
	}
}
