package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lzpage/lzpage/bench/guest"
	"golang.org/x/sys/unix"
)

// A trial is a guest at work that is migrated, or is to be, time and again.
type trial struct {
	ctx  context.Context
	room *room
	now  *qemu // where the guest is
}

const trialCache = 64 << 20

// trialMethod is how the guest is migrated where a test says nothing else.
var trialMethod = lzrw1("lzrw1-fast-delta", 0, true)

// What happens to a migration, or keeps it from being one, leaves the guest
// running on exactly one side, intact, and the other side tells what was wrong.
// It is the same guest throughout.
func TestFailures(t *testing.T) {
	m := measurement{
		memoryMiB: 160,
		qemu:      built(t, "qemu/qemu-system-x86_64", "qemu"),
		library:   built(t, "liblzpage-qemu.so", "shim"),
		say:       func(line string) { t.Log(line) },
	}
	ctx, cancel := context.WithTimeout(context.Background(), 6*time.Minute)
	defer cancel()
	config, err := m.guestConfig(ctx, "dirty")
	if err != nil {
		t.Fatal(err)
	}
	config.KernelArgs = append(config.KernelArgs, "dirty.size=64", "dirty.hot=24")
	room, err := newRoom(ctx, config, false)
	if err != nil {
		t.Fatal(err)
	}
	defer room.close()
	now, err := room.source(ctx)
	if err != nil {
		t.Fatal(err)
	}
	tr := &trial{ctx, room, now}
	defer func() {
		if tr.now != nil {
			tr.now.Close()
		}
	}()
	if _, err := now.Console.Wait(ctx, "ready "); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		try  func(*trial, *testing.T)
	}{
		{"destination killed", (*trial).destinationKilled},
		{"link cut", (*trial).linkCut},
		{"link dead", (*trial).linkDead},
		{"corrupt packet", (*trial).corruptPacket},
		{"cancel and retry", (*trial).cancelAndRetry},
		{"no memory for the cache", (*trial).noMemory},
		{"on one side only", (*trial).oneSide},
		{"libraries", (*trial).libraries},
		{"no library", (*trial).noLibrary},
		{"daemon", (*trial).daemon},
		{"signals", (*trial).signals},
		{"older machines", (*trial).olderMachines},
		{"to and fro", (*trial).toAndFro},
	} {
		passed := t.Run(test.name, func(t *testing.T) {
			began := time.Now()
			test.try(tr, t)
			t.Logf("took %.1f s", time.Since(began).Seconds())
		})
		if !passed {
			t.FailNow() // who knows where the guest is
		}
	}
}

func (tr *trial) destinationKilled(t *testing.T) {
	destination := tr.destination(t, nil)
	tr.begin(t, destination, trialMethod, "")
	tr.deltas(t)
	destination.Close()
	tr.fails(t, "failed", "socket")
	tr.stays(t, destination)
}

func (tr *trial) linkCut(t *testing.T) {
	destination := tr.destination(t, nil)
	link := newProxy(t, tr.path("proxy"), tr.path("migration"))
	tr.begin(t, destination, trialMethod, "proxy")
	tr.deltas(t)
	link.cut()
	tr.fails(t, "failed", "socket")
	tr.refuses(t, destination, "load of migration failed")
	tr.stays(t, destination)
}

// A link that takes no more and does not say so. With multifd, whatever its
// method, migrate_cancel would wait for it; yank is QEMU's command for that.
func (tr *trial) linkDead(t *testing.T) {
	destination := tr.destination(t, nil)
	link := newProxy(t, tr.path("proxy"), tr.path("migration"))
	tr.begin(t, destination, trialMethod, "proxy")
	tr.deltas(t)
	defer link.stall()()
	time.Sleep(time.Second)
	if p := tr.progress(t, tr.now); p.Status != "active" {
		t.Fatalf("status %s, %s", p.Status, p.Error)
	}
	tr.execute(t, tr.now, "yank", map[string]any{"instances": []any{map[string]any{"type": "migration"}}})
	tr.fails(t, "failed", "socket")
	link.cut()
	tr.refuses(t, destination, "load of migration failed")
	tr.stays(t, destination)
}

