package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/lzpage/lzpage/bench/guest"
)

// A room has two sides, and the guest on one of them: a migration takes it to
// the other.
type room struct {
	config  guest.Config // of the QEMUs on both sides
	network *network     // nil if sockets in dir connect the sides
	dir     string
	side    int // where the guest is
}

// newRoom makes a room without a guest. Without a network no root is needed.
func newRoom(ctx context.Context, config guest.Config, withNetwork bool) (*room, error) {
	dir, err := os.MkdirTemp("", "lzpage-migrate-")
	if err != nil {
		return nil, err
	}
	r := &room{config: config, dir: dir}
	if withNetwork {
		if r.network, err = newNetwork(ctx); err != nil {
			r.close()
			return nil, err
		}
	}
	return r, nil
}

// source boots the guest.
func (r *room) source(ctx context.Context) (*qemu, error) {
	return r.start(ctx, r.side, false)
}

// destination starts a QEMU on the other side that waits for the guest.
func (r *room) destination(ctx context.Context) (*qemu, error) {
	return r.start(ctx, 1-r.side, true)
}

func (r *room) start(ctx context.Context, side int, incoming bool) (*qemu, error) {
	config := r.config
	config.Incoming = incoming
	if r.network != nil {
		config.Network = r.network.path(side)
	}
	return startQEMU(ctx, config)
}

// address returns where the QEMU on the side without the guest listens, as
// QEMU's migration commands take it. A link of kind unix goes by the sockets.
func (r *room) address(l link) string {
	if l.unix || r.network == nil {
		return "unix:" + filepath.Join(r.dir, "migration")
	}
	return "tcp:" + addresses[1-r.side] + ":4444"
}

// close removes what the room has on disk.
func (r *room) close() {
	if r.network != nil {
		r.network.close()
	}
	os.RemoveAll(r.dir)
}
