"""The whole agent under a flood from one wearable: alarms go out, posts stay few, and the sum is told."""

import asyncio

import pytest
from crs_core import codes
from crs_core.journal import block_writer, record_layout
from crs_core.wire import message as wire

from tests.host.agent_world import events, live, query, start_patient
from tests.host.escalation.world import alarm_record

HYPOXAEMIA_RECORD = "SELECT 1 FROM outbox WHERE kind = 'alarm-3' AND state = 'delivered'"


async def doorbells(world):
    for number in range(20):
        everything = [(alarm, 3) for alarm in range(1, 251)]
        await world.device.say(wire.Alarm(0, 10_000 + number, everything))
        await world.device.say(wire.Alarm(0, 10_000 + number, []))


async def forks(world):
    journal_id = world.device.journal.journal_id
    for number in range(40):
        payload = b"\1\1\1\0\0\0" + b"%06d" % number
        raw = block_writer.encode_events(journal_id, 1, 1000, [(5000, record_layout.BUTTON, payload)])
        await world.device.say(wire.Block(raw))


async def live_values(world):
    for number in range(2000):
        await world.device.say(live(number))


async def flapping(world):
    for _ in range(60):
        world.device.event(alarm_record({}, FEVER=2))
        world.device.event(alarm_record({"FEVER": 2}, FEVER=0))
        await asyncio.sleep(0)


COUNTED = "SELECT coalesce(sum(number), 0) FROM repetitions"


@pytest.mark.parametrize("flood", [doorbells, forks, live_values, flapping])
async def test_a_flood_makes_few_posts_and_a_real_alarm_comes_through(world, flood):
    async with world.agent():
        await start_patient(world)
        await flood(world)
        world.device.event(alarm_record({}, HYPOXAEMIA=3))
        await world.until(lambda: query(world, HYPOXAEMIA_RECORD))
        if flood is doorbells:  # what was not told singly is counted in the store
            await world.until(lambda: query(world, COUNTED)[0][0] > 100)
    assert len(events(world)) < 130
    if flood is flapping:
        assert query(world, COUNTED)[0][0] + len(query(world, "SELECT 1 FROM outbox WHERE alarm = 1")) == 60


async def test_repetitions_are_told_together(world):
    async with world.agent() as agent:
        await start_patient(world)
        await flapping(world)
        await world.until(lambda: query(world, "SELECT sum(number) FROM repetitions") == [(50,)])
        await agent.store.write(lambda tx: tx.execute("UPDATE repetitions SET first_utc_ms = 1"))
        told = await world.until(
            lambda: [event for event in events(world) if "50 more times" in event["text"]]
        )
        assert (told[0]["name"], told[0]["priority"]) == ("FEVER", "MEDIUM")
        assert query(world, "SELECT count(*) FROM repetitions") == [(0,)]


async def test_a_journal_that_is_new_while_the_store_fails_is_alarmed_from_memory_and_then_stored(world):
    async with world.agent() as agent:
        await start_patient(world)
    conn = None
    async with world.agent() as agent:
        await world.in_session()
        conn = agent.store._conn
        run = agent.store._writer.submit
        run(lambda: conn.execute("PRAGMA query_only = ON")).result()
        world.device.bind(world.device.journal.binding_id)  # the same patient, another journal
        await world.device.say(wire.Bye(wire.BYE_JOURNAL_CHANGED))
        world.device.session.link_lost()
        await world.until(lambda: agent.live.store_error is not None)
        world.device.event(alarm_record({}, HYPOXAEMIA=3))
        await world.until(lambda: {"HYPOXAEMIA", "STORE_FAULT"} <= {event["name"] for event in events(world)})
        run(lambda: conn.execute("PRAGMA query_only = OFF")).result()
        await world.until(lambda: query(world, HYPOXAEMIA_RECORD))
    names = [event["name"] for event in events(world)]
    assert names.count("HYPOXAEMIA") == 1, "its row has the key under which it went out"
    assert codes.STORE_FAULT in {row[0] for row in query(world, "SELECT alarm FROM host_alarms")}
