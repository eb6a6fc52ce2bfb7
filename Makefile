# Two commands: `make run` serves the product on this machine, `make test` proves it.
# The environment is built from lock files with hashes; nothing outside this folder is changed.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
# Every process would compile some 2,000 modules again, seconds each time; what is compiled stays in this folder.
unexport PYTHONDONTWRITEBYTECODE

# The first that really runs: a version manager may leave a name on the PATH that answers only "not found".
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$name; break; }; done)

BIN := .venv/bin
UV := $(BIN)/uv
HOUSES := engine models training api
SOURCES := $(HOUSES) benchmarks tests
MARKET := var/market.sqlite
COMPARABLES := var/comparables.bin
SANDBOX_PORT ?= 8100

# Uses pip where uv finds no index: pip knows the machine's own settings, uv does not read them. Same file, same hashes.
define install
$(UV) pip install -q --python $(or $(2),$(BIN)/python) --require-hashes --only-binary :all: -r $(1) \
	|| { echo "uv could not install $(1); trying pip" >&2; \
	     $(PYTHON) -m pip --python $(or $(2),$(BIN)/python) install -q --require-hashes --only-binary :all: -r $(1); }
endef

# Built in place and with the locked setuptools, so that nothing is fetched on the side.
define install_project
$(UV) pip install -q --python $(BIN)/python --offline --no-deps --no-build-isolation --editable .
endef

.PHONY: help env run serve market test campaigns check format lock bench peers engine simulate papers pictures release clean

help: ## Show what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

env: .venv/ok ## Build the environment for development

# The sandbox is waited for, so that the first application finds its sources, and ends with the service.
run: .venv/project $(MARKET) $(COMPARABLES) ## Serve on this machine, with a sandbox that plays every source
	@$(BIN)/creditline sandbox --market $(MARKET) --port $(SANDBOX_PORT) & sandbox=$$!; \
	trap 'kill $$sandbox 2>/dev/null || true' EXIT; \
	for i in $$(seq 100); do \
		kill -0 $$sandbox 2>/dev/null || exit 1; \
		(exec 3<>/dev/tcp/127.0.0.1/$(SANDBOX_PORT)) 2>/dev/null && break || sleep 0.1; \
	done; \
	CREDITLINE_SANDBOX=http://127.0.0.1:$(SANDBOX_PORT) CREDITLINE_COMPARABLES=$(COMPARABLES) \
		$(BIN)/creditline serve --development

market: $(MARKET) ## Make the make-believe market, if it is absent

test: .venv/ok .venv/promtool ## Run the checks and the tests
	$(MAKE) --no-print-directory check
	$(BIN)/pytest -q -n 2 --dist worksteal

# What takes longer than everything else of its folder together: every change runs a sample of it.
CAMPAIGNS := tests/api/documents/test_hostile.py tests/api/simulation tests/models/test_mutants.py \
	tests/api/journey/browser/test_looks.py
campaigns: .venv/ok ## Run whole what the tests run a sample of
	CREDITLINE_CAMPAIGNS=whole $(BIN)/pytest -q -n 2 --dist worksteal $(CAMPAIGNS)

check: .venv/ok ## Check format, lint and types
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy $(SOURCES)

format: .venv/ok ## Format the code, and mend what the linter can mend
	$(BIN)/ruff check --fix --exit-zero -q $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

# QUICK=1 is a short run that is printed; PARTS="http disk" measures these alone. A peer that cannot be had is named.
bench: .venv/ok ## Measure, beside what a user might pick instead
	-$(MAKE) --no-print-directory --keep-going peers
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick) $(PARTS)

# What is measured beside the product, each family in an environment of its own; none is in the product's locks.
PEERS := libraries explainers fastapi bentoml mlserver
peers: $(PEERS:%=var/peers/%/ok) ## Build the environments of what is measured beside us

simulate: .venv/ok ## Simulate 200 weeks of the verification queue
	$(BIN)/python -m tests.api.simulation

papers: .venv/ok ## Measure the machine checks on made-up documents
	$(BIN)/python -m benchmarks.papers --count 960 --scans 72 --write

pictures: .venv/ok ## Take a picture of every page of the applicant's, at two widths
	$(BIN)/python -m benchmarks.journey --pictures var/pictures

# The commands that made the shipped release; ROOT=models publishes beside it under another RELEASE name, and is held to
# the decisions of REPLAY with the causes that CAUSES declares (docs/backtest.md).
RELEASE ?= synthetic-2026-11
ROOT ?= var/releases
release: .venv/ok ## Simulate a market, fit, publish and promote a release under var/
	test -f var/training.sqlite || $(BIN)/creditline-train simulate --businesses 40000 --seed 11 --out var/training.sqlite
	$(BIN)/creditline-train fit --market var/training.sqlite --train-to 2024-12-31 --validate-to 2025-04-30 \
		--seed 7 --out var/draft --force
	$(BIN)/creditline-train publish var/draft --policy training/policy.toml --name $(RELEASE) \
		--created-on 2026-11-24 --root $(ROOT) $(if $(REPLAY),--replay-set $(REPLAY)) $(if $(CAUSES),--causes $(CAUSES))
	$(BIN)/creditline-train promote $(RELEASE) --root $(ROOT)

