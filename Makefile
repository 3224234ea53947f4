# CytoWatch: `make demo` and `make test` need only Python 3.11 or newer and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test test-bluez lint bench soak mutation clean setup
setup: $(STAMP)
$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "CytoWatch needs Python 3.11 or newer; set PYTHON=")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) (nothing global) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[tools,ble,dev]'
	@touch $@

typings/esp32/.done typings/rp2/.done: typings/%/.done: $(STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade --target typings/$* micropython-$*-stubs==1.29.0.post1
	@touch $@

demo: $(STAMP)
	@$(BIN)/python -m tools.demo $(if $(RECORDING),--recording "$(RECORDING)") $(if $(SPEED),--speed $(SPEED)) $(if $(LINK),--link $(LINK))

test: lint
	@$(BIN)/python -m tools.lab.coverage

# Real bluetoothd and kernel Bluetooth, in user-mode Linux; where that cannot be built it says so and goes on.
test-bluez: $(STAMP)
	@tools/lab/bluez_lane/test.sh $(abspath $(BIN)/python)

lint: $(STAMP) typings/esp32/.done typings/rp2/.done
	@$(BIN)/python -m tools.dev.lint

bench: $(STAMP)
	@$(BIN)/python -m tools.lab.bench

soak: $(STAMP)
	@nice -n 5 $(BIN)/python -m tools.lab.soak $(SOAK)

$(VENV)/.mutation: $(STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[mutation]'
	@touch $@

mutation: $(VENV)/.mutation
	@nice -n 10 $(BIN)/python -m tools.lab.mutation $(MODULES)

clean:
	rm -rf $(VENV) typings build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
