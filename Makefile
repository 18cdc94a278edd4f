# Everything a developer types. `make` alone lists it.
#
# Two virtual environments, so that what is tested is what is shipped:
#   .venv       the demo and daily work: the tree itself, editable
#   .venv-test  the tests: the built wheel, as a user would install it
# Packages come from the hash-locked lists in requirements/; a stamp file remembers which list was installed.

PYTHON ?= python3
VENV ?= .venv
VENV_TEST ?= .venv-test
VENV_BENCH ?= .venv-bench
VENV_LOCK ?= .venv-lock
ARGS ?=

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-builtin-rules --no-print-directory
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Folders are among the sources because a deleted file shows only in the time of its folder.
SOURCES := pyproject.toml README.md LICENSE $(shell find gateway plugins -not -path '*/__pycache__*')
EXPRESS := tests/hostile/upstreams/node_modules/.package-lock.json
REACT := tests/browser/react_app/node_modules/.package-lock.json

##@ Use

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} \
	  /^##@ / {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '\nVariables: PYTHON (now %s), ARGS (passed on, as in: make test ARGS="tests/house -x")\n' '$(PYTHON)'

.PHONY: demo
demo: $(VENV)/.demo ## Run the sample application behind the gateway; nothing to configure
	@exec $(VENV)/bin/paywall demo $(ARGS)

##@ Check

# Whoever has nothing left to do takes half of what another has before it (worksteal): by whole files, the longest would
# run by themselves in the end. How many run at a time, tests/conftest.py says.
.PHONY: test
test: lint types floors $(EXPRESS) $(REACT) $(VENV_TEST)/.wheel ## Check everything, then run the tests against the built wheel
	@echo "==> tests: pytest against the wheel, warnings are errors"
	@PAYWALL_TEST_WHEEL=1 $(VENV_TEST)/bin/pytest $(or $(ARGS),--numprocesses auto --dist worksteal)

.PHONY: environment
environment: $(EXPRESS) $(REACT) $(VENV_TEST)/.wheel ## Make ready for the tests, without running them

.PHONY: lint
lint: $(VENV_TEST)/.locked ## Check style and formatting (ruff)
	@echo "==> lint: ruff"
	@$(VENV_TEST)/bin/ruff check --quiet .
	@$(VENV_TEST)/bin/ruff format --quiet --check .

.PHONY: types
types: $(VENV_TEST)/.locked ## Check types (mypy --strict)
	@echo "==> types: mypy --strict"
	@$(VENV_TEST)/bin/mypy --strict --no-error-summary

# The plugins are found as the wheel installed them: in the tree they lie in a folder that is no package.
.PHONY: floors
floors: $(VENV_TEST)/.wheel ## Check that imports only go down (import-linter)
	@echo "==> floors: import-linter"
	@said=$$($(VENV_TEST)/bin/lint-imports --no-logo --no-cache) || { echo "$$said"; exit 1; }

.PHONY: fuzz
fuzz: $(VENV_TEST)/.wheel ## Fuzz what reads strangers' bytes, for a minute (ARGS="--minutes 60")
	@echo "==> fuzz: the built wheel"
	@$(VENV_TEST)/bin/python -m tests.fuzz $(ARGS)

.PHONY: histories
histories: $(VENV_TEST)/.wheel ## Deliver thousands of payments, refunds and renewals in any order, and compare the ledger (ARGS="--histories 50000")
	@echo "==> histories: the built wheel"
	@$(VENV_TEST)/bin/python -m tests.histories $(ARGS)

.PHONY: model
model: $(VENV_TEST)/.wheel ## Compare the store's verbs with a model by thousands of histories (ARGS="--histories 50000 --steps 50")
	@echo "==> model: the built wheel, on Valkey and on Redis"
	@exec $(VENV_TEST)/bin/python -m tests.model $(ARGS)

.PHONY: transparent
transparent: $(EXPRESS) $(VENV_TEST)/.wheel ## Compare exchanges by the thousand with the gateway and without (ARGS="--seed 2")
	@echo "==> transparent: the built wheel, before six applications"
	@exec $(VENV_TEST)/bin/python -m tests.transparent $(ARGS)

.PHONY: autobahn
autobahn: $(VENV_TEST)/.wheel ## Compare Autobahn's WebSocket cases with the gateway and without (ARGS="--cases 7.*")
	@echo "==> autobahn: the built wheel, before three servers"
	@exec $(VENV_TEST)/bin/python -m tests.websockets $(ARGS)

.PHONY: hostile
hostile: $(EXPRESS) $(VENV_TEST)/.wheel ## Send hostile requests by the hundred thousand to twenty-two applications (ARGS="--seed 2")
	@echo "==> hostile: the built wheel, before every application"
	@exec $(VENV_TEST)/bin/python -m tests.hostile $(ARGS)

