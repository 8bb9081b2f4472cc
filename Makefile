# `make refresh` and `make test` set up what they need in .venv; a second run finds it there.
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: refresh check format lint types fast test test-all pins clean

refresh: .venv/run
	$(BIN)/curation refresh demo

check: format lint types fast

format: .venv/dev
	$(BIN)/ruff format --check .

lint: .venv/dev
	$(BIN)/ruff check .

types: .venv/dev
	$(BIN)/mypy

fast: .venv/dev
	$(BIN)/pytest -q -x -n 2 -m "not slow and not process"

test: .venv/dev
	$(BIN)/pytest -q -n 2 -m "not slow"

test-all: .venv/dev
	$(BIN)/pytest -q -n 2

# Records what readers and stages make of the frozen corpora; raise their VERSION with it.
pins: .venv/dev
	CURATION_REFRESH_DIGESTS=1 $(BIN)/pytest -q -k "changes_only_with or as_its_version_says" tests/formats tests/test_stages.py

.venv/run: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(INSTALL) -e .
	touch $@

.venv/dev: .venv/run
	$(INSTALL) -e '.[dev]'
	touch $@

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
