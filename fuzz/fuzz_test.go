//go:build !gofuzz

package fuzz

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lzpage/lzpage/internal/image"
	"github.com/lzpage/lzpage/pagestream"
)

func FuzzBlockDecode(f *testing.F) {
	var seeds [][]byte
	for _, block := range vectors(f, ".lzrw1") {
		for choice := range byte(8) {
			seeds = append(seeds, append([]byte{choice, choice >> 1}, block[4:]...))
		}
	}
	fuzz(f, seeds, blockDecode)
}

func FuzzBlockEncode(f *testing.F) {
	var seeds [][]byte
	for i, memory := range vectors(f, ".in") {
		seeds = append(seeds, append([]byte{byte(i), byte(i >> 4), byte(i * 7), byte(i & 1), byte(i)}, memory...))
	}
	fuzz(f, seeds, blockEncode)
}

func FuzzFlagged(f *testing.F) {
	fuzz(f, vectors(f, ".lzrw1"), flagged)
}

func FuzzEncodeKernels(f *testing.F) {
	var seeds [][]byte
	for i, memory := range vectors(f, ".in") {
		seeds = append(seeds, append([]byte{byte(i), byte(i >> 4), byte(i * 7), byte(i & 1), byte(i)}, memory...))
	}
	fuzz(f, seeds, encodeKernels)
}

func FuzzDecodeKernels(f *testing.F) {
	var seeds [][]byte
	for i, block := range vectors(f, ".lzrw1") {
		seeds = append(seeds, append([]byte{byte(i), byte(i >> 3)}, block[4:]...))
	}
	fuzz(f, seeds, decodeKernels)
}

func FuzzWordKernels(f *testing.F) {
	var seeds [][]byte
	for i := range byte(16) {
		pages := noise(128*int(i+1), uint32(i))
		for k := range pages {
			if pages[k&^7]&i == 0 {
				pages[k] = 0 // and so is the rest of the word
			}
		}
		seeds = append(seeds, append([]byte{i}, pages...))
		half := len(pages) / 2
		copy(pages[half:], pages[:half/2]) // no difference in there
		seeds = append(seeds, append([]byte{i}, pages...))
	}
	fuzz(f, seeds, wordKernels)
}

func FuzzDeltaApply(f *testing.F) { fuzz(f, deltaSeeds(), deltaApply) }

func FuzzDeltaEncode(f *testing.F) {
	var seeds [][]byte
	for i := range byte(32) {
		seeds = append(seeds, append([]byte{i, i, i<<2 | i>>3, 1, i}, bytes.Repeat([]byte{i * 7, i << 3, i >> 2, 'x'}, int(i)+1)...))
	}
	fuzz(f, seeds, deltaEncode)
}

func FuzzXBZRLE(f *testing.F) { fuzz(f, xbzrleSeeds(), xbzrleApply) }

func FuzzStreamRead(f *testing.F) {
	fuzz(f, hostileSeeds(), streamRead)
}

func FuzzStreamSalvage(f *testing.F) {
	seeds := hostileSeeds()
	for i, stream := range streams() {
		seeds = append(seeds, append([]byte{byte(i), 0}, stream[:len(stream)*2/3]...))
	}
	fuzz(f, seeds, streamSalvage)
}

func FuzzStreamReadAt(f *testing.F) {
	fuzz(f, hostileSeeds(), streamReadAt)
}

func FuzzStreamWrite(f *testing.F) {
	fuzz(f, plans(), streamWrite)
}

func FuzzStreamDamage(f *testing.F) {
	var seeds [][]byte
	for i, plan := range plans() {
		for kind := range byte(4) {
			seeds = append(seeds, append([]byte{kind | byte(i)<<2, byte(i * 5), byte(i * 31), kind, byte(i), 1}, plan...))
		}
	}
	fuzz(f, seeds, streamDamage)
}

func FuzzChainRead(f *testing.F) {
	fuzz(f, pairs(), chainRead)
}

func FuzzChainReadAt(f *testing.F) {
	fuzz(f, pairs(), chainReadAt)
}

func FuzzChainWrite(f *testing.F) {
	var seeds [][]byte
	for i, plan := range plans() {
		head := append([]byte{byte(i), byte(i * 7), byte(i)}, noise(256+i, uint32(i))...)
		seeds = append(seeds, append(head, plan...))
	}
	fuzz(f, seeds, chainWrite)
}

