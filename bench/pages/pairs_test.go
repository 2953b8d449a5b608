package pages

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// later returns a later version of memory: each page has changed at its end,
// but for those listed.
func later(data []byte, same ...int) []byte {
	data = bytes.Clone(data)
	for i := range len(data) / Size {
		if !slices.Contains(same, i) {
			binary.LittleEndian.PutUint32(data[(i+1)*Size-4:], uint32(i+1))
		}
	}
	return data
}

// interleave returns the pages of both in turn.
func interleave(old, new []byte) []byte {
	var all []byte
	for i := 0; i < len(old); i += Size {
		all = append(append(all, old[i:i+Size]...), new[i:i+Size]...)
	}
	return all
}

func checkPairs(t *testing.T, pairs Pairs, old, new []byte, want ...int) {
	t.Helper()
	if len(pairs.Old) != len(want)*Size || len(pairs.New) != len(want)*Size {
		t.Fatalf("%d and %d bytes, want %d pages each", len(pairs.Old), len(pairs.New), len(want))
	}
	for i, n := range want {
		if !bytes.Equal(pairs.Old[i*Size:][:Size], old[n*Size:][:Size]) || !bytes.Equal(pairs.New[i*Size:][:Size], new[n*Size:][:Size]) {
			t.Errorf("pair %d is not of page %d", i, n)
		}
	}
}

func TestSamplePairs(t *testing.T) {
	old := memory(6, 4)
	new := later(old, 1)
	clear(new[3*Size:][:Size])
	// Page 1 is as it was and page 3 has become zero; page 4 was zero.
	pairs, err := SamplePairs(bytes.NewReader(append(interleave(old, new), old[:Size]...)), 100)
	if err != nil {
		t.Fatal(err)
	}
	checkPairs(t, pairs, old, new, 0, 2, 4, 5)
}

func TestSamplePairsOfMany(t *testing.T) {
	old := memory(300)
	new := later(old)
	pairs, err := SamplePairs(bytes.NewReader(interleave(old, new)), 50)
	if err != nil {
		t.Fatal(err)
	}
	got := numbers(t, pairs.Old)
	if len(got) != 50 || !slices.IsSorted(got) || got[49] < 100 {
		t.Errorf("pages %v", got)
	}
	checkPairs(t, pairs, old, new, got...)
}

func TestPairsOfFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		if strings.HasSuffix(name, ".gz") {
			var packed bytes.Buffer
			z := gzip.NewWriter(&packed)
			if _, err := z.Write(data); err != nil {
				t.Fatal(err)
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			data = packed.Bytes()
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	old := memory(8, 2)
	new := later(old, 0, 5)
	before, after := write("before.ram.gz", old), write("after.ram", new)
	changed := []int{1, 2, 3, 4, 6, 7}

	pairs, err := ComparePairs(before, after, 100)
	if err != nil {
		t.Fatal(err)
	}
	checkPairs(t, pairs, old, new, changed...)
	pairs, err = SamplePairsFile(write("dirty.bin.gz", interleave(old, new)), 100)
	if err != nil {
		t.Fatal(err)
	}
	checkPairs(t, pairs, old, new, changed...)

	packed, err := os.ReadFile(before)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(dir, "cut.ram.gz")
	if err := os.WriteFile(cut, packed[:len(packed)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	none := filepath.Join(dir, "none.ram")
	for _, test := range []struct{ old, new, want string }{
		{none, after, "none.ram: no such file"},
		{before, none, "none.ram: no such file"},
		{before, cut, "cut.ram.gz: unexpected EOF"},
		{cut, after, "cut.ram.gz: unexpected EOF"},
		{before, write("short.ram", new[:7*Size]), "not equally long"},
		{write("long.ram", memory(9)), after, "not equally long"},
		{after, after, "after.ram: no page differs"},
	} {
		if pairs, err := ComparePairs(test.old, test.new, 100); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s, %s: %d bytes, error %v, want %q in it", test.old, test.new, len(pairs.New), err, test.want)
		}
	}
	for _, test := range []struct{ path, want string }{
		{none, "no such file"},
		{cut, "cut.ram.gz: unexpected EOF"},
		{write("equal.bin", interleave(old, old)), "equal.bin: no pairs"},
	} {
		if pairs, err := SamplePairsFile(test.path, 100); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %d bytes, error %v, want %q in it", test.path, len(pairs.New), err, test.want)
		}
	}
}
