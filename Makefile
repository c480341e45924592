# Everything a contributor needs; `make help` lists it.
MODULES := cmd gen internal reliability services/edge services/rooms services/storage yjs
BIN     := $(CURDIR)/.bin
TOOLS   := $(BIN)/buf $(BIN)/protoc-gen-go $(BIN)/protoc-gen-connect-go $(BIN)/golangci-lint
LINTERS := $(addprefix lint/,$(filter-out gen,$(MODULES)))
# What the protos must stay compatible with: the last release, or the last commit.
BREAKING_REF := $(shell git describe --tags --abbrev=0 2>/dev/null || git rev-parse -q --verify HEAD~1 2>/dev/null || echo HEAD)
FUZZTIME := 10s
# Random programs that make fuzz compares with yjs.
PROGRAMS := 1000000

.DEFAULT_GOAL := help
.PHONY: help test bench-engine go-test reliability soak lint lint-proto generate generated alone page-fresh prerequisites allocation differential mutants fuzz bench conformance conformance-apart browser compose record page up tools clean $(LINTERS)

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

test: prerequisites alone generated lint page-fresh go-test allocation differential conformance browser reliability ## everything that must pass before a change lands

prerequisites: ## install what the tests need beyond Go and Node, where it is missing
	@./.ci/prerequisites

go-test: ## Go tests of all modules, with the race detector
	go test -race -timeout 30m $(addprefix ./,$(addsuffix /...,$(filter-out reliability,$(MODULES))))

reliability: prerequisites ## real processes, killed, cut off and filled up: docs/reliability.md, the short form
	./reliability/run.sh

soak: prerequisites ## the same for hours: docs/reliability.md, the long form
	./reliability/run.sh -soak -timeout 24h

lint: lint-proto $(LINTERS) ## vet, linters, protos, formatting

$(LINTERS): $(TOOLS)
	cd $(@:lint/%=%) && go vet ./... && $(BIN)/golangci-lint run ./...

lint-proto: $(TOOLS)
	$(BIN)/buf lint
	$(BIN)/buf format --diff --exit-code
	$(BIN)/buf breaking --against '.git#ref=$(BREAKING_REF)'

generate: $(TOOLS) ## generate gen/ from proto/
	PATH="$(BIN):$$PATH" $(BIN)/buf generate

generated: $(TOOLS) ## fail if gen/ isn't what proto/ says
	@./.ci/generated

alone: ## build each module without the workspace
	@set -e; for module in $(MODULES); do echo "GOWORK=off go build $$module"; (cd $$module && GOWORK=off go build -o /dev/null ./... && GOWORK=off go mod tidy -diff); done
	@echo "GOARCH=386 go build yjs" # others import it, also where an int has 32 bits
	@cd yjs && GOWORK=off GOOS=linux GOARCH=386 CGO_ENABLED=0 go build . ./content ./awareness ./lib0 ./protocol

allocation: ## what reading hostile updates allocates, without the race detector, which allocates itself
	cd yjs && go test -count=1 -run '^TestAllocationOfEach$$' .

differential: ## 20 000 random programs against yjs, without the race detector
	cd yjs && YJS_PROGRAMS=20000 go test -count=1 -v -timeout 30m -run '^TestPrograms$$' ./internal/difftest

mutants: ## put bugs into the engine one by one: the tests must see each (some minutes)
	cd yjs && go test -count=1 -v -tags mutants -timeout 2h -run TestMutants ./internal/difftest

fuzz: ## every fuzz target for FUZZTIME each, and PROGRAMS random programs against yjs
	@./.ci/fuzz $(FUZZTIME)
	cd yjs && YJS_PROGRAMS=$(PROGRAMS) go test -count=1 -v -timeout 24h -run '^TestPrograms$$' ./internal/difftest

bench: ## every Go benchmark, with allocations
	go test -run '^$$' -bench . -benchmem $(addprefix ./,$(addsuffix /...,$(filter-out gen,$(MODULES))))

bench-engine: $(BIN)/benchstat ## the engine, yjs and ywasm on the same bytes, with ratios (10 minutes; results in bench-engine/)
	go run ./yjs/internal/bench
	cd bench-engine && $(BIN)/benchstat -filter '.unit:(cpu-sec/op OR heap-B/op)' yjs.txt ywasm.txt fjord.txt

conformance: ## the real npm clients against the real binaries
	./conformance/run.sh js

conformance-apart: ## the same against edge, rooms and storage as three processes
	FJORD_APART=1 ./conformance/run.sh js

browser: ## the editor page, Tiptap and ProseMirror in Chromium, two tabs each
	./conformance/run.sh browser

compose: ## the three containers: two clients converge, killed and up again, nothing lost (needs Docker)
	./conformance/run.sh compose

record: ## record anew what real clients and the server say, for the tests of the dialects
	./conformance/record/record.sh

page: ## build the editor page that the edge embeds
	cd services/edge/page && npm ci && npm run build

page-fresh: ## fail if the embedded page isn't what its source says
	cd services/edge/page && npm ci --no-audit --no-fund --loglevel=error && npm run check

up: ## three containers, by Docker compose
	docker compose up --build

tools: $(TOOLS) ## build the pinned tools into .bin/

# A module of its own, so that the other tools don't move with it.
$(BIN)/benchstat: tools/benchstat/go.mod tools/benchstat/go.sum
	mkdir -p $(BIN)
	cd tools/benchstat && GOWORK=off GOBIN=$(BIN) go install tool
	touch $@

$(TOOLS) &: tools/go.mod tools/go.sum
	mkdir -p $(BIN)
	cd tools && GOWORK=off GOBIN=$(BIN) go install tool
	touch $(TOOLS)

clean: ## remove what the other targets made
	rm -rf $(BIN) bench-engine conformance/.bin conformance/out
	find . -name node_modules -prune -exec rm -rf {} +
