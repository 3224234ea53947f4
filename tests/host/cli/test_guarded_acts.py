"""Nobody ends monitoring under a HIGH alarm without name, reason and the typed pseudonym, whichever way they take."""

import asyncio
from unittest import mock

import pytest
from crs_core import codes
from crs_core.wire import message as wire

from host_agent.cli.main import COMMANDS
from host_agent.control.guard import GuardNeeded
from host_agent.control.socket import ControlFailed
from host_agent.errors import StoreCorrupt
from host_agent.escalation.alarm_words import noun_of
from host_agent.link.ownership import find_owner
from host_agent.paths import Paths
from host_agent.people import account_key
from host_agent.people.acts import ACTS
from host_agent.store.bindings import add_binding
from host_agent.store.devices import ensure_device
from host_agent.store.host_alarms import raise_alarm
from host_agent.terminal import guarding, signing
from tests.host.agent_world import events, live, query, start_patient
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
from tools.rig.micropython import ROOT

# Request of the agent -> its fields. `port` is put in by the test.
REQUESTS = {
    "patient_end": {}, "patient_end with an override": {"override": "it goes home"},
    "patient_end of a lost wearable": {"wearable_lost": "fell into the sea"},
    "release": {"port": "", "seconds": 60}, "revoke": {"key_id": "00000022"}, "stop": {},
}  # fmt: skip


@pytest.mark.parametrize("request_", sorted(REQUESTS))
async def test_a_request_that_ends_monitoring_is_refused_under_a_high_alarm(ward, request_):
    fields = dict(REQUESTS[request_])
    if "port" in fields:
        fields["port"] = ward.port.path
    async with ward.agent():
        await in_alarm(ward)
        if "lost" in request_:  # one that is linked and bound is not lost
            await forget_binding(ward)
        before = query(ward, "SELECT count(*) FROM audit")
        for proof in (
            {}, {"proof": {"entry": "{}", "signature": "00" * 64}}, {"proof": {"entry": "yes", "signature": ""}},
        ):  # fmt: skip
            with pytest.raises(
                ControlFailed, match="HIGH alarms stand about P-1: oxygen low|no entry"
            ) as caught:
                await ward.call(request_.split()[0], **fields, **proof)
            assert caught.value.failed_code == "guard_needed" and "--reason" in caught.value.advice
        assert is_bound(ward) and query(ward, "SELECT count(*) FROM audit") == before
        assert find_owner(ward.port.path).released_until_utc_ms is None
        assert await ward.call("status"), "the agent runs"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "name"),
    [(["patient", "end"], "PATIENT_END"), (["patient", "end", "--wearable-lost", "fell"], "PATIENT_LOST"),
     (["release", "PORT"], "RELEASE"), (["hosts", "revoke", "00000022"], "REVOKE")],
)  # fmt: skip
async def test_with_account_reason_and_pseudonym_it_is_done_kept_and_told(ward, arguments, name):
    arguments = [ward.port.path if one == "PORT" else one for one in arguments]
    ward.device.read_only_answers[wire.Keys] = wire.Result(0x1B, 0, "")
    async with ward.agent():
        await in_alarm(ward)
        standing, nouns = ["HYPOXAEMIA"], "oxygen low"
        if name == "PATIENT_LOST":  # one that is linked and bound is not lost
            await forget_binding(ward)
            standing, nouns = [*standing, "JOURNAL_REPLACED"], f"{nouns}, {noun_of('JOURNAL_REPLACED')}"
        text = await said(ward, *arguments, code=1)
        assert f"HIGH alarms stand about P-1: {nouns}." in text and "--patient PSEUDONYM" in text
        for wrong in (
            PROOF[:4], [*PROOF[2:], "--account", "caregiver-1"], [*PROOF[:5], "p-1"], [*PROOF[:5], "P-2"],
            [*PROOF[:3], "   ", *PROOF[4:]], [*PROOF, "--patient", "P-2"], ["--account", "nurse-1"],
        ):  # fmt: skip
            await said(ward, *arguments, *wrong, code=1)
        await said(ward, *arguments, *PROOF, code=1, CYTOWATCH_PASSPHRASE="not the passphrase")
        assert acts(ward) == [] and is_bound(ward)
        await said(ward, *arguments, *PROOF)
        (values,) = acts(ward)
        assert values["act"].upper() == name and values["reason"] == "goes to intensive care"
        assert values["alarms"] == standing and list(values["patients"].values()) == ["P-1"]
        event = await told(ward, name)
        assert event["priority"] == "HIGH" and event["patient"]["id"] == "P-1"
        words = ACTS[values["act"]].words
        said_ = f"{words} while HIGH alarms stand ({nouns}). Signed by nurse-1. Care team"
        assert event["text"].startswith("SIMULATED. URGENT ") and said_ in event["text"]
        assert event["text"].endswith("\nReason: goes to intensive care.")


