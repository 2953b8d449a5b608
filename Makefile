# What a user needs: make demo, make test. What a change needs as well: make
# check. Each target installs by apt what it uses and is missing.

BUILD := build
GUEST := $(BUILD)/demo
FUZZTIME ?= 60s
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOFUZZ := v0.0.0-20220726122315-1d375ef9f9f6

# tools, as command:package
SYSTEM := qemu-system-x86_64:qemu-system-x86 dpkg-deb:dpkg /usr/sbin/mke2fs:e2fsprogs
PEERS := lz4:lz4 zstd:zstd
C := cc:gcc stdlib.h:libc6-dev lz4.h:liblz4-dev zstd.h:libzstd-dev

.PHONY: all build shim demo snapshots migrate qemu test check vet cross kernels emulated fuzz go-fuzz fuzz-briefly bench clean

all: build

# the tool, in build/lzpage
build:
	@scripts/need go
	CGO_ENABLED=0 go build -trimpath -o $(BUILD)/lzpage ./cmd/lzpage

# the library for QEMU, in build/liblzpage-qemu.so, and its header
shim:
	@scripts/need go cc:gcc stdlib.h:libc6-dev
	CGO_ENABLED=1 go build -trimpath -buildvcs=false -buildmode=c-shared -ldflags='-s -w' -o $(BUILD)/liblzpage-qemu.so ./internal/qemuram/shim
	@rm $(BUILD)/liblzpage-qemu.h # cgo's, of what is within
	cp internal/qemuram/shim/lzpage-qemu.h $(BUILD)

# boots a real guest, takes its memory, and shows what lzpage makes of it
demo:
	@scripts/need go $(SYSTEM) $(PEERS)
	@$(MAKE) --no-print-directory build
	cd bench && CGO_ENABLED=0 go build -o ../$(BUILD)/demo-guest ./demo
	$(BUILD)/demo-guest -lzpage $(BUILD)/lzpage -out $(GUEST)

# takes the memory of a guest at work eleven times, and compares ways to keep
# what changed; with IMAGES=DIR of images that are there. It needs 10 GB.
snapshots:
	@scripts/need go $(SYSTEM) $(PEERS)
	@$(MAKE) --no-print-directory build
	cd bench && CGO_ENABLED=0 go build -o ../$(BUILD)/compare-snapshots ./snapshots
	$(BUILD)/compare-snapshots -lzpage $(BUILD)/lzpage -out $(BUILD)/snapshots $(if $(IMAGES),-images '$(IMAGES)')

# migrates guests at work by all methods over links of several rates, as root;
# it takes hours, and goes on where it was interrupted. MIGRATE has further
# arguments, such as '-links 1gbit -runs 1'; see build/migrate -help.
migrate:
	@scripts/need go $(SYSTEM) ip:iproute2 mke2fs:e2fsprogs
	@$(MAKE) --no-print-directory shim qemu
	cd bench && CGO_ENABLED=0 go build -o ../$(BUILD)/migrate ./migrate && ../$(BUILD)/migrate -out ../$(BUILD)/migration $(MIGRATE)

# QEMU with multifd-compression lzrw1, in build/qemu; ten minutes of CPU time
# and 1 GB in the user's cache the first time, nothing where the patches are as
# they were
qemu:
	@scripts/qemu

# all tests, those that boot guests and migrate them included
test:
	@scripts/need go $(SYSTEM) $(PEERS) $(C) ip:iproute2
	go test ./...
	go test -race -short -run 'Pieces|Cancel|Concurrent|Slow|Failing|Output|Rounds|Chain' -skip Allocations ./pagestream ./internal/image ./internal/ordered
	go test -race -short -skip Allocations ./internal/qemuram
	@$(MAKE) --no-print-directory shim qemu
	cd bench && go test ./...

# what CI runs beside the tests
check: vet cross kernels emulated fuzz-briefly

vet:
	@scripts/need go $(C)
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "not formatted by gofmt: $$unformatted"; exit 1; }
	go vet ./...
	go vet -tags purego ./...
	cd bench && go vet ./...
	go run $(STATICCHECK) ./...
	cd bench && go run $(STATICCHECK) ./...

TARGETS := linux/amd64 linux/arm64 linux/386 linux/s390x linux/riscv64 \
	darwin/amd64 darwin/arm64 windows/amd64 windows/arm64 freebsd/amd64 freebsd/arm64

cross:
	@scripts/need go
	@for target in $(TARGETS); do \
		echo "go build, go vet for $$target"; \
		CGO_ENABLED=0 GOOS=$${target%/*} GOARCH=$${target#*/} go build -o /dev/null ./... || exit 1; \
		CGO_ENABLED=0 GOOS=$${target%/*} GOARCH=$${target#*/} go vet ./... || exit 1; \
	done

