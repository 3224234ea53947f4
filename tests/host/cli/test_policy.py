"""`cytowatch policy test` shows whom an alarm would reach, when and why, and sends nothing."""

import json

import pytest
from typer.testing import CliRunner

from host_agent.cli.main import build_app, main
from tools.rig.contact_plan import PLAN_TOML

AT = "2026-03-31T03:07"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("CYTOWATCH_HOME", str(tmp_path / "home"))
    (tmp_path / "c.toml").write_text(PLAN_TOML)

    def typed(*arguments):
        given = ["policy", "test", *arguments, "--config", str(tmp_path / "c.toml")]
        return CliRunner().invoke(build_app("policy"), given)

    return typed


def test_it_shows_time_person_channel_message_and_reason_and_leaves_no_store(run, tmp_path):
    out = run("--event", "fever", "--at", AT, "--for", "20m").output
    assert "FEVER, MEDIUM, at 2026-03-31 03:07:00. Nothing is sent." in out
    assert "At once to every system: ward." in out
    assert any(line.split()[:4] == ["03:11:00", "4", "min", "nurse-1"] for line in out.splitlines())
    assert "nobody accepted a MEDIUM alarm in 15 min: it is HIGH now" in out
    assert not list(tmp_path.glob("home/*.db"))


def test_quiet_hours_an_end_and_an_acceptance_are_shown(run):
    low = run("--event", "LOW_BATTERY=LOW", "--at", AT, "--for", "9h", "--over-after", "2m").output
    assert "held back until 07:00" in low and "the condition ended meanwhile" in low
    high = json.loads(run("--event", "HYPOXAEMIA", "--at", AT, "--accepted-after", "1m", "--json").output)
    assert (high["priority"], high["systems"]) == ("HIGH", ["ward"])
    assert [step["after_ms"] for step in high["steps"]][:2] == [0, 660_000]


def test_a_year_is_cut_where_nobody_reads_on_and_says_so(run):
    lines = run("--event", "HYPOXAEMIA", "--at", AT, "--for", "400d").output.splitlines()
    assert len(lines) == 1005 and lines[-1].startswith("Shown are the first 1000 lines.")
    found = json.loads(run("--event", "HYPOXAEMIA", "--at", AT, "--for", "400d", "--json").output)
    assert found["is_cut"] and len(found["steps"]) == 1000
    assert not json.loads(run("--event", "HYPOXAEMIA", "--at", AT, "--json").output)["is_cut"]


@pytest.mark.parametrize(
    "event, expected",
    [
        ("HYPOXEMIA", "Did you mean HYPOXAEMIA?"),
        ("FEVER=LOUD", "expected LOW, MEDIUM or HIGH"),
        ("", "no alarm"),
    ],
)
def test_an_event_that_there_is_not_is_refused_in_words(event, expected, capsys):
    with pytest.raises(SystemExit):
        main(["policy", "test", "--event", event])
    assert expected in capsys.readouterr().err


def test_an_alarm_that_nobody_can_accept_is_said_once_to_everybody(run):
    found = json.loads(run("--event", "NOBODY_REACHED", "--at", AT, "--json").output)["steps"]
    assert {step["after_ms"] for step in found} == {0} and {step["action"] for step in found} == {"tell"}
    assert [step["people"] for step in found] == [["carer", "nurse-1", "doctor-1"]]


def test_the_end_of_an_urgent_alarm_is_shown_as_it_is_sent(run):
    found = json.loads(run("--event", "HYPOXAEMIA", "--at", AT, "--over-after", "1m", "--json").output)[
        "steps"
    ]
    assert found[-1]["what"] == "over, LOW"


def test_without_contacts_it_says_that_nobody_is_called_second(monkeypatch, tmp_path):
    monkeypatch.setenv("CYTOWATCH_HOME", str(tmp_path))
    out = CliRunner().invoke(build_app("policy"), ["policy", "test", "--event", "GRADE_RISE"]).output
    assert (
        "GRADE_RISE, HIGH" in out
        and "nobody is called second" in out
        and "None of them reaches a person" in out
    )


def test_it_shows_what_each_contact_would_read(run):
    texts = json.loads(run("--event", "HYPOXAEMIA", "--at", AT, "--json").output)["texts"]
    assert list(texts) == ["carer", "nurse-1", "doctor-1"]
    assert texts["carer"].startswith(
        "URGENT 03:07, PATIENT: oxygen reading low. Look at the patient now. Get help:"
    )
    assert texts["nurse-1"].startswith(
        "URGENT 03:07, PATIENT (WEARABLE): oxygen low. Look at the patient now."
    )
    out = run("--event", "GRADE_RISE=MEDIUM", "--at", AT).output
    assert "carer: ALARM 03:07, PATIENT: new warning signs." in out
    assert "nurse-1: ALARM 03:07, PATIENT (WEARABLE): the grade rose to at least 1." in out
