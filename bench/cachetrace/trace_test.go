package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var small = &Trace{PageSize: 4096, Rounds: [][]Touch{
	{{0, 0}, {1, 10}, {2, 64}, {3, 1}, {4, 30}},
	{{1, 12}, {4, 64}},
	nil,
	{{0, 20}, {1, 0}},
	{{0, 20}, {1, 11}, {3, 40}},
}}

func TestTraceFile(t *testing.T) {
	var file bytes.Buffer
	n, err := small.WriteTo(&file)
	if err != nil || n != int64(file.Len()) {
		t.Fatalf("%d bytes of %d, %v", n, file.Len(), err)
	}
	got, err := ReadTrace(bytes.NewReader(file.Bytes()))
	if err != nil || !reflect.DeepEqual(got, small) {
		t.Errorf("got %+v, %v", got, err)
	}
	for n := range file.Len() {
		if _, err := ReadTrace(bytes.NewReader(file.Bytes()[:n])); err == nil {
			t.Errorf("%d bytes of %d are a trace", n, file.Len())
		}
	}
}

func TestReadTraceErrors(t *testing.T) {
	for content, want := range map[string]string{
		"lzpage page trace 2\n":                                     "not a page trace",
		traceMagic + "\x20\x01\x00":                                 "page size: 32",
		traceMagic + "\x80\x20\x00":                                 "rounds: 0",
		traceMagic + "\x80\x20\x01\x01\x00":                         "EOF",
		traceMagic + "\x80\x20\x01\x01\x00\x41":                     "form 65",
		traceMagic + "\x80\x20\x01\x01\x00\x40+":                    "behind the last round",
		traceMagic + "\x80\x20\x01\x01\xff\xff\xff\xff\x0f":         "pages between",
		traceMagic + "\x80\x20\x01\xff\xff\xff\xff\x0f":             "touches",
		traceMagic + "\x80\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff": "EOF",
	} {
		var file bytes.Buffer
		z := gzip.NewWriter(&file)
		fmt.Fprint(z, content)
		z.Close()
		if _, err := ReadTrace(&file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one that has %q", content, err, want)
		}
	}
}

// writeImages leaves three images of eight pages.
func writeImages(t *testing.T) (dir string, names []string) {
	dir = t.TempDir()
	memory := make([]byte, 8*4096)
	noise := rand.NewChaCha8([32]byte{})
	write := func() {
		name := filepath.Join(dir, fmt.Sprintf("gen%02d.ram", len(names)))
		if err := os.WriteFile(name, memory, 0o644); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	noise.Read(memory[1*4096 : 2*4096])
	copy(memory[2*4096:3*4096], bytes.Repeat([]byte("8 bytes."), 512))
	noise.Read(memory[5*4096+2048 : 6*4096])
	write()
	noise.Read(memory[2*4096 : 3*4096])
	clear(memory[5*4096 : 6*4096])
	write()
	memory[7*4096+4095] = 1
	write()
	return dir, names
}

func TestRecord(t *testing.T) {
	dir, names := writeImages(t)
	got, err := Record(names, 4096)
	if err != nil {
		t.Fatal(err)
	}
	// half a page of noise: 2048*18/16 bytes, and zeros: 2048*34/256
	const half = (2304 + 272 + 63) / 64
	want := &Trace{PageSize: 4096, Rounds: [][]Touch{
		{{0, 0}, {1, 64}, {2, 1}, {3, 0}, {4, 0}, {5, half}, {6, 0}, {7, 0}},
		{{2, 64}, {5, 0}},
		{{7, 9}},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v,\nwant %v", got, want)
	}
	file := filepath.Join(t.TempDir(), "guest.trace")
	var out bytes.Buffer
	if err := run([]string{"-record", file, dir}, &out); err != nil || out.Len() != 0 {
		t.Fatalf("%v %s", err, &out)
	}
	if got, err = load([]string{file}, 4096); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the recorded trace is %v, %v", got, err)
	}
	if left, err := os.ReadDir(filepath.Dir(file)); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if err := os.Truncate(names[1], 4096); err != nil {
		t.Fatal(err)
	}
	if _, err := Record(names, 4096); err == nil || !strings.Contains(err.Error(), "not of one memory") {
		t.Errorf("images of two sizes: %v", err)
	}
	if err := os.Truncate(names[1], 4000); err != nil {
		t.Fatal(err)
	}
	if _, err := Record(names, 4096); err == nil || !strings.Contains(err.Error(), "gen01.ram: 4000 bytes") {
		t.Errorf("an image of 4000 bytes: %v", err)
	}
}

func TestMerge(t *testing.T) {
	want := &Trace{PageSize: 4096, Rounds: [][]Touch{
		small.Rounds[0],
		{{0, 20}, {1, 0}, {4, 64}},
		{{0, 20}, {1, 11}, {3, 40}},
	}}
	if got := small.Merge(3); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestUses(t *testing.T) {
	all, asked := small.uses()
	// of the eight touches after round 0, page 0 was zeros once, page 1 once
	if asked != 5 {
		t.Errorf("%d pages are asked for", asked)
	}
	var next []int
	for _, u := range all {
		if u.next == never {
			next = append(next, -1)
		} else {
			next = append(next, u.next)
		}
	}
	if want := []int{-1, 5, -1, 11, 6, 8, -1, 9, -1, -1, -1, -1}; !reflect.DeepEqual(next, want) {
		t.Errorf("next uses %v, want %v", next, want)
	}
}
