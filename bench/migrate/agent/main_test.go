package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// script is a load that counts what it is asked, and fails where told to.
type script struct {
	n       *counts
	worked  int
	failAt  int // work so many times, then fail
	checks  [][2]int
	checkOn error
}

func (s *script) prepare(func(string, ...any)) (string, error) { return "", nil }

func (s *script) work() error {
	if s.worked++; s.worked == s.failAt {
		return errors.New("wrong answer")
	}
	s.n.ops.Add(1)
	return nil
}

func (s *script) check() (int, int, string, error) {
	next := s.checks[0]
	s.checks = s.checks[1:]
	return next[0], next[1], "things", s.checkOn
}

func (s *script) set(name, value string) error {
	if name != "script.rate" {
		return errNotASetting
	}
	return nil
}

func answers(l load, n *counts, commands ...string) []string {
	to := make(chan string)
	go func() {
		defer close(to)
		for _, command := range commands {
			to <- command
		}
	}()
	var said []string
	serve(to, func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }, l, n)
	return said
}

func TestServe(t *testing.T) {
	var n counts
	s := &script{n: &n, checks: [][2]int{{100, 0}, {100, 3}}}
	got := answers(s, &n, "check", "set script.rate 5", "set rate 5", "rest", "check", "work", "sing", "set x")
	want := []string{
		"checked 100 bad 0 things", "set script.rate 5",
		"refused rate no setting that can be changed while the workload runs",
		"rest", "checked 100 bad 3 things", "work", "refused sing: not a command", "refused set x: not a command",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if n.bad.Load() != 3 {
		t.Errorf("ticks tell of %d bad", n.bad.Load())
	}
}

func TestServeRests(t *testing.T) {
	var n counts
	s := &script{n: &n}
	to := make(chan string)
	done := make(chan bool)
	var atRest, later int
	go func() {
		serve(to, func(string, ...any) {}, s, &n)
		close(done)
	}()
	to <- "rest"
	to <- "rest" // taken once the first is carried out
	atRest = s.worked
	to <- "rest"
	later = s.worked
	close(to)
	<-done
	if later != atRest {
		t.Errorf("worked %d times while at rest", later-atRest)
	}
}

func TestFaultsAreBad(t *testing.T) {
	var n counts
	if got := answers(&script{n: &n, checks: [][2]int{{5, 0}}, checkOn: errors.New("no answer")}, &n, "check"); got[0] != "checked 5 bad 1 no answer" || n.bad.Load() != 1 {
		t.Errorf("a check that fails: %q, %d bad", got, n.bad.Load())
	}
	s := &script{n: &n, failAt: 3}
	var said []string
	to := make(chan string)
	go func() {
		for n.bad.Load() < 2 {
			// until the work has failed
		}
		to <- "rest"
		close(to)
	}()
	serve(to, func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }, s, &n)
	if !slices.Equal(said, []string{"fault wrong answer", "rest"}) || s.worked != 3 {
		t.Errorf("work that fails: %q after %d", said, s.worked)
	}
}

func TestAppendTick(t *testing.T) {
	if got := string(appendTick(nil, 12, 3456, 7)); got != "tick 12 ops 3456 bad 7\n" {
		t.Errorf("got %q", got)
	}
}

func TestParseSettings(t *testing.T) {
	s := parseSettings("console=ttyS0 quiet workload=dirty dirty.rate=40\n")
	if len(s) != 3 || s["workload"] != "dirty" {
		t.Errorf("got %v", s)
	}
	if n, err := s.number("dirty.rate", 20, 1, 100); n != 40 || err != nil {
		t.Errorf("given: %d, %v", n, err)
	}
	if n, err := s.number("dirty.size", 20, 1, 100); n != 20 || err != nil {
		t.Errorf("not given: %d, %v", n, err)
	}
	if _, err := s.number("dirty.rate", 20, 1, 39); err == nil || !strings.Contains(err.Error(), "dirty.rate=40") {
		t.Errorf("too large: error %v", err)
	}
}

func TestPace(t *testing.T) {
	if n := (&pace{}).due(9); n != 9 {
		t.Errorf("without a rate %d are due", n)
	}
	p := pace{rate: 1000}
	p.due(100)
	p.paid = p.paid.Add(-50e6) // 50 ms ago
	if n := p.due(1000); n < 50 || n > 100 {
		t.Errorf("after 50 ms at 1000/s %d are due", n)
	}
	p.paid = p.paid.Add(-10e9)
	if n := p.due(1000); n != 100 {
		t.Errorf("after 10 s at 1000/s %d are due: a tenth of a second is made up for", n)
	}
}
