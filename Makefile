# make help lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/sh
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
TOOL := go tool -modfile=tools/go.mod
BUILD := go build -buildvcs=false -ldflags "-X portaldb/internal/cli.version=$(VERSION)" -o bin/portaldb ./cmd/portaldb

# How large the long tests were stands in their logs, which are shown only here when they pass.
SIZES := sed -n 's/.*"Test":"\([^"]*\)","Output":"  *[a-z_]*_test.go:[0-9]*: \(.*\)\\n".*/  \1: \2/p' bin/test.json | \
	grep -E ': ([0-9]+ (kills|cuts|restarts|combinations|objects dropped|statements on|of [0-9]+ versions|uploads at once|MiB uploaded)|written meanwhile|lock held|first start)' || true
define run_tests
mkdir -p bin; status=0; \
$(TOOL) gotestsum --format pkgname-and-test-fails --jsonfile bin/test.json -- $(1) ./... || status=$$?; \
echo; echo "sizes of the long tests:"; $(SIZES); exit $$status
endef

.PHONY: help dev build test test-full test-race fuzz generate verify lint bench clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

dev: build ## Start everything: PostgreSQL, migrations, HTTP API; installs PostgreSQL when it is missing
	@tools/install.sh postgresql
	@exec bin/portaldb dev $(ARGS)

build: ## Build bin/portaldb
	@$(BUILD)

test: lint ## Check generated files, lint, and run the tests in their short sizes; installs PostgreSQL and Node when they are missing
	@tools/install.sh postgresql node
	@$(call run_tests,-short -timeout 30m)

test-full: lint ## The same with the long tests in full size
	@tools/install.sh postgresql node
	@$(call run_tests,-timeout 180m)

test-race: ## The short sizes under the race detector
	@tools/install.sh postgresql node
	@$(call run_tests,-short -race -timeout 90m)

fuzz: ## Let every fuzz test look for new inputs, five minutes each
	@tools/install.sh postgresql
	@grep -rn --include='*_test.go' '^func Fuzz' internal | sed 's|\(.*\)/[^/]*:[0-9]*:func \(Fuzz[A-Za-z_]*\).*|\1 \2|' | \
	while read -r package target; do \
		go test "./$$package" -run '^$$' -fuzz "^$$target\$$" -fuzztime 5m || exit 1; \
	done

generate: ## Write db/ from queries/ and migrations/, the effect of each migration, and docs/lint.md
	@tools/install.sh postgresql
	$(TOOL) sqlc generate
	go test ./queries -run '^TestStatements_Fresh$$' -count=1 -update
	go test ./internal/lint -run '^TestDocs_Fresh$$' -count=1 -update
	go test ./internal/schema -run '^TestEffects_Fresh$$' -count=1 -update

verify: ## Check that what is generated is in step with its source, and that every query prepares
	@tools/install.sh postgresql
	go test ./queries ./internal/schema ./internal/lint -run "^(TestVet|TestGenerated|TestEffects_Fresh|TestStatements_Fresh|TestDocs_Fresh)$$"

lint: ## Run golangci-lint, with the import rules of the layout
	$(TOOL) golangci-lint run --allow-parallel-runners

bench: ## Print the speed of up, of rollbacks over 5,000,000 rows, of every route on a million submissions, and of files, next to peers; installs nginx
	@tools/install.sh postgresql nginx
	go test ./cmd/portaldb -run '^$$' -bench Up -benchtime 1x -timeout 60m
	go test ./internal/schema -run '^$$' -bench Rollback -benchtime 1x -timeout 60m
	go test ./internal/cli -run '^$$' -bench Routes -benchtime 1x -timeout 60m
	go test ./internal/cli -run '^$$' -bench Files -benchtime 1x -timeout 60m

clean: ## Remove what was built
	rm -rf bin
