"""The one loop of the host's repeated checks, on a clock that the test moves."""

import asyncio
import contextlib

import pytest

from host_agent.errors import HalfRegistered
from host_agent.escalation.checks.runner import CheckRunner
from tests.fakes.fake_clock import FakeClock


class Looking:
    """A check that notes the clock's seconds at each look, and fails if it shall."""

    def __init__(self, name, clock, every_s, least_real_s=0.0, error=None):
        self.name, self.every_s, self.least_real_s = name, every_s, least_real_s
        self._clock, self._start_s, self._error = clock, clock.monotonic(), error
        self.looks = []

    async def look(self):
        self.looks.append(round(self._clock.monotonic() - self._start_s))
        if self._error:
            raise self._error


@contextlib.asynccontextmanager
async def running(clock, *checks):
    runner = CheckRunner(checks, clock)
    task = asyncio.create_task(runner.run())
    await asyncio.sleep(0)
    try:
        yield runner
    finally:
        task.cancel()


@pytest.mark.parametrize(("speed", "looks"), [(1.0, [30, 60, 90, 120]), (60.0, [60, 120])])
async def test_a_check_looks_by_the_agents_clock_and_not_more_often_than_in_real_time_it_may(speed, looks):
    clock = FakeClock(utc_ms=0, speed=speed)
    check = Looking("one", clock, every_s=30.0, least_real_s=1.0)
    async with running(clock, check):
        await clock.advance(125)
    assert check.looks == looks


async def test_each_check_has_its_own_pause_and_a_fault_in_one_stops_neither_it_nor_the_others(caplog):
    clock = FakeClock(utc_ms=0)
    broken = Looking("broken", clock, 1.0, error=RuntimeError("bug"))
    slow = Looking("slow", clock, 3.0)
    async with running(clock, broken, slow):
        await clock.advance(7)
    assert broken.looks == [1, 2, 3, 4, 5, 6, 7] and slow.looks == [3, 6]
    assert "internal error in the check broken" in caplog.text


async def test_a_change_lets_all_look_at_once(caplog):
    clock = FakeClock(utc_ms=0)
    check = Looking("one", clock, 30.0)
    async with running(clock, check) as runner:
        await clock.advance(10)
        runner.look_now()
        await clock.advance(1)
        assert len(check.looks) == 1 and check.looks[0] <= 11


class Hanging(Looking):
    """A check whose store never answers."""

    async def look(self):
        await super().look()
        await asyncio.Event().wait()


async def test_a_check_that_hangs_stops_no_other_and_is_logged(caplog):
    clock = FakeClock(utc_ms=0)
    hanging, other = Hanging("hanging", clock, 1.0), Looking("other", clock, 1.0)
    task = asyncio.create_task(CheckRunner([hanging, other], clock, late_real_s=0.0).run())
    await asyncio.sleep(0)
    await clock.advance(4)
    task.cancel()
    assert hanging.looks == [1] and other.looks == [1, 2, 3, 4]
    assert "the check hanging has not ended" in caplog.text


async def test_a_flood_of_changes_lets_a_check_look_no_more_often_than_it_may():
    clock = FakeClock(utc_ms=0)
    check = Looking("one", clock, every_s=30.0, least_real_s=1.0)
    async with running(clock, check) as runner:
        for _ in range(50):
            runner.look_now()
            await clock.advance(0.1)
    assert 4 <= len(check.looks) <= 5


def test_two_checks_of_one_name_are_refused():
    clock = FakeClock(utc_ms=0)
    with pytest.raises(HalfRegistered, match="Two checks are called one"):
        CheckRunner([Looking("one", clock, 1.0), Looking("one", clock, 1.0)], clock)
