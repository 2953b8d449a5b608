// Package qemuram makes the packets of a QEMU migration's multifd channels
// small, and pages of them again.
//
// A packet is some pages of one RAM block. Its payload is a single frame of
// pagestream: see "Frames alone" in its SPEC.md. Page n of the frame is the one
// at n times the page size in the block; the frame's region is 0, since QEMU's
// packet names the block.
//
// The source has a [Session] for each migration and a [Channel] for each of its
// threads, the destination a [Receiver] and its channels. Pages that were sent
// before go as deltas, where the session's cache still has what was sent. That
// is right, whichever channels a page takes, since the destination has taken
// all of a round before it takes anything of the next one, and a delta is made
// only to what a page was in an earlier round. So a page is to be sent once in a
// round: where two versions of it go by two channels, and the first as a delta,
// the destination may take them in the other order and refuse the delta, which
// fails the migration. No state outlives a session: a
// migration that is tried again begins with nothing sent.
package qemuram

import "errors"

// MaxPages is the most pages of a packet.
const MaxPages = 256

var (
	// ErrArgument says that a packet or an option cannot be: that is a fault of
	// the caller, or of the packet's header that it has read.
	ErrArgument = errors.New("qemuram: invalid argument")
	// ErrOtherPages says that a frame is not of the pages that the packet has.
	ErrOtherPages = errors.New("qemuram: a frame of other pages than its packet has")
)
