"""PROMPT_MISSED over a real store and a clock that the test moves: raised once, reworded, ended by the answer."""

import pytest
from crs_core import codes

from host_agent.errors import StoreFull
from host_agent.escalation.checks.check import CheckParts
from host_agent.escalation.checks.prompts import PromptCheck
from host_agent.escalation.derive import Escalation, Target
from tests.fakes.fake_clock import FakeClock
from tests.host.people.people_world import PeopleWorld
from tests.host.people.wearable_rows import WearableRows

ALL = "not entered in time: blood pressure, oxygen, ICE or CAPD"
HOUR_S = 3600


@pytest.fixture
def world(tmp_path):
    made = PeopleWorld(tmp_path)
    made.rows = WearableRows(made)
    made.rows.write("UPDATE bindings SET started_utc_ms = ? WHERE state = 'active'", made.now_ms)
    made.clock = FakeClock(utc_ms=made.now_ms)
    yield made
    made.store.close()


def watch(world, *from_memory):
    derive = Escalation([Target("ward", True)], link_utc_ms=world.clock.utc_ms, agent_simulated=False)
    return PromptCheck(CheckParts(world.store, derive, world.clock, *from_memory))


async def after(world, hours):
    await world.clock.advance(hours * HOUR_S)
    world.now_ms = world.clock.utc_ms()


def alarms(world, device=1):
    return world.query(
        "SELECT priority, detail FROM host_alarms WHERE alarm = ? AND device = ? AND ended_utc_ms IS NULL",
        codes.PROMPT_MISSED, device,
    )  # fmt: skip


def told(world):
    return world.query("SELECT priority FROM outbox ORDER BY id")


async def test_a_missed_prompt_is_raised_once_and_names_what_is_missing(world):
    prompts = watch(world)
    world.rows.write("UPDATE bindings SET state = 'ended' WHERE device = 2")
    await after(world, 12.4)
    await prompts.look()
    assert alarms(world) == [] and told(world) == []
    await after(world, 0.2)
    for _ in range(3):
        await prompts.look()
    assert alarms(world) == [(1, ALL)] and told(world) == [(1,)]


async def test_it_is_reworded_while_answers_come_and_ended_by_the_last(world):
    world.rows.grade(codes.FEVER_MET)
    prompts = watch(world)
    await after(world, 2.6)
    await prompts.look()
    assert alarms(world) == [(2, ALL)]
    world.enter(world.nurse, oxygen="room_air", systolic_mmhg=120)
    await prompts.look()
    assert alarms(world) == [(2, "not entered in time: ICE or CAPD")]
    world.enter(world.nurse, ice=9)
    await prompts.look()
    assert alarms(world) == [] and told(world) == [(2,)]
    assert world.query("SELECT state FROM episodes WHERE alarm = ?", codes.PROMPT_MISSED) == [("closed",)]


async def test_low_before_a_fever_rises_to_medium_with_it(world):
    world.rows.write("UPDATE bindings SET state = 'ended' WHERE device = 2")
    prompts = watch(world)
    await after(world, 12.6)
    await prompts.look()
    world.rows.grade(codes.FEVER_MET, ago_ms=1000)
    await prompts.look()
    await prompts.look()
    assert alarms(world) == [(2, ALL)] and told(world) == [(1,), (2,)]


async def test_a_restart_raises_nothing_twice_and_forgets_nothing(world):
    await after(world, 12.6)
    await watch(world).look()
    before = told(world)
    await watch(world).look()
    assert len(alarms(world)) == 1 and told(world) == before
    world.enter(world.nurse, context="complete")
    await watch(world).look()
    assert alarms(world) == []


async def test_patients_are_told_apart_and_an_ended_binding_ends_it(world):
    await after(world, 12.6)
    world.enter(world.nurse, context="complete")
    prompts = watch(world)
    await prompts.look()
    assert alarms(world, 1) == [] and alarms(world, 2) == [(1, ALL)]
    world.rows.write("UPDATE bindings SET state = 'ended'")
    await prompts.look()
    assert alarms(world, 2) == []


async def test_a_store_that_takes_nothing_does_not_silence_it(world, monkeypatch):
    said = []
    prompts = watch(world, lambda device_id, finding: said.append((device_id, finding)))
    world.rows.write("UPDATE bindings SET state = 'ended' WHERE device = 2")

    async def failing(fn):
        raise StoreFull("full")

    monkeypatch.setattr(world.store, "write", failing)
    await after(world, 12.6)
    await prompts.look()
    ((device_id, finding),) = said
    assert (device_id, finding.alarm, finding.priority) == (bytes([1]) * 8, codes.PROMPT_MISSED, 1)
    monkeypatch.undo()
    await prompts.look()
    assert alarms(world) == [(1, ALL)]
    monkeypatch.setattr(world.store, "read", failing)
    await prompts.look()
    assert len(said) == 1, "what is stored was told from there"
