package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// A network is two network namespaces, one for each side of a migration, and a
// link between them. The namespaces have no names: they go when this process
// and the QEMUs in them have ended, however they end.
type network struct {
	namespaces [2]*os.File
}

// addresses are those of the two sides.
var addresses = [2]string{"10.77.0.1", "10.77.0.2"}

// device is the name that the link has on both sides.
const device = "veth"

// newNetwork makes a network with an unlimited link. It needs root.
func newNetwork(ctx context.Context) (_ *network, err error) {
	n := &network{}
	defer func() {
		if err != nil {
			n.close()
		}
	}()
	for side := range n.namespaces {
		if n.namespaces[side], err = newNamespace(); err != nil {
			return nil, err
		}
	}
	if err := n.run(ctx, 0, nil, "ip", "link", "add", device, "type", "veth", "peer", "name", device, "netns", n.path(1)); err != nil {
		return nil, err
	}
	for side, address := range addresses {
		for _, command := range []string{"ip link set lo up", "ip address add " + address + "/24 dev " + device, "ip link set " + device + " up"} {
			if err := n.run(ctx, side, nil, strings.Fields(command)...); err != nil {
				return nil, err
			}
		}
	}
	return n, nil
}

// newNamespace makes a network namespace.
func newNamespace() (*os.File, error) {
	type made struct {
		file *os.File
		err  error
	}
	result := make(chan made)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with this function
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			if errors.Is(err, unix.EPERM) {
				err = errors.New("network namespaces need root: become root, or take the link unix")
			}
			result <- made{nil, err}
			return
		}
		file, err := os.Open("/proc/thread-self/ns/net")
		result <- made{file, err}
	}()
	r := <-result
	return r.file, r.err
}

// path returns the file of a side's namespace, as any process finds it.
func (n *network) path(side int) string {
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.namespaces[side].Fd())
}

// run runs a command in the namespace of a side. What it prints is decoded as
// JSON into result unless that is nil.
func (n *network) run(ctx context.Context, side int, result any, command ...string) error {
	failed := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with this function
		failed <- func() error {
			if err := unix.Setns(int(n.namespaces[side].Fd()), unix.CLONE_NEWNET); err != nil {
				return err
			}
			cmd := exec.CommandContext(ctx, command[0], command[1:]...)
			var said bytes.Buffer
			cmd.Stderr = &said
			out, err := cmd.Output()
			if errors.Is(err, exec.ErrNotFound) {
				return fmt.Errorf("%w (on Debian: apt-get install iproute2)", err)
			} else if err != nil {
				return fmt.Errorf("%w: %s", err, bytes.TrimSpace(said.Bytes()))
			}
			if result == nil {
				return nil
			}
			return json.Unmarshal(out, result)
		}()
	}()
	if err := <-failed; err != nil {
		return fmt.Errorf("%s: %w", strings.Join(command, " "), err)
	}
	return nil
}

// limit sets the rate of the link, the same both ways, in tc's notation; empty
// is unlimited.
func (n *network) limit(ctx context.Context, rate string) error {
	for side := range n.namespaces {
		var shaped []struct {
			Kind string `json:"kind"`
			Root bool   `json:"root"`
		}
		if err := n.run(ctx, side, &shaped, "tc", "-j", "qdisc", "show", "dev", device); err != nil {
			return err
		}
		if len(shaped) > 0 && shaped[0].Kind == "tbf" {
			if err := n.run(ctx, side, nil, "tc", "qdisc", "del", "dev", device, "root"); err != nil {
				return err
			}
		}
		if rate == "" {
			continue
		}
		err := n.run(ctx, side, nil, "tc", "qdisc", "add", "dev", device, "root", "tbf", "rate", rate, "burst", "256kb", "latency", "50ms")
		if err != nil {
			return err
		}
	}
	return nil
}

// sent returns how many bytes have left each side by the link so far, the
// headers of Ethernet, IP and TCP included. The kernel hands segments of up to
// 64 KiB over as one, with one set of headers.
func (n *network) sent(ctx context.Context) (bytes [2]int64, err error) {
	for side := range n.namespaces {
		var links []struct {
			Stats struct {
				Tx struct {
					Bytes int64 `json:"bytes"`
				} `json:"tx"`
			} `json:"stats64"`
		}
		if err := n.run(ctx, side, &links, "ip", "-j", "-s", "link", "show", "dev", device); err != nil {
			return bytes, err
		}
		if len(links) != 1 {
			return bytes, fmt.Errorf("ip link show: %d devices named %s", len(links), device)
		}
		bytes[side] = links[0].Stats.Tx.Bytes
	}
	return bytes, nil
}

// close lets go of the namespaces.
func (n *network) close() {
	for _, namespace := range n.namespaces {
		if namespace != nil {
			namespace.Close()
		}
	}
}
