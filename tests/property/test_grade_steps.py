"""What holds for every life: a host's re-run is exact, loss improves nothing, and a 5 has no path from sensors."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from crs_core import code_texts, codes, context, units
from crs_core.grade import alarm_state, alarms, bedside, entries, entry_numbers, grader, rerun
from crs_core.grade.alarm_state import INPUTS_SIZE
from crs_core.grade.grader_state import TOLD
from crs_core.grade.rules import DEFAULT
from crs_core.units import Reading
from hypothesis import given
from hypothesis import strategies as st

from tools.rig.grade_run import Life as RandomLife
from tools.rig.grade_run import run
from tools.rig.micropython import run_micropython

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tools/rig/grade_run.py"


def maybe(values: st.SearchStrategy[int]) -> st.SearchStrategy[int | None]:
    return st.none() | values


AGES = maybe(st.sampled_from([0, 900, 9_999, 10_001, 59_999, 60_001, 2**31]))
INPUTS = st.builds(
    alarms.Inputs,
    temp_cc=maybe(
        st.sampled_from([0, 2500, 3600, 3700, 3749, 3750, 3799, 3800, 3899, 3900, 4500, 4501, 65534])
    ),
    temp_state=st.sampled_from([0, 0, 0, 1, 2, 3, 4, 5, 6, 7]),
    temp_age_ms=AGES,
    spo2_tenths=maybe(st.sampled_from([0, 500, 849, 870, 880, 899, 900, 919, 920, 970, 1000, 1001, 65534])),
    hr_bpm=maybe(st.sampled_from([0, 20, 80, 120, 121, 160, 300, 65534])),
    pi_hundredths=maybe(st.sampled_from([0, 4, 5, 150, 65534])),
    ppg_state=st.sampled_from([0, 0, 0, 0, 1, 2, 3, 4, 5, 9, 10, 15]),
    ppg_age_ms=AGES,
    wear=st.integers(0, 3),
    site=st.sampled_from([1, 1, 1, 0, 2, 6, 7]),
    bound=st.sampled_from([1, 1, 1, 1, 0]),
    faults=st.sampled_from([0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 255]),
    button=st.sampled_from([0, 0, 0, 0, 1, 2, 3]),
    told=st.sampled_from([0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 65, 128, 256, 8192]),
)
# seconds that the same inputs last, and the pause before them: also days
LIVES = st.lists(
    st.tuples(INPUTS, st.integers(1, 70), st.sampled_from([1000, 1000, 250, 4000, 61_000, 20_000_000])),
    min_size=1,
    max_size=8,
)


Life = list[tuple[alarms.Inputs, int, int]]


def seconds_of(life: Life, start_ms: int = 0) -> Iterator[tuple[int, alarms.Inputs]]:
    """(now_ms, inputs) of every second of a life."""
    now_ms = start_ms
    for inputs, seconds, pause_ms in life:
        now_ms += pause_ms
        for _ in range(seconds):
            now_ms += 1000
            yield now_ms, inputs


def lived(life: Life) -> tuple[int, list]:
    """(now_ms, state) at the end of a life."""
    state = alarms.new_state()
    for now_ms, inputs in seconds_of(life):
        state, _ = alarms.step(state, inputs, now_ms, DEFAULT)
    return now_ms, state


@given(LIVES, st.integers(0, 10**9))
def test_a_step_from_bytes_is_the_same_as_the_live_step(life: Life, start_ms: int) -> None:
    live = alarms.new_state()
    for now_ms, inputs in seconds_of(life, start_ms):
        before = alarms.encode_state(live, now_ms)
        assert len(before) <= 104
        assert alarms.encode_state(alarms.decode_state(before, now_ms), now_ms) == before
        live, changes = alarms.step(live, inputs, now_ms, DEFAULT)
        packed = alarms.encode_inputs(inputs)
        assert len(packed) == INPUTS_SIZE
        after = alarms.encode_state(live, now_ms), changes
        assert rerun.alarm_step(before, packed, now_ms, DEFAULT) == after


@given(LIVES)
def test_changes_and_active_conditions_say_the_same(life: Life) -> None:
    state = alarms.new_state()
    known: dict[int, int] = {}
    for now_ms, inputs in seconds_of(life):
        state, changes = alarms.step(state, inputs, now_ms, DEFAULT)
        for alarm, priority in changes:
            assert known.get(alarm, 0) != priority
            known[alarm] = priority
        assert alarms.active(state) == sorted((a, p) for a, p in known.items() if p)


LOST = alarms.Inputs(None, 1, None, None, None, None, 1, None, 0, 1, 1, 0, 0, 0)


@given(LIVES, st.sampled_from([2, 10, 5]), st.integers(0, 2))
def test_loss_ends_no_physiological_condition_and_lowers_none(life: Life, ppg_state: int, wear: int) -> None:
    now_ms, state = lived([(inputs._replace(bound=1), seconds, pause) for inputs, seconds, pause in life])
    before = dict(alarms.active(state))
    # what people entered is not lost with the sensors
    lost = LOST._replace(ppg_state=ppg_state, wear=wear, told=life[-1][0].told)
    for _ in range(300):
        now_ms += 1000
        state, _ = alarms.step(state, lost, now_ms, DEFAULT)
        after = dict(alarms.active(state))
        for alarm, priority in before.items():
            if codes.is_physiological(alarm) and alarm != codes.POSSIBLE_FEVER:
                assert after.get(alarm, 0) >= priority, code_texts.alarm_name(alarm)
        # possible fever may only give way to met
        if codes.POSSIBLE_FEVER in before:
            assert after.get(codes.POSSIBLE_FEVER) or after.get(codes.FEVER)
        before = after


@given(LIVES)
def test_silence_always_ends_in_a_high_alarm(life: Life) -> None:
    now_ms, state = lived(life)
    for second in range(1, 1803):
        state, _ = alarms.step(state, LOST, now_ms + 1000 * second, DEFAULT)
    assert dict(alarms.active(state))[codes.NO_DATA] == codes.PRIORITY_HIGH


READINGS = st.builds(
    Reading,
    t_ms=st.integers(-(2**33), 2**40),
    temp_cc=maybe(st.integers(-1, 65534)),
    spo2_tenths=maybe(st.integers(0, 65534)),
    hr_bpm=maybe(st.integers(0, 65534)),
    pi_hundredths=maybe(st.integers(0, 65534)),
    status=st.integers(0, 65535),
)
NEAR = st.builds(
    Reading,
    t_ms=st.integers(0, 10**6),
    temp_cc=st.sampled_from([3700, 3750, 3799, 3800, 3900, 4500]),
    spo2_tenths=st.sampled_from([500, 860, 970]),
    hr_bpm=st.sampled_from([20, 80, 300]),
    pi_hundredths=st.sampled_from([0, 150]),
    status=st.sampled_from([units.make_status(s, t, 0, 1) for s in (0, 1, 2, 6) for t in (0, 0, 2)]),
)


@given(st.lists(st.tuples(NEAR | READINGS, st.integers(-3000, 2**20)), max_size=20))
def test_no_reading_whatever_leads_to_a_five_or_to_a_grade_from_nothing(steps: list) -> None:
    state = grader.new_state()
    for reading, late_ms in steps:
        now_ms = reading.t_ms + late_ms
        state, said = grader.step(state, reading, now_ms, DEFAULT)
        assert said.lower in (None, 0, 1)
        assert said.upper in (None, 4)
        assert (said.lower is None) == (said.upper is None) == (said.status == codes.NOT_GRADABLE)
        assert said.status in (codes.NOT_GRADABLE, codes.PROVISIONAL)
        usable = (
            reading.temp_cc is not None
            and 2500 <= reading.temp_cc <= 4500
            and units.temp_state_of(reading.status) == units.TEMP_VALID
            and units.wear_of(reading.status) != units.WEAR_OFF
            and 1 <= units.site_of(reading.status) <= 6
            and -2000 <= late_ms <= 900_000
        )
        if not usable:
            assert said.lower is None
            assert said.fever == codes.FEVER_UNKNOWN
        elif said.lower is not None:
            assert (said.lower == 1) == (reading.temp_cc >= 3800) == (said.fever == codes.FEVER_MET)
        assert said.reasons


NUMBERS = st.dictionaries(
    st.sampled_from(
        [number for number in context.KEYS if number not in (context.TEMPERATURE_CC, context.SITE)]
    ),
    st.none() | st.integers(0, 3),
    max_size=4,
)


READ_BY_HAND = (
    alarm_state.TOLD_FEVER
    | alarm_state.TOLD_HOT
    | alarm_state.TOLD_FAST_HEART
    | alarm_state.TOLD_SPO2_MEDIUM
    | alarm_state.TOLD_SPO2_LOW
)


def entry_of(numbers: dict) -> dict:
    """An entry of the vocabulary, every value inside its bounds."""
    bounded = {}
    for number, value in numbers.items():
        _, low, high = context.KEYS[number]
        bounded[number] = None if value is None else min(max(value, low), high)
    return entry_numbers.values_of(bounded)


@given(st.lists(st.tuples(NEAR, NUMBERS, st.sampled_from([10_000, 1_000_000, 20_000_000])), max_size=15))
def test_no_entry_of_the_link_leads_to_a_five_and_losing_all_of_them_improves_nothing(steps: list) -> None:
    state = grader.new_state()
    now_ms = 0
    for reading, numbers, pause_ms in steps:
        now_ms += pause_ms
        state = bedside.enter(state, entry_of(numbers), now_ms, DEFAULT)
        reading = reading._replace(t_ms=now_ms)
        signs = bedside.signs(state, DEFAULT)
        state, said = grader.step(state, reading, now_ms, DEFAULT)
        assert said.lower in (None, 0, 1, 2, 3, 4)
        assert said.upper in (None, 0, 1, 2, 3, 4)
        if said.lower is None or alarm_state.TOLD_DEATH & signs:
            continue
        assert said.lower <= said.upper
        # the same moment with every entry withdrawn: wider, and what worried is held and asked for
        withdrawn = {entry[0]: None for entry in state[TOLD] if entry[0] != entries.RISING_NEED}
        lost = bedside.enter(state, withdrawn, now_ms, DEFAULT)
        _, worse = grader.step(lost, reading._replace(t_ms=now_ms + 1), now_ms + 1, DEFAULT)
        if worse.lower is not None:
            assert worse.upper >= said.upper
        lost_signs = bedside.signs(lost, DEFAULT)
        # a reading by hand ages like any other; the alarm that it raised has its own clock
        kept = signs & ~READ_BY_HAND & ~alarm_state.TOLD_PRESSURE_KNOWN & ~alarm_state.TOLD_REASSESS
        assert kept & ~lost_signs == 0, "no sign falls by a loss"
        if said.lower and (worse.lower is None or worse.lower < said.lower):
            assert lost_signs & alarm_state.TOLD_REASSESS
            assert any(codes.R_HELD_1 <= code <= codes.R_HELD_4 for code in worse.reasons)


@given(st.lists(st.tuples(NEAR, NUMBERS), max_size=30), st.integers(0, 2**33))
def test_the_graders_state_steps_the_same_from_bytes(readings: list, start_ms: int) -> None:
    live = grader.new_state()
    for reading, numbers in sorted(readings, key=lambda one: one[0]):
        moved = reading._replace(t_ms=reading.t_ms + start_ms)
        live = bedside.enter(live, entry_of(numbers), moved.t_ms, DEFAULT)
        data = grader.encode_state(live, moved.t_ms)
        again, said_again = grader.step(grader.decode_state(data, moved.t_ms), moved, moved.t_ms, DEFAULT)
        live, said = grader.step(live, moved, moved.t_ms, DEFAULT)
        assert said == said_again
        assert grader.encode_state(live, moved.t_ms) == grader.encode_state(again, moved.t_ms)


def test_the_number_five_is_not_in_the_wearables_path() -> None:
    # the grader itself is held by the property above
    for name in (
        "astct",
        "scale",
        "guards",
        "entries",
        "bedside",
        "signs",
    ):
        tree = ast.parse((ROOT / f"firmware/crs_core/grade/{name}.py").read_text())
        assert 5 not in {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}, name


@pytest.mark.parametrize("seed", [7, 20261])
def test_a_random_life_is_the_same_bit_for_bit_on_both_runtimes(seed: int) -> None:
    steps = 25_000
    done = run_micropython(SCRIPT, str(steps), str(seed), heap="512k", as_it_is=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[:2] == ["hash", f"{run(steps, seed):08x}"]


def test_the_random_life_meets_every_condition() -> None:
    """Otherwise the comparison of runtimes compares little."""
    life = RandomLife(7)
    state = alarms.new_state()
    met: set[tuple[int, int]] = set()
    for _ in range(25_000):
        state, changes = alarms.step(state, life.next(), life.now_ms, DEFAULT)
        met |= set(changes)
    told = {codes.HYPOTENSION, codes.ICE_LOW, codes.NEW_OXYGEN, codes.MEASURE_BP, codes.REASSESS}
    assert {alarm for alarm, _ in met} == told | set(range(1, codes.LAST_WEARABLE_ALARM + 1))
    assert {priority for _, priority in met} == {0, 1, 2, 3}


@pytest.mark.slow
def test_the_heap_does_not_grow_over_a_hundred_thousand_steps() -> None:
    done = run_micropython(SCRIPT, "100000", "3", heap="512k", as_it_is=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[3]) < 1024
