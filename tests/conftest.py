"""Options and data folders that every test may ask for."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--hil-port PORT` runs the hardware tests against a real board."""
    parser.addoption("--hil-port", default=None, help="serial port of a real board for tests/hil")


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