func (tr *trial) corruptPacket(t *testing.T) {
	destination := tr.destination(t, nil)
	link := newProxy(t, tr.path("proxy"), tr.path("migration"))
	tr.begin(t, destination, trialMethod, "proxy")
	tr.deltas(t)
	link.damage.Store(true)
	tr.fails(t, "failed", "socket")
	select {
	case <-link.damaged:
	default:
		t.Fatal("no packet was damaged")
	}
	tr.refuses(t, destination, "lzrw1: damaged")
	tr.stays(t, destination)
}

// A migration that is tried again has nothing of the one before, whose pages
// the new destination does not have.
func (tr *trial) cancelAndRetry(t *testing.T) {
	first := tr.destination(t, nil)
	tr.begin(t, first, trialMethod, "")
	tr.deltas(t)
	tr.execute(t, tr.now, "migrate_cancel", nil)
	tr.fails(t, "cancelled", "")
	tr.refuses(t, first, "load of migration failed")
	tr.stays(t, first)

	second := tr.destination(t, nil)
	tr.begin(t, second, trialMethod, "")
	p := tr.until(t, tr.now, func(p *progress) bool { return p.Status == "active" && p.lzrw1(t).Packets > 0 })
	if s := p.lzrw1(t); p.RAM.Rounds > 1 || s.Hits+s.Misses+s.Deltas > 0 {
		t.Errorf("round %d: %+v: there cannot be earlier versions yet", p.RAM.Rounds, s)
	}
	tr.deltas(t)
	tr.end(t)
	tr.moves(t, second)
}

// A cache that there is no memory for keeps the migration from starting.
func (tr *trial) noMemory(t *testing.T) {
	destination := tr.destination(t, nil)
	tr.prepare(t, destination, trialMethod, "")
	tr.set(t, tr.now, map[string]any{"multifd-lzrw1-cache-size": int64(1) << 46})
	tr.execute(t, tr.now, "migrate", map[string]any{"uri": "unix:" + tr.path("migration")})
	tr.fails(t, "failed", "lzrw1: not enough memory")
	tr.stays(t, destination)
	tr.set(t, tr.now, map[string]any{"multifd-lzrw1-cache-size": trialCache})
}

func (tr *trial) oneSide(t *testing.T) {
	none := multifd("multifd-none", "none")
	for _, side := range []struct {
		source, destination method
		want                string
	}{
		{trialMethod, none, "flags received 6 flags expected 0"},
		{none, trialMethod, "flags received 0 flags expected 6"},
	} {
		destination := tr.destination(t, nil)
		tr.prepare(t, destination, side.destination, "")
		tr.set(t, tr.now, side.source.parameters)
		tr.execute(t, tr.now, "migrate", map[string]any{"uri": "unix:" + tr.path("migration")})
		tr.fails(t, "failed", "")
		tr.refuses(t, destination, side.want)
		tr.stays(t, destination)
	}
}

// A library that is not there, or not the right one, is refused where the
// parameter is set; the source's guest does not care.
func (tr *trial) libraries(t *testing.T) {
	for _, library := range []struct{ name, code, want string }{
		{"none", "", "multifd-compression lzrw1 is not available: liblzpage-qemu.so: cannot open shared object file"},
		{"newer", "unsigned lzpage_abi_version(void) { return 99; }", "is of ABI version 99, but version 1 is needed"},
		{"hollow", "unsigned lzpage_abi_version(void) { return 1; }", "has no function lzpage_strerror"},
		{"other", "int other;", "has no function lzpage_abi_version"},
	} {
		destination := tr.destination(t, func(config *guest.Config) {
			config.Env = []string{"LD_LIBRARY_PATH=" + compile(t, library.code)}
		})
		tr.cannotSet(t, destination, library.want)
		tr.stays(t, destination)
	}
}

// The same at the source. The guest comes there, and goes on, by another
// method.
func (tr *trial) noLibrary(t *testing.T) {
	none := multifd("multifd-none", "none")
	tr.migrate(t, tr.destination(t, func(config *guest.Config) {
		config.Env = []string{"LD_LIBRARY_PATH=" + t.TempDir()}
	}), none)
	tr.cannotSet(t, tr.now, "multifd-compression lzrw1 is not available")
	tr.migrate(t, tr.destination(t, nil), none)
}

