"""What receivers have not taken, as `doctor` and `deliveries` show it, and sending it again."""

import json

import pytest

from host_agent.config.model import parse_config
from host_agent.store.db import Store
from host_agent.store.undelivered import Undelivered
from host_agent.terminal import exits
from host_agent.terminal.receiver_findings import receiver_findings
from tests.host.cli.people_cli import run

ROW = (
    "INSERT INTO outbox (target, event_key, priority, simulated, payload, state, created_utc_ms, next_try_utc_ms,"
    " attempts, last_error) VALUES (?, ?, 3, 0, '{}', ?, 1, 1, ?, ?)"
)


@pytest.fixture
def home(tmp_path):
    """A laptop whose receiver refused one event and has not got another, and with one for a receiver that is gone."""
    place = tmp_path / "home"
    place.mkdir()
    (place / "config.toml").write_text(
        '[[webhook]]\nname = "ward"\nurl = "https://a.example"\nsecret_env = "NOPE_X"\n'
    )
    with Store(place / "cytowatch.db") as store:
        for row in (
            ("ward", "a", "refused", 1, "HTTP 400"),
            ("ward", "b", "pending", 0, ""),
            ("gone", "a", "pending", 3, "not reached: https://u:p@h.example/t0ken"),
        ):
            store.write_now(lambda tx, row=row: tx.execute(ROW, row))
    return place


def test_doctor_names_each_receiver_once_with_all_that_waits_and_why(home):
    text = run(home, "doctor").stdout
    (line,) = [line for line in text.splitlines() if "receiver ward:" in line]
    assert "NOPE_X is not set" in line and "refused: 1. HTTP 400" in line
    assert "not delivered yet: 1. the agent is not running" in line
    (line,) = [line for line in text.splitlines() if "receiver gone:" in line]
    assert "not in the configuration any more" in line and "https://h.example/…" in line


def test_doctor_says_what_the_running_agent_met_at_a_receiver(home):
    told = {"delivered": 0, "retried": 3, "refused": 0}
    live = {"targets": {"ward": {**told, "last_error": "not reached: https://h.example/t0ken"},
                        "left": {**told, "last_error": ""}}}  # fmt: skip
    receivers = parse_config((home / "config.toml").read_text()).receivers
    found = {one.about: one for one in receiver_findings(receivers, {}, live)}
    assert "the last attempt of the running agent failed: not reached: https://h.example/…" in (
        found["receiver ward"].text
    )
    assert "the configuration no more" in found["receiver left"].text
    live["targets"].pop("ward")
    found = {one.about: one for one in receiver_findings(receivers, {}, live)}
    assert "started with another configuration" in found["receiver ward"].text


def test_of_a_receiver_that_is_gone_nobody_says_that_it_is_tried(home):
    rows = {"gone": [Undelivered(1, "gone", None, 3, 3, "pending", 3, 0, "not reached: no route.", 1, True)]}
    (found,) = [one for one in receiver_findings((), rows, {"targets": {}}) if one.about == "receiver gone"]
    assert "keeps trying" not in found.advice and "any more. events not" in found.text
    assert found.text.endswith("no route.")


@pytest.mark.parametrize(
    "command",
    [["doctor"], ["doctor", "--json"], ["status", "--json"], ["status"], ["history", "--kind", "deliveries"],
     ["history", "--kind", "deliveries", "--json"], ["deliveries"], ["deliveries", "--json"], ["config"]],
)  # fmt: skip
def test_no_command_shows_what_may_be_secret_in_an_address(home, command):
    config = home / "config.toml"
    config.write_text(config.read_text().replace("https://a.example", "https://a.example/hook/t0ken?k=t0ken"))
    done = run(home, *command)
    assert "t0ken" not in done.stdout + done.stderr


def test_deliveries_are_shown_and_sent_again_by_number_or_all(home):
    shown = json.loads(run(home, "deliveries", "--json").stdout)["deliveries"]
    states = [(row["receiver"], row["state"]) for row in shown]
    assert states == [("ward", "refused"), ("ward", "pending"), ("gone", "pending")]
    done = run(home, "deliveries", "retry", str(shown[0]["id"]), "--json")
    assert json.loads(done.stdout) == {"retried": 1, "agent_running": False}
    assert json.loads(run(home, "deliveries", "retry", "--all", "--json").stdout)["retried"] == 3
    assert "sent again when the agent runs" in run(home, "deliveries", "retry", "--all").stdout
    assert {row["state"] for row in json.loads(run(home, "deliveries", "--json").stdout)["deliveries"]} == {
        "pending"
    }


@pytest.mark.parametrize("arguments", [[], ["1", "--all"], ["99"], ["x"], ["-1"]])
def test_what_cannot_be_sent_again_is_told(home, arguments):
    done = run(home, "deliveries", "retry", *arguments)
    assert done.returncode == exits.USAGE and "Traceback" not in done.stderr


def test_without_a_store_there_is_nothing_to_show_or_send(tmp_path):
    assert "Every event was delivered" in run(tmp_path / "none", "deliveries").stdout
    assert run(tmp_path / "none", "deliveries", "retry", "--all").returncode == 0


@pytest.mark.parametrize(
    ("payload", "alarm", "name"),
    [('{"name": "TEST"}', 0, "TEST"), ('{"name": "PATIENT_END"}', 0, "PATIENT_END"), ("{}", 0, "GRADE_RISE"),
     ("no json", 0, "GRADE_RISE"), ('{"name": "x"}', 3, "HYPOXAEMIA"), ('{"name": "\\u001b[31m"}', 0, "\\u001b[31m")],
)  # fmt: skip
def test_what_waits_is_named_as_what_it_is(home, payload, alarm, name):
    with Store(home / "cytowatch.db") as store:
        store.write_now(lambda tx: tx.execute("UPDATE outbox SET payload = ?, alarm = ?", (payload, alarm)))
    assert {row["alarm"] for row in json.loads(run(home, "deliveries", "--json").stdout)["deliveries"]} == {
        name
    }
    assert f"  {name}  " in run(home, "deliveries").stdout
