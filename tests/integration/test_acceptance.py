"""A person accepts an alarm by name: the real wearable plays its sign, is silent, and sounds again after the lapse."""

from pathlib import Path
from typing import Any

import pytest
from crs_core.journal import record_layout

from tools.rig.bedside import Bedside
from tools.rig.laptop import CABLE_ONLY, Laptop
from tools.rig.scenarios import worn
from tools.rig.waiting import conductor, pass_s, until, utc_s
from tools.rig.wearable import Wearable
from tools.rig.webhook_receiver import Receiver

SPEED = 30
LOW_SPO2 = worn(spo2_pct=85.0, hr_bpm=90)
WORDS = {"CYTOWATCH_PASSPHRASE": "a long passphrase", "CYTOWATCH_NEW_PASSPHRASE": "a long passphrase"}


def typed(laptop: Laptop, *arguments: str, by: str = "clinician-1") -> str:
    """The output of a command that an account holder types; it must do."""
    return laptop.cytowatch(*arguments, **WORDS, CYTOWATCH_ACCOUNT=by).stdout


def tones(wearable: Wearable, since: int) -> str:
    return " ".join(
        str(one) for one in wearable.control("outputs", since=since)["log"] if "buzzer" in str(one)
    )


def newest(wearable: Wearable) -> int:
    return int(wearable.control("outputs")["log"][-1]["n"])


@pytest.mark.slow
def test_an_accepted_alarm_is_silent_until_its_acceptance_lapses(tmp_path: Path) -> None:
    with Bedside(tmp_path, speed=SPEED, scenario=LOW_SPO2, binding_id=None) as bedside:
        laptop, wearable = bedside.laptop, bedside.wearable
        typed(laptop, "account", "add", "clinician-1", "--role", "clinician")
        typed(laptop, "account", "add", "carer-1", "--role", "caregiver")
        bedside.start_agent()
        bedside.start_patient()
        until(lambda: "HYPOXAEMIA" in laptop.cytowatch("alarm", "list", check=False).stdout, 30, "the alarm")
        until(wearable.is_sounding, 10, "its sound")
        before = newest(wearable)

        def acceptance() -> dict[str, Any]:
            rows = laptop.ask("history", "--kind", "acceptances")["rows"]
            (row,) = [one for one in rows if one["name"] == "HYPOXAEMIA"]
            return row  # type: ignore[no-any-return]

        said = typed(laptop, "alarm", "accept", "hypoxaemia", "--note", "I am in the room", by="carer-1")
        assert "HYPOXAEMIA of " in said and ": accepted by carer-1 until " in said

        until(lambda: laptop.events(record_layout.ACCEPTED), 10, "the record of the wearable")
        pass_s(1)
        heard = tones(wearable, before)
        assert "600" in heard and "900" in heard, "it plays that somebody knows"
        row = acceptance()
        assert (row["who"], row["how"], row["signed"], row["wearable"]) == (
            "carer-1",
            "command line",
            True,
            "journaled",
        )
        assert "accepted by carer-1, until " in typed(laptop, "status")
        assert "not yet on the wearable" not in typed(laptop, "status")
        before = newest(wearable)
        pass_s(300 / SPEED)
        assert "520" not in tones(wearable, before), "no alarm tone for five minutes"

        pass_s(280 / SPEED)
        until(
            lambda: acceptance()["ended_by"] == "lapsed", 120 / SPEED, "the lapse", between=lambda: pass_s(1)
        )
        before = newest(wearable)
        until(lambda: "520" in tones(wearable, before), 60 / SPEED, "the sound after the lapse")
        assert "sounding, nobody has accepted it" in typed(laptop, "status")


@pytest.mark.slow
def test_the_patients_call_ends_when_somebody_accepts_it(tmp_path: Path) -> None:
    with Bedside(tmp_path, speed=SPEED, binding_id=None) as bedside:
        laptop, wearable = bedside.laptop, bedside.wearable
        typed(laptop, "account", "add", "clinician-1", "--role", "clinician")
        bedside.start_agent()
        bedside.start_patient()
        wearable.control("press", ms=2500)
        until(
            lambda: "PATIENT_BUTTON" in laptop.cytowatch("alarm", "list", check=False).stdout, 30, "the call"
        )
        pass_s(600 / SPEED)
        assert wearable.is_sounding() or "520" in tones(wearable, 0), "it sounds until somebody accepts it"
        assert "PATIENT_BUTTON" in typed(laptop, "alarm", "list"), "no time ends it"
        before = newest(wearable)
        typed(laptop, "alarm", "accept", "patient-button")
        until(
            lambda: "PATIENT_BUTTON" not in laptop.cytowatch("alarm", "list", check=False).stdout,
            30,
            "its end",
        )
        pass_s(1)
        assert "600" in tones(wearable, before) and "900" in tones(wearable, before), "somebody knows"
        before = newest(wearable)
        pass_s(60 / SPEED)
        assert "520" not in tones(wearable, before)
        (row,) = laptop.ask("history", "--kind", "acceptances")["rows"]
        assert (row["name"], row["who"], row["ended_by"]) == ("PATIENT_BUTTON", "clinician-1", "over")


@pytest.mark.slow
def test_the_chain_is_tried_from_the_command_to_buzzer_and_receiver(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a long and common secret\n")
    secret.chmod(0o600)
    receiver = Receiver(b"a long and common secret", now_s=utc_s)
    owner = conductor()
    assert owner is not None
    owner.watch(receiver.quiet)
    with Bedside(tmp_path, speed=SPEED, binding_id=None) as bedside:
        laptop, wearable = bedside.laptop, bedside.wearable
        (laptop.home / "config.toml").write_text(
            f'[[webhook]]\nname = "ward"\nurl = "{receiver.url}"\nsecret_file = "{secret}"\naccept_simulated = true\n'
            + CABLE_ONLY
        )
        bedside.start_agent()
        bedside.start_patient()
        before = newest(wearable)
        hops = laptop.ask("test-alarm")["hops"]
        assert [(one["kind"], one["passed"]) for one in hops] == [
            ("agent", True), ("store", True), ("wearable", True), ("receiver", True),
        ]  # fmt: skip
        assert "880" in tones(wearable, before) and "520" not in tones(wearable, before)
        (event,) = [one for one in receiver.events.values() if one["kind"] == "test"]
        assert event["stage"] == "test" and event["text"].startswith("SIMULATED. TEST ")
