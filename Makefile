# Two commands do everything on a fresh machine, set-up included:
#   make demo   three daemons, one community, real input
#   make test   every check and every test
# They need git, make, python3 and python3-venv, and no compiler.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
# Hashes decide what may be installed; --no-deps because the lock overrides one of libp2p's pins.
INSTALL_LOCKED := $(PIP) install --no-deps --require-hashes --no-build-isolation --use-pep517 \
	--only-binary :all: --no-binary python-baseconv,varint

# Daemons and commands are started by the hundred: each must find its bytecode, not compile anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check crash crash-node dags dags-all soak mutants bench format lock wheel try-wheel clean
.DEFAULT_GOAL := test

demo: $(READY)
	$(BIN)/python tests/demo/run.py

# Three at once, also on two cores: many tests wait for daemons most of their time. The files that
# wait longest come first (testpaths), so that none of them is left for the end.
test: check
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder $(PYTEST)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Kills a process that appends, so many times; the tests do it 200 times.
KILLS ?= 10000
crash: $(READY)
	folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT \
		&& $(BIN)/python -m tests.store.crash "$$folder" --kills $(KILLS)

# Kills a daemon that people use, so many times; the tests do it 20 times.
crash-node: KILLS = 200
crash-node: $(READY)
	folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT \
		&& $(BIN)/python -m tests.system.crash "$$folder" --kills $(KILLS)

# Compares the code that judges who may do what with the rules read word by word. Stopped and started
# again, each goes on where it was; a minute for some 10,000 DAGs, so an hour or two for all small ones.
DAGS := $(BIN)/python -m tests.dags.search
dags: $(READY)
	$(DAGS) random --count 100000 --resume build/dags.json && rm build/dags.json

dags-all: $(READY)
	$(DAGS) small --resume build/dags-all.json && rm build/dags-all.json

soak: $(READY)
	$(DAGS) random --from 1000000 --count 10000000 --resume build/soak.json && rm build/soak.json

# Bends each rule in a copy of the code; fails if the comparison does not notice.
mutants: $(READY)
	$(BIN)/python -m tests.dags.mutants

# Runs the workloads on real processes; docs/performance.md says what they measure.
bench: $(READY)
	$(BIN)/python -m tests.bench.run

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# trio-stubs: libp2p brings trio-typing, whose stubs of an old trio hide trio's own types from mypy.
$(READY): requirements/build.txt requirements/all.txt pyproject.toml
	@$(PYTHON) -c 'import sys' 2>/dev/null \
		|| { echo "python3 is missing. Install it: sudo apt install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { echo "p2pvalue needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is another version." \
		"Install one and name it: sudo apt install python3.13 python3.13-venv && make PYTHON=python3.13"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.maxsize < 2**32)' \
		|| { echo "p2pvalue needs a 64-bit system, and this Python is 32-bit." \
		"Write a 64-bit Raspberry Pi OS to its card: sudo apt install rpi-imager && rpi-imager"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "Python's venv module is missing. Install it: sudo apt install python3-venv"; exit 1; }
	@echo "Setting up .venv: about a minute, a few on a Raspberry Pi."
	test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	$(INSTALL_LOCKED) -r requirements/build.txt
	$(INSTALL_LOCKED) -r requirements/all.txt
	rm -rf .venv/lib/python3.*/site-packages/trio-stubs
	$(PIP) install --no-deps --no-index --no-build-isolation --editable .
	touch $(READY)

# Keeps every pin that still fits; `make lock UPGRADE=--upgrade` takes the newest releases.
UV_VERSION := 0.13.9
LOCK := $(BIN)/uv --quiet pip compile --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock" $(UPGRADE)
lock: $(READY)
	$(PIP) install uv==$(UV_VERSION)
	$(LOCK) --group build --output-file requirements/build.txt
	$(LOCK) pyproject.toml --group build --group libp2p --group dev \
		--constraint requirements/build.txt --output-file requirements/all.txt

wheel: $(READY)
	$(PIP) wheel --no-deps --wheel-dir dist .

# Installs the built wheel as a user would, with no compiler in reach. Needs the package index.
try-wheel: wheel
	sh tests/tidy/try_wheel.sh "$(PYTHON)"

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
