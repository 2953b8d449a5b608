package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"
)

// addPictureFlag gives the command the flag --format.
func addPictureFlag(c *cobra.Command, format *string) {
	c.Flags().StringVar(format, "format", "", "png or svg (by the output's name, or else png)")
	complete(c, "format", "png", "svg")
}

// pictureFormat returns the format asked for, or else that of the output's name.
func pictureFormat(format, output string) (string, error) {
	switch {
	case format == "png", format == "svg":
		return format, nil
	case format != "":
		return "", fmt.Errorf("no pictures of format %q: there are png and svg", format)
	}
	switch filepath.Ext(output) {
	case ".svg":
		return "svg", nil
	case ".png", "":
		return "png", nil
	}
	return "", fmt.Errorf("what format should %s have? end its name in .png or .svg, or say --format", output)
}

// A picture can be drawn.
type picture interface {
	WritePNG(io.Writer) error
	WriteSVG(io.Writer) error
}

// draw writes the picture and completes the output.
func (o *output) draw(p picture, format string) error {
	counter := &countingWriter{w: o.sequential()}
	write := p.WritePNG
	if format == "svg" {
		write = p.WriteSVG
	}
	if err := write(counter); err != nil {
		return err
	}
	return o.commit(counter.written)
}

// A countingWriter counts what is written.
type countingWriter struct {
	w       io.Writer
	written int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.written += int64(n)
	return n, err
}
