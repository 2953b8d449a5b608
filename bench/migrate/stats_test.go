package main

import "testing"

func TestSummarise(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   summary
	}{
		{nil, summary{}},
		{[]float64{7}, summary{7, 7, 7, 1}},
		{[]float64{9, 1}, summary{5, 1, 9, 2}},
		{[]float64{30, 10, 20}, summary{20, 10, 30, 3}},
		{[]float64{4, 1, 100, 2}, summary{3, 1, 100, 4}},
	} {
		if got := summarise(test.values); got != test.want {
			t.Errorf("%v: %+v, want %+v", test.values, got, test.want)
		}
	}
	values := []float64{3, 1, 2}
	summarise(values)
	if values[0] != 3 {
		t.Error("the values were sorted in place")
	}
}
