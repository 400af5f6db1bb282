# Everything a developer runs. `make demo` and `make test` work on a fresh machine that has Python 3.11 to
# 3.13 (with venv), make and a package index.

# The first interpreter that is new enough and can make a virtual environment; override with PYTHON=...
PYTHON ?= $(shell for candidate in python3 python3.13 python3.12 python3.11; do \
	"$$candidate" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
	2>/dev/null && { echo "$$candidate"; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
MADE := $(VENV)/.made
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev

.DEFAULT_GOAL := help
.PHONY: help venv demo test lint format bench wheel packages clean

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

venv: $(DEV) ## make .venv with the project (editable) and all development tools

demo: $(RUNTIME) ## scan the shipped example share and show the report
# Exit status 1 says that something is over-shared: what the demo is there to show.
	@$(BIN)/sharewatch demo || [ $$? -eq 1 ]

test: lint ## lint, type-check, check the layers, run all tests
# A process for each core; the tests of one file stay together, as they share what is slow to set up.
	$(BIN)/python -m pytest -n logical --dist loadfile

lint: $(DEV) ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV) ## reformat and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(DEV) ## measure speed and accuracy (see bench/README.md)
	$(BIN)/python -m bench.speed
	$(BIN)/python -m bench.accuracy

wheel: $(DEV) ## build dist/*.whl
	$(PIP) wheel --no-deps --wheel-dir dist .

packages: $(DEV) ## build dist/*.deb and dist/*.rpm with their bill of materials and checksums
	$(BIN)/python packaging/build.py

clean: ## remove what was built; .venv stays
	rm -rf build dist bench/out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -print | xargs -r rm -rf

$(MADE):
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 with venv is needed (Debian: apt-get install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(RUNTIME): $(MADE) pyproject.toml hatch_build.py scanner/native.c
	$(PIP) install --editable .
	@touch $@

$(DEV): $(MADE) pyproject.toml hatch_build.py scanner/native.c
	$(PIP) install --editable '.[dev]'
	@touch $(RUNTIME) $@
