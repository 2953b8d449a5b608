package guest

import (
	"embed"
	"fmt"
	"io/fs"
)

//go:embed root
var serverFiles embed.FS

// MinServerMiB is the memory in MiB below which the guest of Server has no
// room to work.
const MinServerMiB = 256

// Server returns the recipe of a small server: Redis and an SQLite database
// behind a shop application in Python, with a system log. The amount of data
// follows the guest's memory. On the console it prints
//
//	step TEXT                 while it fills the databases
//	ready TEXT                once they are full, with what runs and holds what
//	tick N ops OPS bad BAD    each second from then on; see Tick
//
// With "SHOP_REST=N" among the kernel's arguments no visitors come after N
// seconds of ticks.
func Server() Recipe {
	files, err := fs.Sub(serverFiles, "root")
	if err != nil {
		panic(err) // the directory is compiled in
	}
	return Recipe{
		Name:     "server",
		Packages: []string{"busybox-static", "redis-server", "python3"},
		Files:    files,
	}
}

// Tick is what a guest reports at intervals, that of Server each second.
type Tick struct {
	Number int // of ticks since it was ready
	Ops    int // work done since then: records written
	Bad    int // what was found wrong in it: records whose checksum was, read back
}

// ParseTick reads a tick line. It is an error if anything was bad: then the
// guest's memory is not what the guest wrote to it.
func ParseTick(line string) (Tick, error) {
	var t Tick
	if _, err := fmt.Sscanf(line, "tick %d ops %d bad %d", &t.Number, &t.Ops, &t.Bad); err != nil {
		return t, fmt.Errorf("guest printed %q: not a tick: %w", line, err)
	}
	if t.Bad != 0 {
		return t, fmt.Errorf("guest printed %q: its memory is damaged", line)
	}
	return t, nil
}
