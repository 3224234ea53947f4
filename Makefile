# CytoWatch: `make demo` and `make test` need only Python 3.11 or newer and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# Every package comes with its hash, what a package needs included.
PIP_LOCKED := -m pip install --quiet --disable-pip-version-check --require-hashes
SUPPLY := build/supply

.PHONY: demo test quick house cover thorough docs test-bluez lint bench soak mutation clean setup lock sbom audit
setup: $(STAMP)
$(STAMP): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "CytoWatch needs Python 3.11 or newer; set PYTHON=")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) (nothing global) ..."
	@$(BIN)/python $(PIP_LOCKED) -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

typings/esp32/.done typings/rp2/.done: typings/%/.done: tools/dev/locks/stubs-%.lock $(STAMP)
	@$(BIN)/python $(PIP_LOCKED) --upgrade --target typings/$* -r $<
	@touch $@

demo: $(STAMP)
	@$(BIN)/python -m tools.demo $(if $(RECORDING),--recording "$(RECORDING)") $(if $(SPEED),--speed $(SPEED)) $(if $(LINK),--link $(LINK)) $(if $(SEED),--seed $(SEED)) $(if $(REAL_TIME),--real-time)

test: lint
	@$(BIN)/python -m tools.dev.suite

# The inner loop: what computes and takes less than ten seconds a test, with few random cases.
quick: $(STAMP)
	@HYPOTHESIS_PROFILE=few $(BIN)/python -m pytest -q -n auto --dist worksteal -m "not wearable and not slow"

# Lines that ran on CPython and on MicroPython, for what computes; takes about twice the time of its tests.
cover: $(STAMP)
	@$(BIN)/python -m tools.lab.coverage

# Many more random cases, other ones each time; SEED=n repeats a run.
thorough: SEED := $(or $(SEED),$(shell od -An -N4 -tu4 /dev/urandom | tr -d ' '))
thorough: $(STAMP)
	@echo "thorough: make thorough SEED=$(SEED) repeats this run"
	@HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest -q -n auto --dist worksteal --timeout 3600 --hypothesis-seed=$(SEED) \
		$(or $(TESTS),tests/property tests/host/store/test_rollups.py)

# Real bluetoothd and kernel Bluetooth, in user-mode Linux; where that cannot be built it says so and goes on.
test-bluez: $(STAMP)
	@tools/lab/bluez_lane/test.sh $(abspath $(BIN)/python)

lint: $(STAMP) typings/esp32/.done typings/rp2/.done
	@$(BIN)/python -m tools.dev.lint

# Writes every part of a page that a program generates.
docs: $(STAMP)
	@$(BIN)/python -m cogapp -r $$(git grep -l --fixed-strings '[[[cog' -- '*.md')
	@$(BIN)/python -m tools.dev.grade_tables --write
	@$(BIN)/python -m tools.dev.picture --write
	@$(BIN)/python -m tools.dev.schemas --write

# Import circles, SQL outside the store, lengths of modules: each figure beside its target.
house: $(STAMP)
	@$(BIN)/python -m tools.dev.house

bench: $(STAMP)
	@$(BIN)/python -m tools.lab.bench

soak: $(STAMP)
	@nice -n 5 $(BIN)/python -m tools.lab.seeds --count 1000000 --minutes 10 $(SEEDS)
	@nice -n 5 $(BIN)/python -m tools.lab.soak $(SOAK)

$(VENV)/.mutation: tools/dev/locks/mutation.lock $(STAMP)
	@$(BIN)/python $(PIP_LOCKED) -r $<
	@touch $@

mutation: $(VENV)/.mutation
	@nice -n 10 $(BIN)/python -m tools.lab.mutation $(MODULES)

# The commands about packages have an environment of their own: they never change what is tested.
$(SUPPLY)/.installed: tools/dev/locks/supply.lock
	@test -x $(SUPPLY)/bin/python || $(PYTHON) -m venv $(SUPPLY)
	@$(SUPPLY)/bin/python $(PIP_LOCKED) -r $<
	@touch $@

# Writes the lock files anew from pyproject.toml; `make lock UPGRADE=1` also takes newer versions of what is not pinned there.
lock: $(SUPPLY)/.installed
	@$(PYTHON) tools/dev/lock.py $(SUPPLY)/bin/uv $(if $(UPGRADE),--upgrade)

# What is installed, with licences and what needs what: build/sbom.json, CycloneDX.
sbom: $(STAMP) $(SUPPLY)/.installed
	@$(SUPPLY)/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --of JSON -o build/sbom.json $(BIN)/python
	@echo "build/sbom.json"

# Known vulnerabilities of every locked package; a package that the service does not answer for fails the audit.
audit: $(SUPPLY)/.installed
	@$(SUPPLY)/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off $(foreach lock,requirements.lock $(wildcard tools/dev/locks/*.lock),-r $(lock))

clean:
	rm -rf $(VENV) typings build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
