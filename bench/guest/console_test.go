package guest

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func TestConsoleWait(t *testing.T) {
	out, in := io.Pipe()
	var seen []string
	console := newConsole(func(line string) { seen = append(seen, line) })
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

func TestConsoleWaitContextEnds(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := newConsole(nil).Wait(ctx, "ready"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}
