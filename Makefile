# What people do here, one word each: `make help`.  Needs Python 3.11 or later; the rest it fetches.
PYTHON ?= python3
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

venv := .venv
run := $(venv)/bin
ready := $(venv)/ready
compiled := $(venv)/compiled
home ?= packhouse-data
# the machine's own certificate authorities count, as they do for its browser
uv := $(run)/uv --quiet --system-certs
catalogues := $(wildcard src/packhouse/*/locale/*/LC_MESSAGES/django.po)
translated := $(venv)/translated
templates := $(wildcard src/packhouse/*/templates src/packhouse/*/*/templates)
# the tests of one file share what they set up; slow files have few tests and must not come last
pytest := $(run)/pytest -q -n 2 --dist loadfile --no-loadscope-reorder --durations=20 --max-worker-restart=0

.PHONY: help serve test test-sqlite test-postgresql faults check bench docs messages screenshots popular fix sizes lock clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

serve: $(ready) $(translated)  ## run an index on the folder packhouse-data (another: make serve home=FOLDER)
	$(run)/packhouse serve --home $(home)

test: test-sqlite test-postgresql  ## the whole suite, on SQLite and on PostgreSQL

test-sqlite: $(compiled)  ## the whole suite on SQLite
	tools/debian-packages.sh
	$(pytest) --database=sqlite

test-postgresql: $(compiled)  ## all tests that touch a database, on PostgreSQL; how pages look and move does not depend on it
	tools/debian-packages.sh
	$(pytest) --database=postgresql --ignore=tests/specs --ignore=tests/house --ignore=tests/journeys/test_pages.py \
		--ignore=tests/browser/test_pages.py --ignore=tests/browser/test_shell.py --ignore=tests/browser/test_hostile.py

faults: export TESTS_FAULTS ?= 1
faults: export TESTS_FIGURES := $(abspath $(venv))/figures.jsonl
faults: $(compiled)  ## the long experiments, hours (TESTS_FAULTS=0.1: a tenth); prints what was counted
	tools/debian-packages.sh
	rm -f $(TESTS_FIGURES)
	$(run)/pytest -q tests/faults --database=sqlite
	$(run)/pytest -q tests/faults --database=postgresql
	cat $(TESTS_FIGURES)

check: export PACKHOUSE_HOME := $(abspath $(venv))/home
check: export DJANGO_SETTINGS_MODULE := packhouse.settings
check: $(ready)  ## style, types, floors, migrations, templates, generated documentation
	$(run)/ruff check
	$(run)/ruff format --check
	$(run)/mypy
	$(run)/lint-imports
	$(run)/python -m django makemigrations --check --dry-run
	$(if $(templates),$(run)/djlint --lint --quiet $(templates))
	$(run)/python tools/catalogues.py check
	$(run)/python tools/docs.py --check

fix: $(ready)  ## put style and imports right, as far as a tool can
	$(run)/ruff check --fix
	$(run)/ruff format

bench: $(compiled)  ## measure against nginx, in ratios
	tools/debian-packages.sh nginx-light postgresql wrk
	$(run)/python -m bench

docs: $(ready)  ## write the generated reference anew
	$(run)/python tools/docs.py

messages: $(ready)  ## bring the catalogues of translations up to date with the texts
	$(run)/python tools/catalogues.py update

screenshots: $(ready)  ## draw all pages (one: page=NAME, in German: language=de) into build/screenshots
	tools/debian-packages.sh chromium
	SCREENSHOTS=build/screenshots SCREENSHOTS_LANGUAGE=$(language) $(run)/pytest -q tests/browser/drawing.py $(if $(page),-k $(page))

popular: $(ready)  ## publish what people use most, check and draw each of its pages into build/popular
	tools/debian-packages.sh chromium
	SCREENSHOTS=build/popular $(run)/pytest -q tests/journeys/popular.py

sizes: $(ready)  ## the longest functions and files
	$(run)/python tools/sizes.py

lock: $(ready)  ## resolve the requirements anew, within what pyproject.toml and requirements/*.in allow
	tools/lock.sh

clean:  ## forget the environment and all caches (never an index's data)
	rm -rf $(venv) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment: exactly what the lock says, and Packhouse itself, editable.
$(ready): requirements/uv.txt requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Packhouse needs Python 3.11 or later, not " + sys.version)'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || tools/debian-packages.sh python3-venv
	test -x $(run)/python || $(PYTHON) -m venv $(venv)
	$(run)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	$(uv) pip sync --python $(run)/python --require-hashes requirements/dev.txt
	$(uv) pip install --python $(run)/python --no-deps --no-build-isolation --editable .
	mkdir -p $(venv)/home
	touch $@

# tests start hundreds of processes; where Python may not keep what it compiles (PYTHONDONTWRITEBYTECODE), each of them would
# compile what it imports, which is two thirds of its start
$(compiled): $(ready) $(shell find src tests bench -name '*.py')
	$(run)/python -m compileall -qq -j 0 $(venv)/lib src tests bench || true  # what cannot be compiled, nobody imports
	touch $@

$(translated): $(catalogues) $(ready)
	$(run)/python tools/catalogues.py compile
	touch $@
