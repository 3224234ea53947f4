"""Which sound is due, as a table: what stands, what people did about it, the time."""

import pytest
from crs_core.codes import PRIORITY_HIGH, PRIORITY_LOW, PRIORITY_MEDIUM

from host_agent.sound.rule import due
from host_agent.store.sounding import Answer, Ringing

LOW, MEDIUM, HIGH = PRIORITY_LOW, PRIORITY_MEDIUM, PRIORITY_HIGH
NOW = 1_000_000


def rings(key="a", priority=HIGH, changed=NOW - 100, **more):
    return Ringing(key, priority, more.pop("simulated", False), changed, **more)


def accepted(key="a", priority=HIGH, at=NOW - 50, until=NOW + 50):
    return Answer(key, True, priority, at, until)


def silenced(key="a", priority=HIGH, at=NOW - 50, until=NOW + 50):
    return Answer(key, False, priority, at, until)


TABLE = {
    "nothing stands": ([], [], None),
    "one HIGH": ([rings()], [], HIGH),
    "one MEDIUM": ([rings(priority=MEDIUM)], [], MEDIUM),
    "one LOW": ([rings(priority=LOW)], [], LOW),
    "HIGH before MEDIUM": ([rings("a", MEDIUM), rings("b", HIGH), rings("c", LOW)], [], HIGH),
    "a priority of a newer version": ([rings(priority=7)], [], HIGH),
    "an end": ([rings(priority=0)], [], None),
    "accepted": ([rings()], [accepted()], None),
    "silenced": ([rings()], [silenced()], None),
    "accepted at its last moment": ([rings()], [accepted(until=NOW + 1)], None),
    "the acceptance lapsed": ([rings()], [accepted(until=NOW)], HIGH),
    "the silence is over": ([rings()], [silenced(until=NOW)], HIGH),
    "another one is silenced": ([rings("a"), rings("b", MEDIUM)], [silenced("a")], MEDIUM),
    "risen in spite of a silence": ([rings()], [silenced(priority=MEDIUM)], HIGH),
    "risen in spite of an acceptance": ([rings()], [accepted(priority=MEDIUM)], HIGH),
    "fallen after it was accepted": ([rings(priority=MEDIUM)], [accepted(priority=HIGH)], None),
    "a second answer covers the rise": ([rings()], [silenced(priority=MEDIUM), silenced()], None),
    "an answer from ahead of a clock that was set back": ([rings()], [silenced(at=NOW + 1, until=NOW + 99)], HIGH),
    "an answer of nobody's alarm": ([rings()], [silenced("z"), accepted("z")], HIGH),
    "simulated": ([rings(simulated=True)], [], None),
    "simulated beside a real one": ([rings("a", simulated=True), rings("b", MEDIUM)], [], MEDIUM),
    "a grade rise that was accepted never sounds by time": ([rings(is_grade=True)], [accepted(until=NOW - 1)], None),
    "a grade rise that was silenced sounds by time": ([rings(is_grade=True)], [silenced(until=NOW)], HIGH),
    "a grade that rose since": ([rings(is_grade=True, changed=NOW - 10)], [accepted(), silenced()], HIGH),
    "this laptop's own": ([rings(is_own=True)], [], HIGH),
}  # fmt: skip


@pytest.mark.parametrize(("standing", "answers", "expected"), TABLE.values(), ids=TABLE)
def test_the_sound_that_is_due(standing, answers, expected):
    found = due(standing, answers, NOW, simulated=False)
    assert (found.priority if found else None) == expected


def test_simulated_alarms_sound_only_where_it_is_wanted():
    assert due([rings(simulated=True)], [], NOW, simulated=True).priority == HIGH
