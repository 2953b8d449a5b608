package fuzz

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/lzpage/lzpage/internal/image"
	"github.com/lzpage/lzpage/pagestream"
)

// maxImage bounds the input of imageOpen, in bytes.
const maxImage = 1 << 16

// imageOpen takes any bytes for a memory image, of known size and from a pipe.
// Its regions one behind the other are the image.
func imageOpen(data []byte) {
	if len(data) > maxImage {
		return
	}
	c := choices{data}
	formats := []image.Format{image.Auto, image.Auto, image.Auto, image.Raw, image.ELF, image.LiME}
	format := formats[c.byte()%len(formats)]
	b := c.rest

	defer watch(len(b))()
	sized, sizedErr := takeApart(bytes.NewReader(b), format, b, true)
	passed, passedErr := takeApart(bytes.NewReader(b), format, b, false)
	piped, pipedErr := takeApart(struct{ io.Reader }{bytes.NewReader(b)}, format, b, true)
	check(fmt.Sprint(sizedErr) == fmt.Sprint(passedErr) && slices.Equal(sized, passed), "regions %+v, and unread %+v", sized, passed)
	check(format != image.Auto && format != image.Raw || sizedErr == nil, "format %s refuses: %v", format, sizedErr)
	if pipedErr == nil {
		check(sizedErr == nil && slices.Equal(sized, piped), "regions %+v, and from a pipe %+v", sized, piped)
		return
	}
	// What a pipe has less than its headers say is an error: the regions
	// have been handed out already. The layout is read ahead of both.
	check(errors.Is(pipedErr, io.ErrUnexpectedEOF) || sizedErr != nil, "a pipe is refused, a file is not: %v", pipedErr)
}

// takeApart returns the regions of an image, those of unknown length with the
// length that they turned out to have. It checks them against b, the image;
// their bytes, too, if it is to read them.
func takeApart(in io.Reader, format image.Format, b []byte, read bool) ([]pagestream.Region, error) {
	r, err := image.Open("image", in, format)
	if err != nil {
		return nil, err
	}
	check(format == image.Auto || r.Format() == format, "format %s became %s", format, r.Format())
	var regions []pagestream.Region
	at := uint64(0)
	for {
		region, err := r.Next()
		if err == io.EOF {
			check(at == uint64(len(b)), "regions end at %d of %d bytes", at, len(b))
			_, err = r.Next()
			check(err == io.EOF, "Next behind the end: %v", err)
			return regions, nil
		}
		if err != nil {
			return regions, err
		}
		check(region.FileOffset == at, "a region at %d behind one that ends at %d", region.FileOffset, at)
		check(region.Class == pagestream.Memory || region.Address == 0, "other bytes with an address: %+v", region)
		n := min(region.Length, uint64(len(b))-at)
		if read {
			if n, err = readRegion(r, b[at:]); err != nil {
				return regions, err
			}
		}
		check(n > 0, "an empty region: %+v", region)
		check(region.Length == n || region.Length == pagestream.UnknownLength && at+n == uint64(len(b)), "%d bytes in %+v", n, region)
		region.Length = n
		at += n
		regions = append(regions, region)
	}
}

// readRegion reads the current region, which b begins with.
func readRegion(r *image.Reader, b []byte) (uint64, error) {
	n := 0
	p := make([]byte, 1000)
	for {
		extent, hole, err := r.Extent()
		check(err == io.EOF || err == nil && extent > 0 && !hole, "%d bytes follow, hole: %v, %v", extent, hole, err)
		ended := err == io.EOF
		got, err := r.Read(p)
		check(!ended || got == 0, "%d bytes behind the region's end", got)
		check(bytes.HasPrefix(b[n:], p[:got]), "other bytes at %d of the region", n)
		n += got
		if err == io.EOF {
			return uint64(n), nil
		}
		if err != nil {
			return uint64(n), err
		}
	}
}
