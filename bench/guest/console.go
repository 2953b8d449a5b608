package guest

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Line is a line that a guest has written to its serial port.
type Line struct {
	Text string    // without its line end
	Time time.Time // when its end arrived
}

// Console is a guest's serial port: it holds the lines that the guest has
// written, and takes lines for the guest to read.
type Console struct {
	onLine func(string)
	input  io.Writer // what the guest reads

	mu      sync.Mutex
	lines   []Line
	begun   string        // what the guest has written of the next line
	next    int           // the first line that Wait has not looked at
	closed  bool          // the guest will write no more
	changed chan struct{} // closed and replaced with each change
}

func newConsole(input io.Writer, onLine func(string)) *Console {
	return &Console{input: input, onLine: onLine, changed: make(chan struct{})}
}

// OpenConsole returns the console of a guest whose serial port is at port.
func OpenConsole(port io.ReadWriter) *Console {
	c := newConsole(port, nil)
	go c.read(port)
	return c
}

// read takes lines from r until it ends.
func (c *Console) read(r io.Reader) {
	buffer := make([]byte, 4096)
	for {
		n, err := r.Read(buffer)
		c.take(buffer[:n], time.Now(), err != nil)
		if err != nil {
			return
		}
	}
}

// take takes what has arrived at a time. If it is the last, it ends a line.
func (c *Console) take(data []byte, at time.Time, last bool) {
	texts := strings.SplitAfter(c.Begun()+string(data), "\n")
	begun := ""
	if !last {
		begun = texts[len(texts)-1]
		texts = texts[:len(texts)-1]
	}
	var lines []Line
	for _, text := range texts {
		if text == "" {
			continue // what is after the last line's end
		}
		text = strings.TrimRight(text, "\r\n")
		lines = append(lines, Line{text, at})
		if c.onLine != nil && text != "" {
			c.onLine(text)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = append(c.lines, lines...)
	c.begun = begun
	c.closed = last
	close(c.changed)
	c.changed = make(chan struct{})
}

// Send writes a line to the serial port, for the guest to read.
func (c *Console) Send(line string) error {
	if _, err := io.WriteString(c.input, line+"\n"); err != nil {
		return fmt.Errorf("sending %q to the guest: %w", line, err)
	}
	return nil
}

// Wait waits for a line that begins with prefix and returns it. Each call goes
// on after the line that the last one found. It is an error if the guest ends
// first.
func (c *Console) Wait(ctx context.Context, prefix string) (string, error) {
	for {
		c.mu.Lock()
		for c.next < len(c.lines) {
			line := c.lines[c.next].Text
			c.next++
			if strings.HasPrefix(line, prefix) {
				c.mu.Unlock()
				return line, nil
			}
		}
		closed, changed := c.closed, c.changed
		c.mu.Unlock()
		if closed {
			return "", fmt.Errorf("the guest ended before it printed %q; the last it printed:\n%s", prefix, c.tail(15))
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return "", fmt.Errorf("waiting for the guest to print %q: %w; the last it printed:\n%s", prefix, ctx.Err(), c.tail(15))
		}
	}
}

// Lines returns all lines so far, empty ones too.
func (c *Console) Lines() []Line {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Line(nil), c.lines...)
}

// Begun returns what the guest has written since the end of its last line.
func (c *Console) Begun() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.begun
}

// Joined returns the lines of a guest that has been migrated from one QEMU to
// another: a line that it began at the source and ended at the destination is
// one.
func Joined(source, destination *Console) []Line {
	before, after := source.Lines(), destination.Lines()
	if len(after) > 0 {
		after[0].Text = source.Begun() + after[0].Text
	}
	return append(before, after...)
}

func (c *Console) tail(n int) string {
	var texts []string
	for _, line := range c.Lines() {
		if line.Text != "" {
			texts = append(texts, line.Text)
		}
	}
	return strings.Join(texts[max(0, len(texts)-n):], "\n")
}
