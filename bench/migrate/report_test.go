package main

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeReport reports runs, and returns the directory.
func writeReport(t *testing.T, runs []run) string {
	t.Helper()
	dir := t.TempDir()
	kept, err := openStore(dir, setting{MemoryMiB: 512, CacheBytes: 128 << 20, Limit: 120, Seed: 7, Channels: 2, Downtime: 300, QEMU: "QEMU of a test", CPUs: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		if err := kept.add(r); err != nil {
			t.Fatal(err)
		}
	}
	kept.close()
	var said strings.Builder
	if err := report(dir, &said); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(said.String(), dir) {
		t.Errorf("said %q", said.String())
	}
	return dir
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestReportMarkdown(t *testing.T) {
	got := read(t, writeReport(t, testRuns), "results.md")
	for _, want := range []string{
		"Guest: 512 MiB", "Caches of xbzrle and lzrw1: 128 MiB", "medians of 2 rounds", "longer than 120 s", "(seed 7)", "QEMU of a test",
		"\n## db, 100mbit\n",
		// of the completed run alone
		"\n| none | 1/2 | 40.00 | 300 | 400 | 0 | 0 | 0 | 500.0 | 4 | 2.00 | 1.00 | 50 | 0 |\n",
		"\n| xbzrle | 0/2 | - | - | - | 0 (0-0) | 0 (0-0) | 0 (0-0) | 1300.0 (1200.0-1400.0) | 21 (20-22) |",
		"\n| lzrw1-fast-delta | 2/2 | 11.00 (10.00-12.00) | 100 (100-100) | 130 (125-135) |",
		"\n## Total time, s\n\n| workload, link | none | xbzrle | lzrw1-fast-delta |\n|---|--:|--:|--:|\n| db, 100mbit | 40.00 (1/2) | no end | 11.00 |\n| db, unlimited | 1.00 |  | 2.00 |\n",
		"\n## Total time: times that of lzrw1-fast-delta\n\n| workload, link | none | xbzrle | lzrw1-fast-delta |\n|---|--:|--:|--:|\n| db, 100mbit | 3.64 (1/2) | no end | 1.00 |\n| db, unlimited | 0.50 |  | 1.00 |\n",
		"\n## CPU time of both sides: times that of lzrw1-fast-delta\n\n| workload, link | none | xbzrle | lzrw1-fast-delta |\n|---|--:|--:|--:|\n| db, 100mbit | 1.71 (1/2) | no end | 1.00 |\n| db, unlimited | 0.30 |  | 1.00 |\n",
		"\n| lzrw1-fast-delta | 6.00 (6.00-6.00) | 4.00 (4.00-4.00) | 0.23 (0.23-0.23) | 1.33 | 1.33 | 1.33 |\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if strings.Contains(got, "times that of lzrw1-dense-delta") {
		t.Error("there is a comparison with a method that was not measured")
	}
}

func TestReportJSON(t *testing.T) {
	var got results
	if err := json.Unmarshal([]byte(read(t, writeReport(t, testRuns), "results.json")), &got); err != nil {
		t.Fatal(err)
	}
	if got.Setting.MemoryMiB != 512 || len(got.Runs) != len(testRuns) || len(got.Cells) != 5 || len(got.Scaling) != 2 {
		t.Errorf("%+v", got)
	}
	if c := got.cell("db", "100mbit", "lzrw1-fast-delta"); c == nil || c.Figures["total_s"].Median != 11 {
		t.Errorf("cell %+v", c)
	}
}

// elements parses XML and counts its elements by name and class.
func elements(t *testing.T, text string) map[string]int {
	t.Helper()
	counts := map[string]int{}
	parser := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := parser.Token()
		if err == io.EOF {
			return counts
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if start, ok := token.(xml.StartElement); ok {
			name := start.Name.Local
			for _, a := range start.Attr {
				if a.Name.Local == "class" {
					name += "." + a.Value
				}
			}
			counts[name]++
		}
	}
}

func TestReportPlots(t *testing.T) {
	dir := writeReport(t, testRuns)
	// The first link has circles, the second squares; one of each is in the
	// legend. xbzrle was cancelled, so it has no total, and its mark is open.
	total := elements(t, read(t, dir, "total.svg"))
	if total["circle.c0"] != 3 || total["circle.c0 open"] != 1 || total["rect.c1"] != 3 {
		t.Errorf("total.svg: %v", total)
	}
	if total["line.range c0"] != 1 { // of lzrw1-fast-delta, 10 to 12 s
		t.Errorf("total.svg: %v", total)
	}
	for _, name := range []string{"felt", "stalls", "sent", "cpu", "speed"} {
		if got := elements(t, read(t, dir, name+".svg")); got["svg.plot"] != 1 || got["text.panel"] != 1 {
			t.Errorf("%s.svg: %v", name, got)
		}
	}
	page := read(t, dir, "results.html")
	if strings.Count(page, "<svg") != 6 || strings.Contains(page, "http://") && strings.Count(page, "http://") != strings.Count(page, `xmlns="http://www.w3.org/2000/svg"`) {
		t.Error("results.html lacks plots or refers to other files")
	}
	if !strings.Contains(page, `<tr class="ours"><td>lzrw1-fast-delta</td><td>2/2</td><td>11.00 <small>(10.00-12.00)</small></td>`) {
		t.Error("results.html lacks the row of lzrw1-fast-delta")
	}
}

// A logarithmic axis has no place for 0, which is what many figures are at
// times: it stands at the left edge.
func TestReportPlotsOfNothing(t *testing.T) {
	runs := []run{
		{Workload: "idle", Link: "1gbit", Method: "none", Round: 1, Completed: true},
		{Workload: "idle", Link: "1gbit", Method: "none", Round: 2, Completed: true},
	}
	for _, stalls := range []float64{0, 0.25} {
		runs[1].Stalls = stalls
		got := elements(t, read(t, writeReport(t, runs), "stalls.svg"))
		if got["circle.c0"] != 2 {
			t.Errorf("stalls of 0 and %v s: %v", stalls, got)
		}
	}
}

func TestReportRates(t *testing.T) {
	var runs []run
	for _, r := range []struct {
		rate, method string
		total        float64 // 0: cancelled
	}{
		{"10", "none", 5}, {"20", "none", 30}, {"40", "none", 0},
		{"10", "lzrw1-fast-delta", 3}, {"20", "lzrw1-fast-delta", 4}, {"40", "lzrw1-fast-delta", 6},
	} {
		runs = append(runs, run{Workload: "dirty:rate=" + r.rate, Link: "1gbit", Method: r.method, Round: 1, Completed: r.total > 0, Total: r.total})
	}
	got := elements(t, read(t, writeReport(t, runs), "rates-1gbit.svg"))
	// the marks of none are open, those of lzrw1 are not; one more each is
	// beside the name
	if got["polyline.line c0"] != 1 || got["polyline.line c1"] != 1 || got["circle.c0 open"] != 3 || got["rect.c1"] != 4 {
		t.Errorf("rates-1gbit.svg: %v", got)
	}
	dir := writeReport(t, runs[:2])
	if _, err := os.Stat(filepath.Join(dir, "rates-1gbit.svg")); !os.IsNotExist(err) {
		t.Errorf("two rates make a plot: %v", err)
	}
}

func TestReportNeedsRuns(t *testing.T) {
	dir := t.TempDir()
	if err := report(dir, io.Discard); err == nil {
		t.Error("no error where nothing is")
	}
	kept, err := openStore(dir, setting{})
	if err != nil {
		t.Fatal(err)
	}
	kept.close()
	if err := report(dir, io.Discard); err == nil || !strings.Contains(err.Error(), "no run") {
		t.Errorf("error %v", err)
	}
}
