"""`cytowatch alarm`: what stands, who accepts it, and what the wearable and everybody else is told."""

import json

import pytest
from crs_core import codes
from crs_core.wire import message as wire

from host_agent.store.host_alarms import raise_alarm
from host_agent.terminal.which_alarm import NoSuchAlarm, the_alarm
from tests.host.agent_world import events, query
from tests.host.cli.guard_world import in_alarm, said
from tests.host.escalation.world import alarm_record


async def listed(world):
    return json.loads(await said(world, "alarm", "list", "--json"))["alarms"]


async def test_a_caregiver_accepts_and_the_wearable_and_everybody_know_the_name(ward):
    async with ward.agent():
        await in_alarm(ward)
        assert "nobody has accepted it: cytowatch alarm accept 1" in await said(ward, "alarm", "list")
        text = await said(
            ward, "alarm", "accept", "hypoxaemia", "--account", "caregiver-1", "--note", "in the room"
        )
        assert (
            "HYPOXAEMIA of P-1: accepted by caregiver-1 until " in text and "The alarm still stands." in text
        )
        await ward.until(lambda: ward.device.accepted)
        assert ward.device.accepted == [wire.AlarmAccept(codes.HYPOXAEMIA, 3, "caregiver-1")]
        await ward.until(lambda: query(ward, "SELECT 1 FROM acceptances WHERE wearable = 'journaled'"))
        told = await ward.until(lambda: [one for one in events(ward) if one.get("stage") == "accepted"])
        assert [one["acceptance"]["who"] for one in told] == ["caregiver-1"]
        assert told[0]["audit_head"]["rows"] == query(ward, "SELECT max(seq) FROM audit")[0][0]
        assert query(ward, "SELECT count(*) FROM acceptances") == [(1,)], "the record doubled nothing"
        assert "accepted by caregiver-1, until " in await said(ward, "status")
        shown = await said(ward, "alarm", "list")
        assert (
            "accepted by caregiver-1 (in the room), by command line, until " in shown
            and "on the wearable" in shown
        )
        line = await said(ward, "history", "--kind", "acceptances")
        assert "caregiver-1 accepted the HIGH alarm about P-1: oxygen low, until " in line
        assert "caregiver-1,command line,1,in the room" in await said(ward, "export", "--kind", "acceptances")
        second = await said(ward, "alarm", "accept", "1", "--account", "nurse-1")
        assert "HYPOXAEMIA of P-1: caregiver-1 accepted it at " in second
        assert "0 problems" not in await said(ward, "audit", "verify")


async def test_whoever_comes_second_is_told_who_was_first_only_with_an_account_that_counts(ward):
    async with ward.agent():
        await in_alarm(ward)
        await said(ward, "alarm", "accept", "hypoxaemia", "--account", "caregiver-1")
        await said(ward, "account", "disable", "nurse-1", "--by", "clinician-1")
        for account, why, environment in [
            ("nobody-1", "nobody-1", {}),
            ("nurse-1", "Account nurse-1 is disabled", {}),
            ("clinician-1", "passphrase", {"CYTOWATCH_PASSPHRASE": "a wrong passphrase"}),
        ]:
            text = await said(ward, "alarm", "accept", "1", "--account", account, code=1, **environment)
            assert why in text and "accepted it at" not in text


async def test_a_wearable_that_is_away_is_told_when_it_returns(ward):
    async with ward.agent():
        await in_alarm(ward)
        ward.device.deaf = True
        ward.device.session.link_lost()
        await said(ward, "alarm", "accept", "hypoxaemia", "--account", "nurse-1")
        assert "not yet on the wearable" in await said(ward, "status")
        assert ward.device.accepted == []
        ward.device.deaf = False
        await ward.until(lambda: ward.device.accepted, 60)
        await ward.until(lambda: query(ward, "SELECT 1 FROM acceptances WHERE wearable = 'journaled'"))
        assert "not yet on the wearable" not in await said(ward, "status")


async def test_what_is_meant_is_found_by_name_number_or_alone(ward):
    async with ward.agent():
        await in_alarm(ward)
        ward.device.event(alarm_record({"HYPOXAEMIA": 3}, FEVER=2))
        await ward.until(lambda: query(ward, f"SELECT 1 FROM episodes WHERE alarm = {codes.FEVER}"))
        for typed, code, part in [
            ((), 2, " alarms stand: 1 HYPOXAEMIA of P-1, "),
            (("hypoxemia",), 1, "Did you mean HYPOXAEMIA?"),
            (("pulse-lost",), 1, "PULSE_LOST has ended, or was never raised, about whom you asked."),
            (("99",), 1, "No alarm 99 stands now."),
            (("fever", "--all"), 2, "--all cannot be combined"),
            (("fever", "--patient", "P-2"), 1, "Alarms stand about P-1. "),
            (("fever", "--device", "ffff"), 1, "No alarm stands about a wearable whose id begins with ffff."),
            (("fever", "--account", "nobody"), 1, "holds no key of account nobody."),
        ]:
            assert part in await said(ward, "alarm", "accept", *typed, code=code), typed
        text = await said(ward, "alarm", "accept", "--all", "--account", "nurse-1")
        assert (
            "HYPOXAEMIA of P-1: accepted by nurse-1" in text and "FEVER of P-1: accepted by nurse-1" in text
        )
        assert query(ward, "SELECT count(DISTINCT audit) FROM acceptances") == [(1,)], (
            "one signature for one patient"
        )
        assert {row["acceptance"]["who"] for row in await listed(ward)} == {"nurse-1"}


