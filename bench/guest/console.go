package guest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
)

// Console holds the lines that a guest has written to its serial port.
type Console struct {
	onLine func(string)

	mu      sync.Mutex
	lines   []string
	next    int           // the first line that Wait has not looked at
	closed  bool          // the guest will write no more
	changed chan struct{} // closed and replaced with each change
}

func newConsole(onLine func(string)) *Console {
	return &Console{onLine: onLine, changed: make(chan struct{})}
}

// read takes lines from r until it ends.
func (c *Console) read(r io.Reader) {
	input := bufio.NewReader(r)
	for {
		line, err := input.ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		if line != "" && c.onLine != nil {
			c.onLine(line)
		}
		c.mu.Lock()
		if line != "" {
			c.lines = append(c.lines, line)
		}
		c.closed = err != nil
		close(c.changed)
		c.changed = make(chan struct{})
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Wait waits for a line that begins with prefix and returns it. Each call goes
// on after the line that the last one found. It is an error if the guest ends
// first.
func (c *Console) Wait(ctx context.Context, prefix string) (string, error) {
	for {
		c.mu.Lock()
		for c.next < len(c.lines) {
			line := c.lines[c.next]
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

// Lines returns all lines so far, without their line ends.
func (c *Console) Lines() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.lines...)
}

func (c *Console) tail(n int) string {
	lines := c.Lines()
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
