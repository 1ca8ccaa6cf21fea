# Two commands from a fresh clone: `make run` opens the window on the demo pod, `make test` runs the tests.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup run test lint fuzz audit bench screenshots test-llm build smoke deb wheel lock clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup:  ## the environment, from the lock file
	@PYTHON=$(PYTHON) .ci/setup

run: setup  ## the window, on the demo pod
	@$(BIN)/python -m comfydesk --demo

test: setup  ## all tests
	@QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -n 2

test-llm: setup  ## the language models' tests with the real llama.cpp (compiled first: 16 min on 2 cores)
	@.ci/setup-llm
	@.venv-llm/bin/python -m pytest tests/unit/llm tests/unit/cli/test_llm.py tests/bench/test_llm_speed.py -s

lint: setup  ## style, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

fuzz: setup  ## every parser, 10 minutes of processor time each (SECONDS=60 for one); atheris guides it where it is
	@$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),600)

audit: setup  ## known vulnerabilities of the locked packages (needs the network)
	@.ci/audit

bench: setup  ## the measurements in tests/bench, into docs/benchmarks.md (under 20 minutes)
	@$(BIN)/python -m tests.bench.run

screenshots: setup  ## every screen, both themes, and the moving picture of the README, into docs/screenshots
	@$(BIN)/python -m tests.screenshots
	@$(BIN)/python -m tests.capture

build: setup  ## the installed app, in dist/comfydesk
	@.ci/setup-build
	@$(BIN)/pyinstaller --noconfirm --log-level ERROR build.spec
	@$(BIN)/python release/licences.py dist/comfydesk/licences
	@du -sh dist/comfydesk

smoke: setup  ## the build, tried in an empty environment
	@.ci/setup-build
	@$(BIN)/python release/smoke.py dist/comfydesk

deb: setup  ## a Debian package of the build
	@$(BIN)/python release/deb.py dist/comfydesk

wheel: setup  ## wheel and source distribution, in dist
	@$(BIN)/python -m hatchling build

lock:  ## the lock file anew, for every supported Python (needs uv)
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --no-annotate --upgrade -o requirements.lock

clean:  ## everything that can be made again
	rm -rf .venv .venv-llm .venv-audit .bootstrap build dist out .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
