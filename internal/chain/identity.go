package chain

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/lzpage/lzpage/pagestream"
)

// What leads from frame to frame; see pagestream/SPEC.md.
const (
	headerSize   = 32
	typeOffset   = 4
	lengthOffset = 12
	endFrame     = 6
)

// CheckIdentities reads the headers of all frames and checks that each stream is
// the one that it says it is. A frame that another stream has at the same place
// passes for this stream's otherwise: a file that was written over in part, from
// a newer backup of the same guest, has such ones. The payloads are checked by
// whoever reads them.
func (c *Chain) CheckIdentities() error {
	for _, s := range c.Streams {
		id, at, err := identity(s.src)
		if err == nil && id != s.Totals().ID {
			err = &pagestream.Error{Kind: pagestream.ErrCorrupt, Offset: at, Region: -1, Page: -1,
				Reason: fmt.Sprintf("its frames are those of stream %v, and it says that it is stream %v", id, s.Totals().ID)}
		}
		if err != nil {
			return &DamageError{s.Name, c.Top().Name, len(c.Streams) > 1, err}
		}
	}
	return nil
}

// identity returns the identity of the frames in src, and where they end.
func identity(src *io.SectionReader) (id pagestream.ID, at int64, err error) {
	hash := sha256.New()
	cut := func() error {
		return &pagestream.Error{Kind: pagestream.ErrCorrupt, Offset: at, Region: -1, Page: -1, Reason: "the frames do not lead to the end"}
	}
	var header [headerSize]byte
	for {
		if _, err := src.ReadAt(header[:], at); err != nil {
			if errors.Is(err, io.EOF) {
				err = cut()
			}
			return id, at, err
		}
		if header[typeOffset] == endFrame {
			copy(id[:], hash.Sum(nil))
			return id, at, nil
		}
		length := int64(binary.LittleEndian.Uint32(header[lengthOffset:]))
		if at == 0 {
			if _, err := io.Copy(hash, io.NewSectionReader(src, headerSize, length)); err != nil {
				return id, at, err
			}
		}
		hash.Write(header[:])
		at += headerSize + length
	}
}
