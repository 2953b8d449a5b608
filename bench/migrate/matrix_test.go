package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func testMatrix(t *testing.T, workloads ...string) *matrix {
	t.Helper()
	m := &matrix{links: links[:2], methods: methods, runs: 3, seed: 1}
	for _, text := range workloads {
		w, err := parseLoad(text)
		if err != nil {
			t.Fatal(err)
		}
		m.workloads = append(m.workloads, w)
	}
	return m
}

func TestStepsHoldEachRunOnce(t *testing.T) {
	m := testMatrix(t, "dirty:rate=10", "idle", "dirty:rate=20")
	guests := m.steps()
	if len(guests) != 2 {
		t.Fatalf("%d guests", len(guests))
	}
	seen := map[string]int{}
	for i, name := range []string{"dirty", "idle"} {
		for _, s := range guests[i] {
			if s.load.name != name {
				t.Errorf("guest %s has a run of %s", name, s.load.text)
			}
			seen[fmt.Sprintf("%s %s %s %d", s.load.text, s.link.name, s.method.name, s.round)]++
		}
	}
	if want := 3 * 2 * len(methods) * 3; len(seen) != want {
		t.Errorf("%d runs, want %d", len(seen), want)
	}
	for name, n := range seen {
		if n != 1 {
			t.Errorf("%s: %d times", name, n)
		}
	}
	for i, s := range guests[0][1:] {
		if s.round < guests[0][i].round {
			t.Fatalf("round %d after %d", s.round, guests[0][i].round)
		}
	}
}

func TestOrderFollowsFromSeed(t *testing.T) {
	order := func(m *matrix, round int) string {
		var names []string
		for _, s := range m.steps()[0] {
			if s.round == round && s.link.name == m.links[0].name {
				names = append(names, s.method.name)
			}
		}
		return strings.Join(names, " ")
	}
	m, same, other := testMatrix(t, "idle"), testMatrix(t, "idle"), testMatrix(t, "idle")
	same.runs, other.seed = 5, 2
	if order(m, 1) != order(same, 1) {
		t.Error("the order changes with the number of runs")
	}
	if order(m, 1) == order(other, 1) || order(m, 1) == order(m, 2) {
		t.Error("the order does not change with seed and round")
	}
	if !slices.EqualFunc(m.methods, methods, func(a, b method) bool { return a.name == b.name }) {
		t.Error("the methods were shuffled in place")
	}
}

func TestParseLoad(t *testing.T) {
	w, err := parseLoad("dirty:rate=40:random=20")
	if err != nil || w.name != "dirty" || len(w.settings) != 2 || w.settings[1] != [2]string{"dirty.random", "20"} {
		t.Errorf("got %+v, %v", w, err)
	}
	if w, err := parseLoad("idle"); err != nil || w.name != "idle" || w.settings != nil {
		t.Errorf("got %+v, %v", w, err)
	}
	for _, text := range []string{"dirty:", "dirty:rate", "dirty:=3", "dirty:rate="} {
		if w, err := parseLoad(text); err == nil {
			t.Errorf("%q: %+v", text, w)
		}
	}
}

func TestCheckSettings(t *testing.T) {
	for texts, right := range map[string]bool{
		"idle,db":                                true,
		"dirty:rate=20,idle,dirty:rate=40":       true,
		"dirty:rate=20:hot=9,dirty:hot=8:rate=4": true,
		"dirty,dirty:rate=40":                    false,
		"dirty:rate=20:hot=9,idle,dirty:rate=40": false,
	} {
		var loads []load
		for text := range strings.SplitSeq(texts, ",") {
			w, err := parseLoad(text)
			if err != nil {
				t.Fatal(err)
			}
			loads = append(loads, w)
		}
		if err := checkSettings(loads); (err == nil) != right {
			t.Errorf("%s: %v", texts, err)
		}
	}
}
