# Thin targets only: every one of them is a command you can type yourself.
CONFIG ?= config.yaml
CORES ?= all
PYTHON ?= python3.11
BIN := .venv/bin

# `.venv` is rebuilt whenever the lock changes. torch comes first, with its
# dependencies, because a CUDA build pins its own CUDA libraries; everything
# else is installed exactly as locked (CONTRIBUTING.md says why --no-deps).
.venv/.installed: requirements.lock
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet pip==24.0
	$(BIN)/pip install --quiet --constraint requirements.lock torch
	$(BIN)/pip install --quiet --no-deps --requirement requirements.lock
	touch $@

.PHONY: env
env: .venv/.installed
