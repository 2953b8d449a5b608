package main

import (
	"context"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// within calls f on a thread in the namespace of a side.
func (n *network) within(side int, f func() error) error {
	failed := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with this function
		if err := unix.Setns(int(n.namespaces[side].Fd()), unix.CLONE_NEWNET); err != nil {
			failed <- err
			return
		}
		failed <- f()
	}()
	return <-failed
}

// transfer sends bytes from side 0 to side 1.
func transfer(t *testing.T, n *network, bytes int) {
	t.Helper()
	var listener net.Listener
	err := n.within(1, func() (err error) {
		listener, err = net.Listen("tcp4", addresses[1]+":4444")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	received := make(chan int64)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			received <- 0
			return
		}
		defer conn.Close()
		all, _ := io.Copy(io.Discard, conn)
		received <- all
	}()
	err = n.within(0, func() error {
		conn, err := net.DialTimeout("tcp4", addresses[1]+":4444", 5*time.Second)
		if err != nil {
			return err
		}
		defer conn.Close()
		_, err = conn.Write(make([]byte, bytes))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := <-received; got != int64(bytes) {
		t.Fatalf("%d of %d bytes came through", got, bytes)
	}
}

func TestNetwork(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("network namespaces need root")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	n, err := newNetwork(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer n.close()
	for _, rate := range []string{"", "100mbit", "1gbit", ""} {
		if err := n.limit(ctx, rate); err != nil {
			t.Fatal(err)
		}
		for side := range addresses {
			var queues []struct {
				Kind    string
				Options struct{ Rate int64 }
			}
			if err := n.run(ctx, side, &queues, "tc", "-j", "qdisc", "show", "dev", device); err != nil {
				t.Fatal(err)
			}
			limited := len(queues) == 1 && queues[0].Kind == "tbf"
			if limited != (rate != "") {
				t.Errorf("rate %q: side %d has %+v", rate, side, queues)
			}
		}
		before, err := n.sent(ctx)
		if err != nil {
			t.Fatal(err)
		}
		const bytes = 1 << 20
		transfer(t, n, bytes)
		after, err := n.sent(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if there := after[0] - before[0]; there < bytes || there > bytes*11/10 {
			t.Errorf("rate %q: %d bytes sent, %d counted", rate, bytes, there)
		}
		if back := after[1] - before[1]; back <= 0 || back > bytes/10 {
			t.Errorf("rate %q: %d bytes counted back", rate, back)
		}
	}
	if err := n.run(ctx, 0, nil, "ip", "link", "show", "dev", "nonsense"); err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("error %v", err)
	}
}