func FuzzPacket(f *testing.F) { fuzz(f, packetSeeds(), packetDecode) }

func FuzzImage(f *testing.F) {
	var seeds [][]byte
	for format := range byte(6) {
		for _, b := range images() {
			seeds = append(seeds, append([]byte{format}, b...))
		}
	}
	fuzz(f, seeds, imageOpen)
}

// fuzz runs the target on the seeds and what comes of them. Where LZPAGE_CORPUS
// names a directory, the seeds are written there for go-fuzz.
func fuzz(f *testing.F, seeds [][]byte, target func([]byte)) {
	if dir := os.Getenv("LZPAGE_CORPUS"); dir != "" {
		dir = filepath.Join(dir, f.Name(), "corpus")
		if err := os.MkdirAll(dir, 0o777); err != nil {
			f.Fatal(err)
		}
		for i, seed := range seeds {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("seed-%d", i)), seed, 0o666); err != nil {
				f.Fatal(err)
			}
		}
	}
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(_ *testing.T, data []byte) { target(data) })
}

// hostileSeeds returns streams behind the two bytes that say how to read them:
// good ones, each repaired in every way, and those that were trouble once.
func hostileSeeds() [][]byte {
	var seeds [][]byte
	for i, stream := range streams() {
		for how := range byte(repairs) {
			seeds = append(seeds, append([]byte{how | byte(i)<<2, 0}, stream...))
		}
		seeds = append(seeds, append([]byte{byte(i), byte(i)}, stream...)) // and stopped
	}
	for _, stream := range hostile() {
		seeds = append(seeds, append([]byte{crcsOnly, 0}, stream...), append([]byte{complete, 0}, stream...))
	}
	return seeds
}

// vectors returns the codec's small test vectors whose names end so.
func vectors(f *testing.F, suffix string) [][]byte {
	names, err := filepath.Glob("../lzrw1/testdata/vectors/*" + suffix)
	if err != nil || len(names) == 0 {
		f.Fatalf("no vectors: %v", err)
	}
	var all [][]byte
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(b) <= 1100 {
			all = append(all, b)
		}
	}
	return all
}

// plans returns plans for memory of each kind, see makePlan.
func plans() [][]byte {
	// page size, cluster, level, window, metadata; class and place of the first region
	options := func(b ...byte) []byte { return append(b, 0, 0, 16, 0, 0, 0, 0) }
	pieces := map[string][]byte{
		"zero":      {0, 200},
		"word":      {2, 1, 2, 3, 4, 5, 6, 7, 8, 200},
		"noise":     {3, 100, 7},
		"text":      {6, 99, 100, 6, 98, 100, 7},
		"sparse":    {5, 90, 3, 60, 40, 50, 70, 80, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90},
		"duplicate": {3, 32, 9, 4, 0, 0, 16, 4, 4, 0, 8},
		"region":    {15, 9, 0, 0, 3, 'r', 'a', 'm', 5, 1},
		"other":     {31, 90, 0, 1, 0, 0, 3, 20, 3},
		"part":      {1, 5, 'h', 'e', 'l', 'l', 'o', 0, 9, 17, 3, 'x', 'y', 'z'},
	}
	order := strings.Fields("zero word noise text sparse duplicate region other part")
	var all [][]byte
	for i, name := range order {
		all = append(all, append(options(byte(i), byte(i), byte(i), byte(i+1), byte(i)), pieces[name]...))
	}
	for i := range byte(8) { // all of them, each time with other options
		b := options(3-i&3, i%5, i, i+2, i&1)
		for k := range order {
			b = append(b, pieces[order[(k+int(i))%len(order)]]...)
		}
		all = append(all, b)
	}
	return all
}

// streams returns the streams of the plans that are small.
func streams() [][]byte {
	var all [][]byte
	for _, seed := range plans() {
		p := makePlan(seed)
		if stream, _ := p.write(1); len(stream) < 6000 {
			all = append(all, stream)
		}
	}
	skippable := frame{typ: 200, geometry: 3 | 4<<4, payload: []byte("for later versions")}
	first := all[0]
	end := headerSize + len(split(first)[0].payload)
	skippable.geometry = first[5]
	all = append(all, repair(bytes.Join([][]byte{first[:end], skippable.append(nil), first[end:]}, nil), complete))
	return all
}

