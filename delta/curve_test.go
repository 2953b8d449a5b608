package delta

import (
	"math"
	"testing"
)

// Of sweeps over more pages than fit, a cache finds what it holds. The curve
// of each size says so of every other.
func TestCurve(t *testing.T) {
	const pages, rounds = 12000, 10
	for _, bytes := range []int64{4 << 20, 16 << 20, 64 << 20} {
		c := newCache(t, bytes, 4096)
		sweep(c, rounds, 0, pages)
		for _, p := range c.Curve() {
			holds := min(1, float64(capacity(newCache(t, p.Bytes, 4096)))/pages)
			want := holds * (rounds - 1) / rounds // the first round finds nothing
			if math.Abs(p.HitRatio-want) > 0.04 {
				t.Errorf("a cache of %d bytes expects a hit ratio of %.3f for %d bytes, which is %.3f", bytes, p.HitRatio, p.Bytes, want)
			}
		}
		// nine tenths of the pages in nine tenths of what holds all
		all := float64(pages * 4096)
		if got := float64(c.Advise(0.9)); bytes >= 16<<20 && (got < 0.85*all || got > 1.25*all) {
			t.Errorf("a cache of %d bytes advises %.0f bytes for %.0f bytes of pages", bytes, got, all)
		}
	}
}

func TestCurveOfAnEmptyCache(t *testing.T) {
	c := newCache(t, 8<<20, 4096)
	want := []int64{2 << 20, 4 << 20, 8 << 20, 16 << 20, 32 << 20, 64 << 20}
	for i, p := range c.Curve() {
		if p.Bytes != want[i] || p.HitRatio != 0 {
			t.Errorf("point %d is %+v, want %d bytes and no hits", i, p, want[i])
		}
	}
	if got := c.Advise(0.9); got != 2<<20 {
		t.Errorf("advises %d bytes for nothing", got)
	}
}

func TestAdvise(t *testing.T) {
	curve := []CurvePoint{{100, 0.1}, {200, 0.3}, {400, 0.7}, {800, 0.8}, {1600, 0.8}}
	for _, tc := range []struct {
		share float64
		want  int64
	}{
		{0, 100},
		{0.125, 100},
		{0.25, 150},
		{0.5, 250},
		{0.875, 400},
		{1, 800},
		{2, 800},
	} {
		if got := advise(curve, tc.share); got != tc.want {
			t.Errorf("share %v: %d bytes, want %d", tc.share, got, tc.want)
		}
	}
}
