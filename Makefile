# Encore from a fresh clone: `make run`. Every other target is for those who change it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run demo test check bench docs environment tools clean
PY := .venv/bin/python
# Arguments for the command behind a target, as in: make demo ARGS="--orders 1000000"
ARGS ?=

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## install what is missing, make the demo store if there is none, start the app
	@scripts/environment.sh runtime
	@$(PY) -m lib run $(ARGS)

demo: ## make the demo store anew, of any size: make demo ARGS="--orders 1000000"
	@scripts/environment.sh runtime
	@$(PY) -m lib demo $(ARGS)

test: tools ## everything CI runs: ruff, mypy, every test on SQLite, PostgreSQL and in Chromium
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) -m pytest -n 2 $(ARGS)

check: environment ## the fast part of `make test`, in under a minute
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) -m pytest -n 2 -q -m "not slow and not browser and not postgres" $(ARGS)

bench: environment ## measure speed and size, one table: make bench ARGS="--orders 1000000"
	@$(PY) -m bench $(ARGS)

docs: environment ## write the generated documents anew
	@$(PY) -m lib.cli.document

environment: # the Python environment with the tools for developers
	@scripts/environment.sh development

tools: environment # PostgreSQL and Chromium for the tests
	@scripts/test_tools.sh

clean: ## remove the environment and the caches; never data
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find lib pages tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
