package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// textFiles are where a guest with a disk has text from: Perl's manual, eight
// megabytes of English and code. That is more than compressors look back, so
// that they find in a page what it repeats itself, and not all of it elsewhere.
const textFiles = "/usr/share/perl/*/pod/*.pod"

// A text is what excerpts are taken from. All of it can be printed, and needs no
// quoting in JSON or SQL.
type text []byte

func readText() (text, error) {
	names, err := filepath.Glob(textFiles)
	if err != nil {
		return nil, err
	}
	var t text
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for i, c := range content {
			if c < ' ' || c > '~' || c == '"' || c == '\'' || c == '\\' {
				content[i] = ' '
			}
		}
		t = append(t, content...)
	}
	if len(t) < 1<<20 {
		return nil, errors.New("there is no text at " + textFiles)
	}
	return t, nil
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
