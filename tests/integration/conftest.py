"""Wearables that many tests start with. A failed test shows their logs and journals, and the agent's log."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.conductor.conductor import Conductor
from tools.rig.pytest_evidence import pytest_runtest_makereport, pytest_runtest_setup  # noqa: F401
from tools.rig.waiting import under
from tools.rig.wearable import Wearable, ready


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Wearable]:
    """A board new from the factory, in real time."""
    with Wearable(tmp_path) as board:
        yield board


@pytest.fixture
def wearable(tmp_path: Path) -> Iterator[Wearable]:
    """A wearable in service, worn by a bound patient, 60 times as fast."""
    with ready(tmp_path) as wearable:
        yield wearable


@pytest.fixture(autouse=True)
def simulated_time(request: pytest.FixtureRequest) -> Iterator[None]:
    """Time is simulated, unless a test is marked as needing real time, or makes a conductor itself."""
    if request.node.get_closest_marker("real_time") or request.node.get_closest_marker("own_conductor"):
        yield
        return
    with Conductor(seed=1) as time, under(time):
        yield
