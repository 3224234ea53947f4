"""The command as a person or a script meets it: no terminal, documented exit codes, and a sentence for each refusal."""

import asyncio
import json
import os
import re
import resource
import signal
import sqlite3
import subprocess

import pytest

from host_agent import NOTICE
from host_agent.keys import keyfile
from host_agent.keys.enrolment import Enrolment, seal
from host_agent.terminal import exits
from tests.host.agent_world import World as AgentWorld
from tests.host.cli.people_cli import COMMAND, run, run_process
from tests.host.escalation.world import World, alarm_record, grade_record

CODE = "K7QD-M2XF-9TRB"
ENROLMENT = Enrolment(
    bytes.fromhex("c0ffee0011223344"), 0x11, bytes(range(32)), "custodian", "ward", "axilla"
)


HOOK = '[[webhook]]\nname = "ward"\nurl = "https://a.example"\n'


def answer(home, *arguments, code=0, **env):
    """The JSON of a command that ends with `code`."""
    done = run(home, *arguments, "--json", **env)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def filled(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    world = World(home)
    world.commit(alarm_record({}, FEVER=2), simulated=True)
    world.commit(grade_record(1), simulated=True)
    world.commit(alarm_record({"FEVER": 2}, HYPOXAEMIA=3), t_ms=3_000_000)
    world.store.close()
    (home / "c.db").rename(home / "cytowatch.db")
    return home


def test_hours_are_told_by_day_and_never_called_enough(filled):
    rows = answer(filled, "report", "hours", "--utc")["rows"]
    assert rows[0]["patient"] == "P-1"
    assert all(row["lost_ms"] == row["span_ms"] > 0 and row["both_ms"] == 0 for row in rows)
    lines = run(filled, "report", "hours", "--utc", "--day", rows[0]["day"]).stdout.splitlines()
    assert lines[0] == NOTICE and lines[1].split()[:3] == ["day", "patient", "bound"] and len(lines) == 3
    assert run(filled, "report", "hours", "--day", "1969-06-01").returncode == exits.NO_DATA
    assert run(filled, "report", "hours", "--day", "tomorrow").returncode == exits.USAGE
    for typed in ("yesterday", "1.6.1969", "today"):
        assert run(filled, "report", "hours", "--day", typed).returncode in (exits.DONE, exits.NO_DATA), typed


def test_a_pause_that_cannot_be_is_refused_before_anybody_is_asked(filled):
    for wrong in (["--for", "31m"], ["--for", "0.2s"], ["--for", "soon"], ["--why", "party"]):
        done = run(filled, "pause", *wrong)
        assert done.returncode == exits.USAGE and wrong[0] in done.stderr, wrong
    assert run(filled, "pause").returncode == exits.NOT_RUNNING


def test_help_says_what_this_is_in_its_first_line(home):
    for arguments in ([], ["--help"]):
        done = run_process(home, *arguments)
        assert (done.stdout or done.stderr).splitlines()[0] == NOTICE


def test_nothing_known_is_no_data(home):
    for arguments in (["status"], ["history"], ["export"], ["devices"]):
        done = run(home, *arguments)
        assert done.returncode == exits.NO_DATA, arguments
        assert (done.stdout == "" and done.stderr.endswith(".\n")) or "cytowatch enrol FILE" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["patient", "start", "--age-years", "54"], ["patient", "end"], ["hosts", "list"], ["release", "/dev/x"],
     ["hosts", "revoke", "00000022"]],
)  # fmt: skip
def test_commands_that_need_the_agent_say_how_to_start_it(home, arguments):
    done = run(home, *arguments)
    assert done.returncode == exits.NOT_RUNNING and done.stderr == (
        "error: The agent is not running.\n"
        "  Start the agent with `cytowatch run` in another terminal, or as a service.\n"
    )


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["patient", "start"], "--age-years is missing"),
        (["patient", "start", "--age-years", "11"], "below 12 years"),
        (["patient", "start", "--age-years", "54", "--site", "knee"], "--site: expected one of axilla, oral"),
        (["patient", "start", "--age-years", "54", "--infusion-date", "31.3."], "--infusion-date: expected a date"),
        (["patient", "start", "--age-years", "54", "--baseline-systolic", "12"], "mmHg from 50 to 250"),
        (["release", "/dev/x", "--for", "5"], "--for: expected a duration such as 90s"),
        (["hosts", "revoke", "xyz"], "8 hex digits"),
        (["history", "--last", "1x"], "--last: expected a duration"),
        (["history", "--last", "1h", "--from", "2026-01-01"], "--last cannot be combined"),
        (["history", "--from", "2026-01-02", "--to", "2026-01-01"], "--from is not before --to"),
        (["history", "--kind", "moods"], "--kind: expected one of readings, grades"),
        (["export", "--format", "xml"], "--format: expected one of csv, jsonl"),
        (["run", "--speed", "0"], "--speed: expected a number"),
        (["run", "--config", "none.toml"], "none.toml: cannot be read"),
        (["config", "--check", "none.toml"], "none.toml: cannot be read"),
        (["enrol", "none.enrol", "--code", CODE], "none.enrol: cannot be read"),
        (["grade", "--json", "none.json"], "none.json"),
        (["nonsense"], "No such command"),
    ],
)  # fmt: skip
def test_wrong_use_is_refused_with_one_code_and_a_sentence(home, arguments, expected):
    done = run(home, *arguments)
    assert done.returncode == exits.USAGE and expected in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and done.stdout == ""


