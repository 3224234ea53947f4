"""Light, sound and vibration: what the pins do over time."""

import itertools
from collections.abc import Callable

import pytest
from crs_device.alarm.output import (
    HIGH,
    LOW,
    MEASURING,
    MEDIUM,
    NONE,
    NOT_MONITORING,
    PAUSED,
    SEARCHING,
    AlarmOutput,
)


class Pins:
    """Records what the output does to led, buzzer and vibration."""

    def __init__(self) -> None:
        self.lit = (0, 0, 0)
        self.tone_hz = 0
        self.shaking = 0
        self.writes = 0

    def rgb(self, red: int, green: int, blue: int) -> None:
        self.lit = (red, green, blue)
        self.writes += 1

    def tone(self, freq_hz: int, duty: int) -> None:
        assert duty > 0
        self.tone_hz = freq_hz
        self.writes += 1

    def off(self) -> None:
        self.tone_hz = 0
        self.writes += 1

    def value(self, level: int) -> None:
        self.shaking = level


def make() -> tuple[AlarmOutput, Pins]:
    pins = Pins()
    return AlarmOutput(pins, pins, pins), pins


def showing(light: int, sound: int, *state: int, **more: bool) -> tuple[AlarmOutput, Pins]:
    """An output that shows this from 0 ms on."""
    output, pins = make()
    output.show(light, sound, 0, *state, **more)
    return output, pins


def pulses(step: Callable[[int], None], pins: Pins, from_ms: int, to_ms: int) -> list[tuple[int, int]]:
    """(start, length) of each tone, looking after a step each 5 ms."""
    found, since = [], None
    for t_ms in range(from_ms, to_ms, 5):
        step(t_ms)
        assert bool(pins.shaking) == bool(pins.tone_hz)
        if pins.tone_hz and since is None:
            since = t_ms
        elif not pins.tone_hz and since is not None:
            found.append((since, t_ms - since))
            since = None
    return found


def flashes(output: AlarmOutput, pins: Pins, colour: tuple[int, int, int], to_ms: int) -> float:
    """Flashes per second of one colour."""
    count, last = 0, (0, 0, 0)
    for t_ms in range(0, to_ms, 5):
        output.tick(t_ms)
        assert pins.lit in (colour, (0, 0, 0))
        count += pins.lit == colour != last
        last = pins.lit
    return count * 1000 / to_ms


def test_sound_starts_before_show_returns() -> None:
    output, pins = make()
    output.show(HIGH, HIGH, 1000)
    assert pins.tone_hz > 0 and pins.lit == (1, 0, 0)


def test_high_is_three_and_two_pulses_twice_with_allowed_widths() -> None:
    output, pins = showing(HIGH, HIGH)
    burst = pulses(output.tick, pins, 0, 7000)
    assert len([start for start, _ in burst if start < 4000]) == 10
    assert all(75 <= length <= 200 for _, length in burst)
    starts = [start for start, _ in burst[:10]]
    ends = [start + length for start, length in burst[:10]]
    gaps = [b - a for a, b in zip(ends, starts[1:], strict=False)]
    assert [gap > 2 * min(gaps) for gap in gaps] == [
        False, False, True, False, True, False, False, True, False,
    ]  # fmt: skip
    assert 350 <= gaps[4] <= 1300


def test_the_pause_between_bursts_is_within_the_standard() -> None:
    for level, longest_ms, shortest_ms in (
        (HIGH, 15_000, 2_500),
        (MEDIUM, 30_000, 2_500),
        (LOW, 60_000, 15_000),
    ):
        output, pins = showing(level, level)
        found = pulses(output.tick, pins, 0, 90_000)
        gaps = [b[0] - a[0] - a[1] for a, b in itertools.pairwise(found)]
        between = [gap for gap in gaps if gap > 1300]
        assert len(between) >= 2 and all(shortest_ms <= gap <= longest_ms for gap in between)


def test_medium_is_three_pulses_and_low_is_one() -> None:
    for level, count in ((MEDIUM, 3), (LOW, 1)):
        output, pins = showing(level, level)
        burst = pulses(output.tick, pins, 0, 5000)
        assert len(burst) == count and all(125 <= length <= 250 for _, length in burst)


