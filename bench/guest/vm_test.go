package guest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"
)

// smallInit stores in Redis a text that is nowhere else in the guest, then
// writes to Redis each second.
const smallInit = `#!/usr/bin/busybox sh
export PATH=/usr/bin:/opt/busybox
/usr/bin/busybox mkdir -p /opt/busybox
/usr/bin/busybox --install -s /opt/busybox
mount -t proc proc /proc
mount -t devtmpfs dev /dev
exec </dev/console >/dev/console 2>&1
redis-server --port 0 --unixsocket /run/redis.sock --daemonize yes --save '' --logfile /run/redis.log
redis() { redis-cli -s /run/redis.sock "$@"; }
until redis PING | grep -q PONG; do sleep 0.1; done
redis SET secret "$(echo -n 'what the guest knows' | sha256sum | cut -d ' ' -f 1)"
echo "ready $GREETING"
while sleep 1; do echo "tick $(redis INCR ticks)"; done
`

// bootSmall boots a guest with Redis in 128 MiB.
func bootSmall(t *testing.T, config Config) *VM {
	t.Helper()
	need(t, "apt-get", "dpkg-deb", "qemu-system-x86_64")
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	t.Cleanup(cancel)
	config.MemoryMiB = 128
	config.Image, err = Build(ctx, Recipe{
		Name:     "small",
		Packages: []string{"busybox-static", "redis-server"},
		Files:    fstest.MapFS{"init": {Data: []byte(smallInit)}},
	}, filepath.Join(cache, "lzpage", "guest"), func(step string) { t.Log(step) })
	if err != nil {
		t.Fatal(err)
	}
	vm, err := Start(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { vm.Close() })
	if _, err := vm.Console.Wait(ctx, "ready"); err != nil {
		t.Fatal(err)
	}
	return vm
}

func TestGuestMemory(t *testing.T) {
	var mu sync.Mutex
	var events []string
	vm := bootSmall(t, Config{KernelArgs: []string{"GREETING=hello"}, OnEvent: func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		events = append(events, e.Name)
	}})
	if !slices.ContainsFunc(vm.Console.Lines(), func(l Line) bool { return l.Text == "ready hello" }) {
		t.Errorf("the guest's first process lacks the variable of KernelArgs:\n%s", vm.Console.tail(100))
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dir := t.TempDir()
	raw, core := filepath.Join(dir, "guest.ram"), filepath.Join(dir, "guest.elf")

	if err := vm.DumpRaw(ctx, raw); err == nil || !strings.Contains(err.Error(), "pause it first") {
		t.Errorf("DumpRaw of a running guest: error %v", err)
	}
	if err := vm.Pause(ctx); err != nil {
		t.Fatal(err)
	}
	if err := vm.DumpRaw(ctx, raw); err != nil {
		t.Fatal(err)
	}
	if err := vm.DumpELF(ctx, core); err != nil {
		t.Fatal(err)
	}
	memory, err := os.ReadFile(raw)
	if err != nil {
		t.Fatal(err)
	}
	if len(memory) != 128<<20 {
		t.Errorf("raw image has %d bytes", len(memory))
	}
	secret := sha256.Sum256([]byte("what the guest knows"))
	if !bytes.Contains(memory, []byte(hex.EncodeToString(secret[:]))) {
		t.Error("what the guest wrote to Redis is not in its memory")
	}
	if !bytes.Contains(memory, []byte("Linux version ")) {
		t.Error("the kernel's banner is not in the guest's memory")
	}
	if low := coreSegment(t, core, 0); !bytes.Equal(low, memory) {
		t.Errorf("the ELF core holds %d bytes at address 0 which are not those of the raw image", len(low))
	}

	if err := vm.Resume(ctx); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := vm.Console.Wait(ctx, "tick "); err != nil {
			t.Fatal(err)
		}
	}
	if err := vm.Pause(ctx); err != nil {
		t.Fatal(err)
	}
	if err := vm.DumpRaw(ctx, raw); err != nil {
		t.Fatal(err)
	}
	later, err := os.ReadFile(raw)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(later, memory) {
		t.Error("the resumed guest did not change its memory")
	}

	missing := filepath.Join(dir, "missing", "guest.ram")
	if err := vm.DumpRaw(ctx, missing); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("DumpRaw to %s: error %v", missing, err)
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 2 {
		t.Errorf("files left: %v", left)
	}
	if err := vm.Close(); err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if got := strings.Join(events, " "); got != "STOP DUMP_COMPLETED RESUME STOP" {
		t.Errorf("events %s", got)
	}
}

// coreSegment returns the content of an ELF core's segment at a physical
// address.
func coreSegment(t *testing.T, path string, address uint64) []byte {
	t.Helper()
	file, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if file.Type != elf.ET_CORE || file.Machine != elf.EM_X86_64 {
		t.Errorf("%s: type %v, machine %v", path, file.Type, file.Machine)
	}
	for _, p := range file.Progs {
		if p.Type == elf.PT_LOAD && p.Paddr == address {
			content, err := io.ReadAll(p.Open())
			if err != nil {
				t.Fatal(err)
			}
			return content
		}
	}
	t.Fatalf("%s: no segment at address %#x", path, address)
	return nil
}

func TestContextEndKillsGuest(t *testing.T) {
	need(t, "qemu-system-x86_64")
	// A machine that never starts its CPU needs no more of a kernel than the
	// boot protocol's magic number, version and limit of the initramfs.
	header := make([]byte, 4096)
	copy(header[0x202:], "HdrS\x06\x02")
	copy(header[0x22c:], "\xff\xff\xff\x7f")
	kernel := filepath.Join(t.TempDir(), "kernel")
	if err := os.WriteFile(kernel, header, 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	vm, err := Start(ctx, Config{
		Image: &Image{Kernel: kernel, Initramfs: kernel}, MemoryMiB: 16, Machine: "q35",
		Args: []string{"-S"},
	})
	if err != nil {
		t.Fatal(err)
	}
	total, guest, err := vm.CPUTime()
	if err != nil || total <= 0 || guest < 0 || guest >= total {
		t.Errorf("CPU time %v, of the guest %v, %v", total, guest, err)
	}
	cancel()
	select {
	case <-vm.Exited():
	case <-time.After(10 * time.Second):
		t.Fatal("QEMU is still there")
	}
	if err := vm.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(vm.dir); !os.IsNotExist(err) {
		t.Errorf("temporary directory is left: %v", err)
	}
}

func TestStartReportsQEMUsError(t *testing.T) {
	need(t, "qemu-system-x86_64")
	_, err := Start(testContext(t), Config{Image: &Image{Kernel: "/nonexistent/vmlinuz", Initramfs: "/nonexistent/initramfs"}})
	if err == nil || !strings.Contains(err.Error(), "/nonexistent/vmlinuz") {
		t.Errorf("error %v", err)
	}
}

func TestStartReportsMissingNetwork(t *testing.T) {
	need(t, "qemu-system-x86_64")
	_, err := Start(testContext(t), Config{Image: &Image{Kernel: "/dev/null", Initramfs: "/dev/null"}, Network: "/run/netns/nonexistent"})
	if err == nil || !strings.Contains(err.Error(), "/run/netns/nonexistent") {
		t.Errorf("error %v", err)
	}
}

func TestStartChecksMemory(t *testing.T) {
	for _, size := range []int{-1, 2049} {
		if _, err := Start(context.Background(), Config{Image: &Image{}, MemoryMiB: size}); err == nil {
			t.Errorf("%d MiB: no error", size)
		}
	}
}
