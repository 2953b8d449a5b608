package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/lzpage/lzpage/pagestream"
)

// A summary says what a run did, for people and, with --json, for programs.
type summary struct {
	Command string `json:"command"`
	Input   string `json:"input"`
	Output  string `json:"output,omitempty"`
	Format  string `json:"format,omitempty"` // of the memory image
	Note    string `json:"note,omitempty"`
	ID      string `json:"id,omitempty"` // of the stream
	// BasedOn are the streams that the stream is based on, the next one first.
	BasedOn []chainedStream `json:"based_on,omitempty"`
	counts
	cost
	Damage  []damage  `json:"damage,omitempty"`
	Missing []missing `json:"missing,omitempty"`
}

// counts says what a stream holds and takes.
type counts struct {
	Regions int                  `json:"regions"`
	Bytes   uint64               `json:"bytes"`
	Stored  uint64               `json:"stored_bytes"`
	Ratio   float64              `json:"ratio"`
	Rounds  int                  `json:"rounds,omitempty"`     // behind the first
	Kept    uint64               `json:"kept_pages,omitempty"` // that are as in the base
	Pages   map[string]kindCount `json:"pages"`                // by kind
}

// A kindCount says how many pages are of a kind and what they take.
type kindCount struct {
	Pages  uint64 `json:"pages"`
	Stored uint64 `json:"stored_bytes,omitempty"`
}

func newCounts(t pagestream.Totals) counts {
	c := counts{
		Regions: t.Regions,
		Bytes:   t.Bytes,
		Stored:  t.Stored,
		Ratio:   ratio(t.Bytes, t.Stored),
		Rounds:  t.Rounds,
		Kept:    t.Kept,
		Pages:   make(map[string]kindCount),
	}
	for k := range pagestream.Kind(pagestream.Kinds) {
		c.Pages[k.String()] = kindCount{t.Pages[k], t.PageBytes[k]}
	}
	return c
}

// formatPages writes the pages by kind for people.
func (c counts) formatPages() string {
	all := uint64(0)
	var kinds []string
	for k := range pagestream.Kind(pagestream.Kinds) {
		n := c.Pages[k.String()]
		all += n.Pages
		if n.Pages == 0 {
			continue
		}
		s := humanize.Comma(int64(n.Pages)) + " " + k.String()
		if n.Stored > 0 {
			s += " in " + formatSize(n.Stored)
		}
		kinds = append(kinds, s)
	}
	if c.Kept > 0 {
		s := fmt.Sprintf("%s of %s differ", humanize.Comma(int64(all)), formatCount(all+c.Kept, "page"))
		if all > 0 {
			s += ": " + strings.Join(kinds, ", ")
		}
		return s
	}
	if all == 0 {
		return "no pages"
	}
	return formatCount(all, "page") + ": " + strings.Join(kinds, ", ")
}

// report writes the summary: as JSON to standard output, or to standard error
// if data goes there; for people to standard error.
func (a *app) report(s summary, headline string, dataToStandard bool) error {
	s.cost = a.cost()
	if a.json {
		return writeJSON(s, dataToStandard)
	}
	a.note("%s\n  %s\n  %s", headline, s.formatPages(), s.cost.format(s.Bytes))
	return nil
}

func writeJSON(v any, dataToStandard bool) error {
	w := os.Stdout
	if dataToStandard {
		w = os.Stderr
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return failStandard(encoder.Encode(v))
}
