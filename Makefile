# Everything a person or a build server does with this tree. Works with GNU make 3.81 (macOS) and newer.

GO          ?= go
TOOLS       := $(CURDIR)/.tools
WITHPG      := $(GO) run ./internal/postgres/withpg
FUZZTIME    ?= 2000x
FUZZ        ?= .
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.8.0
SQLC        := github.com/sqlc-dev/sqlc/cmd/sqlc@v1.31.1
SQLC_BIN    := $(TOOLS)/sqlc-v1.31.1
VULNDB      ?= https://vuln.go.dev
VERSION     := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: postgres ## run the whole product here, without keys or network (ONCE=1: end when every sample call is final)
	@$(GO) run ./cmd/aftercall demo $(if $(ONCE),--once)

# Compiling makes much garbage that lives shortly: much of the work was collecting it.
RUNTESTS := GOGC=$${GOGC:-1000} GOMEMLIMIT=$${GOMEMLIMIT:-1GiB}

.PHONY: test
test: postgres browser mailserver ## every test, on one private Postgres (check does the vetting, race looks for races)
	$(RUNTESTS) $(WITHPG) $(GO) test -vet=off -timeout 20m ./...

# All that this run builds, it builds for the race detector, so that nothing is compiled twice.
.PHONY: race
race: WITHPG = $(RUNTESTS) $(GO) run -race ./internal/postgres/withpg
race: compiler postgres browser mailserver ## every test again, under the race detector: twice the work
	$(WITHPG) $(GO) test -race -vet=off -timeout 30m ./...

# SHORT=1: runs of seconds. ONLY=R1,S6: some of them. SEED=42: one seed. DATA=DIR: third-party corpora, read in place.
# WHOLE=1: only the product as it is, not the builds without protections.
.PHONY: chaos
chaos: postgres ## kill, freeze, flood and lie to the product, and check its ledger (an hour; SHORT=1: minutes)
	$(GO) run ./internal/chaos $(if $(SHORT),-short,-report docs/operations/proofs.md) $(if $(ONLY),-only $(ONLY)) $(if $(SEED),-seed $(SEED)) $(if $(WHOLE),-no-weak) $(if $(DATA),-data $(DATA))

# DATA=DIR: where the corpora lie. ONLY=blns,isemail: some of them. REPORT=: do not write the report.
REPORT      ?= docs/operations/conformance.md
.PHONY: conformance
conformance: postgres ## try the product on third-party data, read in place (DATA=../shared)
	@$(GO) run ./internal/conformance -data '$(DATA)' $(if $(ONLY),-only $(ONLY),$(if $(REPORT),-report $(REPORT)))

.PHONY: check
check: format vet lint modules licences queries examples rules fuzz vulnerabilities ## everything but the tests
	@echo "check: all in order"

# SHORT=1: does it work, not how fast. ONLY=kill,memory: some measurements, without the benchmarks of the parts.
# JSON=FILE: write the figures there too. AGAINST=FILE: say whether they agree with those of an earlier run.
# DATA=DIR: in turn with the hand-written worker whose source lies in DIR/bench.
.PHONY: bench
bench: postgres ## measure the real binary, and its parts, beside the machine's floor (31 minutes; SHORT=1: three)
ifeq ($(ONLY),)
	$(WITHPG) -durable $(GO) test -run '^$$' -bench . -benchmem $(if $(SHORT),-benchtime 10x) ./...
endif
	$(GO) run ./internal/bench $(if $(SHORT),-short,-report docs/operations/performance.md) $(if $(ONLY),-only $(ONLY)) $(if $(DATA),-data $(DATA)) $(if $(JSON),-json $(JSON)) $(if $(AGAINST),-against $(AGAINST))

# N=20000: fewer calls, which says nothing about speed. ONLY=search: some pages. KEEP=DIR: the database stays there, for the next time.
.PHONY: big
big: postgres ## how long each page takes with a million calls and three million deliveries (some 10 GB of disk; N=20000: fewer)
	$(GO) run ./internal/big $(if $(N),-conversations $(N)) $(if $(ONLY),-only '$(ONLY)') $(if $(KEEP),-data $(KEEP)) $(if $(N)$(ONLY),,-report docs/operations/performance.md)

.PHONY: build
build: ## one static binary: bin/aftercall
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.release=$(VERSION)' -o bin/aftercall ./cmd/aftercall

.PHONY: sbom
sbom: build ## what is in that binary, under which licences: bin/aftercall.cdx.json
	@CGO_ENABLED=0 $(GO) run ./internal/licences -binary bin/aftercall -release '$(VERSION)' -sbom bin/aftercall.cdx.json

.PHONY: licences
licences: ## hold what is linked into the binary against the licences we accept
	@CGO_ENABLED=0 $(GO) run ./internal/licences

.PHONY: generate
generate: $(SQLC_BIN) ## write the store's Go from internal/store/queries
	$(SQLC_BIN) generate

# The answers of the starters' and examples' tests are written by hand. Recorded answers count for one prompt, so after a
# change to the prompt, or to a starter's question, they are recorded anew; what git shows then is what changed.
.PHONY: recordings
recordings: ## record the answers of the starters' and examples' tests anew
	$(GO) run ./cmd/aftercall test --record --by-hand examples automation/starters

