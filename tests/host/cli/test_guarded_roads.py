"""Roads round the guard: a start over an open binding, another laptop, a proof used twice, reasons that say nothing."""

import asyncio

import pytest
from crs_core import codes

from host_agent.control.socket import ControlFailed
from host_agent.control.tickets import Tickets
from host_agent.link.ownership import find_owner
from host_agent.patient.binding_states import BindingError, begin_end, begin_start
from host_agent.patient.profile import make_profile
from host_agent.people import account_key
from host_agent.people.acts import reason_fault
from host_agent.people.admission import Opening
from host_agent.people.composing import compose
from tests.fakes.fake_clock import FakeClock
from tests.host.agent_world import PATIENT, events, query, start_patient
from tests.host.cli.guard_world import (
    PROOF,
    acts,
    forget_binding,
    in_alarm,
    is_bound,
    said,
    signed_for,
    told,
)
from tests.host.cli.people_cli import WORDS
from tests.host.escalation.world import alarm_record


async def test_a_proof_is_good_for_the_request_that_it_was_asked_for_at_the_laptop_that_asked(ward):
    nurse = await asyncio.to_thread(account_key.unseal, ward.paths.accounts, "nurse-1", WORDS)
    lend = {"port": ward.port.path, "seconds": 9}
    async with ward.agent():
        await in_alarm(ward)
        before = await signed_for(ward, nurse, await ward.call("guard", act="release", **lend), "release")
    async with ward.agent():  # the same chain in another process, as on a laptop with a copy of it
        await ward.in_session()
        with pytest.raises(ControlFailed, match="not asked for by this agent"):
            await ward.call("release", **lend, proof=before)
        offer = await ward.call("guard", act="release", **lend)
        ticket = offer["ticket"]
        assert ticket["device"] == ward.device.device_id.hex() and ticket["port"].startswith("/dev/")
        for wrong in (
            None, {}, "yes", {**ticket, "once": "00" * 16}, {**ticket, "device": ""}, {**ticket, "laptop": "other"},
            {**ticket, "port": "/dev/other"}, {**ticket, "more": ""}, {**ticket, "once": 7},
        ):  # fmt: skip
            proof = await signed_for(ward, nurse, offer, "release", ticket=wrong)
            with pytest.raises(ControlFailed, match="not asked for by this agent"):
                await ward.call("release", **lend, proof=proof)
        for other in ({**lend, "seconds": 3600}, {**lend, "seconds": 9, "more": 1}):
            with pytest.raises(ControlFailed, match="another request"):
                await ward.call("release", **other, proof=await signed_for(ward, nurse, offer, "release"))
        assert acts(ward) == [] and find_owner(ward.port.path).released_until_utc_ms is None
        await ward.call("release", **lend, proof=await signed_for(ward, nurse, offer, "release"))
        assert [one["ticket"] for one in acts(ward)] == [ticket]


async def test_a_ticket_runs_out_and_there_are_never_many():
    clock = FakeClock()
    tickets = Tickets(clock)
    ticket = tickets.give("stop", {"do": "guard"}, None)
    await clock.advance(599)
    assert tickets.is_good("stop", {"do": "stop"}, None, ticket)
    await clock.advance(2)
    assert not tickets.is_good("stop", {"do": "stop"}, None, ticket)
    many = [tickets.give("stop", {}, None) for _ in range(200)]
    good = [one for one in many if tickets.is_good("stop", {}, None, one)]
    assert good == many[-64:]


