package guest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestConsoleWait(t *testing.T) {
	out, in := io.Pipe()
	var seen []string
	console := newConsole(nil, func(line string) { seen = append(seen, line) })
	ended := make(chan struct{})
	go func() { console.read(out); close(ended) }()
	go func() {
		io.WriteString(in, "SeaBIOS\r\n\r\ntick 1\r\ntick 2\r\nnoise\r\nti")
		io.WriteString(in, "ck 3\r\npanic: no init")
		in.Close()
	}()
	for _, want := range []string{"tick 1", "tick 2", "tick 3"} {
		if got, err := console.Wait(testContext(t), "tick "); err != nil || got != want {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
	}
	_, err := console.Wait(testContext(t), "tick ")
	if err == nil || !strings.Contains(err.Error(), "noise\ntick 3\npanic: no init") {
		t.Errorf("after the end: error %v", err)
	}
	<-ended
	if got := strings.Join(seen, "|"); got != "SeaBIOS|tick 1|tick 2|noise|tick 3|panic: no init" {
		t.Errorf("lines %s", got)
	}
}

func TestConsoleLineTimes(t *testing.T) {
	console := newConsole(nil, nil)
	first, second := time.Unix(100, 0), time.Unix(101, 0)
	console.take([]byte("one\ntw"), first, false)
	if got := console.Begun(); got != "tw" {
		t.Errorf("begun %q", got)
	}
	console.take([]byte("o\n"), second, false)
	if got := console.Begun(); got != "" {
		t.Errorf("begun %q", got)
	}
	want := []Line{{"one", first}, {"two", second}}
	if got := console.Lines(); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("lines %v, want %v", got, want)
	}
}

func TestJoinedLines(t *testing.T) {
	source, cut, uncut := newConsole(nil, nil), newConsole(nil, nil), newConsole(nil, nil)
	before, after := time.Unix(100, 0), time.Unix(101, 0)
	source.take([]byte("tick 1\r\ntick 2"), before, false)
	cut.take([]byte("4\r\ntick 25\r\n"), after, false)
	uncut.take([]byte("\r\ntick 3\r\n"), after, false)
	if got, want := Joined(source, cut), []Line{{"tick 1", before}, {"tick 24", after}, {"tick 25", after}}; !slices.Equal(got, want) {
		t.Errorf("cut within a number: %v, want %v", got, want)
	}
	if got, want := Joined(source, uncut), []Line{{"tick 1", before}, {"tick 2", after}, {"tick 3", after}}; !slices.Equal(got, want) {
		t.Errorf("cut before the line's end: %v, want %v", got, want)
	}
	if got, want := Joined(source, newConsole(nil, nil)), []Line{{"tick 1", before}}; !slices.Equal(got, want) {
		t.Errorf("nothing at the destination: %v, want %v", got, want)
	}
}

func TestConsoleWaitContextEnds(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := newConsole(nil, nil).Wait(ctx, "ready"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestConsoleSend(t *testing.T) {
	var input bytes.Buffer
	if err := newConsole(&input, nil).Send("check"); err != nil || input.String() != "check\n" {
		t.Errorf("sent %q, %v", input.String(), err)
	}
	out, in := io.Pipe()
	out.Close()
	if err := newConsole(in, nil).Send("check"); err == nil || !strings.Contains(err.Error(), `"check"`) {
		t.Errorf("error %v", err)
	}
}
