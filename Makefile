# Everything sets itself up: a virtual environment in .venv, filled from the lock files.
.DEFAULT_GOAL := help
.PHONY: help run test bench wheel lock setup setup-dev clean
PYTHON := .venv/bin/python
RUFF ?= .venv/bin/ruff
LOCK := uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
	--no-annotate --no-emit-index-url --no-emit-find-links pyproject.toml --group build

help: ## what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /make \1\t/' | expand -t 18

run: .venv/run ## start the assistant (options: make run ARGS="--port 5002")
	@exec $(PYTHON) -m assistant $(ARGS)

test: .venv/dev ## every check and test (options for pytest: make test ARGS="-k log")
	@scripts/setup.sh tools
	$(RUFF) check .
	$(RUFF) format --check .
	$(PYTHON) -m mypy
	$(PYTHON) -m pytest -n auto --maxprocesses 4 --dist loadfile $(ARGS)

bench: .venv/dev ## measure against the budgets
	@scripts/setup.sh tools
	$(PYTHON) -m benchmarks $(ARGS)

wheel: .venv/run ## build dist/*.whl
	$(PYTHON) -m hatchling build -t wheel

lock: ## renew both lock files (needs uv)
	$(LOCK) -o requirements.lock
	$(LOCK) --extra test -c requirements.lock -o requirements-dev.lock

setup: .venv/run ## only set up what `make run` needs

setup-dev: .venv/dev ## only set up what `make test` needs

clean: ## remove what was made
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

# Each stamp is newer than what it was made from, its Python among it.
.venv/run: requirements.lock pyproject.toml .venv/bin/python
	@scripts/setup.sh python requirements.lock
	@touch $@

.venv/dev: requirements-dev.lock pyproject.toml .venv/bin/python
	@scripts/setup.sh python requirements-dev.lock
	@touch $@

.venv/bin/python: ;