async def test_a_start_over_a_binding_that_its_wearable_forgot_is_guarded_as_its_end_is(ward):
    start = ("patient", "start", "--patient", "P-2", "--age-years", "54")
    async with ward.agent():
        await in_alarm(ward)
        await forget_binding(ward)
        text = await said(ward, *start, code=1)
        assert "HIGH alarms stand about P-1: " in text and "oxygen low" in text and "--ends PSEUDONYM" in text
        with pytest.raises(ControlFailed, match="HIGH alarms stand about P-1"):
            await ward.call("patient_start", profile=PATIENT)
        for wrong in (["--ends", "P-2"], ["--ends", "p-1"], [], ["--ends", "P-1", "--ends", "P-2"]):
            await said(ward, *start, *PROOF[:4], *wrong, code=1)
        await said(ward, *start, *PROOF[:3], " ", "--ends", "P-1", code=1)
        assert acts(ward) == [] and query(ward, "SELECT state FROM bindings") == [("active",)]
        await said(ward, *start, "--site", "oral", *PROOF[:4], "--ends", "P-1", code=1)
        assert acts(ward) == [], "nobody stands for a start that cannot be done"
        await said(ward, *start, *PROOF[:4], "--ends", "P-1")
        assert query(ward, "SELECT state FROM bindings") == [("ended",), ("active",)]
        event = await told(ward, "PATIENT_START")
        assert (
            event["patient"]["id"] == "P-1"
            and "ends the one that was open while HIGH alarms" in event["text"]
        )


async def test_a_start_by_the_store_alone_ends_no_binding_in_alarm(ward):
    profile = make_profile(**PATIENT)

    def start(tx, may_end=()):
        return begin_start(
            tx, 1, ward.device.device_id, binding_id=b"BINDING2", profile=profile, text="", utc_ms=1, may_end=may_end
        )  # fmt: skip

    async with ward.agent() as agent:
        bound = await in_alarm(ward)
        for other in ((), (b"BINDING2",)):
            with pytest.raises(BindingError, match="HIGH alarm stands about P-1"):
                await agent.store.write(lambda tx, other=other: start(tx, other))
        assert query(ward, "SELECT state FROM bindings") == [("active",)]
        await agent.store.write(lambda tx: start(tx, (bytes.fromhex(bound["binding_id"]),)))
        assert query(ward, "SELECT state FROM bindings") == [("ended",), ("starting",)]


async def test_a_wearable_that_is_linked_here_is_not_lost(ward):
    async with ward.agent():
        await start_patient(ward)
        text = await said(ward, "patient", "end", "--wearable-lost", "nobody finds it", code=1)
        assert (
            "linked to this laptop and bound to P-1: it is not lost" in text and "--override REASON" in text
        )
        assert query(ward, "SELECT state FROM bindings") == [("active",)]


async def test_a_lost_wearable_that_returns_bound_is_monitored_again(ward):
    async with ward.agent():
        await start_patient(ward)
    ward.device.deaf = True
    async with ward.agent():
        text = await said(ward, "patient", "end", "--wearable-lost", "nobody finds it")
        assert "measures and sounds on" in text and "monitors nobody" not in text
        assert query(ward, "SELECT state FROM bindings") == [("ended",)]
    ward.device.deaf = False
    async with ward.agent():
        await ward.until(lambda: query(ward, "SELECT state, ended_by FROM bindings") == [("active", "")])
        await ward.in_session()
        ward.device.event(alarm_record({}, HYPOXAEMIA=3))
        (event,) = await ward.until(lambda: [one for one in events(ward) if one["name"] == "HYPOXAEMIA"])
        assert event["patient"]["id"] == "P-1"
        await said(ward, "patient", "end", *PROOF)


@pytest.mark.parametrize("other", [bytes(8), b"OTHERS99"])
async def test_an_end_of_what_the_wearable_no_longer_has_says_the_way_out_before_anybody_signs(ward, other):
    async with ward.agent():
        await in_alarm(ward)
        ward.device.bind(other)
        ward.device.session.link_lost()
        await ward.until(lambda: query(ward, "SELECT 1 FROM journals WHERE is_current AND binding IS NULL"))
        await ward.in_session()
        text = await said(ward, "patient", "end", *PROOF, code=1)
        assert "no more to P-1" in text and "patient end --wearable-lost REASON" in text and acts(ward) == []
        await said(ward, "patient", "end", "--wearable-lost", "another laptop has it", *PROOF)
        assert query(ward, "SELECT state FROM bindings") == [("ended",)]


