"""Both states as bytes, slot by slot: what a boot or a host's re-run takes up again is what was left, and nothing else.

A slot that came back as another value would sound, pause or grade wrongly after the next power cut, and only then.
"""

import struct
from collections.abc import Callable
from types import ModuleType

import pytest
from crs_core.errors import RemoteError
from crs_core.grade import alarm_state, alarms, baseline, grader, grader_state, hold

from tests.fakes.one_step import QUIET

NOW_MS = 5_000_000
VERSION, FLAGS, PRIORITIES, TOLD = 0, 1, 2, 6  # offsets in the bytes of an alarm state


def full_alarm_state() -> list:
    """Every slot with a value of its own, so that two slots that change places show."""
    state = alarm_state.new_state()
    for name, value in {
        "LAST": NOW_MS - 1_000, "FLAGS": 15, "PRIORITIES": 0x2ABCDEF4, "TOLD_PRIORITIES": 0x2BCD,
        "RECENT_MEDIUM": NOW_MS - 70_000, "RECENT_HIGH": NOW_MS - 90_001,
    }.items():  # fmt: skip
        state[getattr(alarm_state, name)] = value
    at = alarm_state.BASELINE
    state[at : at + 3] = [3_754_321, 1_234, NOW_MS - 65_537]
    for i, at in enumerate(range(alarm_state.CLOCKS, alarm_state.TOLD_PRIORITIES, hold.SLOTS)):
        state[at : at + 3] = [NOW_MS - 1_000 * (i + 1), 300 * i + 7, i % 2]
    return state


def full_grader_state() -> list:
    state = grader_state.new_state()
    for name, value in {
        "LAST": NOW_MS - 10_000, "LATCH": 1, "TEMP_AT": NOW_MS - 20_001,
        "PPG_AT": NOW_MS - 16_777_300,  # more than three bytes of milliseconds
        "FLAT_CC": 3_754, "FLAT_SINCE": NOW_MS - 40_003, "FLAGS": 15, "LOWER": 3, "HELD": 4, "SPO2": 913,
        "MET_AT": NOW_MS - 60_005,
    }.items():  # fmt: skip
        state[getattr(grader_state, name)] = value
    at = grader_state.BASELINE
    state[at : at + 3] = [3_754_321, 1_234, NOW_MS - 50_004]
    for i, at in enumerate((grader_state.POSSIBLE, grader_state.RISE)):
        state[at : at + 3] = [NOW_MS - 1_000 * (i + 1), 300 * i + 7, 1 - i]
    state[grader_state.TOLD] = [
        ["blood_pressure", "hypotension", NOW_MS - 1_000, 1], ["capd", 9, NOW_MS - 3_600_000, 0],
        ["rising_need", True, NOW_MS - 5_000, 0],
    ]  # fmt: skip
    return state


TOLD_BYTES = 1 + 8 * 3
STATES = [
    (alarm_state, full_alarm_state, 29 + 5 * 15, 29),
    (grader_state, full_grader_state, 42 + 2 * 5 + TOLD_BYTES, 42),
]
each_state = pytest.mark.parametrize(("module", "full", "size", "least"), STATES, ids=["alarm", "grader"])


def refuses(module: ModuleType, data: bytes) -> bool:
    try:
        module.decode_state(bytes(data), NOW_MS)
    except RemoteError:
        return True
    return False


@each_state
def test_every_slot_comes_back_and_none_stays_none(
    module: ModuleType, full: Callable[[], list], size: int, least: int
) -> None:
    """An age of 0 in the place of None would be a value measured just now."""
    for state, length in ((full(), size), (module.new_state(), least)):
        data = module.encode_state(state, NOW_MS)
        assert module.decode_state(data, NOW_MS) == state and len(data) == length


@each_state
def test_a_state_of_another_version_or_another_length_is_refused(
    module: ModuleType, full: Callable[[], list], size: int, least: int
) -> None:
    for state in (full(), module.new_state()):
        data = module.encode_state(state, NOW_MS)
        # exactly the state of a wearable that was told nothing
        told_nothing = size - TOLD_BYTES if module is grader_state and len(data) == size else None
        for length in range(len(data)):
            assert refuses(module, data[:length]) or length == told_nothing
        assert refuses(module, data + b"\0")
        assert all(refuses(module, bytes((version,)) + data[1:]) for version in (0, 1, 3, 255))


def test_ages_go_on_from_the_clock_of_the_next_boot() -> None:
    """That clock starts again at 0, so what was measured lies before it."""
    later = alarm_state.decode_state(alarm_state.encode_state(full_alarm_state(), NOW_MS), 500)
    assert later[alarm_state.RECENT_MEDIUM] == 500 - 70_000
    assert later[alarm_state.SPO2_FAST] == 500 - 1_000
    after = grader_state.decode_state(grader_state.encode_state(full_grader_state(), NOW_MS), 500)
    assert after[grader_state.PPG_AT] == 500 - 16_777_300
    assert after[grader_state.MET_AT] == 500 - 60_005
    assert after[grader_state.TOLD][1] == ["capd", 9, 500 - 3_600_000, 0]


