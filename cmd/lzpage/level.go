package main

import (
	"errors"

	"github.com/lzpage/lzpage/lzrw1"
	"github.com/spf13/cobra"
)

var levels = []lzrw1.Level{lzrw1.Fast, lzrw1.Dense, lzrw1.Reference}

// parseLevel returns the level of that name.
func parseLevel(name string) (lzrw1.Level, error) {
	for _, l := range levels {
		if l.String() == name {
			return l, nil
		}
	}
	return 0, errors.New("a level is fast, dense or reference")
}

// A levelFlag is a level on the command line.
type levelFlag lzrw1.Level

func (f *levelFlag) Set(s string) error {
	l, err := parseLevel(s)
	*f = levelFlag(l)
	return err
}

func (f *levelFlag) String() string { return lzrw1.Level(*f).String() }

func (f *levelFlag) Type() string { return "level" }

// addLevelFlag gives the command the flag --level.
func addLevelFlag(c *cobra.Command, f *levelFlag) {
	c.Flags().VarP(f, "level", "l", "fast; dense: a tenth smaller, at a third of the speed; reference: byte for byte as the 1991 encoder")
	complete(c, "level", "fast", "dense", "reference")
}

// complete has the shell complete the flag's values.
func complete(c *cobra.Command, flag string, values ...string) {
	if err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // there is no such flag
	}
}

// completeFlagSuffix has the shell complete files of that suffix for the flag.
func completeFlagSuffix(c *cobra.Command, flag, suffix string) {
	if err := c.MarkFlagFilename(flag, suffix); err != nil {
		panic(err) // there is no such flag
	}
}

// completeSuffix has the shell complete files of that suffix.
func completeSuffix(suffix string) cobra.CompletionFunc {
	return cobra.FixedCompletions([]string{suffix}, cobra.ShellCompDirectiveFilterFileExt)
}
