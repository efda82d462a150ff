# Two commands are all that is needed; each installs what it needs into .venv first.
#
#   make chat        the page: questions, answers, sources      (make chat ARGS="--port 8000")
#   make test        everything that is checked before a change is accepted
#   make test-long   the soak, crash and scale tests
#   make gate        every golden question, held against the baseline in tests/golden (make test asks 150 of them)
#   make baseline    that baseline anew, after a change that is meant to change answers
#   make lock        requirements.lock anew, after a change of pyproject.toml (UPGRADE=1: with newer versions)
#   make clean       remove .venv and all caches
#
# PYTHON=/path/to/python3 names the Python that a new .venv is made with.

VENV := .venv
BIN := $(VENV)/bin
PYTHONS := $(or $(PYTHON),python3.13 python3.12 python3.11 python3)
STAMP := $(VENV)/installed
# What a whole installation is of: this folder, this lock, this project, this Python.
STATE := pwd; cat requirements.lock pyproject.toml | cksum; $(BIN)/python -V || true
# PyTorch's CUDA libraries are in the lock, but only the Linux builds of PyTorch that ask for them get them.
CUDA := ^(cuda|nvidia|triton)
# Files of tests are handed to as many processes as there are cores, up to four: each loads the models (1.5 GB).
WORKERS := -n logical --maxprocesses=4 --dist=loadfile

.PHONY: help chat test test-long golden-run gate baseline install lock clean

help:
	@sed -n 's/^#   //p' Makefile

chat: install
	@$(BIN)/bpo chat $(ARGS)

test: install
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/bpo ingest --check
	$(BIN)/pytest --verbosity=0 -m "not long" $(WORKERS)

test-long: install
	$(BIN)/pytest --verbosity=0 -m long

GOLDEN := tests/golden
RUN := $(VENV)/golden

golden-run: install
	@rm -rf $(RUN)/run
	$(BIN)/bpo eval run corpus/questions.jsonl --corpus corpus --index $(RUN)/index --out $(RUN)/run $(ARGS)

gate: golden-run
	$(BIN)/bpo eval gate $(RUN)/run --policy $(GOLDEN)/gate.toml --baseline $(GOLDEN)/baseline --report

baseline: golden-run
	$(BIN)/bpo eval keep $(RUN)/run $(GOLDEN)/baseline

# The stamp is written last. Without it .venv is made anew; with that of an older lock it is brought up to date.
install:
	@set -e; exec 9< Makefile; ! command -v flock > /dev/null || flock 9; \
	state="$$( ($(STATE)) 2>&1 )"; \
	if [ "$$state" = "$$(cat $(STAMP) 2>&1)" ]; then exit 0; fi; \
	if [ "$$(pwd)" != "$$(head -n 1 $(STAMP) 2> /dev/null)" ] || ! $(BIN)/python -c "" 2> /dev/null; then \
	  for python in $(PYTHONS) ""; do \
	    ! "$$python" -c "import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))" 2> /dev/null || break; \
	  done; \
	  if [ -z "$$python" ]; then \
	    echo "bpo needs Python 3.11 or newer with venv, and none of these is it: $(PYTHONS)." \
	      "Install one (Debian, Ubuntu: apt-get install python3-venv; macOS: brew install python)" \
	      "or name one: make PYTHON=/path/to/python3" >&2; exit 1; \
	  fi; \
	  echo "Making $(VENV) with $$("$$python" -V): some minutes, once."; quiet=; \
	  "$$python" -m venv --clear $(VENV); \
	else echo "Bringing $(VENV) up to date."; quiet=--quiet; rm -f $(STAMP); fi; \
	grep -vE '$(CUDA)' requirements.lock > $(VENV)/requirements.txt; \
	pip="$(BIN)/python -m pip --disable-pip-version-check"; \
	{ $$pip install $$quiet --no-deps -r $(VENV)/requirements.txt \
	  && $$pip install --no-deps --no-build-isolation --quiet -e . \
	  && { $$pip check > /dev/null || $$pip install -r $(VENV)/requirements.txt -c requirements.lock \
	    | grep --line-buffered -v already; $$pip check; } \
	  && $(BIN)/python -c "import torch"; } \
	|| { echo "The packages could not be installed, for the reason above; the same command begins anew." >&2; exit 1; }; \
	($(STATE)) > $(STAMP)

lock:
	@test -x $(BIN)/pip || $(MAKE) install
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --no-annotate --quiet \
	  --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade) --output-file requirements.lock

clean:
	rm -rf $(VENV) .hypothesis .mypy_cache .pytest_cache .ruff_cache dist
	find rag ui tests -name __pycache__ -prune -exec rm -rf {} +