// compile makes a library of the codec's name, unless there is no code, and
// returns its directory.
func compile(t *testing.T, code string) string {
	t.Helper()
	dir := t.TempDir()
	if code == "" {
		return dir
	}
	source := filepath.Join(dir, "library.c")
	if err := os.WriteFile(source, []byte(code), 0o666); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cc", "-shared", "-fPIC", "-o", filepath.Join(dir, "liblzpage-qemu.so"), source).CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, out)
	}
	return dir
}

// cannotSet checks that the parameter is refused and stays as it was, as do
// those that come with it.
func (tr *trial) cannotSet(t *testing.T, q *qemu, want string) {
	t.Helper()
	var refusal *guest.QMPError
	err := q.QMP.Execute(tr.ctx, "migrate-set-parameters", trialMethod.parameters, nil)
	if !errors.As(err, &refusal) || !strings.Contains(refusal.Desc, want) {
		t.Fatalf("error %v, want %q in it", err, want)
	}
	var now map[string]any
	if err := q.QMP.Execute(tr.ctx, "query-migrate-parameters", nil, &now); err != nil {
		t.Fatal(err)
	}
	if now["multifd-compression"] != "none" {
		t.Errorf("multifd-compression is %v", now["multifd-compression"])
	}
}

// The guest goes to a QEMU that has become a daemon and comes back: both load
// the library after the fork.
func (tr *trial) daemon(t *testing.T) {
	tr.migrate(t, tr.daemonize(t), trialMethod)
	tr.migrate(t, tr.destination(t, nil), trialMethod)
}

// daemonize starts a destination with what the guest's QEMU was started with,
// but as a daemon.
func (tr *trial) daemonize(t *testing.T) *qemu {
	t.Helper()
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", tr.now.PID()))
	if err != nil {
		t.Fatal(err)
	}
	args := strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00")[1:]
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	args[slices.Index(args, "-serial")+1] = "unix:" + path("serial") + ",server=on,wait=off"
	args[slices.Index(args, "-qmp")+1] = "unix:" + path("qmp") + ",server=on,wait=off"
	if !slices.Contains(args, "-incoming") {
		args = append(args, "-incoming", "defer")
	}
	cmd := exec.CommandContext(tr.ctx, tr.room.config.QEMU, append(args, "-daemonize", "-pidfile", path("pid"))...)
	cmd.Env = append(cmd.Environ(), tr.room.config.Env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(path("pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Kill(pid, unix.SIGKILL) })
	log := &events{changed: make(chan struct{})}
	monitor, err := guest.DialQMP(tr.ctx, path("qmp"), log.add)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := net.Dial("unix", path("serial"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { serial.Close() })
	return &qemu{VM: &guest.VM{Console: guest.OpenConsole(serial), QMP: monitor}, events: log}
}

// QEMU uses SIGUSR1 for its own purposes, and whoever sends it must not hurt
// the guest.
func (tr *trial) signals(t *testing.T) {
	destination := tr.destination(t, nil)
	stop := make(chan struct{})
	var senders sync.WaitGroup
	for _, q := range []*qemu{tr.now, destination} {
		senders.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(2 * time.Millisecond):
					unix.Kill(q.PID(), unix.SIGUSR1)
				}
			}
		})
	}
	end := sync.OnceFunc(func() {
		close(stop)
		senders.Wait()
	})
	defer end()
	tr.begin(t, destination, trialMethod, "")
	tr.deltas(t)
	tr.end(t)
	tr.until(t, tr.now, (*progress).ended)
	end()
	tr.moves(t, destination)
}

