# Bellwether. `make demo` shows it, `make test` proves it; both set up what they need, once.
#   PYTHON=/path/to/python3   another Python (3.11 to 3.13) than the newest one found on PATH
#   SEED=7                    another seed for `make demo`; OPS_ARGS="--keep" for its options

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

BIN := .venv/bin
ROOMS := cli dashboards infra loadtests runbooks
CANDIDATES := python3.13 python3.12 python3.11 python3
USABLE := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
RUNTIME := .venv/.runtime-installed
INFRA := .venv/.infra-installed
DEV := .venv/.dev-installed
# An index that is configured for pip (a company mirror) serves uv too.
INDEX := index="$${UV_DEFAULT_INDEX:-$${PIP_INDEX_URL:-$$($(BIN)/python -m pip config get global.index-url 2>/dev/null || true)}}"; \
  [ -z "$$index" ] || export UV_DEFAULT_INDEX="$$index"
UV := $(INDEX); $(BIN)/uv --quiet --no-progress
INSTALL := $(UV) pip install --python $(BIN)/python --require-hashes --only-binary :all:


.PHONY: help setup demo test bench bench-infra check programs lock clean
help:
	@echo 'make demo      a good release promoted, two bad ones rolled back, on this machine (sets up what it needs)'
	@echo 'make test      every check and every test (sets up what it needs)'
	@echo 'make setup     Python packages into .venv, for the command .venv/bin/ops and the tests'
	@echo 'make programs  Envoy, Prometheus, promtool, Alertmanager, amtool and pulumi: where each one is, had if missing'
	@echo 'make check     ruff, mypy, import contracts, docs; no tests'
	@echo 'make bench     the numbers: start-up, judge, demo runs, provisioning, load (some GB of others), capacity; make bench-infra, bench-load ... for one'
	@echo 'make lock      requirements*.lock anew from pyproject.toml'
	@echo 'make clean     remove .venv and all caches of the tools (not the cache of programs)'

setup: $(DEV)

demo: $(RUNTIME)
	@$(BIN)/python -m infra.programs --quiet envoy prometheus alertmanager
	@$(BIN)/ops demo $(if $(SEED),--seed $(SEED)) $(OPS_ARGS)

# The demo measures time: it runs last and alone.
test: check
	@$(BIN)/python -m infra.programs --quiet
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder --ignore tests/e2e --cov --cov-report=
	$(BIN)/coverage report --fail-under=95 --include="$$($(BIN)/python tests/pure.py)"
	$(BIN)/pytest tests/e2e

check: $(DEV)
	@$(MAKE) -j2 --output-sync check-ruff check-types check-imports check-docs

.PHONY: check-ruff check-types check-imports check-docs
check-ruff:
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo 'not formatted: $(BIN)/ruff format .'; exit 1; }
	@echo 'ruff: clean'

check-types:
	@$(BIN)/mypy

check-imports:
	@$(BIN)/lint-imports --no-logo

check-docs:
	@$(BIN)/python docs/check.py

bench: $(patsubst benchmarks/%.py,bench-%,$(wildcard benchmarks/*.py))

bench-%: $(DEV)
	@$(BIN)/python -m infra.programs --quiet
	@echo "== $*"; $(BIN)/python benchmarks/$*.py $(BENCH_ARGS)

# Not benchmarks/infra.py: as a script it would hide the package infra from every benchmark.
bench-infra: bench-provisioning

programs: $(RUNTIME)
	@$(BIN)/python -m infra.programs

# --- set-up: each step leaves a stamp in .venv and is not repeated while the stamp is newer than its inputs ---

.venv/.made:
	@python="$(PYTHON)"; \
	for candidate in $${python:-$(CANDIDATES)}; do \
	  if "$$candidate" -c '$(USABLE)' 2>/dev/null; then found="$$candidate"; break; fi; done; \
	if [ -z "$${found:-}" ]; then \
	  echo 'make: no usable Python 3.11-3.13 with venv was found; install it, for example: apt-get install python3 python3-venv' >&2; exit 1; fi; \
	echo "setup: making a virtual environment in .venv with $$("$$found" -V) ($$(command -v "$$found"))"; \
	"$$found" -m venv --clear .venv
	@touch $@

.venv/.uv-installed: .venv/.made requirements-setup.lock
	@echo 'setup: installing uv and hatchling (requirements-setup.lock) into .venv'
	@$(BIN)/python -m pip --quiet --disable-pip-version-check install --require-hashes --only-binary :all: -r requirements-setup.lock
	@touch $@

$(RUNTIME): .venv/.uv-installed requirements.lock pyproject.toml
	@echo 'setup: installing the packages the product runs on (requirements.lock) into .venv'
	@$(INSTALL) -r requirements.lock
	@echo 'setup: installing the command ops into .venv/bin (from this clone, editable)'
	@$(UV) pip install --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(INFRA): $(RUNTIME) requirements-infra.lock
	@echo 'setup: installing Pulumi and its Azure and Kubernetes packages (requirements-infra.lock) into .venv'
	@$(INSTALL) -r requirements-infra.lock
	@touch $@

$(DEV): $(INFRA) requirements-dev.lock
	@echo 'setup: installing the tools the tests need (requirements-dev.lock) into .venv'
	@$(INSTALL) -r requirements-dev.lock
	@touch $@

# Universal: one lock for Python 3.11 to 3.13. No index is written into it: yours is used. LOCK=--upgrade for the newest of all.
COMPILE = $(UV) pip compile --universal --fork-strategy fewest --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-emit-find-links --custom-compile-command 'make lock' $(LOCK)

lock: .venv/.uv-installed
	@$(COMPILE) --group setup -o requirements-setup.lock >/dev/null
	@$(COMPILE) pyproject.toml -o requirements.lock >/dev/null
	@$(COMPILE) --group infra -c requirements.lock -o requirements-infra.lock >/dev/null
	@$(COMPILE) --group dev -c requirements.lock -c requirements-infra.lock -o requirements-dev.lock >/dev/null
	@! grep -nE '://|--(index|find-links)' requirements*.lock || { echo 'a lock names an index'; exit 1; }
	@echo 'locked: requirements-setup.lock requirements.lock requirements-infra.lock requirements-dev.lock'

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage* dist
	find $(ROOMS) tests benchmarks -name __pycache__ -prune -exec rm -rf {} +
