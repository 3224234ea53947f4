"""The scaled clock: one real second is `speed` simulated ones, on every face of it."""

import time

import pytest

from host_agent.clock import RealClock, ScaledClock
from tests.fakes.fake_clock import FakeClock


async def test_a_scaled_clock_runs_faster_from_the_same_start() -> None:
    base = FakeClock(auto=True)
    clock = ScaledClock(60, base)
    assert clock.utc_ms() == base.utc_ms()
    await clock.sleep(120)
    assert base.slept == [2.0] and clock.monotonic() == pytest.approx(120)
    assert clock.utc_ms() - base._start_utc_ms == 120_000


@pytest.mark.parametrize("speed", [0, -1])
def test_time_does_not_stand_or_run_back(speed) -> None:
    with pytest.raises(ValueError, match="above 0"):
        ScaledClock(speed)


async def test_the_real_clock_moves_forward() -> None:
    clock = RealClock()
    before = clock.monotonic(), clock.utc_ms()
    await clock.sleep(0.002)
    assert clock.monotonic() - before[0] >= 0.002 and clock.utc_ms() >= before[1]


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="this system counts sleep in its one clock")
def test_the_time_that_a_laptop_slept_counts(monkeypatch) -> None:
    monkeypatch.setattr(time, "clock_gettime", {time.CLOCK_MONOTONIC: 60.0, time.CLOCK_BOOTTIME: 7260.0}.get)
    assert RealClock().monotonic() == 7260
