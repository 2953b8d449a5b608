package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// A results is all that there is to report.
type results struct {
	Setting setting `json:"setting"`
	Cells   []*cell `json:"cells"`
	Scaling []scale `json:"scaling"`
	Runs    []run   `json:"runs"`
}

// newResults sums a store up. Rows have the order in which methods and links
// are listed in this program, whatever order the runs were made in.
func newResults(kept *store) *results {
	r := &results{Setting: kept.setting, Cells: cells(kept.runs), Runs: kept.runs}
	r.Scaling = scaling(r.Runs)
	return r
}

// report writes the report of what has been measured in dir, and tells w where.
func report(dir string, w io.Writer) error {
	kept, err := loadStore(dir)
	if err != nil {
		return err
	}
	if len(kept.runs) == 0 {
		return fmt.Errorf("%s holds no run yet", filepath.Join(dir, storeName))
	}
	r := newResults(kept)
	figures, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	files := map[string]string{
		"results.json": string(figures) + "\n",
		"results.md":   r.markdown(),
		"results.html": r.page(),
	}
	for _, p := range r.plots() {
		files[p.name+".svg"] = p.svg
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(w, "The report of %d runs is results.md, .json and .html in %s, its plots are there as .svg.\n", len(r.Runs), dir)
	return err
}

// workloads returns the names of those that have been measured, in the order
// in which they were.
func (r *results) workloads() (names []string) {
	seen := map[string]bool{}
	for _, c := range r.Cells {
		if !seen[c.Workload] {
			seen[c.Workload] = true
			names = append(names, c.Workload)
		}
	}
	return names
}

// links returns those that have been measured with a workload, or any if that
// is empty.
func (r *results) links(workload string) (names []string) {
	for _, l := range links {
		for _, c := range r.Cells {
			if c.Link == l.name && (workload == "" || c.Workload == workload) {
				names = append(names, l.name)
				break
			}
		}
	}
	return names
}

// methods returns those that have been measured at all.
func (r *results) methods() (names []string) {
	for _, m := range methods {
		for _, c := range r.Cells {
			if c.Method == m.name {
				names = append(names, m.name)
				break
			}
		}
	}
	return names
}

// cell returns what was measured, nil if nothing was.
func (r *results) cell(workload, link, method string) *cell {
	for _, c := range r.Cells {
		if c.Workload == workload && c.Link == link && c.Method == method {
			return c
		}
	}
	return nil
}