# Needs npm and a registry. What it makes is kept in the repository, so nothing else here needs them.
.PHONY: editor
editor: ## bundle the workbench's editor anew: dashboard/assets/codemirror.js
	cd dashboard/workbench && npm ci --ignore-scripts --no-audit --no-fund && npm run --silent build

.PHONY: clean
clean: ## remove what make made
	rm -rf bin .tools

# ---- what check consists of ----

.PHONY: format vet lint modules queries examples rules fuzz fuzz-each vulnerabilities
format:
	@bad=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go' | while read -r f; do [ -f "$$f" ] && echo "$$f"; done)); \
	if [ -n "$$bad" ]; then echo "gofmt -w these files:"; echo "$$bad"; exit 1; fi

vet:
	$(GO) vet ./...

lint:
	$(GO) run $(STATICCHECK) ./...

modules:
	$(GO) mod verify
	$(GO) mod tidy -diff

queries: $(SQLC_BIN)
	$(SQLC_BIN) diff

examples:
	$(GO) run ./cmd/aftercall check examples/ automation/starters/
	$(GO) run ./cmd/aftercall fmt --check examples/ automation/starters/
	$(GO) run ./cmd/aftercall test examples automation/starters

# A module of its own, for Prometheus's parser is no part of the program. What it reads lies outside of that module, where go
# does not see that a kept result is old.
rules:
	cd deploy/check && $(GO) vet ./... && $(GO) test -count=1 ./...

# Each fuzz target for a moment: long enough to run its corpus and to catch what falls over at once. FUZZ="./automation":
# only the targets below these folders. Inputs that reach new code are hardly made smaller: that would eat the time there is.
# FUZZTIME counts inputs (2000x) where nobody watches: with a time (1m), Go before 1.27 now and then reports the end of that
# time as a failure, "context deadline exceeded" with no failing input (https://go.dev/issue/75804).
fuzz: postgres
	@$(WITHPG) $(MAKE) --no-print-directory fuzz-each

fuzz-each:
	@set -e; grep -rlE '^func Fuzz[A-Z]' --include='*_test.go' $(FUZZ) | sort | while read -r file; do \
		for target in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]+)\(.*/\1/p' "$$file"); do \
			echo "fuzz $$(dirname "$$file") $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x "$$(dirname "$$file")" </dev/null; \
		done; \
	done

# Reads a database over the network, or the copy that VULNDB names (docs/operations/supply-chain.md). Where the network ends
# before it, this says so and does not pretend; nor does it take an empty folder for a copy.
vulnerabilities:
	@if curl -sSfm 10 -o /dev/null '$(VULNDB)/index/modules.json' 2>/dev/null; then \
		$(GO) run $(GOVULNCHECK) -db '$(VULNDB)' -show version ./...; \
	elif [ '$(VULNDB)' = https://vuln.go.dev ]; then \
		echo "vulnerabilities: vuln.go.dev cannot be reached from here: NOT CHECKED (a copy will do: VULNDB=file:///...)"; \
	else \
		echo "vulnerabilities: NOT CHECKED: $(VULNDB) has no index/modules.json, so it is no copy of vuln.go.dev"; exit 1; \
	fi

$(SQLC_BIN):
	@mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) $(GO) install $(SQLC)
	mv $(TOOLS)/sqlc $(SQLC_BIN)

# ---- what the machine must have ----

.PHONY: postgres
postgres: ## make sure PostgreSQL 14 or newer is installed (nothing needs to run)
	@if $(WITHPG) -installed >/dev/null 2>&1; then exit 0; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql >/dev/null; \
	elif command -v brew >/dev/null; then brew install postgresql@17; \
	fi; \
	$(WITHPG) -installed

# The race detector needs a C compiler.
.PHONY: compiler
compiler:
	@if command -v "$$($(GO) env CC)" >/dev/null; then exit 0; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq gcc libc6-dev >/dev/null; \
	else echo "the race detector needs a C compiler: sudo apt-get install gcc libc6-dev (macOS: xcode-select --install)"; exit 1; fi

# Only if page tests exist: they drive a real browser.
.PHONY: browser
browser:
	@if ! grep -rqlE 'chromedp|playwright' --include='*_test.go' .; then exit 0; \
	elif command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; then exit 0; \
	elif [ -d "/Applications/Google Chrome.app" ] || [ -d /Applications/Chromium.app ]; then exit 0; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	else echo "page tests need Chromium: sudo apt-get install chromium (macOS: brew install --cask chromium)"; exit 1; fi

# A real mail server, which a test starts on a port of its own as an ordinary user. Installing it leaves nothing that runs: what would start it is
# told not to, and where systemd is, it is switched off for the next start of the machine, too.
.PHONY: mailserver
mailserver:
	@PATH="$$PATH:/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin:/opt/homebrew/bin"; \
	if ! grep -rqlF 'exim4' --include='*_test.go' .; then exit 0; \
	elif command -v exim4 >/dev/null || command -v exim >/dev/null; then exit 0; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		policy=/usr/sbin/policy-rc.d; \
		if [ ! -e $$policy ]; then printf '#!/bin/sh\nexit 101\n' >$$policy && chmod +x $$policy && trap "rm -f $$policy" EXIT; fi; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends exim4-daemon-light >/dev/null && \
		if [ -d /run/systemd/system ]; then systemctl disable --quiet exim4 || true; fi; \
	else echo "the mail test needs Exim: sudo apt-get install exim4-daemon-light (macOS: brew install exim; its own postfix runs only as root)"; exit 1; fi
