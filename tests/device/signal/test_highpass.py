"""The integer filter: what passes, what does not, and that no intermediate leaves 30 bits."""

import math
import random
from array import array

import pytest
from crs_device.signal import highpass

from tests.device.signal.watched import SMALL_INT, Watched

FULL_SCALE = 262143


def filtered(raw: list[int], origin: int | None = None) -> list[int]:
    """The whole output, in bursts of ten."""
    state, out = highpass.new_state(), []
    ring, raw_ring = (array("i", [0] * highpass.RING) for _ in range(2))
    highpass.restart(state, raw[0] if origin is None else origin)
    for start in range(0, len(raw) - 9, 10):
        highpass.run(state, array("i", raw[start : start + 10]), 0, 10, ring, raw_ring, 0)
        assert raw_ring[:10] == array("i", raw[start : start + 10])
        out += ring[:10]
    return out


def gain(hz: float) -> float:
    """Output over input amplitude of a sine of 5000 counts, after it has settled."""
    raw = [round(100000 + 5000 * math.sin(2 * math.pi * hz * t / 25)) for t in range(1500)]
    out = filtered(raw, 100000)[500:]
    return math.sqrt(2 * sum(v * v for v in out) / len(out)) / (5000 << highpass.FRACTION_BITS)


@pytest.mark.parametrize(("hz", "low", "high"), [
    (0.1, 0.0, 0.002), (0.25, 0.0, 0.04), (0.4, 0.1, 0.25), (0.6, 0.5, 0.75), (1.0, 0.97, 1.09),
    (1.5, 0.97, 1.09), (2.0, 0.97, 1.09), (3.67, 0.85, 1.0), (12.0, 0.0, 0.02),
])  # fmt: skip
def test_frequency_response(hz: float, low: float, high: float) -> None:
    assert low <= gain(hz) <= high


def test_constant_gives_exactly_nothing() -> None:
    assert set(filtered([123456] * 400)) == {0}


def test_drift_is_followed_without_a_step() -> None:
    raw = [round(20000 + 400 * t + 500 * math.sin(2 * math.pi * 1.3 * t / 25)) for t in range(600)]
    out = filtered(raw)[200:]
    peaks = [max(abs(v) for v in out[k : k + 40]) for k in range(0, 350, 40)]
    assert max(peaks) < 1.1 * min(peaks)


def worst_sequence(length: int = 600) -> list[int]:
    """Full-scale input that adds every echo of the first section's band output with the same sign."""
    state, ring = highpass.new_state(), array("i", [0] * highpass.RING)
    echo = []
    for t in range(length):
        highpass.run(state, array("i", [100000 if t == 0 else 0]), 0, 1, ring, ring, 0)
        echo.append(state[2])
    return [FULL_SCALE if value > 0 else 0 for value in reversed(echo)]


def hard_inputs() -> dict[str, list[int]]:
    chance = random.Random(5)
    found = {
        "worst for the band": worst_sequence(),
        "worst, inverted": [FULL_SCALE - v for v in worst_sequence()],
    }
    for half in (1, 2, 3, 5, 8, 12, 18, 21, 25, 40, 80):
        found[f"square, {half} samples each"] = [FULL_SCALE * (t // half % 2) for t in range(600)]
    for p in (0.5, 0.1, 0.03):
        level, wave = 0, []
        for _ in range(3000):
            level = FULL_SCALE - level if chance.random() < p else level
            wave.append(level)
        found[f"telegraph {p}"] = wave
    return found


@pytest.mark.parametrize("name", hard_inputs())
def test_every_intermediate_is_a_small_int(name: str) -> None:
    raw = hard_inputs()[name]
    for origin in (0, FULL_SCALE):
        state: list[int] = [Watched(0)] * 7
        highpass.restart(state, Watched(origin))  # type: ignore[arg-type]
        ring, raw_ring = [0] * highpass.RING, [0] * highpass.RING
        Watched.worst = 0
        for start in range(0, len(raw), 10):
            burst = [Watched(v) for v in raw[start : start + 10]]
            highpass.run(state, burst, 0, len(burst), ring, raw_ring, 0)  # type: ignore[arg-type]
        assert 0 < Watched.worst < SMALL_INT, Watched.worst / SMALL_INT


def test_the_watch_notices_a_large_product() -> None:
    Watched.worst = 0
    _ = (Watched(1 << 20) * (1 << 11)) >> 8
    assert Watched.worst == 1 << 31