def test_flash_rates_are_those_of_the_standard() -> None:
    output, pins = showing(HIGH, NONE)
    assert 1.4 <= flashes(output, pins, (1, 0, 0), 10_000) <= 2.8
    output, pins = showing(MEDIUM, NONE)
    assert 0.4 <= flashes(output, pins, (1, 1, 0), 20_000) <= 0.8
    output, pins = showing(LOW, NONE)
    assert flashes(output, pins, (1, 1, 0), 10_000) == pytest.approx(0.1)  # lit once and never off


def test_measuring_is_a_steady_light_and_never_green() -> None:
    output, pins = make()
    seen = set()
    for light in (NONE, LOW, MEDIUM, HIGH):
        for state in (MEASURING, SEARCHING, NOT_MONITORING, PAUSED):
            for away in (False, True):
                output.show(light, NONE, 0, state, host_away=away, paused=True)
                for t_ms in range(0, 8000, 10):
                    output.tick(t_ms)
                    seen.add(pins.lit)
    assert (0, 1, 0) not in seen
    output.show(NONE, NONE, 0, MEASURING)
    assert flashes(output, pins, (0, 0, 1), 10_000) == pytest.approx(0.1)


def test_states_without_an_alarm_look_different_over_time() -> None:
    looks = set()
    for state, away in (
        (MEASURING, False), (MEASURING, True), (SEARCHING, False), (NOT_MONITORING, False),
        (PAUSED, False), (PAUSED + 1, False), (PAUSED + 2, False),
    ):  # fmt: skip
        output, pins = showing(NONE, NONE, state, host_away=away)
        trace = []
        for t_ms in range(0, 8000, 50):
            output.tick(t_ms)
            trace.append(pins.lit)
        looks.add(tuple(trace))
    assert len(looks) == 7


@pytest.mark.parametrize(("tens", "blinks"), [(0, 1), (1, 2), (2, 3)])
def test_a_pause_blinks_once_for_each_begun_ten_minutes(tens: int, blinks: int) -> None:
    output, pins = showing(NONE, NONE, PAUSED + tens)
    assert flashes(output, pins, (1, 0, 1), 20_000) == pytest.approx(blinks / 5)


def test_urgent_repeats_sooner_than_high() -> None:
    counts = []
    for urgent in (False, True):
        output, pins = showing(HIGH, HIGH, urgent=urgent)
        counts.append(len(pulses(output.tick, pins, 0, 60_000)))
    assert counts[1] > counts[0]


def test_a_fall_does_not_restart_the_sound_and_a_rise_does() -> None:
    output, pins = showing(HIGH, HIGH)
    output.show(MEDIUM, MEDIUM, 100)
    assert pins.tone_hz == 0
    output.show(HIGH, HIGH, 200)
    assert pins.tone_hz > 0


def test_showing_the_same_again_leaves_the_pattern_alone() -> None:
    output, pins = showing(MEDIUM, MEDIUM)
    once = pulses(output.tick, pins, 0, 20_000)
    output, pins = make()
    assert pulses(lambda t_ms: output.show(MEDIUM, MEDIUM, t_ms), pins, 0, 20_000) == once


def test_someone_knows_is_two_rising_notes_and_white_light() -> None:
    output, pins = showing(HIGH, NONE)
    output.someone_knows(1000)
    notes, lights = [], set()
    for t_ms in range(1000, 2000, 10):
        output.tick(t_ms)
        if pins.tone_hz and pins.tone_hz not in notes:
            notes.append(pins.tone_hz)
        lights.add(pins.lit)
    assert len(notes) == 2 and notes[0] < notes[1] and (1, 1, 1) in lights
    assert pins.tone_hz == 0


def test_pins_are_written_only_when_something_changes() -> None:
    output, pins = showing(NONE, NONE)
    before = pins.writes
    for t_ms in range(0, 10_000, 25):
        output.tick(t_ms)
    assert pins.writes == before


def test_off_is_dark_and_silent_at_once() -> None:
    output, pins = showing(HIGH, HIGH)
    output.off()
    assert (pins.lit, pins.tone_hz, pins.shaking) == ((0, 0, 0), 0, 0)