# the tests of the codec and its users with each implementation of the kernels,
# without any assembly, and with what finds misuse of memory in Go code.
# LZPAGE_REQUIRE_KERNELS has a test fail if others are in use.
KERNELS_x86_64 := portable sse2 ssse3 avx2
KERNELS_aarch64 := portable neon
kernels:
	@scripts/need go $(C)
	@for kernels in $(or $(KERNELS_$(shell uname -m)),portable); do \
		echo "go test with kernels $$kernels"; \
		LZPAGE_KERNELS=$$kernels LZPAGE_REQUIRE_KERNELS=$$kernels go test -count=1 -short ./lzrw1/... ./delta ./pagestream ./fuzz || exit 1; \
	done
	go test -short -tags purego ./lzrw1/... ./delta ./pagestream
	go test -short -race -skip 'GreedySingle|GreedyLockstep|Allocations' ./lzrw1/... ./delta
	go test -short -asan -skip 'GreedySingle|GreedyLockstep|Allocations' ./lzrw1/... ./delta

# the tests with words of 32 bits, and under emulation on a big-endian machine,
# on arm64, and on amd64 without AVX2 and without SSSE3
# (SLOW: what needs no other machine and takes minutes there)
SLOW := 'ChangedBytes|Allocations|FailingWriter|HostileFields'
emulated:
	@scripts/need go qemu-s390x-static:qemu-user-static
	CGO_ENABLED=0 GOARCH=386 go test -short ./lzrw1/... ./delta ./pagestream/... ./internal/image ./internal/chain
	CGO_ENABLED=0 GOARCH=s390x go test -short -skip $(SLOW) -exec qemu-s390x-static ./lzrw1/... ./delta ./pagestream/... ./internal/image
	CGO_ENABLED=0 GOARCH=arm64 LZPAGE_REQUIRE_KERNELS=neon go test -short -skip $(SLOW) -exec qemu-aarch64-static ./lzrw1/... ./delta ./pagestream/... ./fuzz
	CGO_ENABLED=0 GOARCH=amd64 LZPAGE_REQUIRE_KERNELS=ssse3 go test -short -exec 'qemu-x86_64-static -cpu Nehalem' ./lzrw1/...
	CGO_ENABLED=0 GOARCH=amd64 LZPAGE_REQUIRE_KERNELS=sse2 go test -short -exec 'qemu-x86_64-static -cpu Opteron_G1' ./lzrw1/...

# each native fuzz target, FUZZTIME long (60s, or 3000x for so many inputs)
fuzz:
	@scripts/need go
	@for target in $$(go test -list '^Fuzz' ./fuzz | grep '^Fuzz'); do \
		echo "$$target, $(FUZZTIME)"; \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s ./fuzz || exit 1; \
	done

# the same targets by go-fuzz, GOFUZZTIME seconds each; crashers are left in
# build/go-fuzz
GOFUZZTIME ?= 60
go-fuzz:
	@scripts/need go
	GOBIN=$(CURDIR)/$(BUILD)/bin go install github.com/dvyukov/go-fuzz/go-fuzz@$(GOFUZZ) github.com/dvyukov/go-fuzz/go-fuzz-build@$(GOFUZZ)
	mkdir -p $(BUILD)/go-fuzz
	cp go.mod go.sum $(BUILD)/go-fuzz # go-fuzz adds a package of its own to them
	GOFLAGS='-mod=mod -modfile=$(CURDIR)/$(BUILD)/go-fuzz/go.mod' $(BUILD)/bin/go-fuzz-build -o $(BUILD)/go-fuzz/fuzz.zip ./fuzz
	LZPAGE_CORPUS=$(CURDIR)/$(BUILD)/go-fuzz go test -count=1 -run '^Fuzz' ./fuzz # writes the seeds
	@for target in $$(sed -n 's/^func \(Fuzz[A-Za-z]*\).*/\1/p' fuzz/gofuzz.go); do \
		echo "$$target, $(GOFUZZTIME) s"; \
		timeout --signal=INT $(GOFUZZTIME) $(BUILD)/bin/go-fuzz -bin $(BUILD)/go-fuzz/fuzz.zip -func $$target -workdir $(BUILD)/go-fuzz/$$target -procs 2 || [ $$? = 124 ] || exit 1; \
		crashers=$$(ls $(BUILD)/go-fuzz/$$target/crashers); [ -z "$$crashers" ] || { echo "$$target crashes: $$crashers"; exit 1; }; \
	done

fuzz-briefly:
	$(MAKE) fuzz FUZZTIME=3000x # a time can end in an error of the Go tool itself
	$(MAKE) go-fuzz GOFUZZTIME=5

bench:
	@scripts/need go $(C)
	cd bench && go run ./compare -pages '$(PAGES)' -runs '$(RUNS)' -pairs '$(PAIRS)'

clean:
	rm -rf $(BUILD)
