# `make demo` and `make test` set up everything they need in ./.venv; a second run starts at once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-header --upgrade

.DEFAULT_GOAL := help
.PHONY: help demo test lint lock clean bench-coverage bench-explanations bench-features bench-ingest bench-quality bench-reasons \
	bench-shapley bench-training

help:  ## say what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(VENV)/ready-to-run  ## set up, simulate a company, and run the main job on it
	$(BIN)/touchline demo

test: $(VENV)/ready-to-test  ## set up and run all tests
	$(BIN)/pytest -n auto

lint: $(VENV)/ready-to-test  ## check form and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright

bench-features: $(VENV)/ready-to-test  ## time training sets beside peers (installs them in places of their own)
	$(BIN)/python -m benchmarks.features

bench-ingest: $(VENV)/ready-to-test  ## time the check beside a plain copy by DuckDB
	$(BIN)/python -m benchmarks.ingest

bench-quality: $(VENV)/ready-to-test  ## hold models beside the truth of simulated companies (an hour or so)
	$(BIN)/python -m benchmarks.quality --retrain

bench-training: $(VENV)/ready-to-test  ## time LeadScorer beside plain LightGBM
	$(BIN)/python -m benchmarks.training

bench-explanations: $(VENV)/ready-to-test  ## hold reasons beside the truth of simulated companies
	$(BIN)/python -m benchmarks.explanations

bench-reasons: $(VENV)/ready-to-test  ## time a million leads scored, explained and put into words
	$(BIN)/python -m benchmarks.reasons

bench-shapley: $(VENV)/ready-to-test  ## time exact contributions beside LightGBM and shap
	$(BIN)/python -m benchmarks.shapley

bench-coverage: $(VENV)/ready-to-test  ## count how often intervals hold the truth
	$(BIN)/python -m benchmarks.coverage --repetitions 100

lock: $(VENV)/ready-to-test  ## renew the locked versions
	$(COMPILE) pyproject.toml --group build --extra sqlite --extra postgres -o requirements/run.txt
	$(COMPILE) pyproject.toml --group dev --all-extras -c requirements/run.txt -o requirements/dev.txt

clean:  ## delete what `make` made
	rm -rf $(VENV) demo dist build

# Locked packages are installed by hash, with pip, which knows how each machine reaches its index. This folder itself is
# then linked in, with build tools from the same lock.
$(VENV)/ready-to-run: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	@echo "installing what Touchline runs with (once, a minute or two)"
	@$(PIP) --require-hashes -r requirements/run.txt
	@$(PIP) --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/ready-to-test: requirements/dev.txt $(VENV)/ready-to-run
	@echo "installing what the tests need (once)"
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Touchline needs Python 3.11 or later: make PYTHON=python3.12 ..."; exit 2; }
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { echo "Install Python's venv module first (Debian: apt install python3-venv)"; exit 2; }
