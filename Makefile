# One word per habit. `make` alone lists them.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
DEMO_OUT ?= var/demo
FUZZ_S ?= 300
unexport PYTHONDONTWRITEBYTECODE # what is compiled once is kept, so that the program starts at once, in tests too

.PHONY: help setup demo test shuffle check audit bench fuzz torture published mutate pictures validation pins clean

help: ## what each word does
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.runtime ## the environment, with the mpa-monitor command
dev: $(VENV)/.dev ## the environment, with the test tools too

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: $(BIN)/python requirements.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

demo: setup ## rehearse the study: 12 synthetic patients, one year, in var/demo
	$(BIN)/mpa-monitor demo --out $(DEMO_OUT)

test: $(VENV)/.dev ## the whole test suite, on SQLite and PostgreSQL
	$(BIN)/python -m pytest -n 2 --dist worksteal -p no:randomly

shuffle: $(VENV)/.dev ## the same in an order that is another one at every run
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: $(VENV)/.dev ## static checks: style, types, architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@if $(BIN)/python tests/security/advisories.py --reachable; then $(MAKE) --no-print-directory -s audit; fi

$(VENV)/.bench: $(VENV)/.dev requirements-bench.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.txt
	@touch $@

bench: $(VENV)/.bench ## the benchmarks, written to benchmarks/results.md
	$(BIN)/python -m benchmarks

$(VENV)/.fuzz: $(VENV)/.dev requirements-fuzz.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-fuzz.txt
	@touch $@

$(VENV)/.audit: $(VENV)/.dev requirements-audit.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-audit.txt
	@touch $@

audit: $(VENV)/.audit ## ask for advisories about the pinned packages; `make check` does so where its service answers
	$(BIN)/python tests/security/advisories.py

fuzz: $(VENV)/.fuzz ## fuzz the readers of tables and messages, FUZZ_S seconds each (300)
	$(BIN)/python tests/intake/fuzz.py csv $(FUZZ_S)
	$(BIN)/python tests/intake/fuzz.py er7 $(FUZZ_S)
	$(BIN)/python tests/intake/fuzz.py fhir $(FUZZ_S)

torture: $(VENV)/.dev ## the crash and fault campaign (hours), written to docs/reliability.md
	PYTHONPATH=.:tests:tests/acceptance:tests/torture:tests/notifications:tests/engine $(BIN)/python tests/torture/campaign.py $(PARTS)

$(VENV)/.published: $(VENV)/.dev requirements-published.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-published.txt
	@touch $@

published: $(VENV)/.published ## published analyses of data sets that are not ours, and other libraries (Debian; fetches both)
	$(BIN)/python tests/published/fetch.py
	$(BIN)/python -m pytest -q tests/published

$(VENV)/.mutate: $(VENV)/.dev requirements-mutate.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-mutate.txt
	@touch $@

mutate: $(VENV)/.mutate ## change the rules in one place at a time and see whether a test notices (an hour)
	$(BIN)/mutmut run
	$(BIN)/python tests/mutants.py

pictures: $(VENV)/.dev ## the pictures of README and docs, of a rehearsal, anew (needs Chromium)
	PYTHONPATH=.:tests $(BIN)/python tests/docs/pictures.py

validation: $(VENV)/.dev ## the reference tests, written to docs/validation.md
	$(BIN)/python tests/pk/validation.py

pins: ## make requirements*.txt anew from requirements*.in (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links --no-header requirements.in -o requirements.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links --no-header requirements-dev.in -o requirements-dev.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links --no-header requirements-fuzz.in -o requirements-fuzz.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links --no-header requirements-bench.in -o requirements-bench.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links --no-header requirements-audit.in -o requirements-audit.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links --no-header requirements-published.in -o requirements-published.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links --no-header requirements-mutate.in -o requirements-mutate.txt

clean: ## remove the environment and what the demo left
	rm -rf $(VENV) var .pytest_cache .mypy_cache .ruff_cache .import_linter_cache mutants .hypothesis *.egg-info
