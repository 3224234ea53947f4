"""The alarms of the whole agent: each is sent once, whether the disk is full or the wearable is silent or stopped."""

import sqlite3

import pytest
from crs_core import codes
from crs_core.journal import record_types
from crs_core.wire import message as wire

from host_agent.errors import StoreFull
from host_agent.escalation.checks import record_overdue
from host_agent.escalation.checks.check import Finding
from host_agent.escalation.from_memory import MemoryAlarms
from host_agent.link.supervisor import LinkState
from host_agent.store.db import Store
from tests.fakes.fake_clock import FakeClock
from tests.host.agent_world import events, live, query, start_patient
from tests.host.escalation.world import NOW_MS, SETTINGS, alarm_record


@pytest.fixture
def full_disk(monkeypatch):
    """full_disk(agent) lets every write of its store fail; what it gives back ends that."""

    def fill(agent):
        async def failing(fn):
            raise StoreFull("the disk is full")

        write = agent.store.write
        monkeypatch.setattr(agent.store, "write", failing)
        return lambda: monkeypatch.setattr(agent.store, "write", write)

    return fill


async def at_rest(world, agent):
    """Everything that was received is handled, stored and delivered."""
    await world.until(lambda: not agent._background)
    await world.until(lambda: query(world, "SELECT 1 FROM outbox WHERE state = 'pending'") == [])


async def delivered(world, key):
    sql = f"SELECT state FROM outbox WHERE event_key = '{key}'"
    await world.until(lambda: query(world, sql) == [("delivered",)])


async def test_a_full_disk_does_not_silence_an_alarm_and_nothing_is_acknowledged(world, full_disk):
    async with world.agent() as agent:
        await start_patient(world)
        acked = world.device.journal.acked_seq
        free = full_disk(agent)
        world.device.event(alarm_record({}, HYPOXAEMIA=3))
        await world.receiver.wait_for(2)
        names = {event["name"]: event for event in events(world)}
        assert set(names) == {"HYPOXAEMIA", "STORE_FAULT"} and names["HYPOXAEMIA"]["patient"]["id"] == "P-1"
        assert world.device.journal.acked_seq == acked
        assert (await world.call("status"))["store_error"] == "the disk is full"
        free()
        await world.until(lambda: world.device.journal.acked_seq > acked)
        key = names["HYPOXAEMIA"]["key"]
        await delivered(world, key)
        assert [event["key"] for event in events(world)].count(key) == 1, "same key: not sent twice"
        assert (await world.call("status"))["store_error"] is None


async def test_alarms_that_rise_while_the_disk_is_full_are_sent_too(world, full_disk):
    """Also when the window is full, so that their records cannot come: then by the doorbell, under the same key."""
    async with world.agent() as agent:
        await start_patient(world)
        free = full_disk(agent)
        active = {}
        for count, (name, priority) in enumerate((("FEVER", 2), ("HYPOXAEMIA", 3), ("PULSE_LOST", 3)), 2):
            if name == "PULSE_LOST":
                world.device.pump.stop()  # as when the window is full: only the doorbell gets through
            seq = world.device.event(alarm_record(active, **{name: priority}))
            active[name] = priority
            bell = tuple((getattr(codes, each), level) for each, level in active.items())
            await world.device.say(wire.Alarm(seq, world.device.now_ms, bell))
            await world.receiver.wait_for(count)
            sent = {event["name"]: event for event in events(world)}
            assert sent.keys() == {*active, "STORE_FAULT"} and sent[name]["source"]["seq"] == seq
        free()
        world.device.pump.start(1, 8, 2048)
        await delivered(world, sent["PULSE_LOST"]["key"])
        await world.in_session()
        await at_rest(world, agent)
        keys = [event["key"] for event in events(world)]
        assert len(keys) == len(set(keys)), "same key: not sent twice"


async def test_an_alarm_whose_record_does_not_come_is_told_all_the_same_and_once(world, monkeypatch):
    monkeypatch.setattr(record_overdue, "OVERDUE_S", 1.0)
    async with world.agent() as agent:
        await start_patient(world)
        # the wearable is stuck: it rings, its values of now look well, and it sends no record to whoever asks
        world.device.pump.stop()
        start = world.device.pump.start
        monkeypatch.setattr(world.device.pump, "start", lambda *_: None)
        seq = world.device.event(alarm_record({}, HYPOXAEMIA=3))
        for _ in range(3):
            await world.device.say(wire.Alarm(seq, world.device.now_ms, ((codes.HYPOXAEMIA, 3),)))
            await world.device.say(live(world.device.now_ms))
        await world.receiver.wait_for(1)
        (event,) = events(world)
        assert event["name"] == "HYPOXAEMIA" and event["source"]["seq"] == seq
        assert not query(world, f"SELECT 1 FROM alarm_changes WHERE seq = {seq}"), "told before its record"
        start(1, 8, 2048)
        world.device._kick.set()
        await world.until(lambda: query(world, f"SELECT 1 FROM alarm_changes WHERE seq = {seq}"))
        await at_rest(world, agent)
        assert [event["key"] for event in events(world)].count(event["key"]) == 1


async def test_an_alarm_whose_record_came_is_not_told_again_as_overdue(world, monkeypatch):
    monkeypatch.setattr(record_overdue, "OVERDUE_S", 0.0)
    async with world.agent() as agent:
        await start_patient(world)
        seq = world.device.event(alarm_record({}, HYPOXAEMIA=3))
        await world.receiver.wait_for(1)
        await world.device.say(wire.Alarm(seq, world.device.now_ms, ((codes.HYPOXAEMIA, 3),)))
        await world.until(lambda: agent.record_overdue._rung)
        told: list[object] = []
        monkeypatch.setattr(agent.record_overdue, "_tell", lambda *about: told.append(about))
        await world.until(lambda: not agent.record_overdue._rung)
        await at_rest(world, agent)
        assert not told
        assert [event["name"] for event in events(world)].count("HYPOXAEMIA") == 1


