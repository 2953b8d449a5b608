// Command agent is the first process of a guest that is migrated. It boots the
// guest, starts a workload there and reports on the serial console:
//
//	step TEXT                 while it prepares
//	ready WORKLOAD TEXT       when the workload runs
//	tick N ops OPS bad BAD    every 20 ms from then on: N counts the ticks, OPS
//	                          is the work done in all, BAD what was found wrong
//	fault TEXT                what was found wrong, in words
//
// It reads commands from there, and answers each once it is carried out:
//
//	check                     checks all data of the workload; the answer is
//	                          "checked N bad BAD TEXT", N counting what was looked at
//	set NAME VALUE            changes a setting; the answer is the same line, or
//	                          "refused NAME TEXT"
//	rest, work                stop and start the work; the answer is the same word
//
// The kernel's arguments name the workload, as in workload=redis, and its
// settings, as in dirty.rate=20.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A load is a workload. Only one goroutine calls its methods.
type load interface {
	// prepare does what is needed before the work and returns what there is
	// then, in words.
	prepare(step func(format string, args ...any)) (string, error)
	// work works for a moment and counts it. It returns within some 100 ms
	// where the work can be divided so.
	work() error
	// check checks all data and returns how many were looked at and how many
	// of these are not right, and in words what that was.
	check() (n, bad int, text string, err error)
	// set changes a setting while the workload runs.
	set(name, value string) error
}

// loads makes each workload, by its name.
var loads = map[string]func(settings, *counts) (load, error){
	"idle":    newIdle,
	"db":      newDB,
	"redis":   newRedis,
	"compile": newCompile,
	"node":    newNode,
	"dirty":   newDirty,
}

// counts is what ticks report. A load adds to it.
type counts struct {
	ops, bad atomic.Uint64
}

func main() {
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "agent: this is the first process of a guest, and of no use elsewhere")
		os.Exit(1)
	}
	fmt.Println("fault", guest())
	time.Sleep(time.Second) // for the console to take it
	// QEMU, which runs with -no-reboot, ends.
	unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
}

// guest boots the guest and runs its workload. It returns why that ended.
func guest() error {
	console, given, err := boot()
	if err != nil {
		return err
	}
	name := given["workload"]
	newLoad, known := loads[name]
	if !known {
		return fmt.Errorf("no workload named %q: give the kernel workload=NAME", name)
	}
	var n counts
	l, err := newLoad(given, &n)
	if err != nil {
		return err
	}
	ready, err := l.prepare(func(format string, args ...any) {
		console.print("step "+format, args...)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	console.print("ready %s %s", name, ready)
	go tick(console, &n)
	serve(console.commands(), console.print, l, &n)
	return errors.New("the console has ended")
}

// serve has the load work, and carries out commands, until there are no more.
func serve(commands <-chan string, print func(format string, args ...any), l load, n *counts) {
	working := true
	fault := func(err error) {
		n.bad.Add(1)
		print("fault %v", err)
		working = false
	}
	for {
		var command string
		var open bool
		if working {
			select {
			case command, open = <-commands:
			default:
				if err := l.work(); err != nil {
					fault(err)
				}
				continue
			}
		} else {
			command, open = <-commands
		}
		if !open {
			return
		}
		words := strings.Fields(command)
		switch {
		case len(words) == 1 && words[0] == "check":
			looked, bad, text, err := l.check()
			if err != nil {
				bad++
				text = err.Error()
			}
			n.bad.Add(uint64(bad))
			print("checked %d bad %d %s", looked, bad, text)
		case len(words) == 1 && (words[0] == "rest" || words[0] == "work"):
			working = words[0] == "work"
			print("%s", words[0])
		case len(words) == 3 && words[0] == "set":
			if err := l.set(words[1], words[2]); err != nil {
				print("refused %s %v", words[1], err)
			} else {
				print("set %s %s", words[1], words[2])
			}
		default:
			print("refused %s: not a command", command)
		}
	}
}
