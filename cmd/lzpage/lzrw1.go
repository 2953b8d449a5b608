package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/lzpage/lzpage/lzrw1"
	"github.com/spf13/cobra"
)

const (
	lzrw1Suffix = ".lzrw1"
	// lzrw1Limit bounds a flagged file and its content: they are in memory as
	// a whole.
	lzrw1Limit = 1 << 30
)

// A conversion is a call of lzpage lzrw1 encode or decode.
type conversion struct {
	*app
	output string
	force  bool
	level  levelFlag
}

func newLZRW1Command(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "lzrw1",
		Short: "Encode and decode flagged LZRW1 files",
		Long: `Lzrw1 encodes and decodes flagged LZRW1 files, those of the program of 1991:
four bytes, the first of which says whether what follows is one LZRW1 block or
the file as it was. There is no checksum in them. Memory belongs into streams,
which lzpage compress writes.`,
		Args: func(c *cobra.Command, args []string) error {
			return usageError(c, errors.New("say encode or decode"))
		},
		RunE: func(*cobra.Command, []string) error { return nil },
	}
	c.AddCommand(newEncodeCommand(a), newDecodeCommand(a))
	return c
}

func newEncodeCommand(a *app) *cobra.Command {
	r := &conversion{app: a}
	c := &cobra.Command{
		Use:   "encode [flags] FILE",
		Short: "Encode a file as flagged LZRW1",
		Long:  `Encode writes FILE as a flagged LZRW1 file, FILE.lzrw1 unless -o says otherwise.`,
		Example: `  lzpage lzrw1 encode notes.txt
  lzpage lzrw1 encode --level reference - < page > page.lzrw1`,
		Args: oneFile,
		RunE: func(c *cobra.Command, args []string) error {
			name, err := addSuffix(args[0], lzrw1Suffix)
			if err != nil && r.output == "" {
				return err
			}
			return r.run(c.Context(), args[0], name, func(data []byte) ([]byte, error) {
				return lzrw1.NewEncoder(lzrw1.Level(r.level)).AppendFlagged(nil, data), nil
			})
		},
	}
	r.addFlags(c)
	addLevelFlag(c, &r.level)
	return c
}

func newDecodeCommand(a *app) *cobra.Command {
	r := &conversion{app: a}
	c := &cobra.Command{
		Use:   "decode [flags] FILE",
		Short: "Decode a flagged LZRW1 file",
		Long:  `Decode writes what a flagged LZRW1 file holds, to FILE without .lzrw1 unless -o says otherwise.`,
		Example: `  lzpage lzrw1 decode notes.txt.lzrw1
  lzpage lzrw1 decode - < page.lzrw1 > page`,
		Args:              oneFile,
		ValidArgsFunction: completeSuffix("lzrw1"),
		RunE: func(c *cobra.Command, args []string) error {
			name, err := cutSuffix(args[0], lzrw1Suffix)
			if err != nil && r.output == "" {
				return err
			}
			return r.run(c.Context(), args[0], name, func(data []byte) ([]byte, error) {
				return lzrw1.AppendUnflagged(nil, data)
			})
		},
	}
	r.addFlags(c)
	return c
}

func (r *conversion) addFlags(c *cobra.Command) {
	f := c.Flags()
	f.StringVarP(&r.output, "output", "o", "", "write to this `file`; - is standard output")
	f.BoolVarP(&r.force, "force", "f", false, "replace the output if it exists")
}

// run writes what convert makes of the file.
func (r *conversion) run(ctx context.Context, name, defaultOutput string, convert func([]byte) ([]byte, error)) error {
	in, err := open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := r.create(r.output, defaultOutput, r.force, in)
	if err != nil {
		return err
	}
	sizes, err := r.convert(in, out, convert)
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err == nil {
		err = out.commit(int64(sizes.to))
	}
	if err != nil {
		return errors.Join(err, out.abort())
	}
	r.note("%s: %s made %s", out.name, formatSize(sizes.from), formatSize(sizes.to))
	return nil
}

type sizes struct{ from, to uint64 }

func (r *conversion) convert(in *input, out *output, convert func([]byte) ([]byte, error)) (sizes, error) {
	data, err := io.ReadAll(io.LimitReader(in, lzrw1Limit+1))
	if err != nil {
		return sizes{}, in.fail(err)
	}
	if len(data) > lzrw1Limit {
		return sizes{}, fmt.Errorf("%s has more than %s, and a flagged LZRW1 file is handled in memory; use lzpage compress", in.name, formatSize(lzrw1Limit))
	}
	result, err := convert(data)
	if err != nil {
		return sizes{}, in.fail(err)
	}
	_, err = out.sequential().Write(result)
	return sizes{uint64(len(data)), uint64(len(result))}, err
}
