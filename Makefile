# `make` alone prints the targets. Nothing has to be set up before: .venv is made by the first target that needs it.
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
VENV := .venv/requirements.sha256
# Medea runs inside the front door, installed by its chart. LAB_MEDEA=processes: as two processes on the host, for a debugger.
# ARGO=4.0.5 KUBERNETES=1.33.13: other versions than those of tests/lab/versions.env, on all three clusters.
# LAB=kind: the same three clusters made by kind, where Docker exists (never run so far, see the README).
LAB_MODULE := $(if $(filter kind,$(LAB)),tests.lab.kind,tests.lab)
OUT ?= certs/out
UV := $(or $(shell command -v uv),.venv/bin/uv)
SOLVE := pip compile --quiet --no-annotate --no-header --generate-hashes --python-version 3.11 $(if $(UPGRADE),--upgrade)

.PHONY: help demo test examples matrix upgrade check static lab lab-down lab-kill lab-start lab-log lab-status lab-spark bench bench-waiting bench-hang bench-files faults docs manifests certs lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
		printf '  make %-22s %s\n' "$$name" "$$text"; done

demo: $(VENV) ## bring the laboratory up and watch Workflows find their clusters
	@$(PYTHON) -m tests.lab.demo

test: $(VENV) ## style, types, layers and all tests, in a laboratory that is gone afterwards
	@.ci/test

examples: $(VENV) ## all of Argo's own examples, with Medea and without it; `make test` takes every eighth (some 20 minutes)
	@MEDEA_EXAMPLES=all .ci/test tests/end_to_end/test_argo_examples.py

matrix: $(VENV) ## the tests that tell, on each pair of Argo and Kubernetes; or PAIRS="4.0.5/1.35.4" (hours)
	@$(PYTHON) -m tests.matrix $(PAIRS)

check: static ## the same without the laboratory
	@$(PYTHON) -m pytest -m 'not lab'

static: $(VENV) ## style, types and layers only
	@.ci/static

upgrade: $(VENV) ## from an earlier commit to this one by Helm and back, while Workflows run: make upgrade FROM=commit
	@MEDEA_UPGRADE_FROM=$(or $(FROM),$(error FROM is missing: a commit)) .ci/test tests/end_to_end/alone/life/test_installed.py

lab: $(VENV) ## start the laboratory, or what is missing of it; then: source .lab/env (ARGO=, KUBERNETES=: other versions)
	@$(PYTHON) -m $(LAB_MODULE) up

lab-down: $(VENV) ## remove the laboratory; what was built stays cached
	@$(PYTHON) -m $(LAB_MODULE) down

lab-kill: $(VENV) ## kill -9 one process, or Medea's pods: make lab-kill WHAT=controller
	@$(PYTHON) -m tests.lab kill $(or $(WHAT),$(error WHAT is missing; `make lab-status` shows the names))

lab-start: $(VENV) ## start it again: make lab-start WHAT=controller
	@$(PYTHON) -m tests.lab start $(or $(WHAT),$(error WHAT is missing; `make lab-status` shows the names))

lab-log: $(VENV) ## what it has written: make lab-log WHAT=controller
	@$(PYTHON) -m tests.lab log $(or $(WHAT),$(error WHAT is missing; `make lab-status` shows the names))

lab-status: $(VENV) ## every process of the laboratory, Medea's pods, and their logs
	@$(PYTHON) -m tests.lab status

lab-spark: $(VENV) ## give the running laboratory's targets an image of real Spark, for examples/spark-pi.yaml
	@$(PYTHON) -m tests.lab.sparkimage

bench: $(VENV) ## what Medea adds to a create, beside the same create without it, in the running laboratory
	@$(PYTHON) -m tests.bench

bench-waiting: $(VENV) ## what 2,000 waiting Workflows cost a submit and an idle controller, in the running laboratory
	@$(PYTHON) -m tests.bench_waiting

bench-hang: $(VENV) ## what a target that hangs costs everybody else, in the running laboratory
	@$(PYTHON) -m tests.bench_hang

bench-files: $(VENV) ## how much memory 1,000 uploads at once and a very large one take; without a laboratory
	@$(PYTHON) -m tests.bench_files

faults: $(VENV) ## episodes of random faults: SEED=7 EPISODES=1000, or LAB=1, or SCHEDULE=name, or PLANTED=all (see docs/faults.md)
	@PYTHONHASHSEED=0 $(PYTHON) -W ignore -m $(if $(LAB),tests.faults.laboratory,tests.faults) \
		$(if $(SEED),--seed $(SEED)) $(if $(EPISODES),--episodes $(EPISODES)) \
		$(if $(SCHEDULE),--schedule $(SCHEDULE)) $(if $(PLANTED),--planted $(PLANTED)) $(if $(KEEP_GOING),--keep-going)

manifests: $(VENV) ## render manifests/base and manifests/logs from the chart
	@$(PYTHON) -m tests.lab.render

certs: $(VENV) ## make or renew the webhook's certificates in certs/out, or OUT=folder
	@mkdir -p $(OUT) && printf '*\n' > $(OUT)/.gitignore
	@$(PYTHON) -m certs --out $(OUT)

docs: $(VENV) ## write docs/reference.md from the source
	@$(PYTHON) -m tests.docs.reference

lock: $(VENV) ## write both lock files from pyproject.toml; UPGRADE=1 takes the newest versions
	@$(UV) --version 2> /dev/null || $(PYTHON) -m pip install --quiet uv
	$(UV) $(SOLVE) pyproject.toml -o requirements-run.lock
	$(UV) $(SOLVE) pyproject.toml --extra laptop --group dev -o requirements.lock

clean: ## remove .venv and all caches of this checkout, and the laboratory if it is up
	@if [ -e .lab/env ] && [ -x $(PYTHON) ]; then $(PYTHON) -m tests.lab down; fi
	rm -rf .venv .lab .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV): requirements.lock .ci/bootstrap
	@.ci/bootstrap
