# make serve    install what is needed and serve on 127.0.0.1:8000; HOST=… PORT=… choose
# make test     install and run every test; ARGS="tests/http -k tape" chooses
# make parity   compare every op with local PyTorch on PyTorch's own test data; ARGS="--only linalg.*" chooses
# make search   look for calls that kill a process or touch foreign memory (docs/fences.md); ARGS="--seconds 600" bounds it
# make promises  the long forms of what docs/promises.md shows: minutes of crashes, bombs and kills
# make fuzz     100,000 requests drawn from openapi.json and the catalogue; ARGS="--seconds 600 --seed 7" bounds and varies it
# make soak     ten minutes of mixed traffic, with memory and latency watched; ARGS="--seconds 120" bounds it
# make lint types imports openapi docs bench dockerfile clean
#
# TORCH_INDEX=… is the package index that torch alone is taken from; empty, pip's own configuration decides.
# PyTorch's install page names the index of its CPU builds and those of its CUDA builds.

VENV ?= .venv
TORCH_INDEX ?=
# HOST stands in many environments with another meaning, so only the command line or GRADWIRE_HOST sets it.
HOST = $(or $(GRADWIRE_HOST),127.0.0.1)
PORT = $(or $(GRADWIRE_PORT),8000)
ARGS ?=

BIN := $(VENV)/bin
# The first Python that runs and is new enough, those first for which every pinned package has a wheel; asked only when
# the environment is made.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help serve install test parity search promises fuzz soak lint format types imports openapi openapi-check docs bench dockerfile dockersteps clean

help:
	@sed -n 's/^# \{0,1\}//p;/^$$/q' Makefile

# ---- environments: one folder, two marks, each as old as what it was made from

$(VENV)/.made-for-serving: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "gradwire needs Python 3.11 or later; none was found (PYTHON=… names one)" >&2; exit 1; }
	@echo "installing into $(VENV): PyTorch is large, the first time takes minutes"
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	if test -n "$(TORCH_INDEX)"; then \
		PIP_INDEX_URL="$(TORCH_INDEX)" $(BIN)/python -m pip install --quiet --no-deps -c constraints.txt torch; fi
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .
	@touch $@

$(VENV)/.made-for-testing: $(VENV)/.made-for-serving
	@echo "installing what tests and checks need into $(VENV)"
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	@touch $@

install: $(VENV)/.made-for-testing

# ---- the service

# `exec`: the server takes the shell's place, so that a signal to make or from the terminal reaches it and nothing else.
serve: $(VENV)/.made-for-serving
	@GRADWIRE_HOST='$(HOST)' GRADWIRE_PORT='$(PORT)' exec $(BIN)/gradwire serve

# ---- checks

# Two processes share the tests, but for those that measure time or kill processes: these need the machine to themselves, and
# get a second try where something else took it from them.
NONE_CHOSEN := 5
test: $(VENV)/.made-for-testing
	$(BIN)/python -m pytest -n 2 --dist loadfile -m 'not alone' $(ARGS) || [ $$? -eq $(NONE_CHOSEN) ]
	$(BIN)/python -m pytest -m alone --reruns 1 $(ARGS) || [ $$? -eq $(NONE_CHOSEN) ]

parity: $(VENV)/.made-for-testing
	$(BIN)/python -W ignore tests/parity/run.py $(ARGS)

search: $(VENV)/.made-for-testing
	$(BIN)/python -W ignore tests/fences/search.py $(ARGS)

promises: $(VENV)/.made-for-testing
	PROMISES=full $(BIN)/python -m pytest -s tests/promises $(ARGS)

fuzz: $(VENV)/.made-for-testing
	$(BIN)/python -W ignore tests/fuzz/fuzz_long.py $(ARGS)

soak: $(VENV)/.made-for-testing
	$(BIN)/python benchmarks/soak.py $(ARGS)

lint: $(VENV)/.made-for-testing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.made-for-testing
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/.made-for-testing
	$(BIN)/mypy

imports: $(VENV)/.made-for-testing
	$(BIN)/lint-imports

openapi: $(VENV)/.made-for-serving
	$(BIN)/gradwire openapi > openapi/openapi.json

openapi-check: $(VENV)/.made-for-serving
	$(BIN)/gradwire openapi | diff openapi/openapi.json - || { echo "openapi/openapi.json is stale: make openapi" >&2; exit 1; }

docs: $(VENV)/.made-for-serving
	$(BIN)/gradwire ops --markdown > docs/ops.md
	$(BIN)/gradwire syntax --page docs/programs.md

dockerfile: $(VENV)/.made-for-testing
	$(BIN)/hadolint Dockerfile

dockersteps: $(VENV)/.made-for-testing
	$(BIN)/python .ci/docker_steps.py

bench: $(VENV)/.made-for-testing
	$(BIN)/python benchmarks/tutorial.py $(ARGS)

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build