async def test_an_unjournaled_alarm_that_ended_in_between_is_told_again(world):
    async with world.agent():
        await start_patient(world)
        await world.device.say(wire.Alarm(0, 5000, ((codes.HYPOXAEMIA, 3),)))
        await world.receiver.wait_for(1)
        await world.device.say(wire.Alarm(7, 6000, ()))
        await world.device.say(wire.Alarm(0, 9000, ((codes.HYPOXAEMIA, 3),)))
        await world.receiver.wait_for(2)


async def test_an_alarm_that_the_wearables_flash_did_not_take_is_told_once(world):
    async with world.agent() as agent:
        await start_patient(world)
        doorbell = wire.Alarm(0, 5000, ((codes.JOURNAL_FAULT, 3),))
        await world.device.say(doorbell)
        await world.device.say(doorbell)
        await world.device.say(live(5000))
        await world.until(lambda: agent.live.view(world.device.device_id).live)
        await at_rest(world, agent)
        (event,) = events(world)
        assert event["name"] == "JOURNAL_FAULT" and "flash did not take it" in event["detail"]
        assert event["key"].endswith("-unjournaled-1-5000-alarm-10")


async def test_silence_from_the_start_is_an_alarm(world):
    world.device.deaf = True
    text = "[watchdog]\nno_data_yet_s = 10\n" + world.config_text
    async with world.agent(config_text=text) as agent:
        agent.checks.checks["silence"]._started_s -= 31
        await world.receiver.wait_for(1)
        (event,) = events(world)
        assert (event["name"], event["priority"]) == ("NO_DATA_YET", "LOW")
        world.device.deaf = False
        world.device.session.link_lost()
        await world.in_session()
        await world.device.say(live(5000))
        await world.until(lambda: query(world, "SELECT ended_utc_ms FROM host_alarms")[0][0])


async def test_a_board_at_its_prompt_is_a_high_alarm_until_it_is_back(world):
    async with world.agent() as agent:
        await world.in_session()
        world.device.deaf = True
        await world.port.device_write(b"\r\nMicroPython v1.29\r\n>>> ")
        await world.call("release", port=world.port.path, seconds=0.05)
        await world.until(lambda: agent.links.reports[world.port.path].state == LinkState.HELLO_WAIT)
        await world.port.device_write(b"\r\n>>> ")
        await world.receiver.wait_for(1)
        assert (events(world)[0]["name"], events(world)[0]["priority"]) == ("DEVICE_AT_REPL", "HIGH")
        world.device.deaf = False
        world.device.session.link_lost()
        ended = f"SELECT ended_utc_ms FROM host_alarms WHERE alarm = {codes.DEVICE_AT_REPL}"
        await world.until(lambda: query(world, ended)[0][0], 20)


async def test_a_missed_prompt_is_raised_by_the_running_agent_once_and_not_again_by_the_next(world):
    async with world.agent(speed=60):
        await start_patient(world)
        with sqlite3.connect(world.paths.database) as conn:
            conn.execute("UPDATE bindings SET started_utc_ms = started_utc_ms - 13 * 3600000")
        await world.until(lambda: "PROMPT_MISSED" in [event["name"] for event in events(world)])
    async with world.agent(speed=60) as agent:
        await world.in_session()
        await agent.checks.checks["prompts"].look()
        await at_rest(world, agent)
        # an agent that ends between a delivery and its note delivers it again, under the same key
        sent = {event["key"]: event for event in events(world) if event["name"] == "PROMPT_MISSED"}
        (only,) = sent.values()
        assert only["priority"] == "LOW" and "ICE or CAPD" in only["text"]
        assert query(world, f"SELECT count(*) FROM host_alarms WHERE alarm = {codes.PROMPT_MISSED}") == [(1,)]


async def test_an_alarm_from_memory_carries_both_numbers(world, full_disk):
    world.device.event(record_types.Settings(1, bytes(8), 1, SETTINGS))
    async with world.agent() as agent:
        await start_patient(world)
        world.device.event(record_types.Settings(1, bytes(8), 1, SETTINGS))
        await world.until(lambda: query(world, "SELECT 1 FROM devices WHERE settings <> ''"))
        full_disk(agent)
        world.device.event(alarm_record({}, HYPOXAEMIA=3))
        await world.receiver.wait_for(2)
        for event in events(world):
            assert event["text"].endswith(" Care team 555-0100. Emergency 112."), event["text"]
        assert {event["name"]: event["device"] and event["device"]["name"] for event in events(world)} == {
            "HYPOXAEMIA": "Bed 3", "STORE_FAULT": None,
        }  # fmt: skip


async def test_a_fault_that_starts_again_is_sent_again_while_the_store_fails(tmp_path):
    clock, sent = FakeClock(NOW_MS), []
    with Store(tmp_path / "c.db") as store:
        alarms = MemoryAlarms(store, None, clock, lambda *event, **about: sent.append(event[2].event_key))
        for wait_s in (0, 60, 61):
            await clock.advance(wait_s)
            alarms.finding(None, Finding(codes.STORE_FAULT, codes.PRIORITY_HIGH, "the disk is full"))
    assert sent[0] == sent[1] != sent[2]
