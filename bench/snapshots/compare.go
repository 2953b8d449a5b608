package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// chainDir is where lzpage's chain is left.
const chainDir = "chain"

// A comparison is under way.
type comparison struct {
	ctx     context.Context
	series  series
	methods []method
	work    string // directory
	rounds  int
	say     func(string)
}

// compare has each method keep the series, and restore the newest generation;
// lzpage restores every generation. All that is restored is compared with the
// image.
func compare(ctx context.Context, s series, lzpage, out string, rounds int, say func(string)) (*report, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	work, err := os.MkdirTemp(out, "work-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	// What is restored twice, what is between two commands, and the plain copy's
	// first generation; the others' first and full ones and all increments are
	// far from as large.
	if err := needRoom(work, 8*s.size, "the files made of the images", say); err != nil {
		return nil, err
	}
	all := methods(lzpage, self)
	c := comparison{ctx, s, all, work, rounds, say}
	r := newReport(ctx, s, rounds, lzpage)
	for i, m := range all {
		if err := os.Mkdir(c.dir(i), 0o755); err != nil {
			return nil, err
		}
		r.Methods = append(r.Methods, result{Name: m.name, Chain: m.chain})
	}
	for g := range s.images {
		if err := c.keep(g, r); err != nil {
			return nil, err
		}
	}
	say(fmt.Sprintf("restoring generation %d by each method", len(s.images)-1))
	for range rounds {
		for i, m := range all {
			spent, err := c.restoreNewest(i, m)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.name, err)
			}
			r.Methods[i].restores = append(r.Methods[i].restores, spent)
		}
	}
	for i := range r.Methods {
		r.Methods[i].Restore = median(r.Methods[i].restores)
	}
	for _, name := range []string{lzpageChain, denseLzpageChain} {
		i := slices.IndexFunc(all, func(m method) bool { return m.name == name })
		for g := range s.images {
			if _, err := c.restore(i, g, all[i].newest); err != nil {
				return nil, fmt.Errorf("%s: generation %d: %w", name, g, err)
			}
			if err := c.check(g); err != nil {
				return nil, fmt.Errorf("%s: generation %d: %w", name, g, err)
			}
		}
		say(name + " gave every generation back, byte for byte")
	}
	chain := filepath.Join(out, chainDir)
	if err := os.RemoveAll(chain); err != nil {
		return nil, err
	}
	return r, os.Rename(c.dir(0), chain)
}

// keep has each method make its file of a generation, and notes how large it is
// and what it took.
func (c comparison) keep(g int, r *report) error {
	if g == 0 {
		c.say("generation 0: kept in full")
	} else {
		// This reads both images, too, so that no method finds them on disk.
		d, err := countDirty(c.series.images[g-1], c.series.images[g])
		if err != nil {
			return err
		}
		r.Dirty = append(r.Dirty, d)
		c.say(fmt.Sprintf("generation %d: %d of %d pages changed", g, d.Pages, c.series.size/pageSize))
	}
	costs := make([][]cost, len(c.methods))
	for range c.rounds {
		for i, m := range c.methods {
			how := m.first
			if g > 0 {
				how = m.next
			}
			spent, err := how.run(c.ctx, c.files(i, g))
			if err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
			costs[i] = append(costs[i], spent)
		}
	}
	for i, m := range c.methods {
		info, err := os.Stat(c.file(i, g))
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		r.Methods[i].Files = append(r.Methods[i].Files, kept{info.Size(), median(costs[i])})
		if g > 0 && !m.chain {
			if err := os.Remove(c.file(i, g-1)); err != nil { // room for others
				return err
			}
		}
	}
	return nil
}

// restoreNewest restores the newest generation and checks it.
func (c comparison) restoreNewest(i int, m method) (cost, error) {
	last := len(c.series.images) - 1
	if err := os.Remove(c.back()); err != nil && !os.IsNotExist(err) {
		return cost{}, err
	}
	var spent cost
	var err error
	if m.newest != nil {
		spent, err = c.restore(i, last, m.newest)
	} else {
		spent, err = c.restore(i, 0, m.oldest)
		for g := 1; g <= last && err == nil; g++ {
			var more cost
			more, err = c.restore(i, g, m.forth)
			spent = spent.plus(more)
		}
	}
	if err != nil {
		return cost{}, err
	}
	return spent, c.check(last)
}

func (c comparison) restore(i, g int, how commands) (cost, error) {
	return how.run(c.ctx, c.files(i, g))
}

func (c comparison) check(g int) error { return sameImage(c.series.images[g], c.back()) }

func (c comparison) back() string     { return filepath.Join(c.work, "back.ram") }
func (c comparison) dir(i int) string { return filepath.Join(c.work, fmt.Sprintf("method%d", i)) }
func (c comparison) file(i, g int) string {
	return filepath.Join(c.dir(i), fmt.Sprintf("gen%03d.%s", g, c.methods[i].suffix))
}

// files returns what the placeholders in the commands of method i stand for.
func (c comparison) files(i, g int) *strings.Replacer {
	before := max(g-1, 0) // no command of the first generation looks at it
	return strings.NewReplacer(
		"{image}", c.series.images[g], "{was}", c.series.images[before],
		"{file}", c.file(i, g), "{base}", c.file(i, before),
		"{back}", c.back(), "{temp}", filepath.Join(c.work, "temp"))
}
