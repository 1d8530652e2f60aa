# parley: `make run` builds and starts it, `make test` proves it.

GO ?= go
TOOLS := build/tools
LINT_VERSION := v2.15.0
LINT := $(TOOLS)/golangci-lint-$(LINT_VERSION)
VULN_VERSION := v1.9.0
VULN := $(TOOLS)/govulncheck-$(VULN_VERSION)
WASM := GOOS=js GOARCH=wasm

.PHONY: run build quick test check fmt fmt-check vet lint size unit model chaos chaos-short backup linear power swarm proxies e2e bench bench-peers bench-costs bench-browser fuzz vuln tools clean

run: build
	bin/parley

build:
	$(GO) run ./build

# The same, compressed less: for trying things.
quick:
	$(GO) run ./build -quick

# Everything that must hold before a change lands, the quick checks first.
test: tools check vuln build unit model chaos-short backup linear power swarm proxies e2e
	@echo "make test: all passed"

check: fmt-check vet lint size

fmt-check:
	@files=$$(gofmt -l app server wasm build); \
	if [ -n "$$files" ]; then echo "not formatted; run \"make fmt\":"; echo "$$files"; exit 1; fi

fmt:
	gofmt -w app server wasm build

vet:
	$(GO) vet ./...
	$(WASM) $(GO) vet ./app/... ./wasm/...

lint: $(LINT)
	$(LINT) run --allow-parallel-runners ./...
	$(WASM) $(LINT) run --allow-parallel-runners ./app/... ./wasm/...

# The linter is a tool of its own, kept by version.
$(LINT):
	GOBIN=$(CURDIR)/$(TOOLS)/bin $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	mv $(TOOLS)/bin/golangci-lint $@

size:
	$(GO) run ./build -size

# The race detector finds what a lucky run does not. It also takes memory, so that is measured without it. SQLite, which was
# translated from C, is spared the checks of its pointers, which take longer than all else together.
unit:
	$(GO) test -race -gcflags=modernc.org/...=-d=checkptr=0 -shuffle=on -timeout 20m ./app/... ./server/...
	$(GO) test -shuffle=on ./build ./build/web ./build/chaos/check ./build/chaos/proxy ./build/bench/curves ./build/vuln
	$(GO) test -count=1 -run '^TestHeldMemory$$' ./server/api

# Twice 10,000 histories of one browser on any network: sends, switches, faults, crashes.
model:
	$(GO) test -count=1 -v -timeout 10m -run '^TestAnyNetwork$$' ./app/client -args -rapid.checks=10000

# Kills, freezes and bad networks under load, in the short form; broken builds that must be caught. SEED=… replays.
chaos-short: tools
	$(GO) test -count=1 -v -timeout 20m ./build/chaos -args $(if $(SEED),-seed=$(SEED))

# All of that kind in full, in half an hour: a million deliveries under 200 strikes and every broken build; 500 rooms; 2,000 losses of
# power; 50 backups; ten thousand clients; two builds of the same bytes.
chaos: tools
	$(GO) test -count=1 -v -timeout 60m ./build/chaos -args -full $(if $(SEED),-seed=$(SEED))
	$(GO) test -count=1 -v -timeout 30m ./build/linear -args -rooms=500 $(if $(SEED),-seed=$(SEED))
	$(MAKE) power POWER="-messages 1200 -points 2000 -drills 420 $(if $(SEED),-seed=$(SEED))"
	$(MAKE) backup BACKUPS=50 KILLED=10
	$(MAKE) swarm SWARM="-full $(if $(SEED),-seed=$(SEED))"
	$(GO) test -count=1 -v -timeout 20m -run '^TestSameBytes$$' ./build -args -whole

# Whether the server, killed and stopped, could be one log that does one thing at a time.
linear:
	$(GO) test -count=1 -v -timeout 10m ./build/linear

# What is acknowledged is on stable storage: the order of flushes, losses of power, disks that fail. At length:
# make power POWER="-messages 1200 -points 2000 -drills 420"
power: tools
	$(GO) test -count=1 -v -timeout 90m ./build/power $(if $(POWER),-args $(POWER))

# Backups of a server in use, some killed in the middle, and one restored; BACKUPS=50 KILLED=10 for many.
BACKUPS ?= 5
KILLED ?= 2
backup:
	$(GO) test -count=1 -v -timeout 10m ./build/backup -args -backups=$(BACKUPS) -killed=$(KILLED)

# Many clients at once: slow ones, a storm after a crash, restarts, a crowd that sits idle, people who are cut off.
# At length, with figures: make swarm SWARM=-full
swarm:
	$(GO) test -count=1 -v -timeout 90m ./build/swarm $(if $(SWARM),-args $(SWARM))

# Through nginx, HAProxy and Caddy, set up as people set them up; holds the table in the README.
proxies: tools
	$(GO) test -count=1 -v -timeout 5m ./build/proxies

# Two people in a real Chromium.
e2e:
	$(GO) test -count=1 -v -timeout 30m ./build/e2e

bench:
	$(GO) test -run '^$$' -bench . -benchmem ./app/... ./server/...

# The real server beside Centrifugo, socket.io and the limit of the machine, which must have nothing else to do.
bench-peers:
	$(GO) run ./build/bench -peers -n 1000,5000 -rounds 3 -for 1500ms
	$(GO) run ./build/bench -peers -n 10000 -work idle

# How long an acknowledgement takes, and what grows with rooms, members, people who come at once and history.
bench-costs:
	$(GO) run ./build/bench -appends -curves all -for 3s

# What the app costs in a real Chromium: starting, memory, frames, and the way from one screen to another. The same holds.
bench-browser: tools
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 20m ./build/e2e

# What strangers send, for 20 seconds a target, of which hardly any go into making small what is new but no fault.
FUZZTIME ?= 20s
fuzz:
	@set -e; grep -rlE '^func Fuzz' --include='*_test.go' app server | while read -r file; do \
		for target in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' "$$file"); do \
			echo "fuzz: $$target in $$(dirname "$$file")"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s "./$$(dirname "$$file")"; \
		done; \
	done

# Known weaknesses of all that is called, by the Go vulnerability database: as it was on the day that build/vuln has by
# version, or, before a release, as it is: make vuln GOVULNDB=https://vuln.go.dev. The oldest versions that will do are in build/floor_test.go.
vuln: $(VULN)
	$(GO) run ./build/vuln -govulncheck $(VULN) $(if $(GOVULNDB),-db $(GOVULNDB))

$(VULN):
	GOBIN=$(CURDIR)/$(TOOLS)/bin $(GO) install golang.org/x/vuln/cmd/govulncheck@$(VULN_VERSION)
	mv $(TOOLS)/bin/govulncheck $@

# What the tests need of the system: a browser, fonts, a C compiler for the race detector, proxies.
tools:
	build/install-test-tools.sh

clean:
	rm -rf bin $(TOOLS) build/web/out/web build/web/out/index.json build/e2e/shots
