# `make` prints this help: a target's line is what follows its ##.

GO       ?= go
LINTER   := .tools/bin/golangci-lint
FUZZTIME ?= 10s
gofiles   = $(shell git ls-files --cached --others --exclude-standard '*.go')

# Of what SQLite does the race detector sees nothing: it was C, and keeps its memory outside of Go's heap. To ask it
# about each of those reads and writes is most of the work of our tests, so the translated C is left out; the driver
# above it is not. argon2 fills 19 MiB of its own in one goroutine. In the environment, because tests build servers too. And a second of sleep at the end of each
# process, of which our tests start hundreds, waits for races of goroutines that nobody waits for.
unraced   := $(patsubst %,-gcflags=%=-race=false,$(addprefix modernc.org/,sqlite/lib libc/... memory) golang.org/x/crypto/argon2)
racing     = GOFLAGS="$$(go env GOFLAGS) $(unraced)" GORACE="atexit_sleep_ms=0 $$GORACE" $(GO)

.DEFAULT_GOAL := help
.PHONY: help build test setup check fmt-check vet lint tidy-check unit race clients fuzz nightly bench bench-large clean

help: ## Print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

build: ## Build the binary into bin/dargah
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/dargah .

test: ## Everything: set up, check, test with -race, summarise (SETUP=no installs nothing)
	@SETUP='$(SETUP)' bash scripts/test.sh

setup: ## Install the linter, the npm packages and, on Debian/Ubuntu, the client programs
	@bash scripts/setup.sh

check: fmt-check vet lint ## Format, vet and lint

fmt-check: ## Name the files that gofmt would change
	@unformatted="$$(gofmt -l $(wildcard $(gofiles)))" && \
	if [ -n "$$unformatted" ]; then echo "gofmt would change:"; echo "$$unformatted"; exit 1; fi

vet: ## Run go vet
	$(GO) vet ./...

lint: ## Run golangci-lint (installed by make setup)
	@[ -x $(LINTER) ] || { echo "$(LINTER) is missing: run make setup"; exit 1; }
	$(LINTER) run ./...

tidy-check: ## go.mod is tidy and free of replace and exclude
	$(GO) mod tidy -diff
	@! grep -nE '^[[:space:]]*(replace|exclude)([[:space:]]|$$)' go.mod

unit: ## Quick tests, without the client programs
	$(GO) test -short ./...

race: ## All tests with the race detector
	@$(racing) test -race -count=1 -timeout=25m $(FLAGS) ./...

clients: ## Only the client programs of the providers' pages, against the real binary
	$(GO) test -count=1 -v ./test/clients/

fuzz: ## Each fuzz target for a moment (FUZZTIME=10s)
	@bash scripts/fuzz.sh $(FUZZTIME)

nightly: ## Long fuzzing, then all tests several times in random order (FUZZTIME=5m)
	@bash scripts/fuzz.sh $(if $(filter file,$(origin FUZZTIME)),5m,$(FUZZTIME))
	$(racing) test -race -count=5 -shuffle=on -timeout=60m ./...
	KILLS=50 $(GO) test -count=1 -timeout=60m ./internal/audit/ ./internal/store/ # at full size: -race makes these tests smaller
	NIGHTLY=1 $(GO) test -count=1 -timeout=90m ./test/fault/ ./internal/courier/ # at full size, with builds that must fail

bench: ## Measure against a bare net/http handler, as ratios, on SQLite and PostgreSQL
	$(GO) run ./test/bench

bench-large: ## The person inquiry with ten thousand against ten million people: 12 GB of disk, a quarter of an hour
	$(GO) run ./test/bench -people 10000,10000000 -only 'person inquiry'

clean: ## Remove what make made
	rm -rf bin .tools coverage.out