@pytest.mark.parametrize(
    ("at", "code", "slot", "meaning"),
    [
        (FLAGS, "<B", alarm_state.FLAGS, range(5)),
        # ids run from 1 to 14, two bits each: bits 0 and 1 and those from 30 on belong to none
        (PRIORITIES, "<I", alarm_state.PRIORITIES, range(2, 30)),
        (TOLD, "<H", alarm_state.TOLD_PRIORITIES, range(16)),  # ids from 20 to 27
    ],
)
def test_of_an_alarm_state_only_bits_with_a_meaning_are_taken(
    at: int, code: str, slot: int, meaning: range
) -> None:
    for bit in range(8 * struct.calcsize(code)):
        data = bytearray(alarm_state.encode_state(alarm_state.new_state(), 0))
        struct.pack_into(code, data, at, 1 << bit)
        if bit in meaning:
            assert alarm_state.decode_state(bytes(data), 0)[slot] == 1 << bit
        else:
            assert refuses(alarm_state, data), bit


@pytest.mark.parametrize(
    ("at", "taken", "refused"),
    [
        (1, (0, 1), (2, 255)),  # latched or not
        (2, (0, 1, 2, 4, 8, 15), (16, 32, 64, 128)),  # four flags
        (3, (0, 1, 4), (5, 255)),  # held: no 5 from here
        (4, (0, 1, 4, 255), (5, 6, 254)),  # lower: 0..4, or none yet; no 5 from here
    ],
)
def test_the_grader_state_takes_no_value_without_meaning(at: int, taken: tuple, refused: tuple) -> None:
    data = bytearray(grader_state.encode_state(grader.new_state(), 0))
    for value in taken + refused:
        data[at] = value
        assert refuses(grader_state, data) is (value in refused)


def test_ages_are_kept_within_what_their_bytes_hold() -> None:
    """Older than the bytes say is the oldest that they say; from the future is now."""
    for size, put_and_get in ((3, through_three_bytes), (4, through_four_bytes)):
        oldest_ms = (1 << 8 * size) - 2
        for age_ms in (-9, -1, 0, 1, oldest_ms - 1, oldest_ms, oldest_ms + 1, 1 << 40):
            assert put_and_get(age_ms) == min(max(age_ms, 0), oldest_ms)


def through_three_bytes(age_ms: int) -> int:
    out = bytearray()
    hold.put_age(out, NOW_MS - age_ms, NOW_MS)
    assert len(out) == 3
    return NOW_MS - (hold.get_age(bytes(out), 0, NOW_MS) or 0)


def through_four_bytes(age_ms: int) -> int:
    state = grader.new_state()
    state[grader_state.TEMP_AT] = NOW_MS - age_ms
    back = grader_state.decode_state(grader_state.encode_state(state, NOW_MS), NOW_MS)
    return NOW_MS - int(back[grader_state.TEMP_AT])


def test_a_clock_that_only_collects_is_kept_and_one_that_does_not_exist_is_refused() -> None:
    state, back = [None, 1_000, 0, None, 0, 0], [None, 0, 0, None, 0, 0]
    out = bytearray()
    hold.put_clocks(out, state, 0, 2, NOW_MS)
    assert hold.get_clocks(bytes(out), 0, back, 0, 2, NOW_MS) == len(out) == 9
    assert back == state
    for masks in ((2, 0, 0, 0), (0, 0, 1, 0)):  # beyond the last; raised and not in use
        with pytest.raises(RemoteError):
            hold.get_clocks(bytes(masks) + bytes(5), 0, [None, 0, 0], 0, 1, 0)


def test_a_baseline_comes_back_whole() -> None:
    out = bytearray()
    baseline.put(out, [0x456789, 0x1234, None], 0)
    back: list = [0, 0, None]
    assert baseline.get(b"\xff" + bytes(out), 1, back, 0) == 6
    assert back == [0x456789, 0x1234, None]


AGES = ("temp_age_ms", "ppg_age_ms")
VALUES = ("temp_cc", "spo2_tenths", "hr_bpm", "pi_hundredths")


@pytest.mark.parametrize("field", alarms.Inputs._fields)
def test_each_input_of_an_alarm_step_has_its_own_place(field: str) -> None:
    """Highest and lowest of every field, the others left alone: a host re-runs the step from these bytes."""
    highest = 0xFFFFFFFE if field in AGES else 65_534 if field in VALUES else 255
    highest = 65_535 if field in ("faults", "told") else highest
    for value in (0, 1, highest, *([None] if field in AGES + VALUES else [])):
        inputs = QUIET._replace(**{field: value})
        data = alarms.encode_inputs(inputs)
        assert alarms.decode_inputs(data) == inputs and len(data) == alarm_state.INPUTS_SIZE == 26
    for bad in (b"", data[:-1], data + b"\0"):
        with pytest.raises(RemoteError):
            alarms.decode_inputs(bad)


def test_an_age_that_no_field_holds_is_the_oldest_and_not_never() -> None:
    old = QUIET._replace(temp_age_ms=1 << 33, ppg_age_ms=0xFFFFFFFF)
    back = alarms.decode_inputs(alarms.encode_inputs(old))
    assert (back.temp_age_ms, back.ppg_age_ms) == (0xFFFFFFFE, 0xFFFFFFFE)


def test_a_new_patient_leaves_no_trace_of_the_one_before() -> None:
    """Only the sensor's own fault goes on: it is about the equipment."""
    state = full_alarm_state()
    fault = slice(alarm_state.SENSOR_FAULT, alarm_state.SENSOR_FAULT + hold.SLOTS)
    kept = state[fault]
    alarm_state.forget_patient(state)
    fresh = alarm_state.new_state()
    fresh[fault] = kept
    for at in (alarm_state.LAST, alarm_state.PRIORITIES, alarm_state.TOLD_PRIORITIES):
        fresh[at] = state[at]  # the step that noticed it goes on to work these out
    assert state == fresh
