# foodtrace: `make run` shows it, `make test` checks it. Go is needed for both; the race detector needs a C compiler too.
.DEFAULT_GOAL := help
GO ?= go
BIN := bin/foodtrace
EVENTS ?= 1000000
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

# Without a C compiler, Go has no race detector. SQLite, in C translated to Go, is left out of it: its memory is its own, and none of it
# is shared with this program's code; watching it took three quarters of the time of the tests that use it.
RACE := $(if $(filter 1,$(shell $(GO) env CGO_ENABLED)),-race -gcflags=modernc.org/sqlite/lib=-race=false)
export RACE

# A compressor that the ledger's store does not use comes in Go instead of C, whose compilation takes a minute.
export GOFLAGS := $(strip $(shell $(GO) env GOFLAGS) -tags=pebblegozstd)

.PHONY: help run build test test-all test-services test-browser lint bench bench-trace bench-fabric scale fuzz soak clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build the program and the chaincode service into bin/
	@echo "building $(BIN) (the first time also downloads the modules it needs)"
	@$(GO) build -o bin/ ./cmd/foodtrace ./chaincode/cmd/foodtrace-chaincode

run: build ## build, start the demo and print where to look
	@exec $(BIN) demo

test: ## all hermetic tests, with the race detector
	@echo "running the tests $(if $(RACE),with,WITHOUT) the race detector (under five minutes on two cores; the first time some minutes more, to compile)"
	@$(if $(RACE),,echo "the race detector needs a C compiler: apt-get install gcc libc6-dev")
	$(GO) test $(RACE) -vet=all -timeout 20m ./...

test-all: test lint test-services test-browser ## all of make test, the linters, and the tests on real servers and in a real browser

test-services: ## the tests on real servers: Fabric, PostgreSQL, S3; builds and installs them first (half an hour)
	@bash test/services.sh

test-browser: build ## the pages in a real browser: both languages, phone width, accessibility
	@bash test/browser/run.sh

lint: ## gofmt, go vet, staticcheck
	@fmt=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$fmt" || { echo "not gofmt-ed: $$fmt"; exit 1; }
	$(GO) vet ./...
	@echo "running staticcheck (the first time builds it)"
	$(GO) run $(STATICCHECK) ./...

bench-trace: ## traces against recursive SQL on PostgreSQL over a million lots (eight minutes, 5 GB of disk; LOTS=small: one minute)
	FOODTRACE_SERVICES=1 FOODTRACE_BENCH_MILLION=$(if $(filter small,$(LOTS)),,1) $(GO) test -run '^$$' -bench Trace -benchtime 3x -timeout 90m ./internal/index/postgres

bench: ## print the figures of docs/benchmarks.md
	@echo "running the benchmarks (about three minutes)"
	$(GO) test -run '^$$' -bench 'Capture|ConsumerPage|Trace' -benchtime 3x -timeout 30m ./cmd/foodtrace ./internal/index/sqlite
	$(GO) test -run '^$$' -bench Read -benchtime 10x ./ingest/formats

scale: ## bytes and processor time of an event at growing numbers of events (docs/scale.md; EVENTS=10000000: an hour, 15 GB)
	@echo "writing $(EVENTS) events (a million take about three minutes and 2 GB of disk)"
	@$(GO) run ./test/scale -events $(EVENTS)

bench-fabric: ## our chaincode against one that stores each event under its own key, on a Fabric network on this machine
	@echo "running the benchmark on Fabric (about five minutes; the first time it also builds the network's programs)"
	$(GO) run ./test/fabric/bench

fuzz: ## fuzz every parser (FUZZ=60: minutes for all together; PKG=./ingest/epcis: only these)
	@bash test/fuzz.sh

soak: ## the long campaigns: a million movements under a hold, two hundred kills and a hundred in a long job, an hour of fuzzing
	@bash test/soak.sh

clean: ## remove what was built
	rm -rf bin dist
