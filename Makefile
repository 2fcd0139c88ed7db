# `make run` starts the app, `make test` runs every test; both install what they need first.
.DEFAULT_GOAL := help
SHELL := /bin/bash

VENV := .venv
BIN := $(VENV)/bin
HOST := 127.0.0.1
PORT ?= 8501

.PHONY: help run test check format cli clean

help: ## list these targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

$(VENV)/.run-ready: requirements.txt scripts/make_venv.sh
	@bash scripts/make_venv.sh $(VENV) requirements.txt
	@touch $@

$(VENV)/.test-ready: $(VENV)/.run-ready requirements-dev.txt
	@bash scripts/make_venv.sh $(VENV) requirements-dev.txt
	@touch $@

run: $(VENV)/.run-ready ## install what is missing and start the app on 127.0.0.1:8501
	@echo "CausalMix: open http://$(HOST):$(PORT) in your browser (stop with Ctrl+C)"
	@$(BIN)/python -m ui.serve --server.address $(HOST) --server.port $(PORT)

test: $(VENV)/.test-ready ## lint, types, layers and every test
	@bash scripts/check.sh $(BIN)

check: $(VENV)/.test-ready ## the quick part of `make test`: lint, types, layers
	@bash scripts/check.sh $(BIN) --quick

format: $(VENV)/.test-ready ## format the code
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

clean: ## remove the virtual environment and caches
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
