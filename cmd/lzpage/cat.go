package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"syscall"

	"github.com/lzpage/lzpage/internal/chain"
	"github.com/lzpage/lzpage/pagestream"
	"github.com/spf13/cobra"
)

// A cutting is a call of lzpage cat.
type cutting struct {
	*app
	output  string
	force   bool
	region  int
	page    uint64
	count   uint64
	address sizeFlag
	length  sizeFlag
}

func newCatCommand(a *app) *cobra.Command {
	r := &cutting{app: a}
	c := &cobra.Command{
		Use:   "cat [flags] FILE",
		Short: "Write some of the memory in a stream to standard output",
		Long: `Cat writes pages of a region, or a range of the guest's addresses, to standard
output. It decodes no more of the stream, and of those that it is based on, than
it must, so FILE has to be a file, not a pipe. Before that and after it reads the
32 bytes at the head of each frame, some 16 pages, of all of them: where a file was
written over with another stream, even in part, that is an error. So is a range
that is not all there.

The regions and their numbers are what lzpage info lists.`,
		Example: `  lzpage cat --address 0x100000 --length 256 guest.ram.lzp | od -A x -t x1z
  lzpage cat --region 1 --page 4096 --count 16 guest.elf.lzp > pages
  lzpage cat --address 0 --length 1MiB -o low.bin guest.ram.lzp`,
		Args:              oneFile,
		ValidArgsFunction: completeSuffix("lzp"),
		RunE: func(c *cobra.Command, args []string) error {
			given := c.Flags().Changed
			switch {
			case !given("page") && !given("address"):
				return usageError(c, errors.New("say what to write, with --page or --address"))
			case given("address") != given("length"):
				return usageError(c, errors.New("--address and --length go together"))
			case given("address") && (given("page") || given("count") || given("region")):
				return usageError(c, errors.New("an --address is the guest's and goes without --region, --page and --count"))
			}
			return r.run(c.Context(), args[0], given("address"))
		},
	}
	f := c.Flags()
	f.StringVarP(&r.output, "output", "o", standard, "write to this `file`")
	f.BoolVarP(&r.force, "force", "f", false, "replace the output if it exists")
	f.Uint64Var(&r.page, "page", 0, "`number` of the first page within the region")
	f.Uint64Var(&r.count, "count", 1, "`number` of pages")
	f.IntVar(&r.region, "region", 0, "`number` of the region")
	f.Var(&r.address, "address", "the first `address` in the guest")
	f.Var(&r.length, "length", "how many bytes")
	addBaseFlag(c, a)
	return c
}

// A span is a range of a region, in bytes.
type span struct {
	region int
	offset uint64
	length uint64
}

func (r *cutting) run(ctx context.Context, name string, byAddress bool) error {
	in, err := openSeekable(name, "cat")
	if err != nil {
		return err
	}
	defer in.Close()
	layers, err := r.openSoundChain(in)
	if err != nil {
		return err
	}
	defer layers.Close()
	stream := layers.Top()
	var spans []span
	if byAddress {
		spans, err = spansAt(stream.Regions(), uint64(r.address), uint64(r.length))
	} else {
		spans, err = spanOfPages(stream.ReaderAt, r.region, r.page, r.count)
	}
	if err != nil {
		return in.fail(err)
	}
	out, err := r.create(r.output, standard, r.force, inputsOf(layers)...)
	if err != nil {
		return err
	}
	w := out.sequential()
	size := uint64(0)
	for _, s := range spans {
		if err == nil {
			err = copySpan(ctx, w, layers, s)
		}
		size += s.length
	}
	if err == nil {
		err = layers.CheckUnchanged()
	}
	switch {
	case err == nil:
		err = out.commit(int64(size))
	case out.toStandard() && errors.Is(err, syscall.EPIPE):
		return nil // its reader has what it wants
	}
	if err != nil {
		return errors.Join(err, out.abort())
	}
	return nil
}

// spanOfPages returns the span of count pages from page on, which may reach
// over the end of the region's last page.
func spanOfPages(stream *pagestream.ReaderAt, region int, page, count uint64) ([]span, error) {
	regions := stream.Regions()
	if region < 0 || region >= len(regions) {
		return nil, fmt.Errorf("there is no region %d: regions are numbered from 0 to %d", region, len(regions)-1)
	}
	size := uint64(stream.Header().PageSize)
	pages := regions[region].Pages(int(size))
	if page >= pages || count > pages-page {
		return nil, fmt.Errorf("region %d has %d pages, numbered from 0; pages %d to %d are not all there", region, pages, page, page+count-1)
	}
	length := min(count*size, regions[region].Length-page*size)
	return []span{{region, page * size, length}}, nil
}

// spansAt returns the spans that make up the range of addresses.
func spansAt(regions []pagestream.Region, address, length uint64) ([]span, error) {
	if length > math.MaxUint64-address {
		return nil, fmt.Errorf("%d bytes from address %#x on are more than there are addresses", length, address)
	}
	var spans []span
	for length > 0 {
		s, found := spanAt(regions, address, length)
		if !found {
			return nil, fmt.Errorf("no memory at address %#x; the stream has %s", address, formatRanges(regions))
		}
		spans = append(spans, s)
		address += s.length
		length -= s.length
	}
	return spans, nil
}

// spanAt returns as much of the range of addresses as one region has.
func spanAt(regions []pagestream.Region, address, length uint64) (span, bool) {
	for i, r := range regions {
		if offset := address - r.Address; r.Class == pagestream.Memory && address >= r.Address && offset < r.Length {
			return span{i, offset, min(length, r.Length-offset)}, true
		}
	}
	return span{}, false
}

// formatRanges writes the addresses of memory, the first few of them.
func formatRanges(regions []pagestream.Region) string {
	const most = 8
	var ranges []string
	for _, r := range regions {
		if r.Class != pagestream.Memory || r.Length == 0 {
			continue
		}
		if len(ranges) == most {
			ranges = append(ranges, "and more (see lzpage info)")
			break
		}
		ranges = append(ranges, fmt.Sprintf("%#x to %#x", r.Address, r.Address+r.Length-1))
	}
	if len(ranges) == 0 {
		return "none"
	}
	return strings.Join(ranges, ", ")
}

// copySpan writes the span to w.
func copySpan(ctx context.Context, w io.Writer, layers *chain.Chain, s span) error {
	stream := layers.Top()
	buffer := make([]byte, min(s.length, max(1<<20, uint64(stream.Header().PageSize))))
	for s.length > 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		p := buffer[:min(s.length, uint64(len(buffer)))]
		n, err := stream.ReadRegionAt(p, s.region, int64(s.offset))
		if n < len(p) {
			return layers.Explain(err)
		}
		if _, err := w.Write(p); err != nil {
			return err
		}
		s.offset += uint64(n)
		s.length -= uint64(n)
	}
	return nil
}
