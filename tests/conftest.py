"""Options and data folders that every test may ask for."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import coverage
import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent
SIMULATED = (
    ROOT / "tests/integration"
)  # its conftest.py gives every test a conductor, but for those marked real_time
ON_WEARABLES = (ROOT / "tests/integration", ROOT / "tests/hil")

# Agents of tests note their ports here, not in the home folder of whoever runs the tests. Workers inherit it.
if "CW_TEST_STATE" not in os.environ:
    os.environ["CW_TEST_STATE"] = os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="cytowatch-tests-")
    atexit.register(shutil.rmtree, os.environ["CW_TEST_STATE"], ignore_errors=True)

# Lines are counted in the workers alone. The process that prints the summary is not traced: CPython 3.11 could end
# there with a SystemError. Nor are the processes that tests start: an agent that is traced would be late.
if "PYTEST_XDIST_WORKER" in os.environ and "CW_COUNT_LINES" in os.environ:
    coverage.Coverage(config_file=os.environ.pop("CW_COUNT_LINES"), auto_data=True).start()

# No deadline by the wall clock: a busy machine is no fault of the code. What every run tries is the same each time.
hypothesis.settings.register_profile(
    "quick", deadline=None, max_examples=200, derandomize=True, print_blob=True
)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=5000, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--hil-port PORT` runs the hardware tests against a real board; `--seed N` repeats what a failed test drew."""
    parser.addoption("--seed", type=int, default=None, help="seed of simulated time, and of what tests draw")
    parser.addoption("--hil-port", default=None, help="serial port of a real board for tests/hil")


def pytest_configure(config: pytest.Config) -> None:
    """Tests that draw look at CW_SEED."""
    if config.getoption("--seed") is not None:
        os.environ["CW_SEED"] = str(config.getoption("--seed"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what talks to wearables, and start slow tests first: one that starts last would make the others wait."""
    for item in items:
        if any(item.path.is_relative_to(folder) for folder in ON_WEARABLES):
            item.add_marker(pytest.mark.wearable)
        if item.get_closest_marker("wearable") and not item.path.is_relative_to(SIMULATED):
            item.add_marker(pytest.mark.real_time)
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real recordings (CRS_DATA_DIR, else ../shared/data); skips with the reason where it is absent."""
    path = Path(os.environ.get("CRS_DATA_DIR", ROOT.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"no recordings at {path}: set CRS_DATA_DIR")
    return path


@pytest.fixture(scope="session")
def hil_port(request: pytest.FixtureRequest) -> str:
    """Port of the real board; skips with the reason without one."""
    port = request.config.getoption("--hil-port")
    if not port:
        pytest.skip("no real board: give --hil-port PORT")
    return str(port)
