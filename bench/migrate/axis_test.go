package main

import (
	"math"
	"slices"
	"testing"
)

func TestAxis(t *testing.T) {
	log := axis{low: 1, high: 100, from: 50, to: 250}
	linear := axis{low: 0, high: 80, from: 0, to: 160, linear: true}
	for _, test := range []struct {
		a           axis
		value, want float64
	}{{log, 1, 50}, {log, 10, 150}, {log, 100, 250}, {log, 0, 50}, {linear, 0, 0}, {linear, 20, 40}} {
		if got := test.a.at(test.value); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("%+v: %v is at %v, want %v", test.a, test.value, got, test.want)
		}
	}
	for _, test := range []struct {
		a    axis
		want []float64
	}{
		{log, []float64{1, 3, 10, 30, 100}},
		{axis{low: 0.9, high: 12}, []float64{1, 2, 5, 10}},
		{axis{low: 0.5, high: 2e6}, []float64{1, 10, 100, 1000, 1e4, 1e5, 1e6}},
		{linear, []float64{0, 20, 40, 60, 80}},
		{axis{high: 105, linear: true}, []float64{0, 20, 40, 60, 80, 100}},
	} {
		if got := test.a.marks(); !slices.EqualFunc(got, test.want, func(a, b float64) bool { return math.Abs(a-b) < 1e-9*b+1e-12 }) {
			t.Errorf("%+v: marks %v, want %v", test.a, got, test.want)
		}
	}
	// a single value, and none at all, have an axis
	for _, a := range []axis{newAxis(5, 5, 0, 100, false), newAxis(1, 1, 0, 100, false), newAxis(0, 0, 0, 100, true)} {
		if a.high <= a.low || len(a.marks()) == 0 {
			t.Errorf("axis %+v, marks %v", a, a.marks())
		}
	}
}

func TestShort(t *testing.T) {
	for value, want := range map[float64]string{0: "0", 0.5: "0.5", 20: "20", 300: "300", 2000: "2k", 1e6: "1000k"} {
		if got := short(value); got != want {
			t.Errorf("%v: %q, want %q", value, got, want)
		}
	}
}
