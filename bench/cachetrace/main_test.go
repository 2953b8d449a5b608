package main

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
)

// On the recorded traces, the cache finds more than the least recently used
// pages would be, packed as well, wherever a round does not fit, and nearly as
// much elsewhere; and it knows what other sizes find.
func TestRecordedTraces(t *testing.T) {
	for name, merge := range map[string]int{"shop-5s": 1, "shop-500ms": 4} {
		t.Run(name, func(t *testing.T) {
			trace, err := load([]string{"testdata/" + name + ".trace"}, 4096)
			if err != nil {
				t.Fatal(err)
			}
			trace = trace.Merge(merge)
			_, asked := trace.uses()
			packed := packedSize(trace.PageSize)
			ratios := map[int64]float64{}
			var caches []replayed
			for _, mib := range []int{2, 4, 8, 16, 32} {
				r, err := replay(trace, int64(mib)<<20)
				if err != nil {
					t.Fatal(err)
				}
				caches = append(caches, r)
				total := r.total()
				ratios[int64(mib)<<20] = total.HitRatio()
				got := float64(total.Hits) / float64(asked)
				lru := replayPolicy(trace, newLRU(mib<<20, false), packed)
				plain := replayPolicy(trace, newLRU(mib<<20/trace.PageSize, false), one)
				best := bound(trace, mib<<20, packed)
				t.Logf("%d MiB: %.3f, LRU %.3f", mib, got, lru)
				switch {
				case got > best:
					t.Errorf("%d MiB: %.3f is more than the bound, %.3f", mib, got, best)
				case mib <= 8 && got < lru+0.08:
					t.Errorf("%d MiB: %.3f, LRU %.3f", mib, got, lru)
				case got < plain:
					t.Errorf("%d MiB: %.3f, LRU on plain pages %.3f", mib, got, plain)
				}
			}
			for _, r := range caches {
				for _, p := range r.cache.Curve() {
					if has, known := ratios[p.Bytes]; known && math.Abs(has-p.HitRatio) > 0.04 {
						t.Errorf("%.3f is expected of %d bytes, they have %.3f", p.HitRatio, p.Bytes, has)
					}
				}
			}
		})
	}
}

func TestReport(t *testing.T) {
	dir, _ := writeImages(t)
	var out bytes.Buffer
	if err := run([]string{"-sizes", "1,3", dir}, &out); err != nil {
		t.Fatal(err)
	}
	// pages 2 and 5 were something before, page 7 was not
	for _, want := range []string{
		`(?m)^8 pages of 4096 bytes \(0 MiB; 0 MiB packed, zeros left out\), 2 rounds of 1 changed pages on average`,
		`(?m)^ +1 +256\.00 +32\.000 +100\.0 +100\.0 +100\.0 +100\.0 +100\.0 +100\.0 +100\.0 +100\.0 +100\.0 +0 +0 +3$`,
		`(?m)^ +3 +.*/66\.7 .*$`,
	} {
		if !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("no match for %s in\n%s", want, &out)
		}
	}
}

func TestUsage(t *testing.T) {
	dir, names := writeImages(t)
	for _, tc := range []struct{ args, want string }{
		{"", "what to replay is missing"},
		{"-sizes 0 " + dir, `"0" is not a number of MiB`},
		{"-merge 0 " + dir, "-merge 0"},
		{"-page 100 " + dir, "-page 100"},
		{names[0], "gen00.ram: not a page trace"},
		{dir + "/missing", "no such file"},
		{t.TempDir(), "holds no images"},
		{"-page 64 -sizes 1 -record " + dir + "/no/such.trace " + dir, "no such file"},
	} {
		err := run(strings.Fields(tc.args), &bytes.Buffer{})
		if err == nil || !strings.Contains(fmt.Sprint(err), tc.want) {
			t.Errorf("%s: error %v, want one that has %q", tc.args, err, tc.want)
		}
	}
}
