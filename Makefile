# Thin targets only: every one of them is a command you can type yourself.
CONFIG ?= config.yaml
CORES ?= all
# The newest of the supported ones that is here.
PYTHONS := 3.14 3.13 3.12 3.11
PYTHON ?= $(or $(shell for v in $(PYTHONS); do \
	python$$v -c '' 2>/dev/null && echo python$$v && break; done),python3)
TORCH ?=
VENV ?= .venv
BIN := $(VENV)/bin
SNAKEMAKE := $(BIN)/snakemake --configfile $(CONFIG) --cores $(CORES)

.PHONY: help env study run progress tensorboard export report archive verify test test-python bench lint lock clean
.DEFAULT_GOAL := help

## make run      the study CONFIG (config.yaml) on CORES (all) processor cores
## make study    a commented study for your own DATA (make study DATA=reviews.csv ENCODER=…
##               TEXT=column or premise,hypothesis LABEL=column
##               RANGE=0,5 if it holds scores, not labels)
## make progress how far the trainings of CONFIG are, live
## make tensorboard  their curves in the browser
## make export   every model of CONFIG as a folder for transformers and as ONNX, with its model card
## make report   its report.pdf and report.html, with whatever they still need
## make archive  the study of CONFIG in one file, with its best models
## make verify   one seed of each experiment anew: is every number still the same?
##               Or every table of an ARCHIVE anew from its predictions
## make test     all tests, a small study through the whole chain among them
## make test-python  of these, what tells whether another PYTHON will do, in its own VENV
## make bench    stock commands and Seedwise side by side, fifty minutes
## make lint     style of Python and of the rules, and who imports whom
## make clean    remove results and logs; downloads and .venv stay
## make env      .venv, as locked; the other targets make it by themselves
## make lock     requirements.lock from requirements.in, and what follows from it
help:
	@sed -n 's/^## //p' Makefile

# `.venv` is rebuilt whenever the lock changes.
$(VENV)/.installed: requirements.lock
	@$(PYTHON) -c 'import sys; "%d.%d" % sys.version_info[:2] in "$(PYTHONS)".split() or sys.exit( \
	"error: Seedwise runs on Python $(PYTHONS), not on $(PYTHON), which is %d.%d; install one of" \
	" these, or name it: make PYTHON=..." % sys.version_info[:2])'
	@$(PYTHON) scripts/install_environment.py $(VENV) --torch '$(TORCH)'

env: $(VENV)/.installed

study: env
	$(if $(DATA),,$(error say which data: make study DATA=reviews.csv))
	$(BIN)/python scripts/propose_study.py $(DATA) $(if $(ENCODER),--encoder '$(ENCODER)') \
		$(if $(TEXT),--text '$(TEXT)') $(if $(LABEL),--label '$(LABEL)') \
		$(if $(RANGE),--range '$(RANGE)')

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

archive: env
	$(SNAKEMAKE) archive_study

verify: env
	$(BIN)/python $(if $(ARCHIVE),scripts/verify_archive.py '$(ARCHIVE)',scripts/verify_study.py \
		--configfile $(CONFIG) --cores $(CORES))

# A file stays with one process, since its tests share what one fixture has trained; files that train
# studies come first, so that no process ends with one of them while the others have nothing to do.
PARALLEL := --numprocesses logical --maxprocesses 8 --dist loadfile --no-loadscope-reorder

test: env
	$(BIN)/pytest $(PARALLEL) -m "not alone" tests/integration tests/workflow tests/unit; \
	first=$$?; $(BIN)/pytest -m alone && exit $$first

test-python: env
	$(BIN)/pytest $(PARALLEL) -m "not alone" tests/workflow/test_smoke.py tests/unit
	$(BIN)/pytest -m alone tests/unit

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

# Without what a build of torch brings by itself, without torchaudio, which fairseq asks for in vain,
# and without what other systems need. With `UPGRADE=--upgrade`, indirect dependencies come in their newest versions.
lock: env
	$(BIN)/uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 $(UPGRADE) \
		--no-header --annotation-style line requirements.in --output-file requirements.lock
	sed -i -e '/^\(cuda\|nvidia\)-\|^\(torchaudio\|triton\)=/d' \
		-e "/sys_platform == '\(emscripten\|win32\)'/d" requirements.lock
	$(MAKE) env
	PYTHONPATH=tests $(BIN)/python -m support.environments

clean:
	rm -rf results logs
