# make VENV=DIR puts the virtual environment elsewhere; make PYTHON=python3.12 picks the interpreter.

VENV   ?= .venv
PYTHON ?= python3
JOBS   ?= 2

BIN        = $(VENV)/bin
PIP        = $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
TOOLS      = editables furo hatchling hypothesis mypy myst-parser playwright pytest pytest-cov pytest-xdist ruff sphinx types-PyYAML
PYPROJECTS = core/pyproject.toml sdk/pyproject.toml $(sort $(wildcard plugins/*/pyproject.toml))
EDITABLE   = --no-build-isolation $(patsubst %/pyproject.toml,--editable ./%,$(PYPROJECTS))

# What an environment is made from. Two stamps in it remember the inputs of its dependencies and the checkout it points at.
KEY := $(shell { $(PYTHON) --version; echo $(TOOLS) $(PYPROJECTS); cat constraints.txt $(PYPROJECTS); } | cksum | tr ' ' '-')
CHECKOUT = $(KEY) $(CURDIR)

.DEFAULT_GOAL = help
.PHONY: help install key demo test check docs bench manifests

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

install: ## the virtual environment: everything pinned, the packages of this checkout editable
	@if [ "$$(cat $(VENV)/.gen-dependencies 2>/dev/null)" != "$(KEY)" ]; then $(MAKE) --no-print-directory dependencies; fi
	@if [ "$$(cat $(VENV)/.gen-checkout 2>/dev/null)" != "$(CHECKOUT)" ]; then $(MAKE) --no-print-directory packages; fi

.PHONY: dependencies packages
dependencies:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("gen needs Python 3.11 or newer: make PYTHON=...")'
	@rm -f $(VENV)/.gen-dependencies $(VENV)/.gen-checkout
	@if [ "$$($(BIN)/python --version 2>/dev/null)" != "$$($(PYTHON) --version)" ]; then \
		echo "making $(VENV)"; $(PYTHON) -m venv --clear $(VENV); fi
	@echo "installing PyTorch into $(VENV)"
	@$(PIP) "$$(grep '^torch==' constraints.txt)"
	@echo "installing the tools and the packages' dependencies"
	@$(PIP) $(TOOLS)
	@$(PIP) $(patsubst ./plugins/series,./plugins/series[test],$(EDITABLE:./core=./core[tensorboard]))
	@echo "$(KEY)" > $(VENV)/.gen-dependencies
	@echo "$(CHECKOUT)" > $(VENV)/.gen-checkout

packages:
	@echo "pointing $(VENV) at $(CURDIR)"
	@$(PIP) --no-deps $(EDITABLE)
	@echo "$(CHECKOUT)" > $(VENV)/.gen-checkout

key:
	@echo "$(KEY)"

demo: install ## train a VAE on the bundled digits: a minute on a laptop
	$(BIN)/gen run vae-digits

test: install ## every test; make test ARGS="-k name" passes words on to pytest
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) $(ARGS)

check: install ## lint, formatting, types and the laws of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/gen plugin manifest --check
	$(BIN)/python -m pytest -q tests/laws

docs: install ## the documentation as HTML, into docs/_build; a warning is an error
	@$(BIN)/python docs/generate.py
	$(BIN)/sphinx-build -W --keep-going -q docs docs/_build
	@echo "docs/_build/index.html"

bench: install ## speed and quality, beside a raw PyTorch loop
	$(BIN)/python -m benchmarks $(ARGS)

manifests: install ## write every package's gen-plugin.json, the registry and docs/reference anew
	$(BIN)/gen plugin manifest
	$(BIN)/python docs/generate.py