async def test_what_another_laptop_bound_ends_here_only_when_it_is_meant_and_stood_for(ward):
    start = ("patient", "start", "--patient", "P-2", "--age-years", "54")
    async with ward.agent() as agent:
        await ward.in_session()
        ward.device.bind(b"OTHERS99")
        ward.device.session.link_lost()
        await ward.until(lambda: query(ward, "SELECT count(*) FROM journals") == [(2,)])
        await ward.in_session()
        device_id = ward.device.device_id.hex()
        replaced = f"SELECT count(*) FROM host_alarms WHERE alarm = {codes.JOURNAL_REPLACED}"
        before = query(ward, replaced)
        assert "another laptop bound it to a patient and gets its alarms" in await said(ward, "status")
        for command in (start, ("patient", "end")):
            text = await said(ward, *command, code=1)
            assert "Another laptop bound this wearable to a patient" in text and "--override REASON" in text
        agent.live.view(ward.device.device_id).sounding = {codes.HYPOXAEMIA: 3}
        gone = ("patient", "end", "--override", "that laptop is broken")
        assert f"HIGH alarms stand about {device_id}: oxygen low" in await said(ward, *gone, code=1)
        assert ward.device.journal.binding_id == b"OTHERS99"
        text = await said(ward, *gone, *PROOF[:5], device_id)
        assert "The binding of the patient whom another laptop bound ended" in text
        await ward.until(lambda: query(ward, "SELECT count(*) FROM journals") == [(3,)])
        assert query(ward, replaced) == before, "an end that was meant here is no replacement"
        await ward.in_session()
        await said(ward, *start)


async def test_an_end_that_never_reached_the_wearable_is_asked_about_anew(ward):
    async with ward.agent() as agent:
        await start_patient(ward)
        await agent.store.write(lambda tx: begin_end(tx, 1, ward.device.device_id, 1))
        ward.device.session.link_lost()
        await ward.until(lambda: query(ward, "SELECT state FROM bindings") == [("active",)])
        assert query(ward, "SELECT 1 FROM journal_changes WHERE used_by IS NULL") == []
        await ward.in_session()
        ward.device.event(alarm_record({}, HYPOXAEMIA=3))
        await ward.until(lambda: [one for one in events(ward) if one["name"] == "HYPOXAEMIA"])
        await forget_binding(ward)
        assert query(ward, "SELECT state FROM bindings") == [("active",)]


async def test_a_patient_whom_another_laptop_bound_is_guarded_by_the_wearable(ward):
    async with ward.agent() as agent:
        await in_alarm(ward)
        ward.device.bind(b"OTHERS99")
        ward.device.session.link_lost()
        await ward.until(lambda: query(ward, "SELECT 1 FROM journals WHERE is_current AND binding IS NULL"))
        await ward.in_session()
        await said(ward, "patient", "end", "--wearable-lost", "fell", *PROOF)
        agent.live.view(ward.device.device_id).sounding = {codes.PULSE_LOST: 3}
        device_id = ward.device.device_id.hex()
        for do, fields in (
            ("release", {"port": ward.port.path, "seconds": 9}),
            ("revoke", {"key_id": "22"}),
        ):
            with pytest.raises(
                ControlFailed,
                match=f"HIGH alarms stand about {device_id}: the wearable is worn",
            ):
                await ward.call(do, **fields)
        await said(ward, "release", ward.port.path, *PROOF[:5], "P-1", code=1)
        await said(ward, "release", ward.port.path, *PROOF[:5], device_id)
        assert acts(ward)[-1]["patients"] == {b"OTHERS99".hex(): device_id}


