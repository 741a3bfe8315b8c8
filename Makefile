# Two commands matter: `make demo` and `make test`. Each makes its own environment; Python >= 3.11 is all they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN_READY := $(VENV)/.run-ready
DEV_READY := $(VENV)/.dev-ready
NODE_READY := node_modules/.package-lock.json
ASSETS := src/citystream/web/static/vendor/licences.json

.PHONY: demo test lint types assets bench docs lock clean
.DELETE_ON_ERROR:

demo: $(RUN_READY) assets
	$(BIN)/citystream demo $(ARGS)

test: lint assets
	$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

lint: $(DEV_READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory types; \
	  elif [ -n "$$CI" ]; then echo "npm is missing: the types of the page cannot be checked" >&2; exit 1; \
	  else echo "npm is missing: the types of the page are not checked"; fi

# The types of the dashboard's own modules, which are said in comments.
types: $(NODE_READY) assets
	npm run --silent check

# The dashboard's browser files, from npm by package-lock.json. Without npm everything works but the pages.
assets: $(ASSETS)

$(ASSETS): package-lock.json hatch_build.py
	@if command -v npm >/dev/null; then $(PYTHON) hatch_build.py; \
	  else echo "npm is missing: citystream serve will have no pages (Debian: apt-get install nodejs npm; then make assets)"; fi

$(NODE_READY): package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

bench: $(DEV_READY)
	$(BIN)/python -m benchmarks $(ARGS)

# The JSON Schema of city files, the reference of commands and settings, and the pictures in the README.
docs: $(DEV_READY)
	$(BIN)/python docs/generate.py

lock: $(DEV_READY)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header --group build -o requirements/build.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header pyproject.toml --group dev --extra pandas --extra polars -o requirements/dev.txt

clean:
	rm -rf $(VENV) node_modules src/citystream/web/static/vendor .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "citystream needs Python 3.11 or newer; try: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

# The package itself is installed without build isolation, so that nothing outside the locked list is fetched.
$(RUN_READY): $(VENV)/bin/python requirements/run.txt requirements/build.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt -r requirements/build.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

$(DEV_READY): $(VENV)/bin/python requirements/dev.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@