// QEMU's older machines have channels synchronized after each section of the
// main stream, and zero pages sent there.
func (tr *trial) olderMachines(t *testing.T) {
	older := func(config *guest.Config) {
		config.Args = []string{"-global", "migration.multifd-flush-after-each-section=on"}
	}
	none := method{name: "none"}
	legacy := trialMethod
	legacy.parameters = map[string]any{"zero-page-detection": "legacy"}
	for name, value := range trialMethod.parameters {
		legacy.parameters[name] = value
	}
	tr.migrate(t, tr.destination(t, older), none)
	destination := tr.destination(t, older)
	tr.begin(t, destination, legacy, "")
	tr.deltas(t)
	p := tr.progress(t, tr.now)
	if s := p.lzrw1(t); s.Rounds < 5*p.RAM.Rounds || p.RAM.Duplicate == 0 {
		t.Errorf("%d zero pages in %d rounds; %+v", p.RAM.Duplicate, p.RAM.Rounds, s)
	}
	tr.end(t)
	tr.moves(t, destination)
	tr.migrate(t, tr.destination(t, nil), none)
}

// Twenty migrations in a row, by all forms of lzrw1.
func (tr *trial) toAndFro(t *testing.T) {
	forms := []method{
		trialMethod, lzrw1("lzrw1-fast", 0, false), lzrw1("lzrw1-dense-delta", 1, true), lzrw1("lzrw1-dense", 1, false),
	}
	for i := range 20 {
		tr.pass(t, tr.destination(t, nil), forms[i%len(forms)])
	}
	if err := tr.now.prove(tr.ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := history(tr.now, nil); err != nil {
		t.Fatal(err)
	}
}

// path returns where a socket in the room is.
func (tr *trial) path(name string) string { return filepath.Join(tr.room.dir, name) }

// destination starts a QEMU for the guest to go to, with changes.
func (tr *trial) destination(t *testing.T, change func(*guest.Config)) *qemu {
	t.Helper()
	config := tr.room.config
	config.Incoming = true
	config.OnLine = nil
	if change != nil {
		change(&config)
	}
	q, err := startQEMU(tr.ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if tr.now != q {
			q.Close()
		}
	})
	return q
}

// prepare gives both sides a method, has the destination listen, and keeps the
// migration from coming to an end in its first rounds.
func (tr *trial) prepare(t *testing.T, destination *qemu, m method, proxy string) {
	t.Helper()
	for _, name := range []string{"migration", "proxy"} {
		if name != proxy {
			os.Remove(tr.path(name))
		}
	}
	if err := prepare(tr.ctx, tr.now, destination, m, trialCache, "unix:"+tr.path("migration"), true); err != nil {
		t.Fatal(err)
	}
	tr.set(t, tr.now, map[string]any{"downtime-limit": 1, "max-bandwidth": 40 << 20})
}

// begin begins a migration, through a proxy if one is named.
func (tr *trial) begin(t *testing.T, destination *qemu, m method, proxy string) {
	t.Helper()
	tr.prepare(t, destination, m, proxy)
	to := "migration"
	if proxy != "" {
		to = proxy
	}
	tr.execute(t, tr.now, "migrate", map[string]any{"uri": "unix:" + tr.path(to)})
}

// end lets a migration come to its end.
func (tr *trial) end(t *testing.T) {
	t.Helper()
	tr.set(t, tr.now, map[string]any{"downtime-limit": downtimeLimit, "max-bandwidth": 0})
}

// migrate migrates the guest.
func (tr *trial) migrate(t *testing.T, destination *qemu, m method) {
	t.Helper()
	tr.pass(t, destination, m)
	if err := destination.prove(tr.ctx); err != nil {
		t.Fatal(err)
	}
}

// pass is migrate, but goes by what the guest checks as it works.
func (tr *trial) pass(t *testing.T, destination *qemu, m method) {
	t.Helper()
	tr.prepare(t, destination, m, "")
	tr.end(t)
	tr.execute(t, tr.now, "migrate", map[string]any{"uri": "unix:" + tr.path("migration")})
	tr.arrives(t, destination)
}

func (tr *trial) execute(t *testing.T, q *qemu, command string, args any) {
	t.Helper()
	if err := q.QMP.Execute(tr.ctx, command, args, nil); err != nil {
		t.Fatal(err)
	}
}

func (tr *trial) set(t *testing.T, q *qemu, parameters map[string]any) {
	t.Helper()
	tr.execute(t, q, "migrate-set-parameters", parameters)
}