async def test_an_alarm_of_the_laptop_itself_is_accepted_like_one_of_a_wearable(ward):
    def raised(priority):
        now_ms = agent.clock.utc_ms()
        return agent.store.write(
            lambda tx: raise_alarm(
                tx, agent.escalation, device=None, alarm=codes.STORE_FAULT, priority=priority, detail="x",
                utc_ms=now_ms,
            )
        )  # fmt: skip

    async with ward.agent() as agent:
        await in_alarm(ward)
        await raised(2)
        (own,) = [one for one in await listed(ward) if one["name"] == "STORE_FAULT"]
        assert (own["device_id"], own["patient"], own["acceptance"]) == (None, None, None)
        refused = await said(
            ward, "alarm", "silence", "store_fault", "--for", "5m", "--account", "caregiver-1", code=1
        )
        assert "Only a nurse or a clinician" in refused
        await said(ward, "alarm", "silence", "store_fault", "--for", "5m", "--account", "nurse-1")
        text = await said(ward, "alarm", "accept", "store_fault", "--account", "nurse-1")
        assert "STORE_FAULT: accepted by nurse-1 until " in text and "wearable" not in text
        told = await ward.until(lambda: [one for one in events(ward) if one.get("stage") == "accepted"])
        assert [(one["name"], one["acceptance"]["who"]) for one in told] == [("STORE_FAULT", "nurse-1")]
        assert "accepted by nurse-1" in await said(ward, "status")
        assert "nurse-1 accepted the MEDIUM alarm" in await said(ward, "history", "--kind", "acceptances")
        second = await said(ward, "alarm", "accept", "store_fault", "--account", "caregiver-1")
        assert "STORE_FAULT: nurse-1 accepted it at " in second
        await raised(3)
        # a rise is never covered
        ended = "SELECT kind, ended_by FROM acceptances ORDER BY id"
        await ward.until(lambda: query(ward, ended) == [("silenced", "rise"), ("accepted", "rise")])
        (own,) = [one for one in await listed(ward) if one["name"] == "STORE_FAULT"]
        assert own["acceptance"] is None and own["silence"] is None and ward.device.accepted == []
        assert "0 problems" not in await said(ward, "audit", "verify")


async def test_a_silence_has_an_end_and_accepts_nothing(ward):
    async with ward.agent():
        await in_alarm(ward)
        nurse = ("--account", "nurse-1")
        assert "Say until when" in await said(ward, "alarm", "silence", *nurse, code=2)
        assert "at most" in await said(ward, "alarm", "silence", "1", "--for", "11m", *nurse, code=2)
        assert "at most" in await said(ward, "alarm", "silence", "1", "--until", "2020-01-01", *nurse, code=2)
        refused = await said(ward, "alarm", "silence", "1", "--for", "5m", "--account", "caregiver-1", code=1)
        assert "Only a nurse or a clinician may silence an alarm." in refused
        assert "This accepts nothing" in await said(ward, "alarm", "silence", "1", "--for", "5m", *nurse)
        (row,) = [one for one in await listed(ward) if one["number"] == 1]
        assert row["acceptance"] is None and row["silence"]["who"] == "nurse-1" and ward.device.accepted == []
        assert "nurse-1 held back reminders of the HIGH alarm about P-1" in await said(ward, "history")


async def test_nothing_stands(ward):
    assert "It says nothing about a wearable that is not heard." in await said(ward, "alarm", "list", code=4)
    await said(ward, "alarm", "accept", "--account", "nurse-1", code=3)
    async with ward.agent():
        assert "No alarm stands" in await said(ward, "alarm", "accept", "--all", code=4)
        assert "No alarm stands" in await said(ward, "alarm", "accept", code=1)


async def test_what_stands_about_others_is_never_said_to_have_ended(ward):
    async with ward.agent():
        await in_alarm(ward)
        for command in (("list",), ("accept", "--all"), ("accept", "hypoxaemia")):
            text = await said(ward, "alarm", *command, "--device", "beef", code=1)
            assert "No alarm stands about a wearable whose id begins with beef." in text
            assert "1 HYPOXAEMIA of P-1" in text and "has ended" not in text


@pytest.mark.parametrize("note", ["one\ntwo", "\x1b[31mred", "x" * 201])
async def test_a_note_that_cannot_be_kept_is_refused_before_anybody_signs(ward, note):
    async with ward.agent():
        await in_alarm(ward)
        for command in (("accept",), ("silence", "--for", "5m")):
            text = await said(ward, "alarm", *command, "--account", "nurse-1", "--note", note, code=2)
            assert "--note: at most 200 characters" in text
        assert query(ward, "SELECT count(*) FROM counters WHERE name LIKE 'entry_refused%'") == [(0,)]


def test_the_whole_name_of_an_alarm_is_no_short_form_of_another():
    row = {"name": "NO_DATA_YET", "number": 1, "patient": None, "device_id": "ab"}
    for typed in ("NO_DATA", "no-data"):
        with pytest.raises(NoSuchAlarm) as caught:
            the_alarm([row], typed)
        assert "Did you mean" not in caught.value.advice and "1 NO_DATA_YET" in caught.value.advice
    assert the_alarm([row], "no_data_y") is row
