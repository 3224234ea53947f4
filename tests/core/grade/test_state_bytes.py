"""Both states as bytes, slot by slot: what a boot or a host's re-run takes up again is what was left, and nothing else.

A slot that came back as another value would sound, pause or grade wrongly after the next power cut, and only then.
"""

import struct

import pytest
from crs_core.errors import RemoteError
from crs_core.grade import alarm_state, alarms, baseline, grader, grader_state, hold, told

NOW_MS = 5_000_000
FLAGS_BYTE, PRIORITIES_BYTES, TOLD_BYTES = 1, slice(2, 6), slice(6, 8)


def full_alarm_state() -> list:
    """Every slot with a value of its own, so that two slots that change places show."""
    state = alarm_state.new_state()
    state[alarm_state.LAST] = NOW_MS - 1_000
    state[alarm_state.FLAGS] = 15
    state[alarm_state.PRIORITIES] = 0x2ABCDEF4
    state[alarm_state.RECENT_MEDIUM] = NOW_MS - 70_000
    state[alarm_state.RECENT_HIGH] = NOW_MS - 90_001
    state[alarm_state.BASELINE] = 3_754_321
    state[alarm_state.BASELINE + 1] = 1_234
    state[alarm_state.BASELINE + 2] = NOW_MS - 65_537
    for i, at in enumerate(range(alarm_state.CLOCKS, alarm_state.TOLD_PRIORITIES, hold.SLOTS)):
        state[at] = NOW_MS - 1_000 * (i + 1)
        state[at + 1] = 300 * i + 7
        state[at + 2] = i % 2
    state[alarm_state.TOLD_PRIORITIES] = 0x2BCD
    return state


def full_grader_state() -> list:
    state = grader_state.new_state()
    state[grader_state.LAST] = NOW_MS - 10_000
    state[grader_state.LATCH] = 1
    state[grader_state.TEMP_AT] = NOW_MS - 20_001
    state[grader_state.PPG_AT] = NOW_MS - 16_777_300  # more than three bytes of milliseconds
    state[grader_state.FLAT_CC] = 3_754
    state[grader_state.FLAT_SINCE] = NOW_MS - 40_003
    state[grader_state.BASELINE] = 3_754_321
    state[grader_state.BASELINE + 1] = 1_234
    state[grader_state.BASELINE + 2] = NOW_MS - 50_004
    for i, at in enumerate((grader_state.POSSIBLE, grader_state.RISE)):
        state[at], state[at + 1], state[at + 2] = NOW_MS - 1_000 * (i + 1), 300 * i + 7, 1 - i
    state[grader_state.FLAGS] = 15
    state[grader_state.LOWER] = 3
    state[grader_state.HELD] = 4
    state[grader_state.SPO2] = 913
    state[grader_state.MET_AT] = NOW_MS - 60_005
    state[grader_state.TOLD] = [
        ["blood_pressure", "hypotension", NOW_MS - 1_000, 1],
        ["capd", 9, NOW_MS - 3_600_000, 0],
        ["rising_need", True, NOW_MS - 5_000, 0],
    ]
    return state


def test_every_slot_of_the_alarm_state_comes_back() -> None:
    state = full_alarm_state()
    data = alarm_state.encode_state(state, NOW_MS)
    assert alarm_state.decode_state(data, NOW_MS) == state
    assert len(data) == 29 + 5 * 15


def test_every_slot_of_the_grader_state_comes_back() -> None:
    state = full_grader_state()
    data = grader_state.encode_state(state, NOW_MS)
    assert grader_state.decode_state(data, NOW_MS) == state
    assert len(data) == 42 + 2 * 5 + 1 + 8 * 3


def test_a_state_of_nothing_comes_back_as_one() -> None:
    """None stays None: an age of 0 would be a value measured just now."""
    assert (
        alarm_state.decode_state(alarm_state.encode_state(alarm_state.new_state(), 9), 9)
        == alarm_state.new_state()
    )
    assert (
        grader_state.decode_state(grader_state.encode_state(grader.new_state(), 9), 9) == grader.new_state()
    )


