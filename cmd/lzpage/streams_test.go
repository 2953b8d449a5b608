package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"

	"github.com/lzpage/lzpage/delta"
	"github.com/lzpage/lzpage/pagestream"
)

// streams are what mkstream makes: streams that lzpage compress does not write.
var streams = map[string]func() []byte{
	// wide has clusters of 512 MiB.
	"wide": func() []byte {
		return writeStream(pagestream.Options{PageSize: 2 << 20, ClusterPages: 256}, region(0, 4096))
	},
	// backwards has its second region before the first in the file.
	"backwards": func() []byte {
		return writeStream(pagestream.Options{}, region(8192, 8192), region(0, 8192))
	},
	// rude has names that would steer a terminal.
	"rude": func() []byte {
		r := region(0, 4096)
		r.Name = "\x1b[2Jram"
		return writeStream(pagestream.Options{Metadata: []pagestream.Metadata{{Key: "guest", Value: "\x1b]0;web1\x07"}}}, r)
	},
	// steering and reordering are based on streams whose names would steer a
	// terminal, and write backwards.
	"steering":   func() []byte { return missingBase("\x1b]0;web1\x07\x1b[31mred\nidentity  fake.lzp") },
	"reordering": func() []byte { return missingBase("a\u202eb.lzp") },
	// rounds has the memory of the image rounds, in two rounds.
	"rounds": func() []byte {
		first, last := noise(20, roundsSize), images["rounds"]()
		cache, err := delta.NewCache(delta.CacheOptions{PageSize: 4096, Bytes: 8 << 20})
		if err != nil {
			panic(err)
		}
		var b bytes.Buffer
		w, err := pagestream.NewWriter(context.Background(), &b, pagestream.Options{Cache: cache})
		if err == nil {
			err = w.BeginRegion(region(0, roundsSize))
		}
		if err == nil {
			_, err = w.Write(first)
		}
		if err == nil {
			err = w.BeginRound()
		}
		for _, page := range []int{2, 5} {
			if err == nil {
				err = w.WritePages(0, uint64(page), last[page*4096:][:4096])
			}
		}
		if err == nil {
			_, err = w.Close()
		}
		if err != nil {
			panic(err)
		}
		return b.Bytes()
	},
	// window remembers more pages for duplicates than readers do by default.
	"window": func() []byte {
		return writeStream(pagestream.Options{DuplicateWindow: pagestream.MaxDuplicateWindow}, region(0, 8192))
	},
	// newer is of version 2.
	"newer": func() []byte {
		b := writeStream(pagestream.Options{}, region(0, 4096))
		const header = 32
		b[header] = 2
		table := crc32.MakeTable(crc32.Castagnoli)
		size := binary.LittleEndian.Uint32(b[12:])
		binary.LittleEndian.PutUint32(b[24:], crc32.Checksum(b[header:][:size], table))
		binary.LittleEndian.PutUint32(b[28:], crc32.Checksum(b[:28], table))
		return b
	},
}

// missingBase returns a stream that is based on another one of the name.
func missingBase(name string) []byte {
	b := writeStream(pagestream.Options{}, region(0, 4096))
	base, err := pagestream.NewReaderAt(bytes.NewReader(b), int64(len(b)), pagestream.ReadOptions{})
	if err != nil {
		panic(err)
	}
	return writeStream(pagestream.Options{Base: base, BaseName: name}, region(0, 8192))
}

func region(offset, length uint64) pagestream.Region {
	return pagestream.Region{Address: offset, FileOffset: offset, Length: length}
}

func writeStream(options pagestream.Options, regions ...pagestream.Region) []byte {
	var b bytes.Buffer
	w, err := pagestream.NewWriter(context.Background(), &b, options)
	if err != nil {
		panic(err)
	}
	for i, r := range regions {
		if err := w.BeginRegion(r); err != nil {
			panic(err)
		}
		if _, err := w.Write(noise(uint64(20+i), int(r.Length))); err != nil {
			panic(err)
		}
	}
	if _, err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}
