package main

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lzpage/lzpage/bench/pages"
)

func writeFile(t *testing.T, path string, data []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// image writes an image of 48 pages, of which one is zero.
func image(t *testing.T) string {
	data := concat(text(24), make([]byte, pages.Size), text(23))
	return writeFile(t, filepath.Join(t.TempDir(), "guest.ram"), data)
}

func output(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if err := run(args, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestJSON(t *testing.T) {
	out := output(t, "-quick", "-rounds", "2", "-json", image(t))
	type figures struct {
		Speed    map[string]float64 `json:"gb_per_s"`
		Relative map[string]float64 `json:"relative_to_lz4_c"`
	}
	var r struct {
		CPU, Platform, Go, Clock, Missing string
		CPUs, Rounds                      int
		Libraries                         map[string]string
		Tables                            []struct {
			Mode, Title string
			BlockBytes  int `json:"block_bytes"`
			Workloads   []struct {
				Name   string
				Blocks int
			}
			Rows []struct {
				Codec, Class   string
				Process        bool `json:"process_cpu_time"`
				Ratio          float64
				Encode, Decode figures
				Workloads      []struct {
					Name   string
					Ratio  float64
					Encode float64 `json:"encode_gb_per_s"`
					Decode float64 `json:"decode_gb_per_s"`
				}
			}
		}
	}
	decoder := json.NewDecoder(strings.NewReader(out))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		t.Fatal(err)
	}
	if r.CPU == "" || r.CPUs < 1 || !strings.Contains(r.Platform, "/") || !strings.HasPrefix(r.Go, "go1.") || !strings.Contains(r.Clock, "time") || r.Rounds != 2 {
		t.Errorf("head: %+v", r)
	}
	withC := r.Missing == ""
	if got := r.Libraries["LZ4 C"] != "" && r.Libraries["zstd C"] != ""; got != withC || withC != (missing == "") {
		t.Errorf("libraries %v, missing %q", r.Libraries, r.Missing)
	}
	if len(r.Tables) != 2 {
		t.Fatalf("%d tables, want 2", len(r.Tables))
	}
	for i, want := range []struct {
		mode               string
		block, blocks      int
		first              string
		ownRows, streaming int
	}{
		{"pages", 4096, 47, "LZRW1 fast, 64 pages a call", 6, 0},
		{"clusters", 65536, 2, "LZRW1 fast, runs of 16 pages", 9, 3}, // the zero page spoils the second of three
	} {
		table := r.Tables[i]
		if table.Mode != want.mode || table.BlockBytes != want.block || table.Title == "" {
			t.Errorf("table %d is %s, blocks of %d", i, table.Mode, table.BlockBytes)
		}
		if len(table.Workloads) != 1 || table.Workloads[0].Name != "guest" || table.Workloads[0].Blocks != want.blocks {
			t.Errorf("%s: workloads %v", want.mode, table.Workloads)
		}
		if table.Rows[0].Codec != want.first {
			t.Errorf("%s: first row is %s, want %s", want.mode, table.Rows[0].Codec, want.first)
		}
		own, streaming := 0, 0
		for _, row := range table.Rows {
			if row.Class == "lzpage" {
				own++
			}
			if row.Process {
				streaming++
			}
			if row.Codec == "memcpy" && row.Ratio != 1 || row.Codec != "memcpy" && row.Ratio < 2 {
				t.Errorf("%s: %s has ratio %v", want.mode, row.Codec, row.Ratio)
			}
			for _, f := range []figures{row.Encode, row.Decode} {
				if f.Speed["min"] <= 0 || f.Speed["median"] < f.Speed["min"] || f.Speed["max"] < f.Speed["median"] || len(f.Speed) != 3 {
					t.Errorf("%s: %s has speed %v", want.mode, row.Codec, f.Speed)
				}
				if row.Codec == "LZ4 C" && (f.Relative["median"] != 1 || f.Relative["min"] != 1 || f.Relative["max"] != 1) {
					t.Errorf("%s: LZ4 C relative to itself is %v", want.mode, f.Relative)
				}
				if (len(f.Relative) == 3) != withC {
					t.Errorf("%s: %s relative to LZ4 C is %v", want.mode, row.Codec, f.Relative)
				}
			}
			if len(row.Workloads) != 1 || row.Workloads[0].Name != "guest" || !near(row.Workloads[0].Ratio, row.Ratio) || row.Workloads[0].Encode <= 0 || row.Workloads[0].Decode <= 0 {
				t.Errorf("%s: %s has workloads %+v", want.mode, row.Codec, row.Workloads)
			}
		}
		if own != want.ownRows || streaming != want.streaming {
			t.Errorf("%s: %d rows of our own, %d timed by the process, want %d and %d", want.mode, own, streaming, want.ownRows, want.streaming)
		}
	}
}

// sampleReport has figures that are easily told apart.
func sampleReport() *report {
	full := direction{spread{1.5, 1.25, 1.75}, &spread{0.5, 0.25, 0.75}}
	return &report{CPU: "Test CPU", CPUs: 2, Platform: "any/cpu", Go: "go1.99", Clock: "test time", Rounds: 3,
		Libraries: map[string]string{"b": "v2", "a": "v1"},
		Missing:   "half of it",
		Tables: []table{{Title: "A table.", Workloads: []tableBlocks{{"db", 5}, {"idle", 7}}, Rows: []row{
			{Codec: "ours", Class: "lzpage", Process: true, Ratio: 2.0625, Encode: full, Decode: direction{spread{9, 8, 10}, nil}},
			{Codec: "a rival", Class: "Go", Ratio: 3, Encode: full, Decode: full},
		}}}}
}

func TestText(t *testing.T) {
	var out bytes.Buffer
	if err := sampleReport().writeText(&out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	for i, want := range map[int]string{
		0:  "machine     Test CPU, 2 CPUs, any/cpu",
		1:  "built with  go1.99, a v1, b v2",
		2:  "time        test time; for rows marked *, which have goroutines of their own, " + processTimeName,
		5:  "missing     half of it",
		7:  "A table.",
		8:  "Blocks: db 5, idle 7",
		10: "codec    by      ratio  encode / LZ4 C    decode / LZ4 C    encode GB/s       decode GB/s",
		// 2.0625 lies halfway and rounds to even
		11: "ours *   lzpage  2.062  0.50 (0.25-0.75)  -                 1.50 (1.25-1.75)  9.00 (8.00-10.00)",
		12: "a rival  Go      3.000  0.50 (0.25-0.75)  0.50 (0.25-0.75)  1.50 (1.25-1.75)  1.50 (1.25-1.75)",
	} {
		if i >= len(lines) || lines[i] != want {
			t.Errorf("line %d is not\n%s\nin\n%s", i, want, out.String())
		}
	}
	if !strings.Contains(lines[4], "medians of 3 rounds") {
		t.Errorf("line 4 is %s", lines[4])
	}
}

// deltaReport has a table of deltas.
func deltaReport() *report {
	half := 0.5
	full := direction{spread{1.5, 1.25, 1.75}, nil}
	r := sampleReport()
	r.Tables[0].Rows = []row{
		{Codec: "ours", Class: "lzpage", Ratio: 6, Encode: full, Decode: full, Rivals: &rivalDeltas{2, &half, &spread{3, 2, 4}},
			Workloads: []workloadRow{{Name: "db", Ratio: 9}, {Name: "idle", Ratio: 5}}},
		{Codec: xbzrle, Class: "lzpage", Ratio: 3, Encode: full, Decode: full, Rivals: &rivalDeltas{1, nil, nil},
			Workloads: []workloadRow{{Name: "db", Ratio: 3}, {Name: "idle", Ratio: 4}}},
	}
	return r
}

func TestDeltaText(t *testing.T) {
	var out bytes.Buffer
	if err := deltaReport().writeText(&out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	for i, want := range []string{
		"codec   by      ratio  encode / LZ4 C  decode / LZ4 C  encode GB/s       decode GB/s       ratio / XBZRLE  ratio / zstd 1 C of the XOR  encode / XBZRLE C",
		"ours    lzpage  6.000  -               -               1.50 (1.25-1.75)  1.50 (1.25-1.75)  2.00            0.50                         3.00 (2.00-4.00)",
		"XBZRLE  lzpage  3.000  -               -               1.50 (1.25-1.75)  1.50 (1.25-1.75)  1.00            -                            -",
		"",
		"ratio   by      db     idle   least / XBZRLE",
		"ours    lzpage  9.000  5.000  1.25",
		"XBZRLE  lzpage  3.000  4.000  1.00",
	} {
		if i += 10; i >= len(lines) || lines[i] != want {
			t.Errorf("line %d is not\n%s\nin\n%s", i, want, out.String())
		}
	}
}

func TestDeltaMarkdown(t *testing.T) {
	var out bytes.Buffer
	if err := deltaReport().writeMarkdown(&out); err != nil {
		t.Fatal(err)
	}
	want := "\n\n| ratio | by | db | idle | least / XBZRLE |\n|---|---|--:|--:|--:|\n| ours | lzpage | 9.000 | 5.000 | 1.25 |\n"
	if !strings.Contains(out.String(), want) {
		t.Errorf("no\n%s\nin\n%s", want, out.String())
	}
}

func TestMarkdown(t *testing.T) {
	var out bytes.Buffer
	if err := sampleReport().writeMarkdown(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"- machine: Test CPU, 2 CPUs, any/cpu\n",
		"\nA table.\nBlocks: db 5, idle 7\n\n| codec | by | ratio | encode / LZ4 C | decode / LZ4 C | encode GB/s | decode GB/s |\n|---|---|--:|--:|--:|--:|--:|\n",
		"| ours \\* | lzpage | 2.062 | 0.50 (0.25-0.75) | - | 1.50 (1.25-1.75) | 9.00 (8.00-10.00) |\n",
		"rows marked \\*,",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no\n%s\nin\n%s", want, out.String())
		}
	}
}

func TestPatterns(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "db", "pages.bin"), text(4))
	writeFile(t, filepath.Join(dir, "idle", "pages.bin"), text(3))
	out := output(t, "-quick", "-rounds", "1", "-pages", filepath.Join(dir, "*", "pages.bin"))
	if !strings.Contains(out, "Blocks: db 4, idle 3\n") {
		t.Errorf("no blocks of db and idle in\n%s", out)
	}
	if n := strings.Count(out, "Blocks:"); n != 1 {
		t.Errorf("%d tables, want that of pages alone", n)
	}
}

// deltaTable runs the command and returns the table of deltas as JSON has it.
func deltaTable(t *testing.T, args ...string) (workloads map[string]int, rivals map[string]map[string]any) {
	t.Helper()
	var r struct {
		Tables []struct {
			Mode      string
			Workloads []struct {
				Name   string
				Blocks int
			}
			Rows []struct {
				Codec  string
				Rivals map[string]any `json:"deltas_relative_to"`
			}
		}
	}
	if err := json.Unmarshal([]byte(output(t, append(args, "-quick", "-rounds", "1", "-json")...)), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Tables) != 1 || r.Tables[0].Mode != "deltas" {
		t.Fatalf("tables %+v, want that of deltas alone", r.Tables)
	}
	workloads, rivals = map[string]int{}, map[string]map[string]any{}
	for _, w := range r.Tables[0].Workloads {
		workloads[w.Name] = w.Blocks
	}
	for _, row := range r.Tables[0].Rows {
		rivals[row.Codec] = row.Rivals
	}
	return workloads, rivals
}

func TestDeltas(t *testing.T) {
	m := versions(10)
	var pairs []byte
	for i := 0; i < len(m.data); i += pages.Size {
		pairs = concat(pairs, m.old[i:i+pages.Size], m.data[i:i+pages.Size])
	}
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "db", "dirty.bin"), pairs)
	writeFile(t, filepath.Join(dir, "idle", "dirty.bin"), pairs[:6*pages.Size])
	before := writeFile(t, filepath.Join(dir, "before.ram"), concat(m.old, text(2)))
	after := writeFile(t, filepath.Join(dir, "after.ram"), concat(m.data, text(2)))

	workloads, rivals := deltaTable(t, "-pairs", filepath.Join(dir, "*", "dirty.bin"), "-old", before, "-new", after)
	if want := (map[string]int{"db": 10, "idle": 3, "after": 10}); !maps.Equal(workloads, want) {
		t.Errorf("workloads %v, want %v", workloads, want)
	}
	fields := []string{"xbzrle_ratio"}
	if missing == "" {
		fields = append(fields, "zstd_1_c_of_xor_ratio", "xbzrle_c_encode")
	}
	slices.Sort(fields)
	for codec, r := range rivals {
		if got := slices.Sorted(maps.Keys(r)); !slices.Equal(got, fields) {
			t.Errorf("%s is compared in %q, want %q", codec, got, fields)
		}
	}
	if r := rivals[xbzrle]["xbzrle_ratio"]; r != 1.0 {
		t.Errorf("XBZRLE has %v times the ratio of XBZRLE", r)
	}

	if workloads, _ := deltaTable(t, "-old", before, "-new", after); !maps.Equal(workloads, map[string]int{"after": 10}) {
		t.Errorf("workloads %v of two images", workloads)
	}
}