.PHONY: slow
slow: $(VENV_TEST)/.wheel ## Let slowhttptest hold on to a thousand connections, and see who notices (ARGS="--modes heads")
	@echo "==> slow: the built wheel, before nginx"
	@exec $(VENV_TEST)/bin/python -m tests.slow $(ARGS)

.PHONY: restarts
restarts: $(VENV_TEST)/.wheel ## Give it new configs and restart it under load, and see who notices (ARGS="--scenarios workers")
	@echo "==> restarts: the built wheel, with workers and behind HAProxy"
	@exec $(VENV_TEST)/bin/python -m tests.restarts $(ARGS)

.PHONY: races
races: $(VENV_TEST)/.wheel ## Let crowds want the same few free results, leave, and have workers killed (ARGS="--rounds 100")
	@echo "==> races: the built wheel, four workers"
	@exec $(VENV_TEST)/bin/python -m tests.races $(ARGS)

.PHONY: faults
faults: $(VENV_TEST)/.wheel ## Kill gateway and store 3,000 times, and break the store in every way (ARGS="kills --trials 500")
	@echo "==> faults: the built wheel, on Valkey and on Redis"
	@exec $(VENV_TEST)/bin/python -m tests.faults $(ARGS)

.PHONY: large
large: $(VENV_TEST)/.wheel ## Hold results of 200 MiB and give them out again, and see what memory that takes (ARGS="--mebibytes 1000")
	@echo "==> large: the built wheel, into a directory, a bucket and the store"
	@exec $(VENV_TEST)/bin/python -m tests.large $(ARGS)

.PHONY: paint
paint: $(VENV_TEST)/.wheel ## See how soon the offer is there on a processor four times slower (ARGS="--rounds 50")
	@echo "==> paint: the built wheel, in Chromium"
	@exec $(VENV_TEST)/bin/python -m tests.browser.first_paint $(ARGS)

.PHONY: coverage
coverage: $(EXPRESS) $(REACT) $(VENV_TEST)/.wheel ## Run the tests and list the lines that none of them reached
	@echo "==> coverage: pytest under coverage"
	@rm -rf build/coverage && mkdir -p build/coverage
	@PAYWALL_TEST_WHEEL=1 $(VENV_TEST)/bin/coverage run $(VENV_TEST)/bin/pytest $(ARGS)
	@$(VENV_TEST)/bin/coverage combine --quiet && $(VENV_TEST)/bin/coverage report

.PHONY: bench
bench: $(VENV_BENCH)/.wheel ## Measure the wheel beside nginx, HAProxy and Caddy (ARGS=--short)
	@echo "==> bench: the built wheel against its peers"
	@$(VENV_BENCH)/bin/python -m bench $(ARGS)

.PHONY: bench-state
bench-state: $(VENV_BENCH)/.wheel ## Measure what a subject costs in the store (ARGS="--sizes 10000 30000")
	@echo "==> bench-state: subjects in every standing, on Valkey and on Redis"
	@exec $(VENV_BENCH)/bin/python -m bench.state $(ARGS)

.PHONY: bench-readme
bench-readme: $(VENV_BENCH)/.wheel ## Put the last run of bench into README.md, if it is fit to be quoted
	@echo "==> bench-readme: bench/results.json into README.md"
	@$(VENV_BENCH)/bin/python -m bench.readme $(ARGS)

##@ Change

.PHONY: format
format: $(VENV_TEST)/.locked ## Mend style and formatting where a machine can
	@echo "==> format: ruff"
	@$(VENV_TEST)/bin/ruff check --quiet --fix-only .
	@$(VENV_TEST)/bin/ruff format .

.PHONY: wheel
wheel: dist/.built ## Build the wheel into dist/

# The longest list first, the others held to its versions: one library has one version in all of them.
.PHONY: lock
lock: $(VENV_LOCK)/.locked ## Renew the locked lists; newer versions with ARGS=--upgrade
	@echo "==> lock: requirements/*.txt"
	@$(call compile,bench,pyproject.toml --extra demo --extra invoice --extra s3 --extra stripe --extra teasers --group build --group test --group bench $(ARGS))
	@$(call compile,test,pyproject.toml --extra demo --extra invoice --extra s3 --extra stripe --extra teasers --group build --group test --constraint requirements/bench.txt)
	@$(call compile,demo,pyproject.toml --extra demo --extra teasers --constraint requirements/bench.txt)
	@$(call compile,run,pyproject.toml --extra invoice --extra s3 --extra stripe --extra teasers --constraint requirements/bench.txt)
	@$(call compile,build,--group build --constraint requirements/bench.txt)
	@$(call compile,lock,--group lock $(ARGS))

