package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// textFiles are where a guest with a disk has text from: Perl's manual, eight
// megabytes of English and code. That is more than compressors look back, so
// that they find in a page what it repeats itself, and not all of it elsewhere.
const textFiles = "/usr/share/perl/*/pod/*.pod"

// textBytes is how much of it is read at most.
const textBytes = 8 << 20

// A text is what excerpts are taken from. All of it can be printed, and needs no
// quoting in JSON or SQL.
type text []byte

// readText reads the text, once however many ask for it. It lies beside the
// heap: there the collector would count it, and let five times as much garbage
// gather before it sets to work, which a small guest has no room for.
var readText = sync.OnceValues(func() (text, error) {
	names, err := filepath.Glob(textFiles)
	if err != nil {
		return nil, err
	}
	t, err := unix.Mmap(-1, 0, textBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, fmt.Errorf("memory for %d bytes of text: %w", textBytes, err)
	}
	length := 0
	for _, name := range names {
		n, err := readInto(t[length:], name)
		if err != nil {
			return nil, err
		}
		length += n
	}
	if length < 1<<20 {
		return nil, errors.New("there is no text at " + textFiles)
	}
	t = t[:length]
	for i, c := range t {
		if c < ' ' || c > '~' || c == '"' || c == '\'' || c == '\\' {
			t[i] = ' '
		}
	}
	return t, nil
})

// readInto reads a file up to its end or that of the room for it, and returns
// how many bytes that is.
func readInto(room []byte, name string) (int, error) {
	file, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	n, err := io.ReadFull(file, room)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return n, err
}

// excerptBytes is how long a piece of text is at most.
const excerptBytes = 512

// appendTo appends n bytes of text. The seed says which.
func (t text) appendTo(data []byte, seed uint64, n int) []byte {
	for n > 0 {
		seed = mix(seed + 0x9e3779b97f4a7c15)
		length := min(n, excerptBytes)
		data = append(data, t[seed%uint64(len(t)-length):][:length]...)
		n -= length
	}
	return data
}

// mix is the finaliser of SplitMix64: each bit of x changes half of the bits.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// vocabulary is what records are made of.
var vocabulary = [...]string{
	"the", "of", "and", "to", "in", "is", "that", "for", "with", "as", "was", "on", "by", "are", "from", "not",
	"order", "customer", "delivery", "invoice", "account", "payment", "address", "warehouse", "product", "price",
	"quantity", "discount", "shipping", "returned", "confirmed", "pending", "message", "password", "session",
	"blue", "green", "leather", "cotton", "steel", "wooden", "kitchen", "garden", "bicycle", "keyboard", "lamp",
	"Lisbon", "Oslo", "Turin", "Lyon", "Aarhus", "Mainz", "Seville", "Bergen", "Sofia", "Utrecht", "Gdansk",
	"Station Road", "Mill Street", "Church Lane", "Harbour View", "Market Square", "Bridge Street",
	"request", "response", "timeout", "connection", "server", "client", "error", "warning", "retry", "cache",
	"temperature", "measured", "average", "maximum", "during", "between", "after", "before", "weekly", "monthly",
}

// recordMost is more bytes than a record of appendRecords has.
const recordMost = 256

// appendRecords appends at least n bytes of records like those of a service.
func appendRecords(data []byte, random *rand.Rand, n int) []byte {
	word := func() string { return vocabulary[random.IntN(len(vocabulary))] }
	for end := len(data) + n; len(data) < end; {
		data = fmt.Appendf(data, "{\"order\": %d, \"customer\": \"%s %s\", \"state\": \"%s\", \"amount\": %d.%02d, \"note\": \"%s %s %s %s %s\"}\n",
			random.IntN(1e6), word(), word(), word(), random.IntN(5000), random.IntN(100), word(), word(), word(), word(), word())
	}
	return data
}
