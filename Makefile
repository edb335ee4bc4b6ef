# make run | test | bench | soak | lint | build | reference | lock | clean.  Needs Python 3.11+, make and the package registries.

PYTHON ?= python3
PORT ?= 8700
SECONDS ?= 120
BIN := .venv/bin
VENV := .venv/.complete
WEB := web/dist/manifest.json
PIP := --quiet --disable-pip-version-check

# Folders are among them, so that a removed module counts as a change too.
OURS := $(shell find web/loader.js web/page web/pixelmirror -name __pycache__ -prune -o \
	\( -name '*.py' -o -name '*.js' -o -type d \) -print)

.PHONY: run test bench soak lint format build reference lock clean browser
.DELETE_ON_ERROR:

run: $(WEB)
	$(BIN)/pixelmirror demo --port $(PORT)

test: $(WEB) browser lint
	$(BIN)/pytest

# All of them, and the tables in the documents; ONLY="start ingest" runs some, and writes nothing.
bench: $(WEB) browser
	$(BIN)/python tests/bench/run.py $(ONLY)

# For SECONDS each: a relay killed again and again among failing systems (SEED= repeats a run), asked
# all that its OpenAPI document allows and more, its decoder fuzzed where atheris has this Python.
soak: $(WEB)
	$(BIN)/python tests/soak/crashes.py --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))
	$(BIN)/python tests/soak/fuzz_http.py --seconds $(SECONDS)
	-$(BIN)/pip install $(PIP) --require-hashes -r requirements-soak.lock
	$(BIN)/python tests/soak/fuzz_decoder.py --seconds $(SECONDS)

lint: $(VENV)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(VENV)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

build: $(WEB)
	$(BIN)/pip wheel --no-deps --no-build-isolation --wheel-dir dist .

# docs/events.md, docs/event.schema.json, docs/openapi.json and web/pixelmirror.d.ts, from the code.
reference: $(VENV)
	$(BIN)/python -m relay.reference

# The newest versions that pyproject.toml allows, with hashes and without any address.
LOCK = $(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
lock: $(VENV)
	$(BIN)/pip install $(PIP) uv
	$(LOCK) --output-file requirements.lock pyproject.toml
	$(LOCK) --output-file requirements-dev.lock --constraint requirements.lock --extra dev pyproject.toml
	$(LOCK) --output-file requirements-soak.lock --constraint requirements-dev.lock --extra soak pyproject.toml

clean:
	rm -rf .venv web/node_modules web/dist dist build var test-results \
		.mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- set-up: each step is done again only when what it rests on has changed or is gone

$(VENV): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "pixelmirror needs Python 3.11 or newer; name one: make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo "$(PYTHON) cannot make a virtual environment; on Debian: apt-get install python3-venv"; exit 1; }
	$(BIN)/pip install $(PIP) --require-hashes -r requirements-dev.lock
	$(BIN)/pip install $(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# A group that has not changed is not made again, so this is quick after a change of our own code.
$(WEB): $(VENV) web/package-lock.json $(wildcard web/*.py) $(OURS)
	$(BIN)/python web/build.py

browser: $(VENV)
	@$(BIN)/python playwright.config.py || { \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium && \
		$(BIN)/python playwright.config.py; }
