package guest

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// CPUTime returns the CPU time that QEMU has taken so far: in all, and what of
// it the threads took that run the guest's own instructions.
func (vm *VM) CPUTime() (total, guest time.Duration, err error) {
	// The clock of a whole process, threads that have ended included, with a
	// resolution of a nanosecond: the kernel numbers it by the complement of
	// the process id.
	const schedClock = 2
	var spent unix.Timespec
	if err := unix.ClockGettime(int32(^vm.pid<<3|schedClock), &spent); err != nil {
		return 0, 0, fmt.Errorf("CPU clock of QEMU, process %d: %w", vm.pid, err)
	}
	tasks := fmt.Sprintf("/proc/%d/task/", vm.pid)
	threads, err := os.ReadDir(tasks)
	if err != nil {
		return 0, 0, err
	}
	for _, thread := range threads {
		dir := tasks + thread.Name()
		name, err := os.ReadFile(dir + "/comm")
		if errors.Is(err, os.ErrNotExist) {
			continue // the thread has ended since
		} else if err != nil {
			return 0, 0, err
		}
		if !strings.HasPrefix(string(name), "CPU ") {
			continue
		}
		times, err := os.ReadFile(dir + "/schedstat")
		if err != nil {
			return 0, 0, err
		}
		onCPU, _, _ := strings.Cut(string(times), " ")
		nanoseconds, err := strconv.ParseInt(onCPU, 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("%s/schedstat: %w", dir, err)
		}
		guest += time.Duration(nanoseconds)
	}
	return time.Duration(spent.Nano()), guest, nil
}
