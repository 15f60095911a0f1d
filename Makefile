# Inventory. `make help` lists the commands; `make run` is all a newcomer needs.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

VENV := .venv
BIN := $(VENV)/bin
# The first of these that is new enough makes the environment; PYTHON=... chooses another.
PYTHONS := $(PYTHON) python3 python3.13 python3.12 python3.11
# Wheels only: installing runs no code of the packages. The project itself is linked by flit_core, without the network.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all:
LINK := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --no-index --editable .
TESTERS ?= 4

run: $(VENV)/.installed ## start everything: http://localhost:3000 (PORT=... for another)
	@exec $(BIN)/inventory run

# What decides, what is kept and what is recorded: every line and branch of it, and 90 % of everything.
RULES := inventory_app/operations/*,inventory_app/audit/*,inventory_app/models/*,inventory_app/permissions.py

COVERED = $(BIN)/coverage report --include='$(RULES)' --fail-under=100 && $(BIN)/coverage report --format=total --fail-under=90

test: $(VENV)/.installed-dev ## all tests but the long ones, and the coverage gate (ARGS=... for a part, without it)
	@# Once, before the tests, so that none waits for it.
	@$(BIN)/inventory build-pages
ifdef ARGS
	@$(BIN)/python -m pytest -q -n $(TESTERS) $(ARGS)
else
	@$(BIN)/python -m pytest -q -n $(TESTERS) --cov --cov-report=
	@$(COVERED)
endif

test-again: $(VENV)/.installed-dev ## what failed in the last run of all tests, one after the other, and the coverage gate
	@$(BIN)/python -m pytest -v --last-failed --last-failed-no-failures=none --cov --cov-append --cov-report=
	@$(COVERED)

test-long: $(VENV)/.installed-dev ## faults: what takes longer than a test should
	@$(BIN)/inventory build-pages
	@$(BIN)/python -m pytest -q -m long $(ARGS)

check: $(VENV)/.installed-dev ## lint, format, types, architecture, migrations
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/basedpyright --pythonpath $(BIN)/python
	@$(BIN)/lint-imports
	@$(BIN)/python -m inventory_app.commands.check_migrations

format: $(VENV)/.installed-dev ## put the code into shape
	@$(BIN)/ruff check --fix --exit-zero .
	@$(BIN)/ruff format .

# No index or host is written into the lock files: whoever installs uses the index they have.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --only-binary :all: \
	--no-emit-index-url --no-emit-find-links --no-header
lock: $(VENV)/.installed-dev ## choose the newest allowed versions of all packages (Python and JavaScript)
	@$(LOCK) --upgrade requirements.in -o requirements.lock
	@$(LOCK) --upgrade requirements-dev.in -o requirements-dev.lock
	@$(MAKE) --no-print-directory $(VENV)/.installed-dev
	@$(BIN)/inventory build-pages --update-lock

trigger-sql: $(VENV)/.installed ## print the SQL of the audit triggers, to freeze in a migration
	@$(BIN)/python -m inventory_app.commands.trigger_sql

clean: ## remove what make has made; people's data (.data) stays
	rm -rf $(VENV) .build .web .states .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage* test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1 \2/p' Makefile | awk '{ printf "  %s %-12s", $$1, $$2; $$1 = $$2 = ""; print }'

$(VENV)/bin/python:
	@for python in $(PYTHONS); do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then chosen=$$python; break; fi; \
	done; \
	if [ -z "$$chosen" ]; then \
	  echo "Inventory needs Python 3.11 or newer and finds $$(python3 --version 2>&1 || echo none): install one, or name it with make run PYTHON=/path/to/python3." >&2; exit 1; \
	fi; \
	if ! "$$chosen" -c 'import ensurepip, venv' 2>/dev/null; then \
	  echo "$$chosen cannot make environments: install its venv package (on Debian: apt install python3-venv)." >&2; exit 1; \
	fi; \
	echo "Making the environment in $(VENV) ..." >&2; \
	"$$chosen" -m venv --clear $(VENV)

# The stamps are newer than the locks they were installed from: an unchanged lock installs nothing.
$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing the locked packages ..." >&2
	@$(INSTALL) -r requirements.lock
	@$(LINK)
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@$(INSTALL) -r requirements-dev.lock
	@touch $@

.PHONY: run test test-again test-long check format lock trigger-sql clean help
