SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null || echo "$(PYTHON) -m uv")
RESIDENTS ?= 51492
SEED ?= 1
AS_OF ?= 2026-04-01
KODOMO_HOME ?= $(CURDIR)/var
DEMO := $(KODOMO_HOME)/demo

export KODOMO_HOME
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export DO_NOT_TRACK := 1
export DAGSTER_DISABLE_TELEMETRY := yes
export GX_ANALYTICS_ENABLED := false
export SCARF_ANALYTICS := false

.PHONY: setup browser proxy demo test lint screenshots lock clean

setup: $(VENV)/.installed  ## the environment in .venv, from requirements.lock

$(VENV)/.installed: requirements.lock pyproject.toml
	@command -v uv >/dev/null 2>&1 || $(PYTHON) -m uv --version >/dev/null 2>&1 || $(PYTHON) -m pip install --quiet uv
	test -x $(BIN)/python || $(UV) venv --quiet --python 3.11 $(VENV)
	$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $@

browser: /usr/bin/chromium  ## Chromium and Japanese fonts, for the screenshots and the browser tests

/usr/bin/chromium:
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium chromium-driver chromium-l10n fonts-noto-cjk

proxy: /usr/sbin/nginx  ## nginx, for the test of the shipped proxy configuration

/usr/sbin/nginx:
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx-light openssl

demo: setup  ## a synthetic city, its batch, Superset and Dagster up
	test -d $(DEMO)/landing || $(BIN)/kodomo synth $(DEMO) --residents $(RESIDENTS) --seed $(SEED) --as-of $(AS_OF)
	$(BIN)/kodomo superset staff --demo
	$(BIN)/kodomo run --landing $(DEMO)/landing --as-of $(AS_OF)
	$(BIN)/kodomo superset apply
	$(BIN)/kodomo serve --detach --landing $(DEMO)/landing

test: setup browser proxy  ## all tests
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/sqlfluff lint --disable-progress-bar --processes 2 models macros tests/dbt

screenshots: setup browser  ## every dashboard as every role, into $(KODOMO_HOME)/screenshots
	$(BIN)/kodomo screenshots

lock:  ## resolve the versions again
	$(UV) pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --extra dev \
		--custom-compile-command "make lock" pyproject.toml --output-file requirements.lock

clean:
	rm -rf $(VENV) var
