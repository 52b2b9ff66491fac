# tsdb: `make test` checks everything a change must pass, on any Debian machine with Go.
# The other targets are its parts, and the longer measurements.

GO                  ?= go
FUZZTIME            ?= 4s
SOAK                ?= 10m
LOAD                ?= 5m
CLOUD               ?=
SCALE               ?=
BENCH               ?= -for 14m -patience 2m
STATICCHECK_VERSION := v0.8.2

BIN         := $(CURDIR)/.cache/bin
STATICCHECK := $(BIN)/staticcheck-$(STATICCHECK_VERSION)

# What runs goroutines of its own or is called from many, and is therefore tested under the race detector.
RACE := ./engine/... ./index/... ./query/... ./server/... ./cmd/...

.NOTPARALLEL:
.PHONY: test tools build lint unit race fuzz nested conformance client suite keystone clients exporters ceilometerclient differential bench seed ceilometer cloud load load-short servers soak scale

test: tools lint build unit race fuzz nested servers conformance keystone load-short
	@echo "make test: all passed"

tools:
	scripts/setup

build:
	$(GO) build ./...
	$(GO) build -o bin/tsdb ./cmd/tsdb

lint: $(STATICCHECK)
	scripts/gofmt
	$(GO) vet ./...
	$(STATICCHECK) ./...
	$(GO) test -count=1 ./internal/lint

unit:
	$(GO) test -timeout 15m ./...

race:
	$(GO) test -race -timeout 15m $(RACE)

fuzz:
	FUZZTIME=$(FUZZTIME) scripts/fuzz
	cd bench && FUZZTIME=$(FUZZTIME) ../scripts/fuzz

# bench is a module of its own, so that its peers' dependencies stay out of this one.
nested: $(STATICCHECK)
	cd bench && $(GO) vet ./... && $(STATICCHECK) ./... && $(GO) test -short ./...

# The adapters of the servers that Debian packages, which are unpacked below bench/.work: whole runs and kills.
servers:
	cd bench && $(GO) run ./cmd/debian promserver vmserver influxdb
	cd bench && TARGETTEST_SERVERS=required $(GO) test -count=1 ./target/promserver ./target/vmserver ./target/influxdb

conformance: client suite clients exporters ceilometerclient

# The founding measurement with the real client.
client:
	conformance/client.sh

# Every endpoint beside a real Keystone, asked with everybody's tokens.
keystone:
	conformance/keystone/keystone.sh

# Gnocchi's own API tests, all of them.
suite:
	conformance/suite/suite.sh

# Every command of the client, Ceilometer, collectd's plugin, and what others ask.
clients:
	conformance/clients.sh

# What OpenTelemetry's SDK and Prometheus export.
exporters:
	conformance/exporters/exporters.sh

# Every command of Ceilometer's client.
ceilometerclient:
	conformance/ceilometerclient/ceilometerclient.sh

# Thousands of random requests to a real Gnocchi and to tsdb.
differential:
	conformance/differential/differential.sh

# Stores and servers side by side, then the goals, then the report, in under 15 minutes; flags in BENCH. Debian's peers are fetched first, some of
# them only for root. bench/README.md tells more.
bench:
	cd bench && $(GO) run ./cmd/bench -install $(BENCH)

# Kills a writing process for SOAK and looks for everything it acknowledged.
soak:
	$(GO) test ./fuzz/crash -run TestSoak -count=1 -v -timeout 0 -soak $(SOAK)

# The founding measurement, over HTTP.
seed:
	cd bench && $(GO) run ./cmd/seed

# The founding measurement as samples of Ceilometer's, published and asked over HTTP.
ceilometer:
	cd bench && $(GO) run ./cmd/ceilometer

# A small cloud over HTTP, as Ceilometer feeds it and dashboards ask it; with CLOUD=-scale, the same results from large stores.
cloud:
	cd bench && $(GO) run ./cmd/cloud $(CLOUD)

# The server under 64 clients for LOAD: built with the race detector, and as it is shipped, for its memory.
load:
	cd bench && $(GO) run ./cmd/load -for $(LOAD)
	cd bench && $(GO) run ./cmd/load -for $(LOAD) -race=false

load-short:
	cd bench && $(GO) run ./cmd/load -for 20s

# A million metrics and more: cost, memory, opening, searching, write amplification, a month; SCALE passes flags on.
scale:
	cd bench && mkdir -p .work && $(GO) run ./cmd/bench -targets none -sets none -goals scale -goal-timeout 1h -out .work/scale.jsonl $(SCALE)

$(STATICCHECK):
	GOBIN=$(BIN) $(GO) install honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION)
	mv $(BIN)/staticcheck $@
