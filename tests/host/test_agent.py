"""The whole agent: a wearable on a port, a receiver on loopback, commands on the control socket."""

import asyncio
import json
import sqlite3

import pytest
from crs_core import codes
from crs_core.wire import message as wire

from host_agent.control.socket import ControlFailed
from host_agent.errors import HostAgentError, StoreFull
from host_agent.forward.signature import check
from host_agent.link.ownership import find_owner
from tests.host.agent_world import SECRET, make_world
from tests.host.escalation.world import alarm_record, grade_record
from tools.rig.protocol_wearable import AXILLA

PATIENT = {"patient": "P-1", "age_years": 54, "site": "axilla"}


@pytest.fixture
async def world(tmp_path):
    async with make_world(tmp_path) as made:
        yield made


async def start_patient(world, **change):
    await world.in_session()
    done = await world.call("patient_start", profile={**PATIENT, **change})
    # the session of the journal before is open for a moment yet
    await world.until(lambda: query(world, "SELECT 1 FROM journals WHERE is_current AND binding IS NOT NULL"))
    await world.in_session()
    return done


def events(world):
    return [json.loads(request.body) for request in world.receiver.received]


def query(world, sql):
    with sqlite3.connect(world.paths.database) as conn:
        return conn.execute(sql).fetchall()


async def test_from_patient_start_to_a_signed_event_and_patient_end(world):
    async with world.agent():
        done = await start_patient(world)
        assert done["patient"] == "P-1" and done["site"] == "axilla"
        assert world.device.journal.binding_id.hex() == done["binding_id"]
        world.device.read_sensors(12)
        world.device.event(alarm_record({}, FEVER=2))
        world.device.event(grade_record(1))
        requests = await world.receiver.wait_for(2)
        assert [event["name"] for event in events(world)] == ["FEVER", "GRADE_RISE"]
        for request, event in zip(requests, events(world), strict=True):
            assert event["patient"] == {"id": "P-1", "binding_id": done["binding_id"], "day": None}
            assert event["simulated"] is True and request.headers["idempotency-key"] == event["key"]
            header = request.headers["cytowatch-signature"]
            check(SECRET.encode(), header, request.body, int(header[2:].split(",")[0]))
        await world.in_session()
        ended = await world.call("patient_end")
        assert ended["patient"] == "P-1" and world.device.journal.binding_id == bytes(8)
        await world.in_session()
    assert query(world, "SELECT state, ended_by FROM bindings") == [("ended", "")]
    assert query(world, "SELECT DISTINCT state FROM episodes") == [("closed",)]
    replaced = query(world, f"SELECT 1 FROM host_alarms WHERE alarm = {codes.JOURNAL_REPLACED}")
    assert replaced == [], "both journals were expected"


@pytest.mark.parametrize(
    "change, expected",
    [({"age_years": 11}, "below 12 years"), ({"age_years": None}, "--age-years is missing"),
     ({"site": "oral"}, "--site says oral, the wearable is set up for axilla"),
     ({"patient": "Max Muster"}, "--patient")],
)  # fmt: skip
async def test_patient_start_refusals_leave_no_binding(world, change, expected):
    async with world.agent():
        await world.in_session()
        with pytest.raises(ControlFailed, match=expected) as caught:
            await world.call("patient_start", profile={**PATIENT, **change})
        assert caught.value.advice
    assert query(world, "SELECT 1 FROM bindings") == [] and world.device.journal.binding_id == bytes(8)


async def test_a_second_patient_on_a_bound_wearable_is_refused(world):
    async with world.agent():
        await start_patient(world)
        with pytest.raises(ControlFailed, match="bound to a patient already"):
            await world.call("patient_start", profile=PATIENT)
    assert query(world, "SELECT state FROM bindings") == [("active",)]


async def test_records_outside_a_binding_are_quarantined(world):
    async with world.agent():
        await world.in_session()
        world.device.event(alarm_record({}, FEVER=2))
        await world.until(lambda: query(world, "SELECT 1 FROM events"))
        await asyncio.sleep(0.2)
    assert events(world) == [] and query(world, "SELECT 1 FROM outbox") == []


