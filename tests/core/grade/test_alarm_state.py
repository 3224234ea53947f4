"""Alarm inputs and state as bytes: small, whole, refused when damaged, and nobody else's state is touched."""

import pytest
from crs_core import codes
from crs_core.errors import RemoteError
from crs_core.grade import alarms, hold
from crs_core.grade.alarm_state import INPUTS_SIZE
from crs_core.grade.rules import DEFAULT

QUIET = alarms.Inputs(3700, 0, 0, 970, 80, 150, 0, 0, 1, 1, 1, 0, 0, 0)
WORST = alarms.Inputs(3950, 0, 0, 800, 180, 3, 0, 0, 1, 1, 1, 255, 2, 511)


def busy_state(now_ms: int = 0) -> list:
    """A state with as many clocks in use as inputs can bring about, `now_ms` being its last step."""
    state = alarms.new_state()
    start_ms = now_ms - 130_000
    life = [
        (WORST._replace(pi_hundredths=150), 100),
        (QUIET._replace(ppg_state=10, temp_state=1, faults=255), 30),
    ]
    for inputs, seconds in life:
        for _ in range(seconds):
            start_ms += 1000
            state, _ = alarms.step(state, inputs, start_ms, DEFAULT)
    return state


def test_inputs_come_back_the_same() -> None:
    for inputs in (
        QUIET,
        WORST,
        alarms.Inputs(None, 1, None, None, None, None, 1, None, 2, 0, 0, 65535, 3, 511),
    ):
        data = alarms.encode_inputs(inputs)
        assert len(data) == INPUTS_SIZE == 26
        assert alarms.decode_inputs(data) == inputs


def test_inputs_of_another_length_are_refused() -> None:
    for bad in (b"", bytes(INPUTS_SIZE - 1), bytes(INPUTS_SIZE + 1)):
        with pytest.raises(RemoteError):
            alarms.decode_inputs(bad)


def test_the_state_never_needs_more_than_96_bytes() -> None:
    state = busy_state()
    for at in range(8, 47, hold.SLOTS):
        if state[at] is None:
            state[at] = -1
    assert len(alarms.encode_state(state, 0)) <= 104
    assert len(alarms.encode_state(alarms.new_state(), 0)) <= 34


def test_an_unfinished_alarm_sounds_again_after_a_boot() -> None:
    state = busy_state(200_000)
    before = alarms.active(state)
    assert (codes.HYPOXAEMIA, codes.PRIORITY_HIGH) in before
    restored = alarms.decode_state(alarms.encode_state(state, 200_000), 700)
    assert alarms.active(restored) == before
    stepped, changes = alarms.step(restored, QUIET._replace(ppg_state=2, wear=2), 1_000, DEFAULT)
    assert (codes.HYPOXAEMIA, codes.PRIORITY_HIGH) in alarms.active(stepped)
    assert (codes.HYPOXAEMIA, 0) not in changes


def test_a_delay_goes_on_over_a_boot() -> None:
    state = alarms.new_state()
    for second in range(8):
        state, _ = alarms.step(state, QUIET._replace(spo2_tenths=860), 50_000 + second * 1000, DEFAULT)
    state = alarms.decode_state(alarms.encode_state(state, 57_000), 0)
    for second in range(1, 9):
        state, _ = alarms.step(state, QUIET._replace(spo2_tenths=None, ppg_state=10), second * 1000, DEFAULT)
    assert (codes.HYPOXAEMIA, codes.PRIORITY_HIGH) in alarms.active(state)


def test_every_damage_of_a_state_is_refused_or_read_never_a_crash() -> None:
    whole = alarms.encode_state(busy_state(), 0)
    for cut in range(len(whole)):
        with pytest.raises(RemoteError):
            alarms.decode_state(whole[:cut], 0)
    with pytest.raises(RemoteError):
        alarms.decode_state(whole + b"\0", 0)
    for bit in range(len(whole) * 8):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            state = alarms.decode_state(bytes(damaged), 0)
        except RemoteError:
            continue
        alarms.step(state, QUIET, 1000, DEFAULT)


def test_a_step_does_not_touch_the_state_it_was_given() -> None:
    state = busy_state()
    before = list(state)
    alarms.step(state, WORST, 1000, DEFAULT)
    alarms.step(state, QUIET._replace(bound=0), 1000, DEFAULT)
    assert state == before


def test_a_clock_that_runs_backwards_ends_nothing_and_does_not_crash() -> None:
    state = busy_state()
    before = alarms.active(state)
    state, _ = alarms.step(state, QUIET._replace(temp_state=1, ppg_state=1, faults=255), -500_000, DEFAULT)
    after = dict(alarms.active(state))
    for alarm, priority in before:
        if codes.is_physiological(alarm):
            assert after.get(alarm) == priority
