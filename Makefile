# make explore   the app, on http://localhost:5006 (PORT=… for another)
# make page      the page without a server, in build/page (SAMPLES=… drawn of a simulated field)
# make demos     the notebooks of demos/, in JupyterLab
# make test      the test suite, browser tests included
# make test-all  the same with the slow tests
# make docs      the documentation, in build/docs (DEMOS=0: without running the notebooks)
# make scores    CHECKPOINT=… (default: the bundled one) beside the classical methods
# make bench     how fast, against what the machine can do (BENCH=sampling: a part)
# Everything goes into .venv; PYTHON=python3.12 names the Python it is made with.

PYTHON ?= python3
VENV ?= .venv
PORT ?= 5006
JOBS ?= 2
SAMPLES ?= 256
DEMOS ?= 1
BUNDLED := $(wildcard massgan_core/gan/bundled/*.safetensors)
# A checkpoint's calibration lies beside it.
CHECKPOINT ?= $(firstword $(filter-out %.calibration.safetensors,$(BUNDLED)))
BIN := $(VENV)/bin
TESTS := cluster,docs,explorer,plot,simulate,storage,test,train

# Unset: PyTorch's CPU index on Linux without an NVIDIA GPU. Set but empty: the ordinary registry.
ifneq ($(origin TORCH_INDEX),undefined)
TORCH := --torch-index=$(TORCH_INDEX)
endif
INSTALL := $(PYTHON) .ci/install.py --venv=$(VENV) $(TORCH)

# One thread each: the tests run side by side, JOBS at once.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile

.PHONY: explore page demos test test-all lint docs scores bench lock clean python

explore: python
	@$(INSTALL) --extras=explorer
	@$(BIN)/massgan explore --no-show --port $(PORT)

page: python
	@$(INSTALL) --extras=explorer,page
	@$(BIN)/python page/build.py --samples $(SAMPLES)

demos: python
	@$(INSTALL) --extras=explorer,notebook,train
	@$(BIN)/jupyter lab --ServerApp.root_dir=demos $(if $(filter 0,$(shell id -u)),--allow-root)

test: python
	@$(INSTALL) --extras=$(TESTS) --browser
	$(PYTEST) -m "not slow"

test-all: python
	@$(INSTALL) --extras=notebook,page,$(TESTS) --browser
	$(PYTEST)

lint: python
	@$(INSTALL) --extras=$(TESTS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

docs: python
	@$(INSTALL) --extras=docs,$(TESTS)
	$(BIN)/python -m sphinx -W --keep-going -q -D run_demos=$(DEMOS) docs build/docs
	@echo "Open build/docs/index.html."

scores: python
	@$(INSTALL) --extras=bench,$(TESTS)
	$(BIN)/python benchmarks/score.py $(CHECKPOINT) --out runs/score

bench: python
	@$(INSTALL) --extras=bench,$(TESTS)
	@mkdir -p runs
	$(BIN)/python -m pytest -c benchmarks/performance/pytest.ini \
		benchmarks/performance$(if $(BENCH),/bench_$(BENCH).py) \
		--benchmark-json=runs/performance.json
	$(BIN)/python benchmarks/performance_page.py runs/performance.json

lock: python
	@$(INSTALL) --extras=bench,notebook,page,$(TESTS)
	$(BIN)/python .ci/lock.py > constraints.tmp && mv constraints.tmp constraints.txt

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache tests/.artifacts
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

python:
	@command -v $(PYTHON) >/dev/null || \
	{ echo "There is no $(PYTHON) here: install Python 3.11, or name yours with PYTHON=…" >&2; exit 1; }
