"""The period finder on waves whose period is known by construction."""

import math
from array import array
from collections.abc import Callable

import pytest
from crs_device.signal import kernels, pulse

N = 100


def window(wave: Callable[[float], float], size: float = 2000) -> array:
    """100 samples of a wave of unit size, as integers."""
    return array("i", [round(size * wave(i)) for i in range(N)] + [0] * 28)


def period(x: array) -> tuple[float, int]:
    """Period in samples and height."""
    r = array("i", [0] * 128)
    kernels.autocorrelate(x, N, pulse.LAG_MAX, r)
    found, height = pulse.find_period(r, pulse.LAG_MAX)
    return found / 64, height


def two_bumps(samples: float, second: float) -> Callable[[float], float]:
    """A beat of that many samples with a second bump, half a beat later, that much of the first."""

    def wave(i: float) -> float:
        total = 0.0
        for height, centre in ((1.0, 0.25), (second, 0.75)):
            distance = (i / samples - centre + 0.5) % 1.0 - 0.5
            total += height * math.exp(-distance * distance / 0.008)
        return total - 0.18

    return wave


@pytest.mark.parametrize("samples", [6.3, 6.82, 7.5, 8.33, 10.0, 13.6, 20.0, 31.7, 49.5])
def test_period_within_half_a_percent(samples: float) -> None:
    found, height = period(window(lambda i: math.sin(2 * math.pi * i / samples)))
    assert abs(found / samples - 1) <= 0.005 and height >= 900


@pytest.mark.parametrize("second", [0.0, 0.2, 0.3])
def test_second_bump_is_not_a_beat(second: float) -> None:
    found, _ = period(window(two_bumps(30, second)))
    assert abs(found - 30) <= 0.5


def test_equal_bumps_are_beats() -> None:
    found, _ = period(window(two_bumps(30, 1.0)))
    assert abs(found - 15) <= 0.3


def test_alternating_beats_are_counted_singly() -> None:
    found, _ = period(window(two_bumps(40, 0.75)))
    assert abs(found - 20) <= 0.5


def test_nothing_has_no_period() -> None:
    assert period(array("i", [0] * 128)) == (0, 0) and period(array("i", [7] * 128))[1] in (0, 1000)
    assert period(array("i", [0] * 50 + [2047] + [0] * 77)) == (0, 0)


def test_full_size_sums_stay_small_ints() -> None:
    worst = array("i", [2047 if i // 5 % 2 else -2048 for i in range(128)])
    energy = sum(v * v for v in worst[:N])
    assert 2 * energy < 1 << 30 and (energy >> 10) * 1000 < 1 << 30
    assert period(worst)[0] == pytest.approx(10, abs=0.1)


@pytest.mark.parametrize("size", [1, 5, 900, 2047, 2048, 40000, 1 << 21])
def test_scaling_uses_twelve_bits_and_says_how(size: int) -> None:
    ring = array("i", [round(size * math.sin(i)) + 1000 for i in range(128)])
    out = array("i", [0] * 128)
    shift = kernels.scale(out, N, kernels.copy_centred(ring, 128, N, out))
    peak = max(abs(v) for v in out[:N])
    assert peak <= 2048 and (peak >= 1000 or shift == -8)
    middle = sum(ring[28:]) // N
    for i in range(N):
        back = out[i] << shift if shift >= 0 else out[i] / (1 << -shift)
        assert abs(back - (ring[28 + i] - middle)) <= max(1, 1 << max(shift, 0))


def test_similarity_is_the_same_measure() -> None:
    x, r = window(two_bumps(23, 0.4)), array("i", [0] * 128)
    kernels.autocorrelate(x, N, pulse.LAG_MAX, r)
    assert all(abs(pulse.similarity(x, N, k) - r[k]) <= 1 for k in range(6, 52))


def test_roughness_of_a_sine_is_one() -> None:
    for samples in (28, 35, 50):
        x = window(lambda i, samples=samples: math.sin(2 * math.pi * i / samples))
        assert 900 <= pulse.roughness(x, N, samples * 64) <= 1080
        y = window(two_bumps(samples, 0.0))
        assert pulse.roughness(y, N, samples * 64) >= 2500


def test_a_sine_has_no_overtone_and_a_pulse_has() -> None:
    def overtone(wave: Callable[[float], float]) -> int:
        x, r = window(wave), array("i", [0] * 128)
        kernels.autocorrelate(x, N, pulse.LAG_MAX, r)
        return pulse.overtone(r, *pulse.find_period(r, pulse.LAG_MAX))

    for samples in (10.4, 13, 19.2, 31):
        assert abs(overtone(lambda i, t=samples: math.sin(2 * math.pi * i / t))) <= 40
    assert overtone(two_bumps(20, 0.0)) >= 150
    assert overtone(lambda i: math.sin(2 * math.pi * i / 4.2)) >= 1500  # too quick: found at twice its period
