package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/lzpage/lzpage/internal/chain"
	"github.com/lzpage/lzpage/internal/memmap"
	"github.com/lzpage/lzpage/pagestream"
	"github.com/spf13/cobra"
)

// A drawing is a call of lzpage map.
type drawing struct {
	*app
	output  string
	force   bool
	format  string
	salvage bool
}

func newMapCommand(a *app) *cobra.Command {
	r := &drawing{app: a}
	c := &cobra.Command{
		Use:   "map [flags] FILE",
		Short: "Draw the memory in a stream as a picture",
		Long: `Map reads the stream in FILE and draws its memory as a picture: addresses in
rows, each page in the colour of how it is stored. The picture is FILE with
.png or .svg in place of .lzp unless -o says otherwise.

Of a stream that is based on another the picture shows the pages that it holds,
and the others as kept.`,
		Example: `  lzpage map guest.ram.lzp                     writes guest.ram.png
  lzpage map -o guest.svg guest.ram.lzp
  lzpage compress - < guest.ram | lzpage map - > guest.png`,
		Args:              oneFile,
		ValidArgsFunction: completeSuffix("lzp"),
		RunE:              func(c *cobra.Command, args []string) error { return r.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringVarP(&r.output, "output", "o", "", "write to this `file`; - is standard output")
	f.BoolVarP(&r.force, "force", "f", false, "replace the output if it exists")
	addPictureFlag(c, &r.format)
	f.BoolVar(&r.salvage, "salvage", false, "draw what a damaged stream still holds")
	addBaseFlag(c, a)
	addThreadsFlag(c, a)
	addJSONFlag(c, a)
	return c
}

func (r *drawing) run(ctx context.Context, name string) error {
	format, err := pictureFormat(r.format, r.output)
	if err != nil {
		return err
	}
	defaultOutput := standard
	if name != standard {
		defaultOutput = strings.TrimSuffix(name, streamSuffix) + "." + format
	}
	in, err := open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	var layers *chain.Chain
	var earlier pagestream.Earlier
	if !r.salvage {
		if layers, err = r.openLayers(in); err != nil {
			return err
		}
		if layers != nil {
			defer layers.Close()
			earlier = layers.Top()
		}
	}
	stream, lost, err := r.openLossy(ctx, "map", in, r.salvage, earlier)
	if err != nil {
		return err
	}
	out, err := r.create(r.output, defaultOutput, r.force, append(inputsOf(layers), in)...)
	if err != nil {
		return err
	}
	picture := memmap.New(stream.Header().PageSize)
	if stream.Header().Base != nil {
		picture = memmap.NewIncrement(stream.Header().PageSize)
	}
	picture.Title = formatText(filepath.Base(in.name))
	totals, err := stream.each(ctx, &mapSink{Map: picture, places: lost.places})
	if err == nil && layers != nil {
		err = layers.CheckUnchanged()
	}
	if err == nil {
		picture.StreamBytes = totals.Stored
		err = out.draw(picture, format)
	}
	if err != nil {
		return errors.Join(err, out.abort())
	}
	r.endProgress()
	s := summary{Command: "map", Input: in.name, Output: out.name, counts: newCounts(totals), Damage: lost.damaged, Missing: lost.missing}
	if err := r.report(s, fmt.Sprintf("%s: %s drawn", out.name, formatSize(s.Bytes)), out.toStandard()); err != nil {
		return err
	}
	return lost.verdict(out.name)
}

// A mapSink puts what a stream holds on a map.
type mapSink struct {
	*memmap.Map
	places places
	begun  int // regions
}

// begin begins the region, unless it has begun: this may be its final form.
func (s *mapSink) begin(number int) {
	if number < s.begun {
		return
	}
	r, known := s.places[number]
	if !known {
		r.Length = pagestream.UnknownLength
	}
	s.Map.Region(r)
	s.begun = number + 1
}

func (s *mapSink) Region(number int, r pagestream.Region) error {
	s.places.learn(number, r)
	s.begin(number)
	return nil
}

func (s *mapSink) Pages(p pagestream.Pages) error {
	if p.Round > 0 {
		return errRounds
	}
	s.begin(p.Region)
	if p.Data == nil {
		s.AddZeros(p.First, p.Count)
		return nil
	}
	for i, kind := range p.Kinds {
		s.Add(p.First+uint64(i), kind, p.Stored[i])
	}
	return nil
}
