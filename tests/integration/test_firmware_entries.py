"""What people entered, on the real firmware: journaled, graded and sounded with, kept through a cut."""

import time
from pathlib import Path
from typing import Any

from crs_core import codes, context, records
from crs_core.grade import grader_state
from crs_core.grade.rules import DEFAULT, rule_hash
from crs_core.wire import message as wire
from crs_core.wire.parts import split_parts

from host_agent.sync.verify import Chain
from tests.fakes.records_of import of_type, pull
from tools.rig.image import build_image
from tools.rig.serial_host import Host, Wearable

HIGH, MEDIUM = codes.PRIORITY_HIGH, codes.PRIORITY_MEDIUM
PROOF = b"\x01\x02\x03\x04\x05\x06\x07\x08"
FEVER = 'title = "test"\n[[keyframe]]\nt_s = 0\ntemp_c = 38.6\nspo2_pct = 97.0\nhr_bpm = 100\npi_pct = 1.5\n'
NOTHING_WORRIES = {context.BLOOD_PRESSURE: 0, context.VASOPRESSORS: 0, context.OXYGEN: 0}
ONE_DRUG = {context.BLOOD_PRESSURE: 1, context.VASOPRESSORS: 1}


def scenario(folder: Path) -> Path:
    path = folder / "scenario.toml"
    path.write_text(FEVER)
    return path


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
    """The first LIVE that shows this interval."""
    host.messages.clear()
    return host.wait(
        lambda: next(
            (m for m in host.messages if isinstance(m, wire.Live) and (m.lower, m.upper) == (lower, upper)),
            None,
        ),
        timeout_s,
        f"a grade of {lower}..{upper}",
    )


def alarms_are(host: Host, *names: int, timeout_s: float = 10) -> Any:
    return host.wait(
        lambda: next(
            (
                m
                for m in host.messages
                if isinstance(m, wire.Alarm) and set(names) <= {a for a, _ in m.alarms}
            ),
            None,
        ),
        timeout_s,
        ", ".join(codes.alarm_name(name) for name in names),
    )


def disagreements(events: list[Any], readings: list[Any]) -> list[Any]:
    """What the host's re-run of every step says against it."""
    chain = Chain({rule_hash(DEFAULT): DEFAULT})
    walk = [(seq, None, reading) for seq, reading in readings] + [(seq, event, None) for seq, event in events]
    for seq, event, reading in sorted(walk, key=lambda one: one[0]):
        if event is None:
            chain.reading(seq, reading)
        else:
            chain.event(seq, event.t_ms, event.type, records.decode(event.type, event.payload))
    return chain.found


def test_entries_narrow_the_grade_sound_are_journaled_and_stay_without_a_laptop(tmp_path: Path) -> None:
    with Wearable(
        tmp_path, build_image(tmp_path / "f.img"), scenario=scenario(tmp_path), speed=10
    ) as wearable:
        host = wearable.connect()
        live_says(host, 1, 4, 60)
        enter(host, NOTHING_WORRIES)
        live_says(host, 1, 1)
        enter(host, ONE_DRUG)
        # the pressure is newer than "room air": what reassured before a rise counts no longer
        live_says(host, 3, 4)
        alarms_are(host, codes.HYPOTENSION, codes.LIFE_THREATENING)
        host.close()
        time.sleep(1.5)  # fifteen seconds of the wearable: it grades alone
        host = wearable.connect()
        assert live_says(host, 3, 4).alarms
        events, readings = pull(host)
        entered = of_type(events, records.CONTEXT)
        assert [context.decode(entry.data)[2] for entry in entered] == [NOTHING_WORRIES, ONE_DRUG]
        assert [grade.lower for grade in of_type(events, records.GRADE)][-2:] == [1, 3]
        assert disagreements(events, readings) == []


def test_after_a_cut_timed_entries_count_as_expired_and_nothing_looks_better(tmp_path: Path) -> None:
    with Wearable(
        tmp_path, build_image(tmp_path / "f.img"), scenario=scenario(tmp_path), speed=10
    ) as wearable:
        host = wearable.connect()
        live_says(host, 1, 4, 60)
        enter(host, ONE_DRUG)
        live_says(host, 3, 4)
        wearable.control("cut", off_ms=300)
        time.sleep(0.4)
        host.open()
        host.messages.clear()
        alarms_are(host, codes.REASSESS, codes.HYPOTENSION, timeout_s=20)
        live_says(host, 1, 4, 60)
        events, readings = pull(host)
        last = of_type(events, records.GRADE)[-1]
        assert codes.R_HELD_3 in last.reasons
        assert codes.R_CONTEXT_AGE_UNKNOWN in last.reasons
        state = grader_state.decode_state(last.state_after, 0)
        assert [entry[3] for entry in state[grader_state.TOLD]] == [1, 1]
        enter(host, NOTHING_WORRIES)
        live_says(host, 1, 1)
        events, readings = pull(host)
        assert disagreements(events, readings) == []


def test_an_entry_that_is_none_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    with Wearable(
        tmp_path, build_image(tmp_path / "f.img"), scenario=scenario(tmp_path), speed=10
    ) as wearable:
        host = wearable.connect()
        good = context.encode(0, PROOF, ONE_DRUG)
        for bad in (b"x", good[:-1], good + b"\0", b"\x02" + good[1:], good[:15] + b"\x63" + good[16:]):
            assert host.ask(wire.Context(0, 1, bad)).code == wire.RESULT_BAD_VALUE
        events, _ = pull(host)
        assert of_type(events, records.CONTEXT) == []
    image = build_image(tmp_path / "unbound.img", binding_id=None)
    with Wearable(tmp_path, image, scenario=scenario(tmp_path), speed=10) as wearable:
        host = wearable.connect()
        answer = host.ask(wire.Context(0, 1, good))
        assert (answer.code, answer.detail) == (wire.RESULT_BAD_VALUE, "no patient is bound")


def test_i_feel_ill_speaks_against_what_reassured_before(tmp_path: Path) -> None:
    with Wearable(
        tmp_path, build_image(tmp_path / "f.img"), scenario=scenario(tmp_path), speed=10
    ) as wearable:
        host = wearable.connect()
        live_says(host, 1, 4, 60)
        enter(host, NOTHING_WORRIES)
        live_says(host, 1, 1)
        wearable.control("press", ms=2300)
        live_says(host, 1, 4)
        events, readings = pull(host)
        assert disagreements(events, readings) == []
