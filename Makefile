# Everything a newcomer needs: `make demo` and `make test` set up a .venv of their own first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help demo test test-quick lint format bench bench-peers clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

# Two stamps, so that the demo need not wait for the tools of a developer.
$(VENV)/.core: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("chainrule needs Python >= 3.11, this is " + sys.version.split()[0] + "; name another: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else 0'
	@test -x $(BIN)/python || { echo "making $(VENV) ..."; $(PYTHON) -m venv $(VENV); }
	@echo "installing chainrule into $(VENV) ..."
	@$(PIP) install -e .
	@touch $@

$(VENV)/.dev: pyproject.toml $(VENV)/.core
	@echo "installing the development tools into $(VENV) ..."
	@$(PIP) install -e '.[dev]'
	@touch $@

demo: $(VENV)/.core ## train on the built-in digits: progress, report, model file, picture
	@mkdir -p demo
	$(BIN)/chainrule train digits --test 0.25 --out demo/digits.safetensors --plot demo/digits.png

test: $(VENV)/.dev ## all the tests
	$(BIN)/python -m pytest -n 2

test-quick: $(VENV)/.dev ## the quick part of the tests
	$(BIN)/python -m pytest -n 2 -m 'not slow'

lint: $(VENV)/.dev ## ruff, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev ## put the code in its usual form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev ## speed, memory and score against the peers that are installed
	$(BIN)/python -m benchmarks

bench-peers: .venv-peers/.done ## install torch, jax and scikit-learn, which `make bench` then measures too

.venv-peers/.done:
	@test -x .venv-peers/bin/python || $(PYTHON) -m venv .venv-peers
	@.venv-peers/bin/python -m pip --disable-pip-version-check --quiet install torch==2.13.0 jax scikit-learn pandas
	@touch $@

clean: ## remove what the targets above made
	rm -rf $(VENV) .venv-peers demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