async def test_the_end_of_an_episode_under_a_high_alarm_needs_a_reason_and_the_pseudonym(ward):
    close = ("sign", "close-episode", "--account", "clinician-1")
    async with ward.agent():
        await in_alarm(ward)
        assert "HIGH alarms stand about P-1" in await said(ward, *close, code=1)
        await said(ward, *close, "--reason", "x", "--patient", "P-2", code=1)
        assert acts(ward) == []
        await said(ward, *close, "--reason", "seen by two", "--patient", "P-1")
        assert acts(ward) == [{"reason": "seen by two", "alarms": ["HYPOXAEMIA"], "patient": "P-1"}]
        event = await told(ward, "CLOSE_EPISODE")
        assert event["priority"] == "HIGH" and "Signed by clinician-1. Care team" in event["text"]
        assert event["text"].endswith("\nReason: seen by two.")


async def test_an_alarm_that_only_the_link_told_of_counts_and_so_does_one_of_the_laptop(ward):
    async with ward.agent() as agent:
        await start_patient(ward)
        agent.live.view(ward.device.device_id).live = live(5)._replace(alarms=((codes.HYPOXAEMIA, 3),))
        with pytest.raises(ControlFailed, match="oxygen low"):
            await ward.call("patient_end")
        agent.live.view(ward.device.device_id).live = live(6)
        device = query(ward, "SELECT id FROM devices")[0][0]
        await agent.store.write(
            lambda tx: raise_alarm(
                tx, agent.escalation, device=device, alarm=codes.STALE_DATA, priority=3, detail="", utc_ms=1
            )
        )
        with pytest.raises(ControlFailed, match="nothing new arrives"):
            await ward.call("patient_end")
        with pytest.raises(ControlFailed, match="nothing new arrives"):
            await ward.call("pause", seconds=60, why=1)


async def test_an_alarm_that_joined_since_must_be_stood_for_too(ward):
    nurse = await asyncio.to_thread(account_key.unseal, ward.paths.accounts, "nurse-1", WORDS)
    async with ward.agent() as agent:
        await in_alarm(ward)

        async def end(act, offer):
            await ward.call("patient_end", proof=await signed_for(ward, nurse, offer, act))

        offer = await ward.call("guard", act="patient_end")
        agent.live.view(ward.device.device_id).sounding = {codes.PULSE_LOST: 3}
        with pytest.raises(
            ControlFailed,
            match="does not cover this. HIGH alarms stand about P-1: oxygen low, the wearable is worn",
        ):
            await end("patient_end", offer)
        offer = await ward.call("guard", act="patient_end")
        with pytest.raises(ControlFailed, match="does not cover"):
            await end("release", offer)
        assert acts(ward) == [] and is_bound(ward)
        await end("patient_end", offer)
        assert not is_bound(ward)


async def test_a_proof_is_used_once_and_covers_every_patient_concerned(ward):
    nurse = await asyncio.to_thread(account_key.unseal, ward.paths.accounts, "nurse-1", WORDS)
    async with ward.agent() as agent:
        await in_alarm(ward)

        def bind_other(tx):
            other = ensure_device(tx, b"OTHER-01", 1)
            add_binding(tx, other, b"BINDING9", patient="P-9", profile="", utc_ms=1)
            raise_alarm(
                tx, agent.escalation, device=other, alarm=codes.STALE_DATA, priority=3, detail="", utc_ms=1
            )

        await agent.store.write(bind_other)
        lend = {"port": ward.port.path, "seconds": 9}
        of_port = await ward.call("guard", act="release", **lend)
        everybody = await ward.call("guard", act="stop")
        assert [one["patient"] for one in of_port["bindings"].values()] == ["P-1"]
        assert [one["patient"] for one in everybody["bindings"].values()] == ["P-1", "P-9"]
        with pytest.raises(ControlFailed, match="does not cover"):
            await ward.call("stop", proof=await signed_for(ward, nurse, of_port, "stop"))
        wrong = dict.fromkeys(of_port["bindings"], "P-9")
        with pytest.raises(ControlFailed, match="'P-9' is not the pseudonym"):
            await ward.call(
                "release", **lend, proof=await signed_for(ward, nurse, of_port, "release", patients=wrong)
            )
        used = await signed_for(ward, nurse, of_port, "release")
        await ward.call("release", **lend, proof=used)
        with pytest.raises(ControlFailed, match="used already"):
            await ward.call("release", **lend, proof=used)
        again = await signed_for(ward, nurse, of_port, "release")
        with pytest.raises(ControlFailed, match="used already"):
            await ward.call("release", **lend, proof=again)
        await ward.call("stop", proof=await signed_for(ward, nurse, everybody, "stop"))


