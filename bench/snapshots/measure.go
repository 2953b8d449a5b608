package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A cost is what one or more processes took.
type cost struct {
	Wall   float64 `json:"wall_s"`
	CPU    float64 `json:"cpu_s"`
	Memory int64   `json:"peak_bytes"` // of the largest; not less than this program's own
}

// plus is the cost of one after the other.
func (c cost) plus(d cost) cost {
	return cost{c.Wall + d.Wall, c.CPU + d.CPU, max(c.Memory, d.Memory)}
}

// run runs the commands one after the other with files, pairs of placeholder
// and path, put in.
func (all commands) run(ctx context.Context, files *strings.Replacer) (total cost, err error) {
	for _, command := range all {
		args := make([]string, len(command))
		for i, a := range command {
			args[i] = files.Replace(a)
		}
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &said, &said
		began := time.Now()
		if err := cmd.Run(); err != nil {
			return cost{}, fmt.Errorf("%v: %w: %s", args, err, bytes.TrimSpace(said.Bytes()))
		}
		state := cmd.ProcessState
		total = total.plus(cost{
			Wall:   time.Since(began).Seconds(),
			CPU:    (state.UserTime() + state.SystemTime()).Seconds(),
			Memory: state.SysUsage().(*syscall.Rusage).Maxrss << 10,
		})
	}
	return total, nil
}

// median takes the median of each figure.
func median(costs []cost) cost {
	return cost{
		Wall:   medianOf(costs, func(c cost) float64 { return c.Wall }),
		CPU:    medianOf(costs, func(c cost) float64 { return c.CPU }),
		Memory: medianOf(costs, func(c cost) int64 { return c.Memory }),
	}
}

func medianOf[T interface {
	cmp.Ordered
	~int64 | ~float64
}](costs []cost, figure func(cost) T) T {
	var all []T
	for _, c := range costs {
		all = append(all, figure(c))
	}
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}