func (tr *trial) progress(t *testing.T, q *qemu) *progress {
	t.Helper()
	p, err := q.migration(tr.ctx)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// until waits until the migration is as it should be, while it is under way.
func (tr *trial) until(t *testing.T, q *qemu, is func(*progress) bool) *progress {
	t.Helper()
	for limit := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		p := tr.progress(t, q)
		if is(p) {
			return p
		}
		if p.ended() || time.Now().After(limit) {
			t.Fatalf("status %s, %s; round %d; %s", p.Status, p.Error, p.RAM.Rounds, p.LZRW1)
		}
	}
}

// deltas waits until the migration is in its second round and sends deltas, and
// has it stay there for seconds.
func (tr *trial) deltas(t *testing.T) {
	t.Helper()
	tr.until(t, tr.now, func(p *progress) bool { return p.Status == "active" && p.RAM.Rounds > 1 })
	tr.set(t, tr.now, map[string]any{"max-bandwidth": 2 << 20})
	tr.until(t, tr.now, func(p *progress) bool { return p.Status == "active" && p.lzrw1(t).Deltas > 0 })
}

// fails waits until the migration has come to nothing, and for the source to
// say why.
func (tr *trial) fails(t *testing.T, status, why string) {
	t.Helper()
	p := tr.until(t, tr.now, (*progress).ended)
	t.Logf("source: %s: %s", p.Status, p.Error)
	if p.Status != status || !strings.Contains(p.Error, why) {
		t.Errorf("status %s, %q; want %s with %q", p.Status, p.Error, status, why)
	}
}

// refuses waits until the destination has ended with an error.
func (tr *trial) refuses(t *testing.T, destination *qemu, why string) {
	t.Helper()
	select {
	case <-destination.Exited():
	case <-time.After(20 * time.Second):
		t.Fatal("the destination goes on waiting for the guest")
	}
	err := destination.Err()
	t.Logf("destination: %v", err)
	if err == nil || !strings.Contains(err.Error(), why) {
		t.Errorf("the destination ended with %v, want %q in it", err, why)
	}
}

// stays checks that the guest runs on at the source, intact, and nowhere else.
func (tr *trial) stays(t *testing.T, destination *qemu) {
	t.Helper()
	if err := tr.now.prove(tr.ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := history(tr.now, nil); err != nil {
		t.Fatal(err)
	}
	if lines := destination.Console.Lines(); len(lines) > 0 {
		t.Errorf("the guest has run at the destination, too: %q", lines[0].Text)
	}
}

// moves waits until the guest runs at the destination, and there alone, and
// checks that it is intact.
func (tr *trial) moves(t *testing.T, destination *qemu) {
	t.Helper()
	tr.arrives(t, destination)
	if err := destination.prove(tr.ctx); err != nil {
		t.Fatal(err)
	}
}

// arrives is moves, but goes by what the guest checks as it works.
func (tr *trial) arrives(t *testing.T, destination *qemu) {
	t.Helper()
	if p := tr.until(t, tr.now, (*progress).ended); p.Status != "completed" {
		t.Fatalf("status %s, %s", p.Status, p.Error)
	}
	for range 5 {
		if _, err := destination.Console.Wait(tr.ctx, "tick "); err != nil {
			t.Fatal(err)
		}
	}
	var state struct{ Status string }
	if err := tr.now.QMP.Execute(tr.ctx, "query-status", nil, &state); err != nil {
		t.Fatal(err)
	}
	if state.Status != "postmigrate" {
		t.Errorf("the source's guest is in state %s", state.Status)
	}
	if _, err := history(tr.now, destination); err != nil {
		t.Fatal(err)
	}
	if tr.now.PID() != 0 { // a daemon is not ours to wait for
		tr.now.Close()
	}
	tr.now = destination
}

// lzrw1 returns QEMU's statistics of the method.
func (p *progress) lzrw1(t *testing.T) (s lzrw1Statistics) {
	t.Helper()
	if p.LZRW1 != nil {
		if err := json.Unmarshal(p.LZRW1, &s); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

type lzrw1Statistics struct {
	Packets int `json:"packets"`
	Deltas  int `json:"delta-pages"`
	Hits    int `json:"cache-hits"`
	Misses  int `json:"cache-misses"`
	Rounds  int `json:"rounds"`
}