@pytest.fixture
def sealed(tmp_path):
    """An enrolment file."""
    file = tmp_path / "w.enrol"
    file.write_bytes(seal(ENROLMENT, CODE))
    return str(file)


def test_enrol_with_code_from_option_or_environment_and_never_shows_the_key(home, sealed):
    done = run(home, "enrol", sealed, "--code", CODE)
    assert done.returncode == 0
    assert "Enrolled wearable c0ffee0011223344 as custodian (ward), site axilla." in done.stdout
    again = run(home, "enrol", sealed, "--json", CYTOWATCH_CODE=CODE)
    assert json.loads(again.stdout)["replaced"] is True
    assert ENROLMENT.key.hex() not in done.stdout + done.stderr + again.stdout + again.stderr
    key = keyfile.load(home / "keys" / "c0ffee0011223344.key")
    assert key.key == ENROLMENT.key and key.role == keyfile.ROLE_CUSTODIAN
    status = run(home, "status")
    assert status.returncode == 0 and "c0ffee0011223344" in status.stdout


@pytest.mark.parametrize(
    "code, expected", [([], "no terminal to ask"), (["--code", "K7QD-M2XF-9TRC"], "the code is wrong")]
)
def test_enrol_without_the_right_code_changes_nothing(home, sealed, code, expected):
    done = run(home, "enrol", sealed, *code)
    assert done.returncode == exits.USAGE and expected in done.stderr
    assert not (home / "keys").exists() or not list((home / "keys").iterdir())


def test_status_without_an_agent_answers_within_a_second_from_the_store(filled):
    run_process(filled, "status")  # byte code and disk cache are warm, as they are for a person
    used = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = run_process(filled, "status")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(used) < 1.0, f"seconds of processor time: {used}"  # wall time on a shared machine says little
    lines = done.stdout.splitlines()
    assert lines[0] == NOTICE
    assert lines[1].startswith("URGENT ") and "oxygen low. Look at the patient now." in lines[1], (
        "alarms first"
    )
    assert "The agent is not running: nothing is synced or forwarded now. Start it: cytowatch run" in lines
    assert "  state     no agent answers on this laptop. What it measures now is not known here." in lines
    assert "  patient   P-1, Day +" in done.stdout
    assert (
        "SIMULATED. CRS (ASTCT 2019): at least 1, could be up to 4. Not known: blood pressure, oxygen. Not signed."
        in done.stdout
    )
    assert "Receiver ward: 1 pending, 2 withheld" in done.stdout


def test_status_json_holds_the_same_facts(filled):
    data = answer(filled, "status")
    device = data["devices"][0]
    grade, alarms = device["grade"], [(alarm["name"], alarm["priority"]) for alarm in device["alarms"]]
    assert data["agent_running"] is False and data["notice"] == NOTICE
    assert (device["patient"]["id"], grade["lower"], grade["upper"]) == ("P-1", 1, 4)
    assert alarms == [("HYPOXAEMIA", "HIGH"), ("FEVER", "MEDIUM")]
    assert data["deliveries"]["ward"] == {"pending": 1, "withheld": 2}


