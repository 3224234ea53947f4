"""What people entered, on the real firmware: journaled, graded and sounded with, kept through a cut."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from crs_core import code_texts, codes, context
from crs_core.grade import grader_state
from crs_core.grade.rules import DEFAULT, rule_hash
from crs_core.journal import record_layout, record_reader
from crs_core.wire import message as wire
from crs_core.wire.parts import split_parts

from host_agent.sync.verify import Chain
from tools.rig.host import Host, of_type, pull
from tools.rig.scenarios import worn
from tools.rig.waiting import pass_s
from tools.rig.wearable import Wearable, ready

HIGH, MEDIUM = codes.PRIORITY_HIGH, codes.PRIORITY_MEDIUM
PROOF = b"\x01\x02\x03\x04\x05\x06\x07\x08"
FEVER = worn(temp_c=38.6, hr_bpm=100)
NOTHING_WORRIES = {context.BLOOD_PRESSURE: 0, context.VASOPRESSORS: 0, context.OXYGEN: 0}
ONE_DRUG = {context.BLOOD_PRESSURE: 1, context.VASOPRESSORS: 1}


@pytest.fixture
def wearable(tmp_path: Path) -> Iterator[Wearable]:
    """Worn by somebody with a fever."""
    with ready(tmp_path, scenario=FEVER, speed=10) as wearable:
        yield wearable


def enter(host: Host, values: dict[int, int | None], age_ms: int = 0) -> Any:
    """Send one entry in parts, as the agent does; the last answer."""
    parts = split_parts(context.encode(age_ms, PROOF, values), 100)
    for number, part in enumerate(parts):
        answer = host.ask(wire.Context(number, len(parts), part))
        assert answer.code == (wire.RESULT_DONE if number == len(parts) - 1 else wire.RESULT_MORE_PARTS), (
            answer
        )
    return answer


def live_says(host: Host, lower: int, upper: int, timeout_s: float = 20) -> Any:
    """The next LIVE that shows this interval."""
    host.messages.clear()
    return host.see(
        wire.Live, lambda m: (m.lower, m.upper) == (lower, upper), timeout_s, f"a grade of {lower}..{upper}"
    )


def alarms_are(host: Host, *names: int, timeout_s: float = 10) -> Any:
    what = ", ".join(code_texts.alarm_name(name) for name in names)
    return host.see(wire.Alarm, lambda m: set(names) <= {a for a, _ in m.alarms}, timeout_s, what)


def disagreements(events: list[Any], readings: list[Any]) -> list[Any]:
    """What the host's re-run of every step says against it."""
    chain = Chain({rule_hash(DEFAULT): DEFAULT})
    walk = [(seq, None, reading) for seq, reading in readings] + [(seq, event, None) for seq, event in events]
    for seq, event, reading in sorted(walk, key=lambda one: one[0]):
        if event is None:
            chain.reading(seq, reading)
        else:
            chain.event(seq, event.t_ms, event.type, record_reader.decode(event.type, event.payload))
    return chain.found


def test_entries_narrow_the_grade_sound_are_journaled_and_stay_without_a_laptop(wearable: Wearable) -> None:
    host = wearable.connect()
    live_says(host, 1, 4, 60)
    enter(host, NOTHING_WORRIES)
    live_says(host, 1, 1)
    enter(host, ONE_DRUG)
    # the pressure is newer than "room air": what reassured before a rise counts no longer
    live_says(host, 3, 4)
    alarms_are(host, codes.HYPOTENSION, codes.LIFE_THREATENING)
    host.close()
    pass_s(1.5)  # fifteen seconds of the wearable: it grades alone
    host = wearable.connect()
    assert live_says(host, 3, 4).alarms
    events, readings = pull(host)
    entered = of_type(events, record_layout.CONTEXT)
    assert [context.decode(entry.data)[2] for entry in entered] == [NOTHING_WORRIES, ONE_DRUG]
    assert [grade.lower for grade in of_type(events, record_layout.GRADE)][-2:] == [1, 3]
    assert disagreements(events, readings) == []


def test_after_a_cut_timed_entries_count_as_expired_and_nothing_looks_better(wearable: Wearable) -> None:
    host = wearable.connect()
    live_says(host, 1, 4, 60)
    enter(host, ONE_DRUG)
    live_says(host, 3, 4)
    wearable.control("cut", off_ms=300)
    pass_s(0.4)
    host.open()
    host.messages.clear()
    alarms_are(host, codes.REASSESS, codes.HYPOTENSION, timeout_s=20)
    live_says(host, 1, 4, 60)
    events, readings = pull(host)
    last = of_type(events, record_layout.GRADE)[-1]
    assert codes.R_HELD_3 in last.reasons and codes.R_CONTEXT_AGE_UNKNOWN in last.reasons
    state = grader_state.decode_state(last.state_after, 0)
    assert [entry[3] for entry in state[grader_state.TOLD]] == [1, 1]
    enter(host, NOTHING_WORRIES)
    live_says(host, 1, 1)
    events, readings = pull(host)
    assert disagreements(events, readings) == []


def test_an_entry_that_is_none_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    with ready(tmp_path, scenario=FEVER, speed=10) as wearable:
        host = wearable.connect()
        good = context.encode(0, PROOF, ONE_DRUG)
        for bad in (b"x", good[:-1], good + b"\0", b"\x02" + good[1:], good[:15] + b"\x63" + good[16:]):
            assert host.ask(wire.Context(0, 1, bad)).code == wire.RESULT_BAD_VALUE
        events, _ = pull(host)
        assert of_type(events, record_layout.CONTEXT) == []
    with ready(tmp_path, scenario=FEVER, speed=10, binding_id=None) as wearable:
        host = wearable.connect()
        answer = host.ask(wire.Context(0, 1, good))
        assert (answer.code, answer.detail) == (wire.RESULT_BAD_VALUE, "no patient is bound")


def test_i_feel_ill_speaks_against_what_reassured_before(wearable: Wearable) -> None:
    host = wearable.connect()
    live_says(host, 1, 4, 60)
    enter(host, NOTHING_WORRIES)
    live_says(host, 1, 1)
    wearable.control("press", ms=2300)
    live_says(host, 1, 4)
    events, readings = pull(host)
    assert disagreements(events, readings) == []
