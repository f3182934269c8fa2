SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null || echo "$(PYTHON) -m uv")
RESIDENTS ?= 51492
AS_OF ?= 2026-04-01

export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export DO_NOT_TRACK := 1
export DAGSTER_DISABLE_TELEMETRY := yes
export GX_ANALYTICS_ENABLED := false
export SCARF_ANALYTICS := false

.PHONY: setup browser demo test lint screenshots lock clean

setup: $(VENV)/.installed  ## the environment in .venv, from requirements.lock

$(VENV)/.installed: requirements.lock pyproject.toml
	@command -v uv >/dev/null 2>&1 || $(PYTHON) -m uv --version >/dev/null 2>&1 || $(PYTHON) -m pip install --quiet uv
	test -x $(BIN)/python || $(UV) venv --quiet --python 3.11 $(VENV)
	$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $@

lock:  ## resolve the versions again
	$(UV) pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --extra dev \
		--custom-compile-command "make lock" pyproject.toml --output-file requirements.lock

clean:
	rm -rf $(VENV) var
