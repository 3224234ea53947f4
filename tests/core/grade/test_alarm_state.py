"""Alarms over a boot, a damaged state and a clock that jumps: none of them ends what concerns the patient."""

import pytest
from crs_core import codes
from crs_core.errors import RemoteError
from crs_core.grade import alarms
from crs_core.grade.rules import DEFAULT

from tests.fakes.one_step import QUIET

WORST = QUIET._replace(temp_cc=3950, spo2_tenths=800, hr_bpm=180, faults=255, button=2, told=511)
LOW = (codes.HYPOXAEMIA, codes.PRIORITY_HIGH)


def lived(*life: tuple[alarms.Inputs, int], start_ms: int = 0, state: list | None = None) -> list:
    """The state after each input for so many seconds."""
    state = state or alarms.new_state()
    for inputs, seconds in life:
        for _ in range(seconds):
            start_ms += 1000
            state, _ = alarms.step(state, inputs, start_ms, DEFAULT)
    return state


def busy_state() -> list:
    """A state with as many clocks in use as inputs can bring about, stepped until 130 s."""
    return lived((WORST, 100), (QUIET._replace(ppg_state=10, temp_state=1, faults=255), 30))


def test_an_unfinished_alarm_sounds_again_after_a_boot() -> None:
    before = alarms.active(busy_state())
    assert LOW in before
    restored = alarms.decode_state(alarms.encode_state(busy_state(), 130_000), 700)
    assert alarms.active(restored) == before
    stepped, changes = alarms.step(restored, QUIET._replace(ppg_state=2, wear=2), 1_000, DEFAULT)
    assert LOW in alarms.active(stepped) and (codes.HYPOXAEMIA, 0) not in changes


def test_a_delay_goes_on_over_a_boot() -> None:
    state = lived((QUIET._replace(spo2_tenths=860), 8), start_ms=49_000)
    state = alarms.decode_state(alarms.encode_state(state, 57_000), 0)
    assert LOW in alarms.active(lived((QUIET._replace(spo2_tenths=None, ppg_state=10), 8), state=state))


def test_every_damage_of_a_state_is_refused_or_read_never_a_crash() -> None:
    whole = alarms.encode_state(busy_state(), 130_000)
    for bit in range(len(whole) * 8):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            state = alarms.decode_state(bytes(damaged), 0)
        except RemoteError:
            continue
        alarms.step(state, QUIET, 1000, DEFAULT)


@pytest.mark.parametrize("inputs", [WORST, QUIET._replace(bound=0)])
def test_a_step_does_not_touch_the_state_it_was_given(inputs: alarms.Inputs) -> None:
    state = busy_state()
    before = list(state)
    alarms.step(state, inputs, 131_000, DEFAULT)
    assert state == before


def test_a_clock_that_runs_backwards_ends_nothing_and_does_not_crash() -> None:
    state = busy_state()
    lost = QUIET._replace(temp_state=1, ppg_state=1, faults=255)
    after, _ = alarms.step(state, lost, -500_000, DEFAULT)
    about = [one for one in alarms.active(state) if codes.is_physiological(one[0])]
    assert about and set(about) <= set(alarms.active(after))