async def test_an_episode_in_an_alarm_that_is_not_stored_yet_is_not_closed_unguarded(ward):
    clinician = await asyncio.to_thread(account_key.unseal, ward.paths.accounts, "clinician-1", WORDS)
    async with ward.agent() as agent:
        await start_patient(ward)
        agent.live.view(ward.device.device_id).sounding = {codes.PULSE_LOST: 3}

        async def close(**values):
            opening = Opening(**await ward.call("entry_begin", about_patient=True))
            raw, signature = compose(opening, clinician, "close_episode", values)
            await ward.call("entry_take", entry=raw.decode(), signature=signature.hex())

        for values in (
            {},
            {"reason": "x", "patient": "P-1", "alarms": []},
            {"alarms": 7},
            {"alarms": [["PULSE_LOST"]]},
        ):
            with pytest.raises(ControlFailed, match="HIGH alarms stand about P-1: the wearable is worn"):
                await close(**values)
        await close(reason="x", patient="P-1", alarms=["PULSE_LOST"])


@pytest.mark.parametrize(
    "reason",
    [
        "",
        "   ",
        "\t",
        "\u200b",
        "\u00a0",
        "...",
        "--",
        "\u3164",
        "\u2800",
        "\u202eok",
        "a\nb",
        "x" * 201,
        "\x1b[2Jx",
        7,
        None,
    ],
)
def test_a_reason_that_says_nothing_is_none(reason):
    assert reason_fault(reason)


@pytest.mark.parametrize("reason", ["x", "geht auf die Intensivstation", "転院", "إلى العناية", "7"])
def test_a_reason_in_any_language_is_one(reason):
    assert reason_fault(reason) == ""


async def test_an_override_and_a_lost_wearable_need_a_reason_in_words(ward):
    async with ward.agent():
        await start_patient(ward)
        for field in ("override", "wearable_lost"):
            for reason in ("", "  ", "\u200b", "...", "x" * 201):
                with pytest.raises(ControlFailed, match=f"--{field.replace('_', '-')}: "):
                    await ward.call("patient_end", **{field: reason})
        assert is_bound(ward)


async def test_nothing_ends_while_the_store_takes_no_signature_and_the_ticket_stays_good(ward):
    nurse = await asyncio.to_thread(account_key.unseal, ward.paths.accounts, "nurse-1", WORDS)
    async with ward.agent() as agent:
        await in_alarm(ward)
        offer = await ward.call("guard", act="patient_end")
        proof = await signed_for(ward, nurse, offer, "patient_end")
        run = asyncio.get_running_loop().run_in_executor
        await run(agent.store._writer, agent.store._conn.execute, "PRAGMA query_only = ON")
        with pytest.raises(ControlFailed, match="read-only"):
            await ward.call("patient_end", proof=proof)
        assert is_bound(ward) and acts(ward) == []
        await run(agent.store._writer, agent.store._conn.execute, "PRAGMA query_only = OFF")
        for patients in (
            {"zz": "P-1"},
            {"": ""},
            {**dict.fromkeys(offer["bindings"], "P-1"), "00" * 9: "P-1"},
            ["P-1"],
        ):
            with pytest.raises(ControlFailed):
                await ward.call(
                    "patient_end",
                    proof=await signed_for(ward, nurse, offer, "patient_end", patients=patients),
                )
        assert is_bound(ward) and acts(ward) == []
        await ward.call("patient_end", proof=proof)
        assert not is_bound(ward) and len(acts(ward)) == 1


async def test_two_that_hand_in_one_proof_at_once_do_one_act(ward):
    nurse = await asyncio.to_thread(account_key.unseal, ward.paths.accounts, "nurse-1", WORDS)
    lend = {"port": ward.port.path, "seconds": 9}
    async with ward.agent():
        await in_alarm(ward)
        proof = await signed_for(ward, nurse, await ward.call("guard", act="release", **lend), "release")
        done = await asyncio.gather(
            *(ward.call("release", **lend, proof=proof) for _ in range(5)), return_exceptions=True
        )
        assert len([one for one in done if isinstance(one, dict)]) == 1 and len(acts(ward)) == 1
