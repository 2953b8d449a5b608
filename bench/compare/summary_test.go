package main

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/lzpage/lzpage/bench/pages"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestHarmonicMean(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3},
		{[]float64{1, 3}, 1.5},
		{[]float64{2, 3, 6}, 3},
	} {
		if got := harmonicMean(test.values); !near(got, test.want) {
			t.Errorf("of %v: got %v, want %v", test.values, got, test.want)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{7}, 7},
		{[]float64{9, 1, 2}, 2},
		{[]float64{8, 1, 4, 2}, 3},
	} {
		values := slices.Clone(test.values)
		if got := median(values); !near(got, test.want) {
			t.Errorf("of %v: got %v, want %v", test.values, got, test.want)
		}
		if !slices.Equal(values, test.values) {
			t.Errorf("%v became %v", test.values, values)
		}
	}
}

func TestSummarize(t *testing.T) {
	m := mode{name: "pages", title: "Pages", blockPages: 1, codecs: []codec{
		{name: "new", class: ours, process: true},
		{name: baseline, class: inC},
	}}
	workloads := []workload{{"db", memory{data: make([]byte, 5*pages.Size)}}, {"idle", memory{data: make([]byte, 2*pages.Size)}}}
	measured := [][]measurement{
		{ // by round, the harmonic means are 3, 1.5, 6 and 0.5, 2, 1
			{ratio: 2, encode: []float64{2, 1, 4}, decode: []float64{0.5, 2, 1}},
			{ratio: 6, encode: []float64{6, 3, 12}, decode: []float64{0.5, 2, 1}},
		},
		{ // 1, 3, 2 and 2, 2, 4
			{ratio: 4, encode: []float64{1, 3, 2}, decode: []float64{2, 2, 4}},
			{ratio: 4, encode: []float64{1, 3, 2}, decode: []float64{2, 2, 4}},
		},
	}
	got := summarize(m, workloads, measured)
	if got.Mode != "pages" || got.BlockBytes != 4096 || !slices.Equal(got.Workloads, []tableBlocks{{"db", 5}, {"idle", 2}}) {
		t.Errorf("head of the table: %+v", got)
	}
	if len(got.Rows) != 2 {
		t.Fatalf("%d rows, want 2", len(got.Rows))
	}
	r, base := got.Rows[0], got.Rows[1]
	if r.Codec != "new" || r.Class != ours || !r.Process || base.Codec != baseline || base.Process {
		t.Errorf("rows are %+v and %+v", r, base)
	}
	if !near(r.Ratio, 3) || !near(base.Ratio, 4) {
		t.Errorf("ratios %v and %v, want 3 and 4", r.Ratio, base.Ratio)
	}
	for _, test := range []struct {
		name      string
		got, want spread
	}{
		{"encode", r.Encode.Speed, spread{3, 1.5, 6}},
		{"decode", r.Decode.Speed, spread{1, 0.5, 2}},
		{"encode relative", *r.Encode.Relative, spread{3, 0.5, 3}},
		{"decode relative", *r.Decode.Relative, spread{0.25, 0.25, 1}},
		{"baseline encode", base.Encode.Speed, spread{2, 1, 3}},
		{"baseline decode relative", *base.Decode.Relative, spread{1, 1, 1}},
	} {
		if !near(test.got.Median, test.want.Median) || !near(test.got.Min, test.want.Min) || !near(test.got.Max, test.want.Max) {
			t.Errorf("%s: got %v, want %v", test.name, test.got, test.want)
		}
	}
	if want := (workloadRow{"idle", 6, 6, 1}); r.Workloads[1] != want {
		t.Errorf("workload: got %+v, want %+v", r.Workloads[1], want)
	}
}

func TestSummarizeWithoutBaseline(t *testing.T) {
	m := mode{blockPages: 1, codecs: []codec{{name: "new"}}}
	got := summarize(m, []workload{{"db", memory{data: make([]byte, pages.Size)}}}, [][]measurement{{{ratio: 2, encode: []float64{1}, decode: []float64{4}}}})
	if r := got.Rows[0]; r.Encode.Relative != nil || r.Decode.Relative != nil || r.Encode.Relative.String() != "-" || !near(r.Decode.Speed.Median, 4) {
		t.Errorf("row %+v", r)
	}
}

