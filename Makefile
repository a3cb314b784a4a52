# SPDX-License-Identifier: Apache-2.0

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo drill rollout build test cli soak peers oracle fuzz bench bench-quick bench-programs bench-codec format lint clean

shop := --package-path Examples/Shop
lifecycle := --package-path Examples/Lifecycle
telemetry := --package-path Examples/Telemetry
admin := --package-path Examples/Admin
judge := --package-path Tests/SwiftOracle
security := --package-path Examples/Security
configured := --package-path Examples/Configuration
journal := --package-path Examples/SwiftProtobuf
tools := --package-path Tools
# Where the toolchain can, not all tests at once: two threads would serve a thousand of them, and deadlines pass.
width = $(shell swift test --help-hidden 2>/dev/null | grep -q -e --experimental-maximum-parallelization-width && \
	echo --experimental-maximum-parallelization-width 16)
sources := Sources Plugins Tests Examples Benchmarks Tools Package.swift

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

setup: ## Install the C libraries and tools that are missing
	@.ci/setup

demo: setup ## Build the demo shop and run it: five processes, one killed, one stopped, no call lost
	@echo "Building the demo (the first time takes a minute or two)"
	@swift build $(shop)
	@"$$(swift build $(shop) --show-bin-path)/shop-demo"

drill: setup ## Kill, freeze, slow and restart the instances of a service under 2,000 calls a second
	@swift build -c release $(shop) --product drill-worker
	@swift build -c release $(shop) --product failure-drill
	@"$$(swift build -c release $(shop) --show-bin-path)/failure-drill" --strict

rollout: setup ## Replace all instances of a service 50 times under 2,000 calls a second and open streams: ARGS="--rounds 5"
	@swift build -c release $(shop) --product drill-worker
	@swift build -c release $(shop) --product rollout
	@"$$(swift build -c release $(shop) --show-bin-path)/rollout" $(ARGS)

build: setup ## Build the library
	@swift build

test: peers oracle ## Run all tests, those of the examples too
	swift build --build-tests
	swift test --skip-build --disable-xctest $(width)
	swift build $(shop) --build-tests
	swift test $(shop) --skip-build --disable-xctest
	"$$(swift build $(shop) --show-bin-path)/shop-demo" --quick --calls 200
	"$$(swift build $(shop) --show-bin-path)/failure-drill" --quick
	"$$(swift build $(shop) --show-bin-path)/rollout" --quick
	swift build $(lifecycle) --build-tests
	swift test $(lifecycle) --skip-build --disable-xctest
	swift build $(telemetry) --build-tests
	swift test $(telemetry) --skip-build --disable-xctest
	swift build $(security) --build-tests
	swift test $(security) --skip-build --disable-xctest
	swift build $(configured) --build-tests
	swift test $(configured) --skip-build --disable-xctest
	swift build $(admin) --build-tests
	swift test $(admin) --skip-build --disable-xctest
	swift test --package-path Benchmarks/Load --disable-xctest
	swift build $(journal) --build-tests
	swift test $(journal) --skip-build --disable-xctest
	swift build $(tools) --build-tests
	swift test $(tools) --skip-build --disable-xctest $(width)
	.ci/check-plugins
	swift build -c release $(judge) --build-tests
	swift test -c release $(judge) --skip-build --disable-xctest

cli: setup ## Build the command line 'apus' and say where it is
	@swift build -c release $(tools) --product apus
	@echo "$$(swift build -c release $(tools) --show-bin-path)/apus"

soak: setup ## Simulate many worlds: SEEDS=n of them, or the one of SEED=k with its trace
	swift build --build-tests
	APUS_SEEDS=$(or $(SEEDS),20000) APUS_SEED=$(SEED) swift test --skip-build --disable-xctest --filter SimulationTests

peers: ## Install Python's gRPC and gRPC C++, which the tests call and are called by
	@.ci/setup --peers
	@.ci/peers

oracle: peers ## Build Google's C++ protobuf into a program that the tests ask
	@.ci/oracle

fuzz: oracle ## Fuzz what reads bytes from outside: a minute each, or SECONDS=n; TARGETS="deframer texts"
	@.ci/fuzz $(or $(SECONDS),60) $(TARGETS)
	swift build --build-tests
	APUS_DIFFERENTIAL_MESSAGES=1000000 swift test --skip-build --disable-xctest --filter DifferentialTests

bench-codec: setup ## Measure messages beside protobuf-c and swift-protobuf: ARGS="--json --row small"
	@swift build -c release --package-path Benchmarks --product apus-bench-codec
	@"$$(swift build -c release --package-path Benchmarks --show-bin-path)/apus-bench-codec" $(ARGS)

bench: peers ## Measure all that the benchmark knows: some twenty minutes, once all of it is built
	@.ci/setup --bench
	@.ci/peers-bench
	@$(MAKE) --no-print-directory bench-programs
	Benchmarks/bench.py

bench-quick: ## Measure the main rows in under two minutes, once the peers are built
	@.ci/setup --bench
	@.ci/peers-bench limit cpp go
	@$(MAKE) --no-print-directory bench-programs
	@Benchmarks/bench.py --quick

bench-programs: # The server and the client that are measured
	swift build -c release --package-path Benchmarks --product apus-bench-server
	swift build -c release --package-path Benchmarks --product apus-bench-client

format: ## Format all Swift files
	@swift format -i -r -p $(wildcard $(sources))

lint: ## Check the format of all Swift files
	@swift format lint --strict -r -p $(wildcard $(sources))

clean: ## Remove all that was built or downloaded
	rm -rf .build .build-* Examples/Shop/.build Examples/Plugin/.build Examples/Lifecycle/.build Examples/Telemetry/.build \
		Examples/Admin/.build Examples/Security/.build Examples/Configuration/.build Examples/SwiftProtobuf/.build \
		Benchmarks/.build Tools/.build Tests/SwiftOracle/.build .peers .demo