async def test_patient_end_waits_for_what_is_not_synced_unless_overridden(world):
    async with world.agent() as agent:
        await start_patient(world)
        engine = await next(iter(agent.links.runners.values())).wait_engine()
        engine.head_seq += 5
        with pytest.raises(ControlFailed, match=r"not synced \(5 known\)") as caught:
            await world.call("patient_end")
        assert "--override REASON" in caught.value.advice
        await world.call("patient_end", override="wearable is going home")
    assert query(world, "SELECT state, ended_by FROM bindings") == [("ended", "wearable is going home")]


async def test_a_lost_wearable_can_be_given_up(world):
    async with world.agent():
        await start_patient(world)
    async with world.agent():
        await world.call("patient_end", wearable_lost="fell into the sea")
    assert query(world, "SELECT state, ended_by FROM bindings") == [("ended", "fell into the sea")]


async def test_release_frees_the_port_for_others_and_the_agent_takes_it_back(world):
    async with world.agent():
        await world.in_session()
        assert find_owner(world.port.path).release_command == f"cytowatch release {world.port.path} --for 5m"
        await world.call("release", port=world.port.path, seconds=60)
        status = await world.call("status")
        assert status["ports"][0]["state"] == "released" and not status["devices"][0]["caught_up"]
        assert find_owner(world.port.path).released_until_utc_ms
        await world.call("retake", port=world.port.path)
        world.device.session.link_lost()
        await world.in_session()
        with pytest.raises(ControlFailed, match="does not use /dev/other") as caught:
            await world.call("release", port="/dev/other", seconds=5)
        assert world.port.path in caught.value.advice
        for seconds in (0, -1, 4000):
            with pytest.raises(ControlFailed, match="1 s to 3600 s"):
                await world.call("release", port=world.port.path, seconds=seconds)
    assert find_owner(world.port.path) is None


async def test_hosts_are_listed_and_the_own_key_is_not_revoked(world):
    async with world.agent():
        await world.in_session()
        answer = await world.call("hosts")
        assert answer["hosts"] == [
            {"key_id": "00000011", "role": "custodian", "name": "ward", "this_host": True},
            {"key_id": "00000022", "role": "reader", "name": "study", "this_host": False},
        ]
        with pytest.raises(ControlFailed, match="key of this laptop"):
            await world.call("revoke", key_id="00000011")
        refused = wire.Result(0x1B, wire.RESULT_FORBIDDEN, "readers may not")
        world.device.read_only_answers[wire.Keys] = refused
        with pytest.raises(ControlFailed, match="refused Keys: readers may not"):
            await world.call("revoke", key_id="00000022")


async def test_commands_without_a_wearable_say_so(world):
    world.device.deaf = True
    async with world.agent():
        for do, fields in [("hosts", {}), ("patient_start", {"profile": PATIENT}), ("patient_end", {})]:
            with pytest.raises(ControlFailed, match="No wearable is in session") as caught:
                await world.call(do, **fields)
            assert "cytowatch status" in caught.value.advice


async def test_a_second_agent_on_the_same_home_is_refused_and_the_first_goes_on(world):
    async with world.agent():
        await world.in_session()
        with pytest.raises(HostAgentError, match="Another agent already runs"):
            async with world.agent():
                pass
        await world.in_session()


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
        assert set(names) == {"HYPOXAEMIA", "STORE_FAULT"}
        assert names["HYPOXAEMIA"]["patient"]["id"] == "P-1"
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
        await asyncio.sleep(0.2)
        keys = [event["key"] for event in events(world)]
        assert len(keys) == len(set(keys)), "same key: not sent twice"


async def test_an_unjournaled_alarm_that_ended_in_between_is_told_again(world):
    async with world.agent():
        await start_patient(world)
        await world.device.say(wire.Alarm(0, 5000, ((codes.HYPOXAEMIA, 3),)))
        await world.receiver.wait_for(1)
        await world.device.say(wire.Alarm(7, 6000, ()))
        await world.device.say(wire.Alarm(0, 9000, ((codes.HYPOXAEMIA, 3),)))
        await world.receiver.wait_for(2)


async def test_an_alarm_that_the_wearables_flash_did_not_take_is_told_once(world):
    async with world.agent():
        await start_patient(world)
        doorbell = wire.Alarm(0, 5000, ((codes.JOURNAL_FAULT, 3),))
        await world.device.say(doorbell)
        await world.device.say(doorbell)
        await world.receiver.wait_for(1)
        await asyncio.sleep(0.2)
        (event,) = events(world)
        assert event["name"] == "JOURNAL_FAULT" and "flash did not take it" in event["text"]
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


