"""The sounds beside the bounds of IEC 60601-1-8, number by number, and their samples."""

import itertools

import pytest
from crs_core.codes import PRIORITY_HIGH, PRIORITY_LOW, PRIORITY_MEDIUM

from host_agent.sound.patterns import (
    FUNDAMENTAL_HZ,
    HARMONICS_HZ,
    HARMONICS_LEAST,
    LIMITS,
    PATTERNS,
    RATE_HZ,
    burst,
    components_hz,
    pulse,
)
from tools.rig.heard import loudness, pulses_in, strength

EACH = pytest.mark.parametrize("pattern", PATTERNS.values(), ids=lambda one: f"priority{one.priority}")


def pauses(pattern):
    starts = pattern.starts_ms
    return [after - before - pattern.pulse_ms for before, after in itertools.pairwise(starts)]


@EACH
def test_every_number_lies_within_the_standard(pattern):
    limits = LIMITS[pattern.priority]
    assert len(pattern.starts_ms) == limits.pulses
    assert limits.pulse_ms[0] <= pattern.pulse_ms <= limits.pulse_ms[1]
    assert FUNDAMENTAL_HZ[0] <= pattern.fundamental_hz <= FUNDAMENTAL_HZ[1]
    beside = [hz for hz in components_hz(pattern)[1:] if HARMONICS_HZ[0] <= hz <= HARMONICS_HZ[1]]
    assert len(beside) >= HARMONICS_LEAST
    if limits.gap_ms is None:
        assert pattern.gap_ms == 0
    else:
        assert limits.gap_ms[0] <= pattern.gap_ms <= limits.gap_ms[1]


def test_the_burst_of_high_is_three_and_two_pulses_twice():
    high = PATTERNS[PRIORITY_HIGH]
    usual, (least, most) = pauses(high), LIMITS[PRIORITY_HIGH].pause_ms
    x = usual[0]
    assert least <= x <= most
    assert usual[:4] == usual[5:] == [x, x, 2 * x + high.pulse_ms, x]
    assert 350 <= usual[4] <= 1300, "between the two halves"


def test_the_pulses_of_medium_are_even():
    found, (least, most) = pauses(PATTERNS[PRIORITY_MEDIUM]), LIMITS[PRIORITY_MEDIUM].pause_ms
    assert len(set(found)) == 1 and least <= found[0] <= most


def test_each_priority_has_its_own_pitch_and_a_more_urgent_one_a_higher_pitch_and_a_shorter_gap():
    low, medium, high = (PATTERNS[one] for one in (PRIORITY_LOW, PRIORITY_MEDIUM, PRIORITY_HIGH))
    assert low.fundamental_hz < medium.fundamental_hz < high.fundamental_hz
    assert high.gap_ms < medium.gap_ms


@EACH
def test_the_samples_hold_the_pulses_where_the_table_says(pattern):
    samples = burst(pattern, 80)
    assert len(samples) == (pattern.burst_ms + pattern.gap_ms) * RATE_HZ // 1000
    found = pulses_in(samples, RATE_HZ)
    assert [round(start_ms) for start_ms, _ in found] == pytest.approx(list(pattern.starts_ms), abs=15)


@EACH
def test_each_component_is_within_15_db_of_the_fundamental_and_nothing_else_is(pattern):
    one = pulse(pattern, 80)
    first, *others = (strength(one, hz, RATE_HZ) for hz in components_hz(pattern))
    assert all(first / 5.6 < other < first * 5.6 for other in others)
    assert strength(one, pattern.fundamental_hz * 2.5, RATE_HZ) < first / 20


@EACH
@pytest.mark.parametrize("volume", [20, 80, 100])
def test_no_volume_clips_and_a_lower_one_is_quieter(pattern, volume):
    one = pulse(pattern, volume)
    assert max(map(abs, one)) <= 32767 * volume // 100
    assert loudness(one) == pytest.approx(loudness(pulse(pattern, 100)) * volume / 100, rel=0.02)
    assert one[0] == one[-1] == 0, "no click at either end"