def test_on_a_terminal_each_answer_is_asked_for(monkeypatch, capsys):
    concerned = {"ab": {"patient": "P-1", "device_id": "c0ffee", "alarms": ["HYPOXAEMIA"]}}
    asked = []

    def answer(prompt, **_options):
        asked.append(prompt)
        return " P-1 " if "pseudonym" in prompt else "seen by two"

    monkeypatch.setattr(guarding.sys, "stdin", mock.Mock(isatty=lambda: True))
    monkeypatch.setattr(guarding.typer, "prompt", answer)
    assert guarding.stated(guarding.Guard(), concerned, "HIGH alarms stand.") == {
        "reason": "seen by two", "patients": {"ab": "P-1"}, "alarms": ["HYPOXAEMIA"],
    }  # fmt: skip
    assert asked == ["Type the pseudonym of the patient of wearable c0ffee", "Reason"]
    assert capsys.readouterr().err == "HIGH alarms stand.\n"
    with pytest.raises(GuardNeeded, match="not the pseudonym") as caught:
        guarding.stated(guarding.Guard(typed=["P-2"]), concerned, "x")
    assert "exactly as it is written here" in caught.value.advice


def test_on_a_terminal_the_command_asks_who_signs(people, monkeypatch):
    monkeypatch.setattr(signing.sys, "stdin", mock.Mock(isatty=lambda: True))
    monkeypatch.setenv(signing.PASSPHRASE_VARIABLE, WORDS)
    asked = []
    monkeypatch.setattr(
        signing.typer, "prompt", lambda prompt, **_options: asked.append(prompt) or " nurse-1 "
    )
    assert signing.find_signer(Paths(people), None, None).name == "nurse-1"
    assert asked == ["Who signs (caregiver-1, clinician-1, clinician-2, nurse-1)"]


async def test_who_may_not_is_told_who_may_and_how_to_find_them(ward):
    async with ward.agent():
        await in_alarm(ward)
        text = await said(ward, "patient", "end", *PROOF[2:], "--account", "caregiver-1", code=1)
        assert "Only a nurse or a clinician may do this while a HIGH alarm stands" in text
        assert "cytowatch account list" in text and "README" not in text


async def test_without_a_high_alarm_nobody_is_asked(ward):
    async with ward.agent():
        await start_patient(ward)
        ward.device.event(alarm_record({}, FEVER=2))
        await ward.until(lambda: [one for one in events(ward) if one["name"] == "FEVER"])
        ward.device.event(alarm_record({}, HYPOXAEMIA=3))
        ward.device.event(alarm_record({"HYPOXAEMIA": 3}, HYPOXAEMIA=0))
        await ward.in_session()
        await ward.until(lambda: len(query(ward, "SELECT 1 FROM alarm_changes")) == 3)
        await ward.call("release", port=ward.port.path, seconds=60)
        await ward.call("retake", port=ward.port.path)
        ward.device.session.link_lost()
        await ward.in_session()
        await said(ward, "patient", "end")
        assert acts(ward) == [] and not is_bound(ward)


async def test_a_store_that_cannot_be_read_lets_nothing_pass(ward, monkeypatch):
    async with ward.agent() as agent:
        await start_patient(ward)

        async def broken(_work):
            raise StoreCorrupt("the database is damaged")

        with monkeypatch.context() as harm:
            harm.setattr(agent.store, "read", broken)
            for do, fields in (
                ("release", {"port": ward.port.path, "seconds": 9}),
                ("stop", {}),
                ("patient_end", {}),
            ):
                with pytest.raises(ControlFailed, match="damaged"):
                    await ward.call(do, **fields)
        assert find_owner(ward.port.path).released_until_utc_ms is None and is_bound(ward)


def test_every_command_is_guarded_or_says_why_not():
    """A new command is decided here: it is an act, or it ends no monitoring, or something else keeps it."""
    guarded = {"patient", "sign", "release", "pause", "hosts", "enrol", "restore", "test-alarm", "service"}
    ends_nothing = {
        "status", "scan", "devices", "history", "report", "export", "grade", "config", "backup", "verify", "doctor",
        "audit", "context", "account", "rules", "pair", "run", "deliveries", "phones", "receivers", "alarm", "policy",
        "test-sound", "page",
    }  # fmt: skip
    assert guarded | ends_nothing >= set(COMMANDS) and not guarded & ends_nothing
    page = (ROOT / "host_agent/people/README.md").read_text(encoding="utf-8")
    table = page[page.index("## Acts that need a guard") :].split("\n## ")[0]
    for name in ACTS:
        assert f"`{name}`" in table, name
    for command in ends_nothing:
        assert f"`{command}`" in table, command
