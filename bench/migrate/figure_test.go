package main

import "testing"

// testRuns are made by hand: on a slow link, none is cancelled in one of two
// runs and xbzrle in both.
var testRuns = []run{
	{Workload: "db", Link: "100mbit", Method: "none", Round: 1, Completed: true, Total: 40, Downtime: 0.3, Felt: 0.4, Sent: 500e6, Rounds: 4, SourceCPU: 2, DestinationCPU: 1, RestSpeed: 200, Speed: 100, Pages: 122000, ZeroPages: 9000},
	{Workload: "db", Link: "100mbit", Method: "none", Round: 2, Total: 120, Sent: 1500e6, Rounds: 9, SourceCPU: 6, DestinationCPU: 3, RestSpeed: 200, Speed: 50},
	{Workload: "db", Link: "100mbit", Method: "xbzrle", Round: 1, Total: 120, Sent: 1400e6, Rounds: 20, RestSpeed: 200, Speed: 180},
	{Workload: "db", Link: "100mbit", Method: "xbzrle", Round: 2, Total: 120, Sent: 1200e6, Rounds: 22, RestSpeed: 200, Speed: 160},
	{Workload: "db", Link: "100mbit", Method: "lzrw1-fast-delta", Round: 1, Completed: true, Total: 10, Downtime: 0.1, Felt: 0.125, Sent: 100e6, Rounds: 3, SourceCPU: 1, DestinationCPU: 0.5, RestSpeed: 200, Speed: 190, Pages: 61000, ZeroPages: 9000},
	{Workload: "db", Link: "100mbit", Method: "lzrw1-fast-delta", Round: 2, Completed: true, Total: 12, Downtime: 0.1, Felt: 0.135, Sent: 120e6, Rounds: 5, SourceCPU: 1.5, DestinationCPU: 0.5, RestSpeed: 200, Speed: 180, Pages: 61000, ZeroPages: 9000},
	{Workload: "db", Link: "unlimited", Method: "none", Round: 1, Completed: true, Total: 1, Sent: 500e6, SourceCPU: 0.5, DestinationCPU: 1, RestSpeed: 200, Speed: 150, Pages: 1 << 18},
	{Workload: "db", Link: "unlimited", Method: "lzrw1-fast-delta", Round: 1, Completed: true, Total: 2, Sent: 125e6, SourceCPU: 3, DestinationCPU: 2, RestSpeed: 0, Speed: 0, Pages: 1 << 17},
}

func TestCells(t *testing.T) {
	all := cells(testRuns)
	if len(all) != 5 {
		t.Fatalf("%d cells", len(all))
	}
	none, xbzrle, delta := all[0], all[1], all[2]
	if none.Method != "none" || none.Runs != 2 || none.Completed != 1 {
		t.Errorf("none: %+v", none)
	}
	if got := none.Figures["total_s"]; got != (summary{40, 40, 40, 1}) {
		t.Errorf("none: total %+v", got)
	}
	if got := none.Figures["sent_mb"]; got != (summary{500, 500, 500, 1}) {
		t.Errorf("none: sent %+v", got)
	}
	if _, have := xbzrle.Figures["felt_ms"]; xbzrle.Completed != 0 || have {
		t.Errorf("xbzrle: %+v", xbzrle)
	}
	if got := xbzrle.Figures["sent_mb"]; got != (summary{1300, 1200, 1400, 2}) {
		t.Errorf("xbzrle: sent %+v", got)
	}
	if got := xbzrle.Figures["speed_percent"]; got != (summary{85, 80, 90, 2}) {
		t.Errorf("xbzrle: speed %+v", got)
	}
	if got := delta.Figures["felt_ms"]; got != (summary{130, 125, 135, 2}) {
		t.Errorf("delta: felt %+v", got)
	}
	if got := delta.Figures["cpu_s"]; got != (summary{1.75, 1.5, 2, 2}) {
		t.Errorf("delta: CPU %+v", got)
	}
	if got, have := all[4].Figures["speed_percent"]; have {
		t.Errorf("a guest without work: speed %+v", got)
	}
}