async def test_live_values_are_shown_and_a_stuck_clock_is_no_data(world):
    async with world.agent() as agent:
        await world.in_session()
        await world.device.say(live(5000))
        text = "SIMULATED. 38.64 °C (101.5 °F) axilla, SpO2 not measured, heart rate 104/min, sounding: FEVER MEDIUM"
        await world.until(lambda: agent.live.views[world.device.device_id].live is not None)
        assert (await world.call("status"))["devices"][0]["live_text"] == text
        view = agent.live.views[world.device.device_id]
        heard_s = view.live_s
        await world.device.say(live(5000))
        await asyncio.sleep(0.1)
        assert view.live_s == heard_s
        await world.device.say(live(6000))
        await world.until(lambda: view.live_s > heard_s)


async def test_the_battery_is_asked_for_again_and_its_fall_is_shown(world, monkeypatch):
    monkeypatch.setattr("host_agent.sync.engine.STATUS_EVERY_S", 0.05)
    millivolts = [3680, 3690, 3700]  # the last one is said again
    answer = world.device.status
    world.device.status = lambda: answer()._replace(
        battery_mv=millivolts.pop() if len(millivolts) > 1 else millivolts[0]
    )
    async with world.agent():
        await world.in_session()

        async def low():
            battery = (await world.call("status"))["devices"][0]["battery"]
            return battery if battery["percent"] == 15 else None

        battery = await world.until(low)
        assert battery["hours_left"] is None and battery["charging"] is False and battery["heard_utc_ms"]


async def test_a_wearable_that_does_not_measure_its_cell_has_no_percent(world):
    answer = world.device.status
    world.device.status = lambda: answer()._replace(battery_mv=0)
    async with world.agent():
        status = await world.in_session()
        assert status["devices"][0]["battery"]["percent"] is None


async def test_a_board_at_its_prompt_is_a_high_alarm_until_it_is_back(world):
    async with world.agent():
        await world.in_session()
        world.device.deaf = True
        await world.port.device_write(b"\r\nMicroPython v1.29\r\n>>> ")
        await world.call("release", port=world.port.path, seconds=0.05)
        await asyncio.sleep(0.2)
        await world.port.device_write(b"\r\n>>> ")
        await world.receiver.wait_for(1)
        assert (events(world)[0]["name"], events(world)[0]["priority"]) == ("DEVICE_AT_REPL", "HIGH")
        world.device.deaf = False
        world.device.session.link_lost()
        ended = f"SELECT ended_utc_ms FROM host_alarms WHERE alarm = {codes.DEVICE_AT_REPL}"
        await world.until(lambda: query(world, ended)[0][0], 20)


async def test_a_bug_in_one_part_does_not_end_the_agent(world, monkeypatch):
    async with world.agent() as agent:

        async def broken(*_):
            raise RuntimeError("bug")

        monkeypatch.setattr(agent.checks, "_look", broken)
        await asyncio.sleep(1.3)
        monkeypatch.undo()
        await world.in_session()


def live(t_ms):
    return wire.Live(t_ms, 3864, None, 104, None, AXILLA, 3, 1, 4, ((codes.FEVER, 2),))


async def test_a_missed_prompt_is_raised_by_the_running_agent_once_and_not_again_by_the_next(world):
    async with world.agent(speed=60):
        await start_patient(world)
        with sqlite3.connect(world.paths.database) as conn:
            conn.execute("UPDATE bindings SET started_utc_ms = started_utc_ms - 13 * 3600000")
        await world.until(lambda: "PROMPT_MISSED" in [event["name"] for event in events(world)])
    async with world.agent(speed=60) as agent:
        await world.in_session()
        await agent.checks.checks["prompts"].look()
        await asyncio.sleep(1.5)
        # an agent that ends between a delivery and its note delivers it again, under the same key
        sent = {event["key"]: event for event in events(world) if event["name"] == "PROMPT_MISSED"}
        (only,) = sent.values()
        assert only["priority"] == "LOW" and "ICE or CAPD" in only["text"]
        assert query(world, f"SELECT count(*) FROM host_alarms WHERE alarm = {codes.PROMPT_MISSED}") == [(1,)]
