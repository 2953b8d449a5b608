package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/lzpage/lzpage/internal/image"
	"github.com/spf13/cobra"
)

// Exit statuses; a run that a signal stops dies of that signal.
const (
	exitFailure    = 1
	exitDiffering  = 1 // of a diff that was asked to say so
	exitIncomplete = 2 // of a salvage: there is an output, and something was wrong
	exitTrouble    = 2 // of a diff that failed: 1 says that there is a difference
)

// An app is one run of the command.
type app struct {
	started time.Time
	quiet   bool
	json    bool
	threads uint
	bases   []string // where the bases of streams are looked for first
	failure int      // the exit status of a failure

	mu       sync.Mutex
	progress *progress     // while it is shown or can be asked for
	output   *image.Output // being written
}

func newApp() *app { return &app{started: time.Now(), failure: exitFailure} }

// stopGrace is how long a run that a signal stops may take to end by itself.
// One that waits for its input would take for ever.
const stopGrace = 500 * time.Millisecond

// run runs the command line and returns the exit status.
func (a *app) run(args []string) int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	stop, status := notifySignals()
	done := make(chan error, 1)
	go func() { done <- a.execute(ctx, args) }()
	for {
		select {
		case err := <-done:
			return a.exit(err)
		case <-status:
			a.sayProgress()
		case s := <-stop:
			cancel(stopped{s})
			select {
			case err := <-done:
				if err == nil {
					return 0 // it was complete
				}
				a.exit(err)
			case <-time.After(stopGrace):
				a.endProgress()
				err := a.abandon()
				if err == nil {
					err = stopped{s}
				}
				a.exit(err)
			}
			return dieOf(s)
		}
	}
}

func (a *app) execute(ctx context.Context, args []string) error {
	root := newRootCommand(a)
	root.SetArgs(args)
	c, err := root.ExecuteContextC(ctx)
	if c.Name() == "diff" {
		a.failure = exitTrouble
	}
	a.endProgress()
	return err
}

// exit tells the user of err and returns the exit status.
func (a *app) exit(err error) int {
	if err == nil {
		return 0
	}
	if errors.Is(err, differing{}) {
		return exitDiffering
	}
	a.say("%v", err)
	if advice := adviceOn(err); advice != "" {
		a.say("%s", advice)
	}
	if isIncomplete(err) {
		return exitIncomplete
	}
	return a.failure
}

// messages returns where to write to the user: above a progress bar.
func (a *app) messages() io.Writer {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.progress != nil {
		return a.progress
	}
	return os.Stderr
}

// say writes a line to the user.
func (a *app) say(format string, args ...any) {
	fmt.Fprintf(a.messages(), "lzpage: %s\n", formatLines(fmt.Sprintf(format, args...)))
}

// note writes a line to the user that one who wants quiet can do without.
func (a *app) note(format string, args ...any) {
	if !a.quiet {
		a.say(format, args...)
	}
}

// abandon removes the output that is being written, if any.
func (a *app) abandon() error {
	a.mu.Lock()
	output := a.output
	a.mu.Unlock()
	if output == nil {
		return nil
	}
	return output.Abort()
}

// Each thread takes about 8 MiB: on large machines the default keeps the memory
// taken within bounds.
const (
	maxDefaultThreads = 8
	maxThreads        = 1024
)

// useThreads limits the threads that work to what the user says, or else to the
// number of CPUs and most, and returns their number.
func (a *app) useThreads(most int) int {
	threads := int(min(a.threads, maxThreads))
	if threads == 0 {
		threads = min(runtime.GOMAXPROCS(0), most)
	}
	runtime.GOMAXPROCS(threads)
	return threads
}

// streamMemory is what a command that passes a stream through should get along
// with. It is no hard limit: beyond it garbage is collected at once.
const streamMemory = 96 << 20

// useLittle limits threads and memory for a command that passes a stream
// through, and returns the number of threads.
func (a *app) useLittle() int {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(streamMemory)
	}
	return a.useThreads(maxDefaultThreads)
}

// newRootCommand returns the command with all its own commands.
func newRootCommand(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "lzpage",
		Short: "Shrink the memory of virtual machines",
		Long: `Lzpage shrinks the memory of virtual machines, page by page, into a stream that
is checked, can be read at any page, and is turned back into the same file.

Memory comes as a raw image, an ELF core (virsh dump --memory-only, QEMU's
dump-guest-memory, gcore) or a LiME dump (LiME, AVML), from a file or a pipe.
FILE may be -, standard input; the output is standard output then.

The inner loops are chosen for the processor; LZPAGE_KERNELS=portable in the
environment does without assembly. The output is the same.

Exit status: 0 all is well; 1 it failed, and no output is left; 2 something was
missing or damaged and --salvage took the rest. That of diff its help says.`,
		Example: `  lzpage compress guest.ram            writes guest.ram.lzp
  lzpage verify guest.ram.lzp          reads and checks all of it
  lzpage decompress guest.ram.lzp      writes guest.ram
  lzpage cat --address 0x100000 --length 4KiB guest.ram.lzp | od -A x -t x1z
  lzpage compress --base guest.ram.lzp later.ram     holds only what changed`,
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return usageError(c, err) })
	root.PersistentFlags().BoolVarP(&a.quiet, "quiet", "q", false, "write nothing to standard error but errors")
	root.AddCommand(
		newCompressCommand(a),
		newDecompressCommand(a),
		newVerifyCommand(a),
		newInfoCommand(a),
		newCatCommand(a),
		newMapCommand(a),
		newDiffCommand(a),
		newRebaseCommand(a),
		newBenchCommand(a),
		newLZRW1Command(a),
		newManCommand(root),
	)
	return root
}
