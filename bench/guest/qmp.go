package guest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
)

// QMP is a connection to QEMU's machine protocol. Its methods may be called
// from several goroutines.
type QMP struct {
	conn    net.Conn
	onEvent func(Event)

	write sync.Mutex // serialises commands on conn

	mu      sync.Mutex
	lastID  uint64
	waiting map[uint64]chan reply // by command id, each with room for the reply
	done    chan struct{}         // closed when no more replies come
	err     error                 // why; valid once done is closed
}

// Event is an event that QEMU reported, such as STOP or RESUME.
type Event struct {
	Name string          `json:"event"`
	Data json.RawMessage `json:"data"`
	Time struct {
		Seconds      int64 `json:"seconds"`
		Microseconds int64 `json:"microseconds"`
	} `json:"timestamp"`
}

// QMPError is QEMU's refusal of a command.
type QMPError struct {
	Command string `json:"-"`
	Class   string `json:"class"` // GenericError mostly
	Desc    string `json:"desc"`  // QEMU's text
}

// Error returns the command and QEMU's text.
func (e *QMPError) Error() string {
	return fmt.Sprintf("QMP %s: %s (%s)", e.Command, e.Desc, e.Class)
}

type reply struct {
	result json.RawMessage
	err    *QMPError
}

// DialQMP connects to the unix socket at path, reads QEMU's greeting and
// leaves the negotiation mode. onEvent, if not nil, is called for each event
// in turn; it must not call Execute, as the replies come after the event.
func DialQMP(ctx context.Context, path string, onEvent func(Event)) (*QMP, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	q := &QMP{conn: conn, onEvent: onEvent, waiting: map[uint64]chan reply{}, done: make(chan struct{})}
	greeted := make(chan struct{})
	go q.read(greeted)
	select {
	case <-greeted:
	case <-q.done:
		return nil, fmt.Errorf("QMP greeting: %w", q.err)
	case <-ctx.Done():
		q.Close()
		return nil, fmt.Errorf("QMP greeting: %w", ctx.Err())
	}
	if err := q.Execute(ctx, "qmp_capabilities", nil, nil); err != nil {
		q.Close()
		return nil, err
	}
	return q, nil
}

// Close closes the connection. Commands still waiting for a reply fail.
func (q *QMP) Close() error { return q.conn.Close() }

// Execute runs a command and waits for its reply. args, if not nil, is encoded
// as the command's arguments, and the reply is decoded into result unless that
// is nil. A refusal by QEMU is a *QMPError. If ctx ends first, the command may
// still take effect.
func (q *QMP) Execute(ctx context.Context, command string, args, result any) error {
	q.mu.Lock()
	q.lastID++
	id := q.lastID
	answer := make(chan reply, 1)
	q.waiting[id] = answer
	q.mu.Unlock()
	defer func() {
		q.mu.Lock()
		delete(q.waiting, id)
		q.mu.Unlock()
	}()

	line, err := json.Marshal(struct {
		Execute   string `json:"execute"`
		Arguments any    `json:"arguments,omitempty"`
		ID        uint64 `json:"id"`
	}{command, args, id})
	if err != nil {
		return fmt.Errorf("QMP %s: %w", command, err)
	}
	q.write.Lock()
	_, err = q.conn.Write(append(line, '\n'))
	q.write.Unlock()
	if err != nil {
		return fmt.Errorf("QMP %s: %w", command, err)
	}

	var r reply
	select {
	case r = <-answer:
	case <-ctx.Done():
		return fmt.Errorf("QMP %s: %w", command, ctx.Err())
	case <-q.done:
		select {
		case r = <-answer: // it came just before the connection ended
		default:
			return fmt.Errorf("QMP %s: %w", command, q.err)
		}
	}
	if r.err != nil {
		r.err.Command = command
		return r.err
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(r.result, result); err != nil {
		return fmt.Errorf("QMP %s: reply %s: %w", command, r.result, err)
	}
	return nil
}

// read takes what QEMU sends until the connection ends: the greeting, then
// replies and events in any order.
func (q *QMP) read(greeted chan<- struct{}) {
	messages := json.NewDecoder(q.conn)
	q.err = func() error {
		var greeting struct{ QMP json.RawMessage }
		if err := messages.Decode(&greeting); err != nil {
			return err
		}
		if greeting.QMP == nil {
			return errors.New("the socket does not speak QMP")
		}
		close(greeted)
		for {
			var message struct {
				Event
				ID     uint64          `json:"id"`
				Return json.RawMessage `json:"return"`
				Error  *QMPError       `json:"error"`
			}
			if err := messages.Decode(&message); err != nil {
				return err
			}
			if message.Name != "" {
				if q.onEvent != nil {
					q.onEvent(message.Event)
				}
				continue
			}
			if message.ID == 0 && message.Error != nil {
				return fmt.Errorf("QEMU did not understand a command: %s", message.Error.Desc)
			}
			q.mu.Lock()
			answer := q.waiting[message.ID]
			delete(q.waiting, message.ID)
			q.mu.Unlock()
			if answer != nil { // nil: Execute gave up waiting
				answer <- reply{message.Return, message.Error}
			}
		}
	}()
	q.err = fmt.Errorf("connection to QEMU ended: %w", q.err)
	q.conn.Close()
	close(q.done)
}