func TestSummarizeDeltas(t *testing.T) {
	m := mode{blockPages: 1, codecs: []codec{{name: "new"}, {name: xbzrle}, {name: xbzrleC}, {name: zstdOfXOR}, {name: baseline}}}
	workloads := []workload{{"db", memory{data: make([]byte, pages.Size)}}}
	measured := [][]measurement{
		{{ratio: 6, encode: []float64{1, 4}, decode: []float64{1, 1}}},
		{{ratio: 4, encode: []float64{1, 1}, decode: []float64{1, 1}}},
		{{ratio: 5, encode: []float64{2, 2}, decode: []float64{1, 1}}},
		{{ratio: 8, encode: []float64{1, 1}, decode: []float64{1, 1}}},
		{{ratio: 2, encode: []float64{1, 1}, decode: []float64{1, 1}}},
	}
	r := summarize(m, workloads, measured).Rows[0].Rivals
	if r == nil || r.Zstd == nil || r.Encode == nil {
		t.Fatalf("rivals %+v", r)
	}
	if !near(r.XBZRLE, 1.5) || !near(*r.Zstd, 0.75) || *r.Encode != (spread{1.25, 0.5, 2}) {
		t.Errorf("ratio to XBZRLE %v, to zstd %v, speed %v", r.XBZRLE, *r.Zstd, *r.Encode)
	}

	m.codecs, measured = m.codecs[:2], measured[:2] // without C
	if r := summarize(m, workloads, measured).Rows[0].Rivals; r == nil || !near(r.XBZRLE, 1.5) || r.Zstd != nil || r.Encode != nil {
		t.Errorf("rivals without C %+v", r)
	}
}

func TestMeasure(t *testing.T) {
	good := func(dst, data []byte) error { copy(dst, data); return nil }
	m := mode{name: "pages", blockPages: 1, codecs: []codec{
		{name: "fake", start: func(int) coder { return &fakeCoder{decodeWith: good} }},
		{name: "fake by process", process: true, start: func(int) coder { return &fakeCoder{decodeWith: good} }},
	}}
	workloads := []workload{{"db", memory{data: text(64)}}, {"idle", memory{data: text(32)}}}
	var said []string
	measured, err := measure(m, workloads, 5, func(line string) { said = append(said, line) })
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"pages of db", "pages of idle"}; !slices.Equal(said, want) {
		t.Errorf("progress %q, want %q", said, want)
	}
	for i := range m.codecs {
		for j := range workloads {
			one := measured[i][j]
			if one.ratio != 4 || len(one.encode) != 5 || len(one.decode) != 5 || slices.Min(slices.Concat(one.encode, one.decode)) <= 0 {
				t.Errorf("codec %d, workload %d: %+v", i, j, one)
			}
		}
	}

	bad := func(dst, data []byte) error { clear(dst); return nil }
	m.codecs = append(m.codecs, codec{name: "lossy", start: func(int) coder { return &fakeCoder{decodeWith: bad} }})
	if _, err := measure(m, workloads, 5, func(string) {}); err == nil || !strings.HasPrefix(err.Error(), "lossy: pages of db: decoding gives") {
		t.Errorf("a codec that loses everything: error %v", err)
	}
}

// Before it is decoded, the destination holds the earlier version, each time.
func TestMeasureGivesOld(t *testing.T) {
	decoded := 0
	m := mode{blockPages: 1, codecs: []codec{{name: "fake", start: func(int) coder {
		return &fakeCoder{decodeWith: func(dst, data []byte) error {
			if decoded++; !bytes.Equal(dst, noise(2)) {
				t.Errorf("decoding %d does not find the earlier version", decoded)
			}
			copy(dst, data)
			return nil
		}}
	}}}}
	if _, err := measure(m, []workload{{"db", memory{text(2), noise(2)}}}, 3, func(string) {}); err != nil {
		t.Fatal(err)
	}
	if decoded != 4 {
		t.Errorf("decoded %d times, want once for a check and in 3 rounds", decoded)
	}
}

func TestSpeed(t *testing.T) {
	if got := speed(3_000_000, 2_000_000); !near(got, 1.5) { // 3 MB in 2 ms
		t.Errorf("got %v GB/s, want 1.5", got)
	}
}
