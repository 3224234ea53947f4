"""Wearables that many tests start with. A failed test shows their logs and journals, and the agent's log."""

import asyncio
import contextlib
import inspect
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from host_agent.link import serial
from tools.conductor.conductor import Conductor
from tools.conductor.opened_ports import counted
from tools.conductor.player_loop import played_by_loop, player_loop
from tools.conductor.process_random import drawn_from
from tools.rig.pytest_evidence import pytest_runtest_makereport, pytest_runtest_setup  # noqa: F401
from tools.rig.waiting import conductor, own_ports, under
from tools.rig.wearable import Wearable, ready


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Wearable]:
    """A board new from the factory, in real time."""
    with Wearable(tmp_path) as board:
        yield board


@pytest.fixture
def wearable(tmp_path: Path, simulated_time: None) -> Iterator[Wearable]:
    """A wearable in service, worn by a bound patient, 60 times as fast."""
    with ready(tmp_path) as wearable:
        yield wearable


@pytest.fixture(autouse=True)
def simulated_time(request: pytest.FixtureRequest) -> Iterator[None]:
    """Time is simulated, unless a test needs real time or brings conductors. All that is random is of the seed."""
    if any(request.node.get_closest_marker(name) for name in ("real_time", "own_time")):
        with own_ports(request.getfixturevalue("tmp_path") / "state"):
            yield
        return
    with contextlib.ExitStack() as stack:
        seed = int(os.environ.get("CW_SEED", "1"))
        stack.enter_context(drawn_from(f"{request.node.name} {seed}"))
        time = stack.enter_context(Conductor(seed=seed))
        stack.enter_context(under(time))
        if inspect.iscoroutinefunction(request.function):
            stack.enter_context(played_by_loop(time))
            stack.enter_context(counted(serial, time.ports))
        yield


def new_loop() -> asyncio.AbstractEventLoop:
    """For an asynchronous test: a loop of the time that it lives in."""
    owner = conductor()
    return player_loop(owner) if owner else asyncio.new_event_loop()


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Asked by pytest-asyncio."""
    return {"the loop of the test's time": new_loop}
