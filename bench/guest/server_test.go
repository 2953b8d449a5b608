package guest

import "testing"

func TestParseTick(t *testing.T) {
	got, err := ParseTick("tick 12 ops 2290 bad 0")
	if want := (Tick{Number: 12, Ops: 2290}); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, line := range []string{"tick 12 ops 2290 bad 1", "tick 12 ops", "ready", ""} {
		if tick, err := ParseTick(line); err == nil {
			t.Errorf("%q: got %+v, want an error", line, tick)
		}
	}
}