def test_ages_go_on_from_the_clock_of_the_next_boot() -> None:
    """That clock starts again at 0, so what was measured lies before it."""
    later = alarm_state.decode_state(alarm_state.encode_state(full_alarm_state(), NOW_MS), 500)
    assert later[alarm_state.RECENT_MEDIUM] == 500 - 70_000
    assert later[alarm_state.SPO2_FAST] == 500 - 1_000
    after = grader_state.decode_state(grader_state.encode_state(full_grader_state(), NOW_MS), 500)
    assert after[grader_state.PPG_AT] == 500 - 16_777_300
    assert after[grader_state.MET_AT] == 500 - 60_005
    assert after[grader_state.TOLD][1] == ["capd", 9, 500 - 3_600_000, 0]


@pytest.mark.parametrize("module", [alarm_state, grader_state])
def test_a_state_cut_anywhere_or_one_byte_too_long_is_refused(module) -> None:  # type: ignore[no-untyped-def]
    full = full_alarm_state() if module is alarm_state else full_grader_state()
    for state in (full, module.new_state()):
        data = module.encode_state(state, NOW_MS)
        for length in range(len(data)):
            if module is grader_state and state is full and length == len(data) - 1 - 8 * 3:
                continue  # exactly the state of a wearable that was told nothing
            with pytest.raises(RemoteError):
                module.decode_state(data[:length], NOW_MS)
        with pytest.raises(RemoteError):
            module.decode_state(data + b"\0", NOW_MS)


@pytest.mark.parametrize("version", [0, 1, 3, 255])
@pytest.mark.parametrize("module", [alarm_state, grader_state])
def test_a_state_of_another_version_is_refused(module, version: int) -> None:  # type: ignore[no-untyped-def]
    data = bytearray(module.encode_state(module.new_state(), 0))
    data[0] = version
    with pytest.raises(RemoteError):
        module.decode_state(bytes(data), 0)


@pytest.mark.parametrize("bit", range(8))
def test_only_the_five_flags_that_mean_something_are_taken(bit: int) -> None:
    data = bytearray(alarm_state.encode_state(alarm_state.new_state(), 0))
    data[FLAGS_BYTE] = 1 << bit
    if bit < 5:
        assert alarm_state.decode_state(bytes(data), 0)[alarm_state.FLAGS] == 1 << bit
    else:
        with pytest.raises(RemoteError):
            alarm_state.decode_state(bytes(data), 0)


@pytest.mark.parametrize("bit", range(32))
def test_no_priority_of_an_alarm_that_does_not_exist_is_taken(bit: int) -> None:
    """Alarm ids run from 1 to 14, two bits each: bits 0 and 1 and those from 30 on belong to none."""
    data = bytearray(alarm_state.encode_state(alarm_state.new_state(), 0))
    data[PRIORITIES_BYTES] = struct.pack("<I", 1 << bit)
    if 2 <= bit < 30:
        assert alarm_state.decode_state(bytes(data), 0)[alarm_state.PRIORITIES] == 1 << bit
    else:
        with pytest.raises(RemoteError):
            alarm_state.decode_state(bytes(data), 0)


@pytest.mark.parametrize("bit", range(16))
def test_the_priorities_of_the_told_alarms_fill_their_bytes(bit: int) -> None:
    """Alarm ids run from 20 to 27, two bits each: no bit is without a meaning."""
    data = bytearray(alarm_state.encode_state(alarm_state.new_state(), 0))
    data[TOLD_BYTES] = struct.pack("<H", 1 << bit)
    assert alarm_state.decode_state(bytes(data), 0)[alarm_state.TOLD_PRIORITIES] == 1 << bit


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
    for value in taken:
        data[at] = value
        grader_state.decode_state(bytes(data), 0)
    for value in refused:
        data[at] = value
        with pytest.raises(RemoteError):
            grader_state.decode_state(bytes(data), 0)


def test_ages_are_kept_within_what_their_bytes_hold() -> None:
    """Older than three bytes say is the oldest that they say; from the future is now."""
    for age_ms, kept_ms in (
        (0, 0),
        (1, 1),
        (0xFFFFFD, 0xFFFFFD),
        (0xFFFFFE, 0xFFFFFE),
        (0xFFFFFF, 0xFFFFFE),
        (1 << 33, 0xFFFFFE),
        (-1, 0),
        (-9, 0),
    ):
        out = bytearray()
        hold.put_age(out, NOW_MS - age_ms, NOW_MS)
        assert len(out) == 3
        assert hold.get_age(bytes(out), 0, NOW_MS) == NOW_MS - kept_ms
    for age_ms, kept_ms in (
        (0xFFFFFFFE, 0xFFFFFFFE),
        (0xFFFFFFFF, 0xFFFFFFFE),
        (1 << 40, 0xFFFFFFFE),
        (-1, 0),
    ):
        state = grader.new_state()
        state[grader_state.TEMP_AT] = NOW_MS - age_ms
        back = grader_state.decode_state(grader_state.encode_state(state, NOW_MS), NOW_MS)
        assert back[grader_state.TEMP_AT] == NOW_MS - kept_ms


