# The commands of this project. `make run` is the one to start with; CI calls `make test`.
.DEFAULT_GOAL := help
.PHONY: help run test test-all check bench docs picture deps lock-check environment

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1: /p' $(MAKEFILE_LIST)

run: ## the example, from raw data to a packaged service (makes the environment first)
	@scripts/environment.sh example
	@scripts/run.sh

test: ## lint and the tests: what CI runs, under 15 minutes on 2 cores
	@scripts/environment.sh example,dev
	@scripts/browser.sh
	@scripts/check.sh
	@scripts/test.sh fast

test-all: ## the same with the slow tier
	@scripts/environment.sh example,dev
	@scripts/browser.sh
	@scripts/check.sh
	@scripts/test.sh all

check: environment ## style, types and layers only
	@scripts/check.sh

bench: environment ## the benchmarks, into benchmarks/RESULTS.md
	@.venv/bin/python -m benchmarks.path
	@.venv/bin/python -m benchmarks.training
	@.venv/bin/python -m benchmarks.service
	@.venv/bin/python -m benchmarks.comparing
	@.venv/bin/python -m benchmarks.orchestration

docs: environment ## the reference pages, from the code
	@.venv/bin/python -m scripts.reference

PROJECT ?= .tunegate/demo
PAGE ?= /p/support/model/now
picture: environment ## the README's picture, of the demo or: make picture PROJECT=folder PAGE=/p/support/model/v1.0.0
	@.venv/bin/python -m scripts.picture "$(PROJECT)" "$(PAGE)"

deps: environment ## the stages' code deps in dvc.yaml, from the import graph
	@.venv/bin/python -m scripts.code_deps

lock-check: environment ## whether the constraints resolve for every supported Python
	@scripts/lock_check.sh

environment: # for developers: the example's packages and the tools
	@scripts/environment.sh example,dev
