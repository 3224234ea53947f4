"""The whole agent: a wearable on a port, a receiver on loopback, commands on the control socket."""

import asyncio

import pytest
from crs_core import codes
from crs_core.wire import message as wire

from host_agent.control.socket import ControlFailed, ControlServer
from host_agent.errors import HostAgentError
from host_agent.forward.signature import check
from host_agent.link.ownership import find_owner
from host_agent.state_lock import holder_of, read_note
from tests.host.agent_world import PATIENT, SECRET, events, live, query, start_patient
from tests.host.escalation.world import alarm_record, grade_record


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
            assert event["patient"] == {
                "id": "P-1",
                "binding_id": done["binding_id"],
                "day": None,
                "label": None,
            }
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
        engine._reception.head_seq += 5
        with pytest.raises(ControlFailed, match=r"not synced \(5 known\)") as caught:
            await world.call("patient_end")
        assert "--override REASON" in caught.value.advice
        await world.call("patient_end", override="wearable is going home")
    assert query(world, "SELECT state, ended_by FROM bindings") == [("ended", "wearable is going home")]


async def test_a_lost_wearable_can_be_given_up(world):
    async with world.agent():
        await start_patient(world)
    world.device.deaf = True
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
        with pytest.raises(HostAgentError, match="The agent runs on this state folder"):
            async with world.agent():
                pass
        await world.in_session()


async def test_live_values_are_shown_and_a_stuck_clock_is_no_data(world):
    async with world.agent() as agent:
        await world.in_session()
        await world.device.say(live(5000))
        text = "SIMULATED. 38.64 °C (101.5 °F) axilla, SpO2 not measured, heart rate 104/min, raised: FEVER MEDIUM"
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


async def test_a_bug_in_one_part_does_not_end_the_agent(world, monkeypatch):
    async with world.agent() as agent:

        async def broken(*_):
            raise RuntimeError("bug")

        monkeypatch.setattr(agent.checks, "_look", broken)
        await asyncio.sleep(1.3)
        monkeypatch.undo()
        await world.in_session()


async def test_an_agent_that_fails_leaves_the_reason_and_the_folder(world, monkeypatch):
    async def fail(server):
        raise HostAgentError("the door is broken")

    with monkeypatch.context() as patch, pytest.raises(HostAgentError, match="the door is broken"):
        patch.setattr(ControlServer, "try_start", fail)
        async with world.agent():
            pass
    note = read_note(world.home / "agent.json")
    assert "it failed: HostAgentError" in note["why"] and holder_of(world.home) is None
    async with world.agent() as agent:
        assert agent.run_note.gap is not None and "the door is broken" in agent.run_note.gap.why
