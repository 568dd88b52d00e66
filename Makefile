# Two commands do everything on a fresh machine, set-up included:
#   make demo   three daemons, one community, real input
#   make test   every check and every test
# They need git, make, python3 and python3-venv, and no compiler.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
PROOF := .venv/.proof-ready
EDITORS := tests/editors/node_modules/.package-lock.json
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
# Hashes decide what may be installed; --no-deps because the lock overrides one of libp2p's pins.
INSTALL_LOCKED := $(PIP) install --no-deps --require-hashes --no-build-isolation --use-pep517 \
	--only-binary :all: --no-binary python-baseconv,varint,yattag

# Daemons and commands are started by the hundred: each must find its bytecode, not compile anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check editors fuzz crash crash-sync crash-files crash-node power badnet dags dags-all soak-dags documents yjs-histories sim sim-scale soak mutants mutation coverage bench cost format lock wheel try-wheel clean
.DEFAULT_GOAL := test

demo: $(READY)
	$(BIN)/python tests/demo/run.py

# Three at once, also on two cores: many tests wait for daemons most of their time. The files that
# wait longest come first (tests/patience.py), so that none of them is left for the end. What is drawn
# by chance follows from one seed, so that every clone of a commit tries the same; campaigns and soaks
# try others.
test: export P2PVALUE_TEST_SEED ?= 3815154950
test: check $(EDITORS)
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder \
		--hypothesis-seed $(P2PVALUE_TEST_SEED) $(PYTEST)
	$(MAKE) --no-print-directory sim

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

# Kills two processes that write and sync with each other; the tests do it 40 times.
crash-sync: $(READY)
	folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT \
		&& $(BIN)/python -m tests.store.crash_sync "$$folder" --kills $(KILLS)

# Kills backups, restores and other changes of whole files; the tests do it 60 times.
crash-files: $(READY)
	folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT \
		&& $(BIN)/python -m tests.node.crash "$$folder" --kills $(KILLS)

# Cuts the power of a virtual disk under the store, so many times; the tests do it 300 times.
CUTS ?= 10000
power: $(READY)
	$(BIN)/python -m tests.store.power --cuts $(CUTS)

# Kills a daemon that people use, so many times; the tests do it 9 times.
crash-node: KILLS = 200
crash-node: $(READY)
	folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT \
		&& $(BIN)/python -m tests.system.crash "$$folder" --kills $(KILLS)

# Runs real daemons on a network of this machine's own that delays, loses, parts and attacks. Root.
PEOPLE ?= 10
badnet: $(READY)
	$(BIN)/python -m tests.badnet.run --people $(PEOPLE) $(BADNET)

# Compares the code that judges who may do what with the rules read word by word. Stopped and started
# again, each goes on where it was; a minute for some 10,000 DAGs, so an hour or two for all small ones.
DAGS := $(BIN)/python -m tests.dags.search
dags: $(READY)
	$(DAGS) random --count 100000 --resume build/dags.json && rm build/dags.json

dags-all: $(READY)
	$(DAGS) small --resume build/dags-all.json && rm build/dags-all.json

soak-dags: $(READY)
	$(DAGS) random --from 1000000 --count 10000000 --resume build/soak.json && rm build/soak.json

# Plays histories of documents in which some lie, with the text library: all must show the same. Stopped
# and started again, it goes on where it was.
HISTORIES ?= 100000
documents: $(READY)
	$(BIN)/python -m tests.documents.hostile --histories $(HISTORIES) --resume build/documents.json \
		&& rm build/documents.json

# Plays histories of real Yjs clients and of rich editors, with undo, and applies what counts of liars
# in both libraries.
YJS_HISTORIES ?= 3000
yjs-histories: $(READY) $(EDITORS)
	$(BIN)/python -m tests.editors.yjs_histories --histories $(YJS_HISTORIES)

# Runs simulated worlds that try to break the core: a thousand small ones, or all night, each seed
# once (build/sim.json counts them). What fails is made smaller and written down as a scenario.
SIM := $(BIN)/p2pvalue sim
SEEDS ?= 1000
HOURS ?= 8
sim: $(READY)
	mkdir -p build
	$(SIM) run --seeds $(SEEDS) --machines 5 --jobs 2 --shrink build/failed.toml

soak: $(READY)
	mkdir -p build
	$(SIM) soak --hours $(HOURS) --jobs 2 --state build/sim.json

# One world of five thousand machines.
sim-scale: $(READY)
	$(SIM) run --scenario scale

# Bends each rule in a copy of the code, and says which check notices; fails if one does not. Minutes.
mutants: $(READY)
	$(BIN)/python -m tests.mutants.run --resume build/mutants.txt && rm -f build/mutants.txt

# Bends the core in thousands of small ways and counts what its tests notice: a seeded sample, or all
# of one module (MODULE=verdicts). Hours, in a copy that stays until MUTATION=--fresh; goes on where it
# was. MUTATION=--survivors tries those again with the tests of today.
SAMPLE = 1000
SEED = 1
mutation: $(PROOF)
	$(BIN)/python -m tests.mutants.sample \
		$(if $(MODULE),--module $(MODULE),--sample $(SAMPLE) --seed $(SEED)) $(MUTATION)

# Which lines and branches of the core its own tests reach; fails unless they reach all. What they draw
# by chance is the same each time. A quarter of an hour.
coverage: export P2PVALUE_TEST_SEED = 1
coverage: $(READY)
	$(BIN)/coverage run -m pytest -q --hypothesis-seed=1 tests/protocol tests/documents tests/needs tests/laws tests/vectors tests/dags protocol/spec
	$(BIN)/coverage report

# Fuzzes every decoder, and what stands behind them, for so many minutes; findings become regressions.
MINUTES ?= 60
fuzz: $(PROOF)
	nice -n 15 $(BIN)/python -m tests.fuzz.run --minutes $(MINUTES)

# Runs the workloads on real processes; docs/performance.md says what they measure.
bench: $(READY)
	$(BIN)/python -m tests.bench.run

# What one thing more costs at a thousand and at a million operations; makes docs/cost.md.
cost: $(PROOF)
	$(BIN)/python -m tests.bench.cost
	$(BIN)/python -m tests.bench.cost_page

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

# What only long proofs need; nobody else has to wait for it.
$(PROOF): $(READY) requirements/proof.txt
	$(INSTALL_LOCKED) -r requirements/proof.txt
	touch $(PROOF)

# The editors that the tests drive, for the Node that comes with .venv; nothing of it runs while it is set up.
editors: $(EDITORS)
$(EDITORS): $(READY) tests/editors/package-lock.json
	$(BIN)/python -m tests.editors.javascript
	touch $(EDITORS)

# Keeps every pin that still fits; `make lock UPGRADE=--upgrade` takes the newest releases.
UV_VERSION := 0.13.9
LOCK := $(BIN)/uv --quiet pip compile --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock" $(UPGRADE)
lock: $(READY)
	$(PIP) install uv==$(UV_VERSION)
	$(LOCK) --group build --output-file requirements/build.txt
	$(LOCK) pyproject.toml --group build --group libp2p --group dev \
		--constraint requirements/build.txt --output-file requirements/all.txt
	$(LOCK) --group proof --constraint requirements/all.txt --output-file requirements/proof.txt

wheel: $(READY)
	$(PIP) wheel --no-deps --wheel-dir dist .

# Installs the built wheel as a user would, with no compiler in reach. Needs the package index.
try-wheel: wheel
	sh tests/tidy/try_wheel.sh "$(PYTHON)"

clean:
	rm -rf .venv tests/editors/node_modules build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
