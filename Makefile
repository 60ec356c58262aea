# Every target is what CI runs, too. `make` lists them.
.DEFAULT_GOAL := help
.PHONY: help dev build generate fmt lint test race e2e check previous crash bench backstage migrate image test-tools
.SUFFIXES:

# An empty HOME must not stop a build; version control data is ours to stamp (another user's checkout makes git refuse).
export GOFLAGS := -mod=readonly -buildvcs=false
ifeq ($(strip $(HOME)),)
export GOPATH := $(CURDIR)/.cache/go
export GOCACHE := $(CURDIR)/.cache/go-build
export npm_config_cache := $(CURDIR)/.cache/npm
endif

VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -X main.version=$(VERSION)

# What the tests find the browser, its driver and the second identity provider by.
TEST_ENV = PLAYWRIGHT_DRIVER_PATH="$(CURDIR)/.cache/playwright" SLIPWAY_TEST_CHROMIUM="$$(cat .cache/chromium 2>/dev/null)" \
	SLIPWAY_TEST_OIDC_PROVIDER="$(CURDIR)/.cache/oidc-provider" SLIPWAY_TEST_CATALOG_MODEL="$(CURDIR)/.cache/catalog-model"
WITH_POSTGRES = go run ./dev/postgres/with
# lint vets; go test would do it again, dependencies and all.
GOTEST = go tool gotestsum --format pkgname-and-test-fails --hide-summary skipped -- -tags dev -vet=off -timeout 60m
# Where goroutines of ours meet in one process: requests and streams, sessions and their rechecks, the store's transactions, sealing and
# notifications, the engine with its leases, the couriers. What is left out of it walks faults one after the other (provisioners/aws), drives
# programs from outside (e2e), computes, or stands in for the outside; and the race detector would want all of AWS's SDK built once more.
# make race lets it watch everything.
RACED = ./handlers/... ./web/... ./models/store ./provisioners ./provisioners/notify ./provisioners/rollup ./provisioners/delivery
PLAIN = ./e2e $$(go list -tags dev ./... | grep -vxF "$$(go list -tags dev $(RACED) ./e2e)") # the longest begins first

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

dev: ## Run everything on this machine, at http://localhost:8080 (Ctrl-C ends it)
	@scripts/go-version
	@scripts/postgres
	@go build -tags dev -ldflags '$(LDFLAGS)' -o bin/slipway-dev .
	@exec bin/slipway-dev dev

build: ## Build the production binary, bin/slipway
	@scripts/go-version
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w $(LDFLAGS)' -o bin/slipway .

generate: ## Write generated code, styles, icons, the configuration table and what tools say of blueprints again
	@scripts/node-modules
	go tool templ generate -path views
	npm run --silent build
	go generate ./web/config
	@scripts/guard
	@go run . blueprint check --exceptions provisioners/blueprints/guard-exceptions.yaml --record provisioners/blueprints/checked.json provisioners/blueprints

fmt: ## Format Go and templ files
	gofmt -w $$(git ls-files --cached --others --exclude-standard '*.go' ':!*_templ.go')
	go tool templ fmt views

lint: ## Formatting, the build without the tag dev, vet, staticcheck
	@scripts/go-version
	@scripts/formatted
	go build ./...
	go vet -tags dev ./...
	go tool staticcheck -tags dev ./...

test-tools:
	@scripts/go-version
	@scripts/postgres
	@scripts/browser
	@scripts/oidc-provider
	@scripts/catalog-model

test: test-tools ## Run every test: unit, store, simulator, handlers, browser
	@raced=passed; $(TEST_ENV) $(WITH_POSTGRES) $(GOTEST) -race $(RACED) || raced=failed; \
	$(TEST_ENV) $(WITH_POSTGRES) $(GOTEST) $(PLAIN) && [ $$raced = passed ]

race: test-tools ## Run every test with the race detector, which takes long
	@$(TEST_ENV) $(WITH_POSTGRES) $(GOTEST) -race ./...

e2e: test-tools ## Run the browser tests only
	@$(TEST_ENV) $(WITH_POSTGRES) $(GOTEST) -count=1 ./e2e/...

check: ## All that CI runs: generated files are current, lint, tests (the import rule is one of them)
	@scripts/go-version
	@scripts/current
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory previous

previous: test-tools ## Run the last tagged release on the schema of this version
	@$(TEST_ENV) scripts/previous-release

crash: test-tools ## Kill the process at random, two hundred times, and compare the worlds
	@$(TEST_ENV) SLIPWAY_TEST_KILLS=200 $(WITH_POSTGRES) go test -tags dev -count=1 -timeout 60m -v -run '^TestRandomKills' ./e2e/...

bench: test-tools ## Measure pages, memory, start and sizes; reports, never fails
	@$(TEST_ENV) $(WITH_POSTGRES) go test -tags dev -count=1 -timeout 60m -v -run '^$$' -bench . -benchtime 1x . ./e2e/... ./models/price
	@$(TEST_ENV) $(WITH_POSTGRES) go test -tags dev -count=1 -timeout 40m -v -run '^$$' -bench 'BenchmarkHealth|BenchmarkCosts|BenchmarkPipelines|BenchmarkWhere' -benchtime 50x ./models/store

backstage: ## Type-check the plugin for Backstage (npm, some minutes when its packages are not there yet)
	@scripts/backstage-plugin

migrate: build ## Bring the database named by SLIPWAY_MIGRATE_DATABASE_URL up to date
	bin/slipway migrate

image: ## Build the container image slipway:<version>
	docker build --build-arg VERSION=$(VERSION) -t slipway:$(VERSION) .
