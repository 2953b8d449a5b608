package guest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const greeting = `{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}}, "capabilities": ["oob"]}}` + "\r\n"

type command struct {
	Execute   string          `json:"execute"`
	Arguments json.RawMessage `json:"arguments"`
	ID        json.RawMessage `json:"id"`
}

// fakeQEMU listens on a socket and answers each command with what answer
// returns, after "ID" in it is replaced by the command's id. An empty answer
// cuts the connection.
func fakeQEMU(t *testing.T, hello string, answer func(command) string) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "qmp")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		io.WriteString(conn, hello)
		lines := bufio.NewScanner(conn)
		for lines.Scan() {
			var c command
			if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
				t.Errorf("command %q: %v", lines.Text(), err)
				return
			}
			if c.Execute == "qmp_capabilities" {
				io.WriteString(conn, `{"return": {}, "id": `+string(c.ID)+"}\r\n")
				continue
			}
			reply := answer(c)
			if reply == "" {
				return
			}
			io.WriteString(conn, strings.ReplaceAll(reply, "ID", string(c.ID)))
		}
	}()
	return socket
}

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func dial(t *testing.T, onEvent func(Event), answer func(command) string) *QMP {
	t.Helper()
	q, err := DialQMP(testContext(t), fakeQEMU(t, greeting, answer), onEvent)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	return q
}

func TestQMPResultAndArguments(t *testing.T) {
	var got command
	q := dial(t, nil, func(c command) string {
		got = c
		return `{"return": {"running": true, "status": "running"}, "id": ID}` + "\r\n"
	})
	var status struct {
		Running bool
		Status  string
	}
	if err := q.Execute(testContext(t), "query-status", map[string]any{"size": 4096}, &status); err != nil {
		t.Fatal(err)
	}
	if !status.Running || status.Status != "running" {
		t.Errorf("result %+v", status)
	}
	if got.Execute != "query-status" || string(got.Arguments) != `{"size":4096}` {
		t.Errorf("QEMU got %s %s", got.Execute, got.Arguments)
	}
}

func TestQMPRefusal(t *testing.T) {
	q := dial(t, nil, func(c command) string {
		if c.Execute == "stop" {
			return `{"return": {}, "id": ID}`
		}
		return `{"id": ID, "error": {"class": "CommandNotFound", "desc": "The command nonsense has not been found"}}`
	})
	err := q.Execute(testContext(t), "nonsense", nil, nil)
	var refusal *QMPError
	if !errors.As(err, &refusal) || refusal.Class != "CommandNotFound" {
		t.Fatalf("error %#v", err)
	}
	if want := "QMP nonsense: The command nonsense has not been found (CommandNotFound)"; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	if err := q.Execute(testContext(t), "stop", nil, nil); err != nil {
		t.Errorf("the command after a refused one: %v", err)
	}
}

func TestQMPEventsBetweenReplies(t *testing.T) {
	var events []Event
	q := dial(t, func(e Event) { events = append(events, e) }, func(c command) string {
		return `{"timestamp": {"seconds": 1700000000, "microseconds": 25}, "event": "STOP"}` + "\r\n" +
			`{"timestamp": {"seconds": 1700000001, "microseconds": 0}, "event": "MIGRATION", "data": {"status": "active"}}` + "\r\n" +
			`{"return": {}, "id": ID}` + "\r\n"
	})
	if err := q.Execute(testContext(t), "stop", nil, nil); err != nil {
		t.Fatal(err)
	}
	if len(events) != 2 {
		t.Fatalf("events %+v", events)
	}
	if events[0].Name != "STOP" || events[0].Time.Seconds != 1700000000 || events[0].Time.Microseconds != 25 {
		t.Errorf("first event %+v", events[0])
	}
	if events[1].Name != "MIGRATION" || string(events[1].Data) != `{"status": "active"}` {
		t.Errorf("second event %s %s", events[1].Name, events[1].Data)
	}
}

func TestQMPRepliesOutOfOrder(t *testing.T) {
	firstIsIn := make(chan struct{})
	var firstID string
	q := dial(t, nil, func(c command) string {
		if c.Execute == "slow" {
			firstID = string(c.ID)
			close(firstIsIn)
			return " " // white space: no reply yet
		}
		return `{"return": "quick one", "id": ID} {"return": "slow one", "id": ` + firstID + `}`
	})
	slow := make(chan string, 1)
	go func() {
		var result string
		if err := q.Execute(testContext(t), "slow", nil, &result); err != nil {
			result = err.Error()
		}
		slow <- result
	}()
	<-firstIsIn
	var quick string
	if err := q.Execute(testContext(t), "quick", nil, &quick); err != nil || quick != "quick one" {
		t.Errorf("quick command: %q, %v", quick, err)
	}
	if got := <-slow; got != "slow one" {
		t.Errorf("slow command: %q", got)
	}
}

func TestQMPConnectionCut(t *testing.T) {
	q := dial(t, nil, func(command) string { return "" })
	for _, name := range []string{"stop", "cont"} { // the second finds the connection cut already
		err := q.Execute(testContext(t), name, nil, nil)
		if err == nil || errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "QMP "+name+": ") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestQMPContextEnds(t *testing.T) {
	q := dial(t, nil, func(command) string { return " " })
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := q.Execute(ctx, "stop", nil, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestQMPGreeting(t *testing.T) {
	for name, test := range map[string]struct{ hello, want string }{
		"other service": {`{"hello": "world"}`, "does not speak QMP"},
		"not JSON":      {"SSH-2.0-server\r\n", "invalid character"},
	} {
		_, err := DialQMP(testContext(t), fakeQEMU(t, test.hello, nil), nil)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q in it", name, err, test.want)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := DialQMP(ctx, fakeQEMU(t, "", nil), nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("silent socket: error %v", err)
	}
}
