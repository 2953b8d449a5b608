package main

import "fmt"

// A codec is a row of a table.
type codec struct {
	name  string
	class string // whose it is
	// start makes a coder that takes memory in blocks of so many bytes.
	start func(blockBytes int) coder
	// process says that the codec works in goroutines of its own, and so is
	// timed by the CPU time of the whole process.
	process bool
}

// Classes of codecs.
const (
	ours   = "lzpage"
	inGo   = "Go"
	inC    = "C"
	noCost = "roof"
)

// A coder encodes memory and keeps the result.
type coder interface {
	// encode encodes m, whole blocks, in place of what it encoded before, and
	// returns what that takes in bytes.
	encode(m memory) (int, error)
	// decode decodes what was encoded last into dst, which is as long, and
	// holds the earlier version if there is one.
	decode(dst []byte) error
}

// A memory is what a coder encodes.
type memory struct {
	data []byte
	old  []byte // the earlier version of each page, nil where there is none
}

// check encodes m, decodes it into back, and returns what it takes encoded. It
// is an error if it does not come back as it was.
func check(c coder, m memory, back []byte) (int, error) {
	encoded, err := c.encode(m)
	if err != nil {
		return 0, fmt.Errorf("encoding: %w", err)
	}
	if m.old != nil {
		copy(back, m.old)
	} else {
		for i := range back {
			back[i] = ^m.data[i] // nothing is right by chance
		}
	}
	if err := c.decode(back); err != nil {
		return 0, fmt.Errorf("decoding: %w", err)
	}
	for i := range m.data {
		if back[i] != m.data[i] {
			return 0, fmt.Errorf("decoding gives %#02x where byte %d was %#02x", back[i], i, m.data[i])
		}
	}
	return encoded, nil
}

// blockRoom is how much room a block's encoder gets: more than any of them
// asks for.
func blockRoom(blockBytes int) int { return 2*blockBytes + 1024 }

// A blockEncoder encodes src into dst, which has blockRoom of it, and returns
// the length, 0 where the codec found that it does not shrink.
type blockEncoder func(dst, src []byte) (int, error)

// A blockDecoder decodes src into dst and returns the length.
type blockDecoder func(dst, src []byte) (int, error)

// A blockCoder encodes each block alone and stores it as it is where it does
// not shrink.
type blockCoder struct {
	blockBytes  int
	encodeBlock blockEncoder
	decodeBlock blockDecoder
	encoded     []byte
	ends        []int // of each block in encoded
}

func blockwise(encode blockEncoder, decode blockDecoder) func(int) coder {
	return func(blockBytes int) coder {
		return &blockCoder{blockBytes: blockBytes, encodeBlock: encode, decodeBlock: decode}
	}
}

func (c *blockCoder) encode(m memory) (int, error) {
	data := m.data
	room := blockRoom(c.blockBytes)
	if len(c.encoded) < len(data)+room {
		c.encoded = make([]byte, len(data)+room)
	}
	c.ends = c.ends[:0]
	at := 0
	for ; len(data) > 0; data = data[c.blockBytes:] {
		block := data[:c.blockBytes]
		n, err := c.encodeBlock(c.encoded[at:at+room:at+room], block)
		if err != nil {
			return 0, err
		}
		if n == 0 || n >= len(block) {
			n = copy(c.encoded[at:], block)
		}
		at += n
		c.ends = append(c.ends, at)
	}
	return at, nil
}

func (c *blockCoder) decode(dst []byte) error {
	start := 0
	for _, end := range c.ends {
		encoded, block := c.encoded[start:end], dst[:c.blockBytes]
		start, dst = end, dst[c.blockBytes:]
		if len(encoded) == len(block) {
			copy(block, encoded)
			continue
		}
		n, err := c.decodeBlock(block, encoded)
		if err != nil {
			return err
		}
		if n != len(block) {
			return fmt.Errorf("a block of %d bytes comes back as %d", len(block), n)
		}
	}
	return nil
}
