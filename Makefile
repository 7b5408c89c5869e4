# Thin targets only: every one of them is a command you can type yourself.
CONFIG ?= config.yaml
CORES ?= all
PYTHON ?= python3.11
BIN := .venv/bin
SNAKEMAKE := $(BIN)/snakemake --configfile $(CONFIG) --cores $(CORES)

.PHONY: help env study run progress tensorboard export report verify test bench lint clean
.DEFAULT_GOAL := help

## make run      the study CONFIG (config.yaml) on CORES (all) processor cores
## make study    a commented study for your own DATA (make study DATA=reviews.csv ENCODER=…)
## make progress how far the trainings of CONFIG are, live
## make tensorboard  their curves in the browser
## make export   every model of CONFIG as a folder for transformers, with its model card
## make report   its report.pdf and report.html, with whatever they still need
## make verify   one seed of each experiment anew: is every number still the same?
## make test     all tests, a small study through the whole chain among them
## make bench    stock commands and Seedwise side by side, fifty minutes
## make lint     style of Python and of the rules, and who imports whom
## make clean    remove results and logs; downloads and .venv stay
## make env      .venv, as locked; the other targets make it by themselves
help:
	@sed -n 's/^## //p' Makefile

# `.venv` is rebuilt whenever the lock changes. torch comes first, with its
# dependencies, because a CUDA build pins its own CUDA libraries; everything
# else is installed exactly as locked (CONTRIBUTING.md says why --no-deps).
.venv/.installed: requirements.lock
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet pip==24.0
	$(BIN)/pip install --quiet --constraint requirements.lock torch
	$(BIN)/pip install --quiet --no-deps --requirement requirements.lock
	touch $@

env: .venv/.installed

study: env
	$(if $(DATA),,$(error say which data: make study DATA=reviews.csv))
	$(BIN)/python scripts/propose_study.py $(DATA) $(if $(ENCODER),--encoder '$(ENCODER)')

run: env
	$(SNAKEMAKE)

progress: env
	$(BIN)/python scripts/show_progress.py $(CONFIG)

tensorboard: env
	$(SNAKEMAKE) tensorboard
	$(BIN)/tensorboard --logdir results/$$(sed -n 's/^study: *//p' $(CONFIG))/tensorboard

export: env
	$(SNAKEMAKE) export

report: env
	$(SNAKEMAKE) render_pdf render_html

verify: env
	$(BIN)/python scripts/verify_study.py --configfile $(CONFIG) --cores $(CORES)

# A file stays with one process, since its tests share what one fixture has trained.
test: env
	$(BIN)/pytest --numprocesses logical --maxprocesses 8 --dist loadfile -m "not alone"; \
	first=$$?; $(BIN)/pytest -m alone && exit $$first

bench: env
	$(BIN)/python benchmarks/bench.py

lint: env
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	PYTHONPATH=scripts $(BIN)/lint-imports --no-cache
	$(BIN)/snakefmt --check Snakefile rules
	for config in config.yaml configs/*.yaml; do \
		$(BIN)/snakemake --configfile $$config --lint || exit; \
	done

clean:
	rm -rf results logs
