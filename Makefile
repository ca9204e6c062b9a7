# make test       the tests, after installing the referees that are missing
# make check      all that a change must pass; wants everything committed
# make golden     rewrite the expected outputs under testdata
# make test-long  also the tests that take minutes
# make bench      every benchmark, once
#
# The tools are pinned in tools/go.mod and need no installation.

GO       ?= go
TOOL      = $(GO) tool -modfile=tools/go.mod
GOFILES   = $(shell git ls-files --cached --others --exclude-standard '*.go')

# Properties are tried on the same draws every time; long runs draw anew.
export RAPID_SEED ?= 1

.PHONY: test check quick referees golden test-long bench

test: referees
	$(GO) test ./...

# A golden that is out of date shows as a changed file, hence one run does both.
check: quick
	$(TOOL) staticcheck ./...
	VLEC_GOLDEN=1 $(GO) test -race -short -timeout 20m ./...
	@test -z "$$(git status --porcelain)" || { git status --short; git --no-pager diff --stat; \
		echo 'make check: the tree is not clean: commit the changes, or read what the goldens say'; exit 1; }

# The part of check that takes seconds.
quick:
	$(GO) mod tidy -diff
	@files=$$($(TOOL) gofumpt -l $(GOFILES)) && test -z "$$files" || { echo "$$files"; \
		echo 'not in format: $(TOOL) gofumpt -w .'; exit 1; }
	$(GO) vet ./...

referees:
	@tools/install-referees.sh

golden:
	VLEC_GOLDEN=1 $(GO) test ./...

# sim/crosscheck takes longest: gates of 23 networks, 220 networks in Verilator,
# transistors and ngspice that train.
test-long: referees
	VLEC_LONG=1 RAPID_SEED=0 $(GO) test -timeout 6h ./...

bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...
	$(GO) run ./bench/reference
