"""Whatever fails: a HIGH alarm is accepted by a person in time, or goes to the last contact and sounds as unreached.

`python -m tools.lab.calls` runs ten thousand of these schedules.
"""

import pytest

from host_agent.escalation.contact import policy
from host_agent.store.contact_courses import unaccepted
from tools.lab.calls import schedule
from tools.lab.calls.schedule import Schedule


async def outcome(folder, seed):
    folder.mkdir()
    return await Schedule(folder, seed).run()


@pytest.mark.slow
async def test_no_schedule_of_faults_leaves_a_high_alarm_that_nobody_accepted_without_a_sound(tmp_path):
    unreached = kills = 0
    for seed in range(25):
        found = await outcome(tmp_path / str(seed), seed)
        assert found.wrong == [], f"seed {seed}"
        unreached, kills = unreached + found.unreached, kills + found.kills
    assert unreached > 10 and kills > 10


@pytest.mark.parametrize(
    "fault",
    ["the deadline is forgotten", "the last step is forgotten", "the lapse is forgotten", "it never sounds"],
)
async def test_each_of_these_faults_is_found(tmp_path, monkeypatch, fault):
    if fault == "the deadline is forgotten":
        monkeypatch.setitem(policy._TIMERS, "deadline", lambda plan, course, timer, now: (course, []))
    elif fault == "the last step is forgotten":
        real = policy._steps_from
        without = lambda *about: tuple(one for one in real(*about) if one.number < 2)  # noqa: E731
        monkeypatch.setattr(policy, "_steps_from", without)
    elif fault == "the lapse is forgotten":
        monkeypatch.setitem(policy._TIMERS, "lapse", lambda plan, course, timer, now: (course, []))
    else:
        monkeypatch.setattr("host_agent.escalation.checks.nobody_reached.unaccepted", lambda tx: [])
        monkeypatch.setattr(schedule, "unaccepted", unaccepted)
    found = [await outcome(tmp_path / str(seed), seed) for seed in range(12)]
    assert any(one.wrong for one in found)
