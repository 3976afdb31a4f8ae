.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# The newest suitable Python on PATH; `make PYTHON=/path/to/python3 test` names another.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)

# `make serve CONFIG=my.yaml` takes another file than the demo's.
CONFIG := app.yaml

.PHONY: help install demo test check schema bench serve lock format clean

help: ## show this
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP) ## only the set-up: .venv with the locked dependencies

$(STAMP): requirements-dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Errand needs Python 3.11 or newer with venv (Debian: apt install python3-venv; macOS: brew install python)."; exit 1; }
	@git --version >/dev/null || { echo "Errand needs git."; exit 1; }
	@echo "Installing into $(VENV), which takes a minute or two:"
	@echo "  1/4 a virtual environment"
	@$(PYTHON) -m venv --clear $(VENV)
	@echo "  2/4 the locked dependencies"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@echo "  3/4 Errand itself"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@echo "  4/4 compiling"
	@$(BIN)/python -m compileall -q errand.py service.py terminal webhooks bot executor demo
	@touch $@

demo: $(STAMP) ## watch a push, comments and a Slack command travel the whole way (KEEP=1: stay up)
	$(BIN)/errand demo $(if $(KEEP),--keep)

test: $(STAMP) ## everything that CI checks
	@PATH="$(CURDIR)/$(BIN):$$PATH" tests/run

check: $(STAMP) ## is app.yaml right? (offline; CONFIG=my.yaml: another file)
	$(BIN)/errand check --config "$(CONFIG)"

schema: $(STAMP) ## write app.schema.json anew, with which editors check app.yaml
	$(BIN)/errand schema > app.schema.json

bench: $(STAMP) ## measure against peers (needs node and npm for one of them)
	$(BIN)/python -m benchmarks

serve: $(STAMP) ## run the service with app.yaml (CONFIG=my.yaml: another file)
	$(BIN)/errand serve --config "$(CONFIG)"

format: $(STAMP) ## format the code and mend what the linter can
	$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

lock: $(STAMP) ## choose newest versions again and write the lock files
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --no-strip-extras pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --no-strip-extras -c requirements.lock pyproject.toml --group dev -o requirements-dev.lock

clean: ## remove everything that make made
	rm -rf $(VENV) var .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage*
