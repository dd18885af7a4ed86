# Everything needs only Python 3.11+ and make: the first target that is run fills .venv.
PYTHON ?= python3
# Test processes, each with a PostgreSQL of its own: one a core, and at most eight.
PROCESSES ?= $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$((n > 8 ? 8 : n)))
BIN := .venv/bin
COMPILE := $(BIN)/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras --no-header \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: .venv/installed ## Start everything on this machine; Ctrl-C stops it (ARGS="--tls" and others)
	@$(BIN)/comptoir up $(ARGS)

.PHONY: test
test: .venv/installed ## Run the tests on a PostgreSQL of their own (ARGS="tests/ledger -x" for some)
	$(BIN)/python -m pytest -n $(PROCESSES) --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: simulate
simulate: .venv/installed ## Live through a million simulated payments (ARGS="--minutes 5" and others)
	@$(BIN)/python -m tests.simulation $(ARGS)

.PHONY: check
check: .venv/installed ## Check style, types, imports and migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	DJANGO_SETTINGS_MODULE=comptoir.config.settings $(BIN)/python -W ignore::RuntimeWarning \
		-m django makemigrations --check --dry-run

.PHONY: format
format: .venv/installed ## Put the code into its one style
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

.PHONY: bench
bench: .venv/installed ## Measure payments per second on this machine (ARGS="--rounds 1" and others)
	@$(BIN)/python -m bench $(ARGS)

.PHONY: bench-scale
bench-scale: .venv/installed ## Measure with a million payments in the books (ARGS="--payments 10000000")
	@$(BIN)/python -m bench.scale $(ARGS)

.PHONY: bench-pages
bench-pages: .venv/installed ## Measure the counter's pages with 100,000 payments in the books
	@$(BIN)/python -m bench.pages $(ARGS)

.PHONY: reference
reference: .venv/installed ## Write the API's reference anew from the code
	$(BIN)/python -m tools.reference

.PHONY: languages
languages: .venv/installed ## Bring the pages' texts into all languages' catalogues, and say what is missing
	@$(BIN)/python -m tools.languages

.PHONY: tour
tour: .venv/installed ## Walk through all pages in a real browser and put the pictures on build/shots/index.html
	@rm -rf build/shots
	$(BIN)/python -m pytest -q tests/web $(ARGS)
	@$(BIN)/python -m tools.tour

.PHONY: lock
lock: .venv/installed ## Lock the newest allowed versions of all dependencies
	$(COMPILE) -o requirements/base.txt requirements/base.in
	$(COMPILE) -o requirements/dev.txt requirements/dev.in

.PHONY: clean
clean: ## Remove the environment and all caches
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info

# Two stamps: the locked packages, and Comptoir itself (editable).
.venv/locked: requirements/dev.txt requirements/sdk.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Comptoir needs Python 3.11 or newer: make PYTHON=...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Filling .venv with the locked packages (once) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes \
		-r requirements/dev.txt -r requirements/sdk.txt
	@touch $@

.venv/installed: .venv/locked pyproject.toml
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