# Kept beside the record for as long as it is: the wheel, the lock it ran on, and an environment of these two alone.
ENGINES ?= var/engines
engine: .venv/project ## Keep this engine runnable, so that its decisions can be replayed on it after any upgrade
	@kept=$(ENGINES)/$$($(BIN)/python -c "import models; print(models.engine_digest())"); \
	if test -e $$kept/ok; then echo "$$kept is kept already"; exit; fi; \
	rm -rf build $$kept; $(PYTHON) -m venv --without-pip $$kept; cp requirements/runtime.txt $$kept/; \
	$(UV) build -q --offline --wheel --no-build-isolation --python $(BIN)/python --out-dir $$kept .; \
	$(call install,$$kept/runtime.txt,$$kept/bin/python); \
	$(UV) pip install -q --python $$kept/bin/python --offline --no-deps $$kept/*.whl; \
	touch $$kept/ok; echo "kept $$kept"

lock: .venv/bootstrap ## Make the lock files again, with the newest versions allowed
	$(call compile,requirements/bootstrap.in,requirements/bootstrap.txt)
	$(call compile,requirements/compiler.in,requirements/compiler.txt)
	$(call compile,pyproject.toml requirements/build.in,requirements/runtime.txt)
	$(call compile,pyproject.toml requirements/build.in -c requirements/runtime.txt \
		--extra postgres --extra training --extra distributed --extra s3 --extra ocr --extra development,requirements/development.txt)
	$(foreach family,$(PEERS),$(call compile,requirements/peers/$(family).in,requirements/peers/$(family).txt)$(newline))

clean: ## Remove the environment and the caches; var/ stays
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

define newline


endef

# No index address and no path of this machine may enter a lock file; tests/architecture looks.
# An unchanged file keeps its time, so that the environment is not built again for nothing.
define compile
$(UV) pip compile -q --upgrade --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
	--python-version 3.11 $(1) -o $(2).new >/dev/null
if cmp -s $(2).new $(2); then rm $(2).new; else mv $(2).new $(2); fi
endef

# An order-only prerequisite: a market once made is kept, whatever the environment does.
$(MARKET): | .venv/project
	mkdir -p $(@D)
	$(BIN)/creditline-train simulate --businesses 400 --seed 7 --out $@

$(COMPARABLES): $(MARKET)
	$(BIN)/creditline-train comparables --market $< --out $@ --force

# The stamps. `bootstrap` holds uv alone, `runtime` what `make run` needs, `ok` what development needs on top.
.venv/bootstrap: requirements/bootstrap.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "need: Python 3.11 or newer (apt-get install python3)" >&2; exit 1; }
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || { echo "need: apt-get install python3-pip" >&2; exit 1; }
	$(PYTHON) -m venv --without-pip --clear .venv
	$(PYTHON) -m pip --python $(BIN)/python install -q --require-hashes --only-binary :all: -r $<
	@touch $@

.venv/runtime: requirements/runtime.txt pyproject.toml .venv/bootstrap
	$(call install,$<)
	@touch $@

# The project itself, with its scoring kernel compiled: by the machine's own compiler, or by one that comes as a package
# and goes when it is done (100 MB to fetch). Without either the engine scores in NumPy.
.venv/project: setup.py pyproject.toml engine/scoring/kernel.c requirements/compiler.txt .venv/runtime
	@for name in $${CC:-cc} gcc clang; do command -v $$name >/dev/null && exit; done; \
		$(PYTHON) -m pip --python $(BIN)/python install -q --require-hashes --only-binary :all: --no-deps \
			--target .venv/compiler -r requirements/compiler.txt \
		|| echo "no C compiler here, and none to be had: scoring in NumPy, more slowly" >&2
	PYTHONPATH=$(CURDIR)/.venv/compiler $(install_project)
	rm -rf .venv/compiler
	@touch $@

.venv/ok: requirements/development.txt .venv/project
	@$(PYTHON) -c "import sys, ctypes; sys.platform != 'linux' or ctypes.CDLL('libgomp.so.1')" 2>/dev/null \
		|| { echo "need: apt-get install libgomp1" >&2; exit 1; }
	$(call install,$<)
	@touch $@

var/peers/%/ok: requirements/peers/%.txt .venv/bootstrap
	@mkdir -p var/peers && rm -rf $(@D)
	@{ $(PYTHON) -m venv --without-pip $(@D) && $(call install,$<,$(@D)/bin/python); } >$(@D).log 2>&1 \
		|| { echo "$(@D) could not be made; $(@D).log says why" >&2; exit 1; }
	@touch $@

# promtool reads the alert rules as Prometheus would: the one on the PATH, or Debian's, taken out of its package without
# installing the server beside it. apt keeps its lists in here, so no root is needed and they are never out of date.
# Where it cannot be had, the tests that need it say so and are skipped; CREDITLINE_REQUIRE_PROMTOOL=1 makes it an error.
APT := apt-get -qq -o Acquire::Retries=3 -o Acquire::http::Timeout=15 \
	-o Dir::State::lists=$(CURDIR)/.venv/apt/lists -o Dir::Cache=$(CURDIR)/.venv/apt
.venv/promtool: .venv/bootstrap
	@command -v promtool >/dev/null || { \
		rm -rf .venv/apt && mkdir -p .venv/apt/lists/partial .venv/apt/archives/partial && cd .venv/apt \
		&& $(APT) update && $(APT) download prometheus \
		&& dpkg-deb --fsys-tarfile prometheus_*.deb | tar -xO ./usr/bin/promtool >promtool \
		&& chmod +x promtool && mv promtool ..; \
	} || { \
		echo "promtool could not be had: it is neither on the PATH nor, just now, to be had from Debian's mirror" \
			"(package prometheus); the alert rules cannot be tested" >&2; \
		test "$${CREDITLINE_REQUIRE_PROMTOOL:-0}" != 1; \
	}
	@rm -rf .venv/apt
