package delta

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/lzpage/lzpage/internal/deltaspec"
)

// The example of QEMU's documentation.
var (
	exampleOld    = example("0506070809 0a0b0c0d0e 0f10111213", "680000 6b 00 6d")
	exampleNew    = example("0102030405 060708090a 0b0c0d0e0f", "680000 67 00 69")
	exampleXBZRLE = unhex("e907 0f 0102030405060708090a0b0c0d0e0f 03 01 67 01 01 69")
)

func example(middle, after string) []byte {
	page := make([]byte, 4096)
	n := 1001 + copy(page[1001:], unhex(middle))
	copy(page[n:], unhex(after))
	return page
}

func TestXBZRLEExample(t *testing.T) {
	record, ok := AppendXBZRLE([]byte("before"), exampleOld, exampleNew)
	if want := append([]byte("before"), exampleXBZRLE...); !ok || !bytes.Equal(record, want) {
		t.Errorf("%x, %v; want %x", record, ok, want)
	}
	page := bytes.Clone(exampleOld)
	if err := ApplyXBZRLE(page, exampleXBZRLE); err != nil || !bytes.Equal(page, exampleNew) {
		t.Errorf("applying gives another page, %v", err)
	}
}

func TestXBZRLE(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	tooLong := 0
	for n := range 20000 {
		old, new := versions(rng, rng.IntN(4097)*(n%5+1)%(MaxXBZRLEPage+1))
		want := deltaspec.EncodeXBZRLE(old, new)
		record, ok := AppendXBZRLE(nil, old, new)
		if len(want) > len(new) {
			tooLong++
			if ok || record != nil {
				t.Fatalf("a record of %d bytes for a page of %d", len(record), len(new))
			}
			continue
		}
		if !ok || !bytes.Equal(record, want) {
			t.Fatalf("page of %d bytes: %x, want %x", len(new), record, want)
		}
		page := bytes.Clone(old)
		if err := ApplyXBZRLE(page, record); err != nil || !bytes.Equal(page, new) {
			t.Fatalf("page of %d bytes: applying %x gives another page, %v", len(new), record, err)
		}
	}
	if tooLong == 0 {
		t.Error("no record was too long")
	}
}

func TestXBZRLEWholePage(t *testing.T) {
	old, new := make([]byte, MaxXBZRLEPage), bytes.Repeat([]byte{1}, MaxXBZRLEPage)
	if _, ok := AppendXBZRLE(nil, old, new); ok {
		t.Error("a page that has changed throughout gives a record")
	}
	new[7] = 0
	record, ok := AppendXBZRLE(nil, new, old)
	if ok {
		t.Errorf("a record of %d bytes", len(record))
	}
}

func TestXBZRLECorrupt(t *testing.T) {
	for _, record := range []string{
		"00",                // no second length
		"80 00 01",          // cut within the data
		"00 00",             // a run of no changed bytes
		"00 01 ff 00 01 ff", // a run of no equal bytes, not the first
		"8080 01 ff",        // a length of three bytes
		"00 8080 ff",        // and of the other run
		"ff7f 01 ff",        // beyond the page
		"3f 02 ff ff",       // one byte beyond the page
		"00 02 ff",          // beyond the record
		"00 01",             // beyond the record
		"80",                // half a length
		"01 81",             // half a length
	} {
		page := bytes.Repeat([]byte{0xAA}, 64)
		canary := append(page, 0xBB)[:64]
		var bad *CorruptError
		if err := ApplyXBZRLE(canary, unhex(record)); !errors.As(err, &bad) {
			t.Errorf("%s: %v", record, err)
		}
	}
	page := make([]byte, 64)
	if err := ApplyXBZRLE(page, unhex("3f 01 ff")); err != nil || page[63] != 0xFF {
		t.Errorf("the last byte: %v", err)
	}
	if err := ApplyXBZRLE(page, unhex("00 01 01")); err != nil || page[0] != 1 {
		t.Errorf("the first byte: %v", err)
	}
}
