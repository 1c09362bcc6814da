# Two commands do everything from a fresh clone: `make demo` and `make test`.
# Only Python 3.11 or newer is needed; set-up brings the rest into this folder.

.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
# One process has the local cloud, and mostly waits for it; two do all else (tests/conftest.py).
TOGETHER := -n 3 --no-loadscope-reorder
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/node_modules/.bin:$(PATH)
export PYTHONPATH := $(CURDIR)

.PHONY: help
help:  ## show this help
	@echo "Millrace: an MLOps pipeline for AWS, whole on your laptop."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  ./millrace --help   what to do by hand, on the laptop or in an account"

.PHONY: setup
setup: .venv/ready  ## install everything into this folder (offline afterwards)

.venv/ready: requirements-dev.txt package-lock.json tools/setup.sh
	sh tools/setup.sh

.PHONY: demo
demo: setup  ## the whole loop on the local cloud: train, release, score, page
	./millrace demo

.PHONY: up
up: setup  ## start the local cloud in the background
	./millrace up

.PHONY: down
down: setup  ## stop the local cloud
	./millrace down

.PHONY: deploy
deploy: setup  ## deploy to the local cloud (make deploy ENVIRONMENT=dev MODEL=tumor for an account)
	./millrace deploy --environment $(or $(ENVIRONMENT),local) --model $(or $(MODEL),tumor)

.PHONY: synth
synth: setup  ## write the CloudFormation templates to cdk.out (ENVIRONMENT=, MODEL=)
	cdk synth --quiet -c environment=$(or $(ENVIRONMENT),local) -c model=$(or $(MODEL),tumor)

.PHONY: test
test: setup  ## every test: unit, templates, end to end on the local cloud (under 10 minutes)
	$(BIN)/python -m pytest $(TOGETHER)

.PHONY: test-fast
test-fast: setup  ## only what needs neither a synthesis nor the local cloud (under a minute)
	$(BIN)/python -m pytest $(TOGETHER) -m "not local_cloud and not synth"

.PHONY: fuzz
fuzz: setup  ## look for new examples that break a property, ROUNDS times over (make fuzz ROUNDS=20)
	for round in $$(seq $(or $(ROUNDS),3)); do \
	  $(BIN)/python -m pytest $(TOGETHER) -m hypothesis --hypothesis-profile=fuzz || exit 1; done

.PHONY: lint
lint: setup  ## formatting, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

.PHONY: lock
lock: setup  ## write the requirement locks again from the .in files
	sh tools/lock.sh

.PHONY: clean
clean:  ## stop the local cloud and remove everything that set-up and runs made
	-@test ! -x $(BIN)/python || ./millrace down
	rm -rf .venv node_modules build cdk.out .millrace .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
