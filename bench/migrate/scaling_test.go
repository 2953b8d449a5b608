package main

import (
	"math"
	"testing"
)

func TestScaling(t *testing.T) {
	all := scaling(testRuns)
	if len(all) != 2 || all[0].Method != "none" || all[1].Method != "lzrw1-fast-delta" {
		t.Fatalf("%+v", all)
	}
	// none: 1 GiB for 0.5 and 1 CPU seconds; lzrw1: half a GiB for 3 and 2
	none, delta := all[0], all[1]
	if none.Source.Median != 0.5 || none.Destination.Median != 1 || none.Sent.Median != 500e6/(1<<30) {
		t.Errorf("none: %+v", none)
	}
	if delta.Source.Median != 6 || delta.Destination.Median != 4 || delta.Sent.Median != 250e6/(1<<30) {
		t.Errorf("lzrw1: %+v", delta)
	}
	for _, test := range []struct {
		s    scale
		bits float64
		cpus int
		want float64
	}{
		{none, 1e9, 8, 0.25},        // the link: 125 MB a second, 500 MB a GiB
		{none, 100e9, 8, 1},         // the one CPU of the destination
		{delta, 1e9, 12, 0.5},       // the link: 250 MB a GiB
		{delta, 100e9, 12, 12. / 6}, // the CPUs of the source
	} {
		if got := test.s.speed(test.bits, test.cpus); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("%s at %g bit/s with %d CPUs: %v, want %v", test.s.Method, test.bits, test.cpus, got, test.want)
		}
	}
}

// A workload that a method failed with counts for none.
func TestScalingOfWhatAllCompleted(t *testing.T) {
	one := run{Workload: "db", Link: "unlimited", Method: "none", Completed: true, SourceCPU: 1, Pages: 1 << 18, Sent: 1 << 30}
	other := one
	other.Method, other.SourceCPU = "multifd-zstd", 2
	hard, failed := one, other
	hard.Workload, hard.SourceCPU = "dirty", 9
	failed.Workload, failed.Completed = "dirty", false
	all := scaling([]run{one, other, hard, failed})
	if len(all) != 2 || all[0].Source.Median != 1 || all[0].Source.N != 1 || all[1].Source.Median != 2 {
		t.Errorf("%+v", all)
	}
}

// Pages that XBZRLE sends are moved as well; a run that does not tell of them is
// left out.
func TestScalingOfXBZRLE(t *testing.T) {
	r := run{
		Link: "unlimited", Method: "xbzrle", Completed: true, SourceCPU: 3, DestinationCPU: 1, Sent: 1 << 30,
		Pages: 3 << 17, ZeroPages: 1 << 16, XBZRLE: []byte(`{"bytes": 1000, "pages": 131072, "overflow": 65536, "cache-miss": 5}`),
	}
	unknown := r
	unknown.XBZRLE = nil
	all := scaling([]run{unknown, r, unknown})
	if len(all) != 1 || all[0].Source.Median != 3/2. || all[0].Destination.Median != 0.5 || all[0].Sent.Median != 0.5 || all[0].Source.N != 1 {
		t.Errorf("%+v, want that of 2 GiB, once", all)
	}
}
