package main

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/lzpage/lzpage/bench/guest"
)

// at returns a moment, in milliseconds of a test's time.
func at(ms int) time.Time { return time.UnixMilli(1700000000000 + int64(ms)) }

// lines makes tick lines of pairs of time in milliseconds and work done.
func lines(pairs ...[2]int) (all []guest.Line) {
	for i, p := range pairs {
		all = append(all, guest.Line{Text: fmt.Sprintf("tick %d ops %d bad 0", i+1, p[1]), Time: at(p[0])})
	}
	return all
}

func TestTicks(t *testing.T) {
	all := lines([2]int{0, 0}, [2]int{20, 1}, [2]int{40, 2})
	noise := guest.Line{Text: "step filling", Time: at(5)}
	got, err := ticks([]guest.Line{noise, all[0], noise, all[1], all[2]})
	if err != nil || len(got) != 3 || got[2].Number != 3 || got[2].Ops != 2 || !got[2].at.Equal(at(40)) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, test := range []struct {
		lines []guest.Line
		want  string
	}{
		{[]guest.Line{all[0], all[2]}, "after tick 1"},
		{[]guest.Line{all[0], all[1], all[1]}, "after tick 2"},
		{[]guest.Line{all[0], {Text: "tick 2 ops 1 bad 3", Time: at(20)}}, "damaged"},
		{[]guest.Line{all[0], {Text: "tick 2 ", Time: at(20)}}, "not a tick"},
		{[]guest.Line{all[0], {Text: "[ 9.1] Kernel panic - not syncing", Time: at(20)}}, "Kernel panic"},
	} {
		if _, err := ticks(test.lines); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error %v, want %q in it", err, test.want)
		}
	}
}

func TestGaps(t *testing.T) {
	l, err := ticks(lines([2]int{0, 0}, [2]int{20, 2}, [2]int{90, 4}, [2]int{390, 6}, [2]int{405, 8}, [2]int{500, 10}))
	if err != nil {
		t.Fatal(err)
	}
	all := l.gaps(at(0), at(500))
	if len(all) != 5 {
		t.Fatalf("gaps %v", all)
	}
	if got := longest(all); got != 280*time.Millisecond {
		t.Errorf("longest %v", got)
	}
	// 70-20 = 50 is none yet; 300-20 and 95-20 are.
	if got := stalls(all); got != 355*time.Millisecond {
		t.Errorf("stalls %v", got)
	}
	if got := longest(l.gaps(at(91), at(92))); got != 280*time.Millisecond {
		t.Errorf("longest of the gap around a moment: %v", got)
	}
	if got := longest(l.gaps(at(395), at(396))); got != 0 {
		t.Errorf("longest of a gap that is less than a period: %v", got)
	}
	if got := longest(l.gaps(at(600), at(700))); got != 0 {
		t.Errorf("longest without a gap: %v", got)
	}
}

func TestSpeed(t *testing.T) {
	l, err := ticks(lines([2]int{0, 0}, [2]int{20, 2}, [2]int{40, 4}, [2]int{1040, 34}))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		from, to int
		want     float64
	}{{0, 40, 100}, {41, 2000, 30}, {0, 1040, 34 / 1.040}, {40, 41, 0}} {
		if got := l.speed(at(test.from), at(test.to)); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("from %d to %d: %v, want %v", test.from, test.to, got, test.want)
		}
	}
	if got := (timeline{}).speed(at(0), at(1)); got != 0 {
		t.Errorf("without ticks: %v", got)
	}
}
