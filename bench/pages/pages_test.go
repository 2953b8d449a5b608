package pages

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// memory returns pages that begin with their number plus one, but for those
// listed, which are zero.
func memory(n int, zero ...int) []byte {
	data := make([]byte, n*Size)
	for i := range n {
		binary.LittleEndian.PutUint32(data[i*Size:], uint32(i+1))
	}
	for _, i := range zero {
		clear(data[i*Size:][:Size])
	}
	return data
}

// numbers returns the numbers of the pages in data.
func numbers(t *testing.T, data []byte) []int {
	t.Helper()
	if len(data)%Size != 0 {
		t.Fatalf("%d bytes are no pages", len(data))
	}
	var all []int
	for ; len(data) > 0; data = data[Size:] {
		all = append(all, int(binary.LittleEndian.Uint32(data))-1)
	}
	return all
}

func TestSampleTakesAllOfFew(t *testing.T) {
	data := memory(10, 0, 3, 9)
	binary.LittleEndian.PutUint32(data[3*Size+Size-4:], 7) // not zero: its last bytes are set
	got, err := Sample(bytes.NewReader(append(data, 1, 2, 3)), 1, 100)
	if err != nil {
		t.Fatal(err)
	}
	if want := data[Size : 9*Size]; !bytes.Equal(got, want) {
		t.Errorf("got pages %v", numbers(t, got))
	}
}

func TestSampleStretches(t *testing.T) {
	// Stretches of four: 0-3 and 12-15 are whole, 4-7 and 8-11 have a zero
	// page each, 16-17 are too few.
	data := memory(18, 4, 11)
	got, err := Sample(bytes.NewReader(data), 4, 100)
	if err != nil {
		t.Fatal(err)
	}
	want := append(bytes.Clone(data[:4*Size]), data[12*Size:16*Size]...)
	if !bytes.Equal(got, want) {
		t.Errorf("got pages %v", numbers(t, got))
	}
}

func TestSampleOfMany(t *testing.T) {
	data := memory(1000)
	first, err := Sample(bytes.NewReader(data), 1, 100)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Sample(bytes.NewReader(data), 1, 100)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, again) {
		t.Error("two samples of the same memory differ")
	}
	got := numbers(t, first)
	if len(got) != 100 {
		t.Fatalf("got %d pages, want 100", len(got))
	}
	quarters := [4]int{}
	for i, n := range got {
		if i > 0 && n <= got[i-1] {
			t.Fatalf("page %d stands behind page %d", n, got[i-1])
		}
		quarters[n/250]++
	}
	for q, n := range quarters {
		if n < 10 || n > 40 {
			t.Errorf("quarter %d of the memory gives %d of 100 pages", q, n)
		}
	}
}

func TestSampleFile(t *testing.T) {
	dir := t.TempDir()
	data := memory(8, 2)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}

	want := append(bytes.Clone(data[:2*Size]), data[3*Size:]...)
	for _, path := range []string{write("plain.ram", data), write("packed.ram.gz", packed.Bytes())} {
		if got, err := SampleFile(path, 1, 100); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: pages %v, error %v", path, numbers(t, got), err)
		}
	}

	for _, test := range []struct{ path, want string }{
		{filepath.Join(dir, "none.ram"), "no such file"},
		{write("zero.ram", make([]byte, 4*Size)), "zero.ram: no 1 pages"},
		{write("cut.ram.gz", packed.Bytes()[:packed.Len()/2]), "cut.ram.gz: unexpected EOF"},
		{write("plain.ram.gz", data), "plain.ram.gz: gzip: invalid header"},
	} {
		if got, err := SampleFile(test.path, 1, 100); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %d bytes, error %v, want %q in it", test.path, len(got), err, test.want)
		}
	}
}

func TestWorkload(t *testing.T) {
	for name, want := range map[string]string{
		"some/db/pages.bin.gz": "db",
		"some/db/runs.bin":     "db",
		"some/db/dirty.bin.gz": "db",
		"some/t40.ram.gz":      "t40",
		"guest.ram":            "guest",
		"guest":                "guest",
	} {
		if got := Workload(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}