compile = $(VENV_LOCK)/bin/uv pip compile $(2) --quiet --no-annotate --custom-compile-command 'make lock' \
  --output-file requirements/$(1).txt

.PHONY: clean
clean: ## Remove the environments and everything built
	@echo "==> clean: $(VENV) $(VENV_TEST) $(VENV_BENCH) $(VENV_LOCK) build dist and caches"
	@rm -rf $(VENV) $(VENV_TEST) $(VENV_BENCH) $(VENV_LOCK) build dist \
	  .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache tests/hostile/upstreams/node_modules \
	  tests/browser/react_app/node_modules
	@find gateway plugins tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- How the environments come about ----------------------------------------------------------------------------

$(VENV)/.demo: requirements/build.txt requirements/demo.txt pyproject.toml
	@$(call make_venv,$(VENV))
	@$(call install_locked,$(VENV),demo)
	@echo "==> $(VENV): this project, editable"
	@$(VENV)/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV_TEST)/.locked: requirements/build.txt requirements/test.txt
	@$(call make_venv,$(VENV_TEST))
	@$(call install_locked,$(VENV_TEST),test)
	@touch $@

$(VENV_BENCH)/.locked: requirements/build.txt requirements/bench.txt
	@$(call make_venv,$(VENV_BENCH))
	@$(call install_locked,$(VENV_BENCH),bench)
	@touch $@

$(VENV_LOCK)/.locked: requirements/lock.txt
	@$(call make_venv,$(VENV_LOCK))
	@echo "==> $(VENV_LOCK): uv"
	@$(VENV_LOCK)/bin/python -m pip install --quiet --require-hashes --no-deps -r requirements/lock.txt
	@touch $@

dist/.built: $(SOURCES) | $(VENV_TEST)/.locked
	@echo "==> wheel: dist/"
	@rm -rf dist && mkdir dist
	@$(VENV_TEST)/bin/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@touch $@

$(VENV_TEST)/.wheel: dist/.built $(VENV_TEST)/.locked
	@$(call install_wheel,$(VENV_TEST))
	@touch $@

$(VENV_BENCH)/.wheel: dist/.built $(VENV_BENCH)/.locked
	@$(call install_wheel,$(VENV_BENCH))
	@touch $@

$(EXPRESS): tests/hostile/upstreams/package-lock.json
	@$(call install_node,tests/hostile/upstreams,the applications of the hostile tests on Node.js)

$(REACT): tests/browser/react_app/package-lock.json
	@$(call install_node,tests/browser/react_app,the single-page application of the browser tests)

# $(1): the folder, $(2): what it is.
define install_node
	if command -v npm >/dev/null; then \
	  echo "==> npm: $(2)"; \
	  npm ci --prefix $(1) --no-audit --no-fund --loglevel error --fetch-retries 1 >/dev/null; touch $@; \
	else echo "==> npm: not on this machine; the tests with $(2) are skipped"; fi
endef

# $(1): the folder. Three o'clock in the morning is no time for a traceback of ensurepip: name the missing package.
define make_venv
	found=$$($(PYTHON) --version 2>&1) \
	  || { echo "make: '$(PYTHON)' does not run. Name a Python: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; exit 1; }; \
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "make: '$(PYTHON)' is $$found; 3.11, 3.12 or 3.13 is needed. Name one:" \
	    "make $(MAKECMDGOALS) PYTHON=python3.11" >&2; exit 1; }; \
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "make: '$(PYTHON)' ($$found) cannot make virtual environments." \
	    "On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }; \
	if ! test -x $(1)/bin/python; then echo "==> $(1): a virtual environment with $$found"; $(PYTHON) -m venv $(1); fi
endef

# $(1): the environment, $(2): the list. The build tools go first, and isolated builds are off, so that no package
# comes in without a hash; --no-deps, because the lists are complete.
define install_locked
	echo "==> $(1): $$(grep -c '^[a-z].*==' requirements/$(2).txt) packages of requirements/$(2).txt"; \
	$(1)/bin/python -m pip install --quiet --require-hashes --no-deps -r requirements/build.txt; \
	$(1)/bin/python -m pip install --require-hashes --no-deps --no-build-isolation --use-pep517 \
	  --progress-bar off -r requirements/$(2).txt | awk '/^(Collecting|Processing)/ {n += 1; if (n % 20 == 0) {print "    " n " fetched"; fflush()}} \
	    /^Installing/ {print "    installing"; fflush()}'
endef

define install_wheel
	echo "==> $(1): the wheel"; \
	$(1)/bin/python -m pip install --quiet --no-index --no-deps --force-reinstall dist/*.whl
endef