func TestHelp(t *testing.T) {
	if out := output(t, "-help"); !strings.HasPrefix(out, "usage: compare") || !strings.Contains(out, "-quick") {
		t.Errorf("got %s", out)
	}
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	small := writeFile(t, filepath.Join(dir, "small.ram"), text(15))
	zero := writeFile(t, filepath.Join(dir, "zero.ram"), make([]byte, 4*pages.Size))
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, "nothing to measure"},
		{[]string{"-fast"}, "not defined: -fast; see -help"},
		{[]string{"-json", "-markdown", small}, "exclude each other"},
		{[]string{"-rounds", "-1", small}, "-rounds -1"},
		{[]string{"-runs", small + ".none"}, "small.ram.none: no such files"},
		{[]string{"-runs", small}, "small.ram: no 16 pages"},
		{[]string{"-pages", "[", small}, "syntax error in pattern"},
		{[]string{small + ".none"}, "no such file"},
		{[]string{"-old", small}, "-old and -new need each other"},
		{[]string{"-new", small}, "-old and -new need each other"},
		{[]string{"-old", small, "-new", small}, "small.ram: no page differs"},
		{[]string{"-pairs", small + ".none"}, "small.ram.none: no such files"},
		{[]string{"-pairs", zero}, "zero.ram: no pairs"},
	} {
		var out bytes.Buffer
		err := run(append([]string{"-quick"}, test.args...), &out, io.Discard)
		if err == nil || !strings.Contains(err.Error(), test.want) || out.Len() > 0 {
			t.Errorf("%q: error %v, want %q in it; output %q", test.args, err, test.want, out.String())
		}
	}
}