// images returns small memory images of each format.
func images() [][]byte {
	memory := bytes.Repeat([]byte("memory. "), 8)
	all := [][]byte{nil, memory, limeRange(0x1000, memory), append(limeRange(0x1000, memory), limeRange(1<<40, memory[:9])...)}
	for _, wide := range []bool{false, true} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			core := elfCore(wide, order, memory)
			all = append(all, core, core[:len(core)-10], append(bytes.Clone(core), "behind"...))
		}
	}
	return append(all, append(limeRange(0, memory), "behind"...))
}

func limeRange(address uint64, memory []byte) []byte {
	b := append([]byte("EMiL"), 1, 0, 0, 0)
	b = le.AppendUint64(b, address)
	b = le.AppendUint64(b, address+uint64(len(memory))-1)
	b = le.AppendUint64(b, 0)
	return append(b, memory...)
}

// elfCore returns a core of a note and two segments.
func elfCore(wide bool, order binary.AppendByteOrder, memory []byte) []byte {
	headerLen, progLen, class := 52, 32, byte(elf.ELFCLASS32)
	if wide {
		headerLen, progLen, class = 64, 56, byte(elf.ELFCLASS64)
	}
	data := byte(elf.ELFDATA2LSB)
	if order.String() == binary.BigEndian.String() {
		data = byte(elf.ELFDATA2MSB)
	}
	word := func(b []byte, v int) []byte { // as wide as an address
		if wide {
			return order.AppendUint64(b, uint64(v))
		}
		return order.AppendUint32(b, uint32(v))
	}
	b := append([]byte(elf.ELFMAG), class, data, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b = order.AppendUint16(b, uint16(elf.ET_CORE))
	b = order.AppendUint16(b, uint16(elf.EM_X86_64))
	b = order.AppendUint32(b, 1)
	b = word(b, 0)
	b = word(b, headerLen)
	b = word(b, 0)
	b = order.AppendUint32(b, 0)
	for _, v := range []int{headerLen, progLen, 3, 0, 0, 0} {
		b = order.AppendUint16(b, uint16(v))
	}
	at := headerLen + 3*progLen
	for i, size := range []int{20, 24, len(memory)} {
		kind := elf.PT_LOAD
		if i == 0 {
			kind = elf.PT_NOTE
		}
		b = order.AppendUint32(b, uint32(kind))
		if wide {
			b = order.AppendUint32(b, 0)
		}
		for _, v := range []int{at, i << 20, i << 20, size, size} {
			b = word(b, v)
		}
		if !wide {
			b = order.AppendUint32(b, 0)
		}
		b = word(b, 0)
		at += size
	}
	return append(b, bytes.Repeat(memory, 2)[:at-len(b)]...)
}

// TestSeeds makes sure that the seeds lead where they are meant to.
func TestSeeds(t *testing.T) {
	var kinds [pagestream.Kinds]uint64
	for _, stream := range streams() {
		_, totals, err := collect(stream, limits(1), false, 0, false)
		if err != nil {
			t.Error(err)
		}
		for kind, n := range totals.Pages {
			kinds[kind] += n
		}
	}
	kinds[pagestream.Delta] = 1 // not in complete streams
	onTop, rounds, err := describeSeeds()
	if err != nil || rounds == 0 {
		t.Errorf("%d rounds in seeds of chains, %v", rounds, err)
	}
	for kind := range kinds {
		if kinds[kind] == 0 || onTop[kind] == 0 {
			t.Errorf("%d and %d pages of kind %v", kinds[kind], onTop[kind], pagestream.Kind(kind))
		}
	}
	formats := make(map[image.Format]int)
	for _, b := range images() {
		r, err := image.Open("image", bytes.NewReader(b), image.Auto)
		if err != nil {
			t.Fatal(err)
		}
		formats[r.Format()]++
	}
	if want := map[image.Format]int{image.Raw: 2, image.LiME: 3, image.ELF: 12}; !maps.Equal(formats, want) {
		t.Errorf("formats %v instead of %v", formats, want)
	}
}
