SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
# The uv of the machine, else one of our own: a system's Python takes no packages (PEP 668).
OWN_UV := .uv/bin/uv
UV := $(shell command -v uv 2>/dev/null || { $(PYTHON) -m uv --version >/dev/null 2>&1 && echo "$(PYTHON) -m uv"; } || echo $(OWN_UV))
RESIDENTS ?= 51492
SEED ?= 1
# Of the last batch of the demo: today in Japan, where it is not given.
AS_OF ?=
CAMPAIGN_MINUTES ?= 60
KODOMO_HOME ?= $(CURDIR)/var
DEMO := $(KODOMO_HOME)/demo
# A staging model that is the call of a macro holds no SQL of its own.
SQL := $(shell grep -rL --include='*.sql' '^{{ staging_model' models macros tests/dbt)

export KODOMO_HOME
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export DO_NOT_TRACK := 1
export DAGSTER_DISABLE_TELEMETRY := yes
export GX_ANALYTICS_ENABLED := false
export SCARF_ANALYTICS := false

.PHONY: setup programs demo check test campaign lint screenshots lock outdated clean

setup: $(VENV)/.installed  ## the environment in .venv, from requirements.lock

$(VENV)/.installed: requirements.lock pyproject.toml
	@test "$(UV)" != "$(OWN_UV)" || test -x $(OWN_UV) || { $(PYTHON) -m venv .uv && .uv/bin/python -m pip install --quiet uv; }
	test -x $(BIN)/python || $(UV) venv --quiet --python 3.11 $(VENV)
	$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $@

programs:  ## Debian's programs that code, tests and demo call: programs.txt
	@$(PYTHON) -m orchestration.operations.install_programs

demo: setup programs  ## a synthetic city, its batch, Superset and Dagster up
	@$(BIN)/kodomo demo --residents $(RESIDENTS) --seed $(SEED) $(if $(AS_OF),--as-of $(AS_OF))

test: setup programs  ## all tests
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

check: lint  ## style, layers and unit tests: the loop to work in
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder -m "not slow" tests/unit

campaign: setup programs  ## kills, races, a full disk, odd files, hostile requests, for $(CAMPAIGN_MINUTES) minutes
	@$(BIN)/python -m tests.campaign --minutes $(CAMPAIGN_MINUTES) --seed $(SEED)

lint: setup $(VENV)/.linted-sql
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

# Only what changed: sqlfluff reads every macro again for every file. The tests lint all of it as dbt renders it.
$(VENV)/.linted-sql: $(SQL) pyproject.toml | setup
	$(BIN)/sqlfluff lint --disable-progress-bar --processes 2 $(if $(filter %.sql,$?),$(filter %.sql,$?),$(SQL))
	touch $@

screenshots: setup programs  ## every dashboard as every role, into $(KODOMO_HOME)/screenshots
	$(BIN)/kodomo screenshots

lock:  ## resolve the versions again
	$(UV) pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --extra dev \
		--custom-compile-command "make lock" pyproject.toml --output-file requirements.lock

outdated: setup  ## what the registry has later versions of; docs/dependencies.md says what holds each pin
	$(UV) pip list --outdated --python $(BIN)/python

clean:
	rm -rf $(VENV) .uv var
