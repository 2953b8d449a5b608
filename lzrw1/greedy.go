package lzrw1

import (
	"slices"

	"github.com/lzpage/lzpage/lzrw1/asm"
)

// Where a block's first kilobyte does not shrink, the rest is not tried: with
// more than bailOut bytes of output for the first bailIn, it stays plain.
const (
	bailIn  = 1024
	bailOut = 1100
	// trialMin is the least size of blocks that are tried. No group of the
	// trial reaches the end of such a block.
	trialMin = 2 * bailIn
)

// lockstepMin is how many lanes must have work for lockstep to pay.
const lockstepMin = 3

// A greedyEncoder encodes at level Fast or Reference.
type greedyEncoder struct {
	kernels *asm.Greedy
	trial   bool // blocks stand a trial; else the 1991 program's rule is kept
	mayGrow bool // blocks are not kept plain
	tasks   [asm.LaneCount]task
	lanes   *[asm.LaneCount]asm.Lane // of the tasks, if several have been run at once
}

func newGreedyEncoder(level Level) *greedyEncoder {
	e := &greedyEncoder{kernels: &asm.Active.Fast, trial: true}
	if level == Reference {
		e.kernels, e.trial = &asm.Active.Reference, false
	}
	for i := range e.tasks {
		e.tasks[i].encoder = e
	}
	e.tasks[0].lane = new(asm.Lane)
	return e
}

func (e *greedyEncoder) encodeRuns(runs []Run, mayGrow bool) {
	e.mayGrow = mayGrow
	if e.kernels.Lockstep != nil && len(runs) >= lockstepMin {
		runs = e.lockstep(runs)
	}
	t := &e.tasks[0]
	for i := range runs {
		t.begin(&runs[i])
		e.complete(t)
	}
}

// complete encodes the rest of the task's run.
func (e *greedyEncoder) complete(t *task) {
	for t.ready() {
		e.kernels.Single(t.lane)
	}
}

// lockstep encodes runs on all lanes at a time, as long as there are enough of
// them, and returns those that it has not begun.
func (e *greedyEncoder) lockstep(runs []Run) []Run {
	if e.lanes == nil {
		e.lanes = new([asm.LaneCount]asm.Lane)
		for i := range e.tasks {
			e.tasks[i].lane = &e.lanes[i]
		}
	}
	for i := range e.tasks {
		e.tasks[i].run = nil
	}
	for {
		busy := 0
		for i := range e.tasks {
			t := &e.tasks[i]
			for (t.run == nil || !t.ready()) && len(runs) > 0 {
				t.begin(&runs[0])
				runs = runs[1:]
			}
			if t.run != nil {
				busy++
			} else if t.lane.Stopped() {
				t.lane.Park()
			}
		}
		if busy < lockstepMin {
			break
		}
		e.kernels.Lockstep(e.lanes)
	}
	for i := range e.tasks {
		if e.tasks[i].run != nil {
			e.complete(&e.tasks[i])
		}
	}
	return runs
}

// A task is a run on its way through a lane.
type task struct {
	encoder *greedyEncoder
	lane    *asm.Lane
	run     *Run // nil if there is nothing to do

	open       bool // a block is being encoded
	onTrial    bool // and stands its trial
	start, end int  // of the block in run.Data
	loaded     int  // how far run.Data is in the lane
	blockAt    int  // where the block begins in run.Blocks
}

// begin takes up a run.
func (t *task) begin(r *Run) {
	r.check(0, r.History)
	t.run, t.open, t.onTrial = r, false, false
	t.lane.Reset(t.encoder.kernels.Scheme, r.Data[:r.History])
	t.end, t.loaded = r.History, r.History
	r.Blocks = slices.Grow(r.Blocks, MaxEncodedLen(len(r.Data)-r.History))
}

// ready prepares the lane for the kernel. It reports false if the run is done.
func (t *task) ready() bool {
	for t.lane.Stopped() {
		switch {
		case t.onTrial:
			t.onTrial = false
			if len(t.lane.Out()) > bailOut {
				t.lane.Skip()
				t.closePlain()
			} else {
				t.lane.Resume()
			}
		case t.open && t.loaded < t.end:
			t.takeOut()
			t.load()
		case t.open:
			t.close()
		case len(t.run.Ends) < len(t.run.Cuts):
			t.openNext()
		default:
			t.run = nil
			return false
		}
	}
	return true
}

func (t *task) openNext() {
	t.start, t.end = t.end, t.run.Cuts[len(t.run.Ends)]
	t.run.check(t.start, t.end)
	t.blockAt = len(t.run.Blocks)
	if t.start == t.end {
		t.closePlain()
		return
	}
	t.open = true
	t.load()
	if t.encoder.trial && !t.encoder.mayGrow && t.end-t.start >= trialMin {
		t.onTrial = true
		t.lane.StopAt(bailIn)
	}
}

func (t *task) load() {
	n := min(asm.MaxLoad, t.end-t.loaded)
	t.lane.Load(t.encoder.kernels.Scheme, t.run.Data[t.loaded:][:n], t.loaded+n == t.end)
	t.loaded += n
}

// takeOut moves what the lane has written to the block.
func (t *task) takeOut() {
	t.run.Blocks = append(t.run.Blocks, t.lane.Out()...)
	t.lane.DropOut()
}

// close ends the block: the lane has encoded all of it.
func (t *task) close() {
	e := t.encoder
	full := t.lane.Finish(e.kernels.Scheme)
	t.takeOut()
	n := len(t.run.Blocks) - t.blockAt
	if !e.trial {
		// the program begins the next group before it looks, and counts the
		// header of the flagged form
		n += flaggedHeader - 1
		if full {
			n += controlBytes
		}
	}
	if n >= t.end-t.start && !e.mayGrow {
		t.closePlain()
		return
	}
	t.open = false
	t.run.Ends = append(t.run.Ends, len(t.run.Blocks))
}

// closePlain keeps the block plain.
func (t *task) closePlain() {
	t.lane.DropOut()
	for t.loaded < t.end {
		t.load()
		t.lane.Skip()
	}
	t.open = false
	t.run.Blocks = append(t.run.Blocks[:t.blockAt], t.run.Data[t.start:t.end]...)
	t.run.Ends = append(t.run.Ends, len(t.run.Blocks))
}