def test_history_is_in_order_marked_and_filtered(filled):
    started, *lines = run(filled, "history").stdout.splitlines()
    assert "P-1 began to wear" in started
    assert [line[:19] for line in lines] == sorted(line[:19] for line in lines) and len(lines) == 3
    assert lines[0].startswith(
        "2023-11-14 21:14:20  SIMULATED  ALARM 21:14, P-1 (Bed 3): fever. Call the care team"
    )
    assert lines[0].endswith("Care team 555-0100. Emergency 112.")
    assert "SIMULATED" not in lines[2] and "  URGENT " in lines[2] and ": oxygen low. " in lines[2]
    rows = answer(filled, "history", "--kind", "alarms", "--from", "2023-11-14T21:30:00Z")["rows"]
    assert [(row["kind"], row["name"]) for row in rows] == [("alarms", "HYPOXAEMIA")]
    assert run(filled, "history", "--last", "1h").returncode == exits.NO_DATA


def test_export_writes_csv_and_json_lines(filled, tmp_path):
    out = tmp_path / "a.csv"
    done = run(filled, "export", "--kind", "alarms", "--out", str(out))
    assert done.stdout == "" and done.stderr == "2 alarms written\n"
    header, *rows = out.read_text().splitlines()
    assert header.split(",")[:4] == ["at", "time_bound_ms", "device_id", "journal_id"] and len(rows) == 2
    lines = run(filled, "export", "--kind", "events", "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line)["name"] for line in lines] == ["ALARM", "GRADE", "ALARM"]
    assert json.loads(lines[0])["simulated"] is True


def test_a_store_of_a_newer_program_is_left_alone(filled):
    with sqlite3.connect(filled / "cytowatch.db") as conn:
        conn.execute("PRAGMA user_version = 999")
    done = run(filled, "status")
    assert done.returncode == exits.FAILED and "Update cytowatch" in done.stderr


def test_a_damaged_store_is_named_with_advice(filled):
    (filled / "cytowatch.db").write_bytes(b"not a database" * 1000)
    done = run(filled, "status")
    assert done.returncode == exits.FAILED and "keep a copy" in done.stderr and "Traceback" not in done.stderr
    done = run(filled, "doctor")
    assert done.returncode == exits.FAILED and "problem  store" in done.stdout


def test_a_store_is_backed_up_found_harmed_and_restored(filled, tmp_path):
    copy = tmp_path / "copy.db"
    done = run(filled, "backup", str(copy))
    assert (
        done.returncode == 0 and "read back and complete" in done.stdout and copy.stat().st_mode & 0o077 == 0
    )
    assert run(filled, "verify").stdout.endswith(": 0 problems.\n")
    assert run(filled, "backup", str(copy)).returncode == exits.FAILED
    with sqlite3.connect(filled / "cytowatch.db") as conn:
        conn.execute("UPDATE events SET payload = x'' WHERE seq = (SELECT max(seq) FROM events)")
    done = run(filled, "verify")
    assert done.returncode == exits.FAILED and "the events differ from the block" in done.stdout
    assert "cytowatch restore" in done.stdout
    found = answer(filled, "verify", code=exits.FAILED)
    assert found["found"] == len(found["problems"]) >= 1 and found["events"] >= 3
    kept = answer(filled, "restore", str(copy))["kept"]
    assert answer(filled, "verify")["found"] == 0
    with sqlite3.connect(kept) as conn:
        assert conn.execute("SELECT count(*) FROM events WHERE payload = x''").fetchone() == (1,)


def test_nothing_to_back_up_and_nothing_to_restore_are_told(home, tmp_path):
    assert run(home, "backup", str(tmp_path / "copy.db")).returncode == exits.NO_DATA
    assert run(home, "verify").returncode == exits.NO_DATA
    done = run(home, "restore", str(tmp_path / "copy.db"))
    assert done.returncode == exits.FAILED and "there is no such file" in done.stderr


def test_a_day_before_the_infusion_has_one_sign(filled):
    with sqlite3.connect(filled / "cytowatch.db") as conn:
        conn.execute("UPDATE bindings SET profile = profile || 'infusion_date=2099-01-01' || char(10)")
    (line,) = [one for one in run(filled, "status").stdout.splitlines() if one.startswith("  patient")]
    assert re.fullmatch(r"  patient   P-1, Day -\d+", line), line


def test_doctor_names_what_is_wrong_and_what_to_do(filled):
    (filled / "config.toml").write_text(HOOK + 'secret_env = "NOPE_X"\n')
    (filled / "keys").mkdir()
    bad = filled / "keys" / "c0ffee0011223344.key"
    bad.write_text("{}")
    bad.chmod(0o644)
    text = run(filled, "doctor").stdout
    assert "environment variable NOPE_X is not set" in text
    assert "can be read by other users" in text and f"chmod 600 {bad}" in text
    assert "wearables bound to a patient must be watched: 1" in text
    assert answer(filled, "doctor", code=exits.FAILED)["problems"] == 4


def test_config_prints_an_example_that_checks_and_never_a_secret(home, tmp_path):
    file = tmp_path / "c.toml"
    file.write_text(run(home, "config", "--example").stdout)
    assert run(home, "config", "--check", str(file)).stdout == f"{file}: every key is valid.\n"
    home.mkdir()
    secret = tmp_path / "s"
    secret.write_text("very-secret-very-secret")
    secret.chmod(0o600)
    (home / "config.toml").write_text(HOOK + f'secret_file = "{secret}"\n')
    shown = run(home, "config")
    assert shown.returncode == 0 and "very-secret" not in shown.stdout and str(secret) in shown.stdout


def test_grade_answers_as_the_shared_core_does(home, tmp_path):
    file = tmp_path / "cases.json"
    file.write_text("{}")
    assert json.loads(run(home, "grade", "--json", str(file)).stdout) == {}
    file.write_text(
        '{"a": {"temperature_cc": 3840, "site": "oral", "vasopressors": ["other", "other"], "ice": 5}}'
    )
    grades = json.loads(run(home, "grade", "--json", str(file)).stdout)["a"]["grades"]
    assert {name: [grade["lower"], grade["upper"]] for name, grade in grades.items()} == {
        "ASTCT": [4, 4], "Lee14": [3, 4], "v5": [4, 4], "v6": [4, 4], "Penn": [3, 4], "CARTOX": [3, 4], "MSKCC": [2, 4],
        "ICANS": [2, 4],
    }  # fmt: skip
    text = run(home, "grade", "--json", str(file), "--text").stdout
    assert "  Lee 2014     at least 3, could be up to 4, not signed  oxygen, organ toxicity\n" in text
    file.write_text('{"a": {"no_such_key": 1}}')
    done = run(home, "grade", "--json", str(file))
    assert done.returncode == exits.USAGE and "no_such_key" in done.stderr


async def test_run_serves_commands_and_ends_cleanly_by_signal(world: AgentWorld):
    port, copy = world.port.path, str(world.home / "copy.db")
    (world.home / "config.toml").write_text(world.config_text)

    async def said(*arguments, code=0):
        done = await asyncio.to_thread(run, world.home, *arguments)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    for number in (signal.SIGTERM, signal.SIGINT):
        agent = await asyncio.create_subprocess_exec(
            COMMAND, "run", "--port", port, env={**os.environ, "CYTOWATCH_HOME": str(world.home)},
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            await world.until(world.paths.socket.exists)
            await world.in_session()
            status = await said("status")
            assert f"Agent running, pid {agent.pid}." in status and "open, synced" in status
            doctor = await said("doctor")
            assert f"port {port}: owned by the agent with pid {agent.pid}" in doctor
            assert f"cytowatch release {port} --for 5m" in doctor
            assert "is free for 60 s" in await said("release", port, "--for", "60s")
            await said("release", port, "--back")
            await said("backup", f"{copy}-{number}")
            refused = await said("restore", f"{copy}-{number}", code=exits.FAILED)
            assert "The agent runs on this state folder" in refused
        finally:
            agent.send_signal(number)
        _, log = await asyncio.wait_for(agent.communicate(), 10)
        assert agent.returncode == 0, log.decode()
        assert b"Traceback" not in log and not world.paths.socket.exists()
        world.device.session.link_lost()