@pytest.mark.parametrize("raised_unused", [0, 1])
def test_clocks_that_do_not_exist_are_refused(raised_unused: int) -> None:
    """A clock beyond the last, or one that is raised and not in use."""
    state = [None, 0, 0]
    data = bytes((2, 0, 0, 0)) if not raised_unused else bytes((0, 0, 1, 0))
    with pytest.raises(RemoteError):
        hold.get_clocks(data + bytes(5), 0, state, 0, 1, 0)


def test_a_clock_that_only_collects_is_kept_too() -> None:
    state = [None, 1_000, 0, None, 0, 0]
    out = bytearray()
    hold.put_clocks(out, state, 0, 2, NOW_MS)
    back = [None, 0, 0, None, 0, 0]
    assert hold.get_clocks(bytes(out), 0, back, 0, 2, NOW_MS) == len(out) == 9
    assert back == state


def test_a_baseline_comes_back_whole() -> None:
    out = bytearray()
    baseline.put(out, [0x456789, 0x1234, None], 0)
    back: list = [0, 0, None]
    assert baseline.get(b"\xff" + bytes(out), 1, back, 0) == 6
    assert back == [0x456789, 0x1234, None]


@pytest.mark.parametrize("field", alarms.Inputs._fields)
def test_each_input_of_an_alarm_step_has_its_own_place(field: str) -> None:
    """Highest and lowest of every field, the others left alone: a host re-runs the step from these bytes."""
    quiet = alarms.Inputs(3700, 0, 0, 970, 80, 150, 0, 0, 1, 1, 1, 0, 0, 0)
    optional = ("temp_cc", "spo2_tenths", "hr_bpm", "pi_hundredths", "temp_age_ms", "ppg_age_ms")
    highest = (
        0xFFFFFFFE
        if field.endswith("age_ms")
        else 65_534
        if field in optional
        else 65_535
        if field in ("faults", "told")
        else 255
    )
    for value in (0, 1, highest, *([None] if field in optional else [])):
        inputs = quiet._replace(**{field: value})
        assert alarms.decode_inputs(alarms.encode_inputs(inputs)) == inputs


def test_an_age_that_no_field_holds_is_the_oldest_and_not_never() -> None:
    quiet = alarms.Inputs(3700, 0, 1 << 33, 970, 80, 150, 0, 0xFFFFFFFF, 1, 1, 1, 0, 0, 0)
    back = alarms.decode_inputs(alarms.encode_inputs(quiet))
    assert (back.temp_age_ms, back.ppg_age_ms) == (0xFFFFFFFE, 0xFFFFFFFE)


def test_entries_with_a_mark_or_a_number_without_meaning_are_refused() -> None:
    good = bytearray()
    told.put(good, [["seizure", "brief", 0, 1]], 10)
    assert told.get(bytes(good), 0, 10) == ([["seizure", "brief", 0, 1]], 9)
    for at, value in ((0, 0), (0, 2), (1, 63), (2, 3), (4, 2)):
        bad = bytearray(good)
        bad[at] = value
        with pytest.raises(RemoteError):
            told.get(bytes(bad), 0, 10)
    with pytest.raises(RemoteError):
        told.get(b"", 0, 10)


def test_a_new_patient_leaves_no_trace_of_the_one_before() -> None:
    """Only the sensor's own fault goes on: it is about the equipment."""
    state = full_alarm_state()
    fault = state[alarm_state.SENSOR_FAULT : alarm_state.SENSOR_FAULT + hold.SLOTS]
    alarm_state.forget_patient(state)
    fresh = alarm_state.new_state()
    fresh[alarm_state.SENSOR_FAULT : alarm_state.SENSOR_FAULT + hold.SLOTS] = fault
    for at in (alarm_state.LAST, alarm_state.PRIORITIES, alarm_state.TOLD_PRIORITIES):
        fresh[at] = state[at]  # the step that noticed it goes on to work these out
    assert state == fresh
