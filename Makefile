# Two commands do everything from a fresh clone: `make demo` and `make test`.
# Only Python 3.11 or newer is needed; set-up brings the rest into this folder.

.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
# Rooms, folders or files of tests: make test ONLY=scoring, ONLY="contract tests/scoring/upload".
ONLY :=
ROOMS = $(filter-out fixtures hostile __pycache__,$(notdir $(patsubst %/,%,$(wildcard tests/*/))))
TESTS = $(foreach one,$(ONLY),$(or $(wildcard tests/$(one)),$(filter tests/%,$(wildcard $(one))),\
  $(error ONLY=$(one): no such tests; there are those of $(ROOMS))))
PYTEST = $(BIN)/python -m pytest --no-loadscope-reorder -n
# Of three processes one has the local cloud, and mostly waits for it (tests/conftest.py).
ALL = $(if $(ONLY),2,3)
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/node_modules/.bin:$(PATH)
export PYTHONPATH := $(CURDIR)
# Tests start hundreds of processes: none of them shall compile what another has compiled.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help:  ## show this help
	@echo "Millrace: an MLOps pipeline for AWS, whole on your laptop."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
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
test: setup  ## every test but the longest: units, templates, the local cloud (make test ONLY=scoring: one room's)
	$(PYTEST) $(ALL) -m "not long" $(TESTS)

.PHONY: test-fast
test-fast: setup  ## unit tests, in under a minute (make test-fast ONLY=scoring: one room's)
	$(PYTEST) 2 -m "not (slow or synth or local_cloud or long)" $(TESTS)

.PHONY: test-changed
test-changed: setup  ## the tests that the changes since main can reach (make test-changed SINCE=BRANCH)
	@tests=$$($(BIN)/python tools/changed_tests.py $(SINCE)) && \
	  if [ -n "$$tests" ]; then $(PYTEST) 3 -m "not long" $$tests; fi

.PHONY: test-long
test-long: setup  ## the longest tests: the upgrade of stacks of 0.1.0, worlds without end
	$(PYTEST) 2 -m long $(TESTS)

.PHONY: fuzz
fuzz: setup  ## look for new examples that break a property, ROUNDS times over (make fuzz ROUNDS=20)
	for round in $$(seq $(or $(ROUNDS),3)); do \
	  $(PYTEST) 3 -m hypothesis --hypothesis-profile=fuzz $(TESTS) || exit 1; done

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
