"""Accounts, context, signatures, audit and rules as a person or a script types them: real processes, a real agent."""

import asyncio
import csv
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from crs_core import context as wearable_context
from crs_core import records
from crs_core.wire import message as wire

from host_agent.ui import exits
from tests.host.agent_world import World, make_world
from tests.host.escalation.world import grade_record

COMMAND = str(Path(sys.executable).parent / "cytowatch")
WORDS = "a long passphrase"
PEOPLE = {
    "clinician-1": "clinician",
    "clinician-2": "clinician",
    "nurse-1": "nurse",
    "caregiver-1": "caregiver",
}
PATIENT = {"patient": "P-1", "age_years": 54, "site": "axilla"}


def run(home: Path, *arguments: str, by: str | None = None, **env: str) -> subprocess.CompletedProcess:
    """`by` is the account that signs; its passphrase comes from the environment."""
    people = {"CYTOWATCH_PASSPHRASE": WORDS, "CYTOWATCH_NEW_PASSPHRASE": WORDS}
    if by:
        people["CYTOWATCH_ACCOUNT"] = by
    return subprocess.run(
        [COMMAND, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False,
        env={**os.environ, "CYTOWATCH_HOME": str(home), "COLUMNS": "100", "TZ": "UTC", **people, **env},
    )  # fmt: skip


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """A state folder in which everybody has an account, made once: each key costs a second of stretching."""
    home = tmp_path_factory.mktemp("people") / "home"
    for name, role in PEOPLE.items():
        done = run(home, "account", "add", name, "--role", role, by="clinician-1")
        assert done.returncode == 0, done.stderr
    return home


# -- without an agent ------------------------------------------------------------


@pytest.mark.slow
def test_accounts_from_the_first_to_the_last(home):
    done = run(home, "account", "add", "nurse-1", "--role", "nurse")
    assert done.returncode == exits.FAILED and "first account must be a clinician's" in done.stderr
    done = run(home, "account", "add", "clinician-1", "--role", "clinician")
    assert done.returncode == 0 and "signs for itself, as the first one" in done.stdout
    done = run(home, "account", "add", "nurse-1", "--role", "nurse")
    assert done.returncode == 0 and "signed for by clinician-1" in done.stdout
    for arguments, text in (
        (["add", "nurse-2", "--role", "nurse"], "not that of|clinician may sign"),
        (["disable", "clinician-1"], "clinician may sign"),
    ):
        done = run(home, "account", *arguments, by="nurse-1")
        assert done.returncode == exits.FAILED and text.rpartition("|")[2] in done.stderr
    assert not (home / "accounts" / "nurse-2.json").exists(), "a refused account leaves no key behind"
    done = run(home, "account", "add", "nurse-1", "--role", "nurse", by="clinician-1")
    assert done.returncode == exits.FAILED and "is there already" in done.stderr
    done = run(home, "account", "disable", "clinician-1", by="clinician-1")
    assert done.returncode == exits.FAILED and "last clinician" in done.stderr
    done = run(home, "account", "disable", "nurse-1", by="clinician-1")
    assert done.returncode == 0 and "signs no more" in done.stdout
    rows = json.loads(run(home, "account", "list", "--json").stdout)["accounts"]
    assert [(row["name"], row["role"], row["disabled"], row["key_here"]) for row in rows] == [
        ("clinician-1", "clinician", False, True), ("nurse-1", "nurse", True, True),
    ]  # fmt: skip
    assert "disabled" in run(home, "account", "list").stdout
    text = run(home, "audit", "list").stdout
    assert [line.split()[3] for line in text.splitlines()] == [
        "account_add",
        "account_add",
        "account_disable",
    ]
    report = json.loads(run(home, "audit", "verify", "--json").stdout)
    assert (report["rows"], report["problems"]) == (3, [])
    assert report["refused"] == {"conflict": 1, "not_allowed": 2}
    for path in (home / "accounts").iterdir():
        assert path.stat().st_mode & 0o077 == 0
    assert WORDS not in text and WORDS not in json.dumps(report)


def test_the_passphrase_is_asked_for_or_read_and_never_guessed(home, tmp_path):
    file = tmp_path / "words"
    file.write_text(WORDS + "\nsecond line\n")
    no_words = {"CYTOWATCH_PASSPHRASE": "wrong passphrase", "CYTOWATCH_NEW_PASSPHRASE": "short"}
    done = run(home, "account", "add", "clinician-1", "--role", "clinician", **no_words)
    assert done.returncode == exits.FAILED and "fewer than 8 characters" in done.stderr
    done = run(
        home, "account", "add", "clinician-1", "--role", "clinician", "--new-passphrase-file", str(file)
    )
    assert done.returncode == 0, done.stderr
    done = run(home, "account", "disable", "clinician-1", **no_words)
    assert done.returncode == exits.FAILED and "passphrase is wrong" in done.stderr
    done = run(home, "account", "disable", "clinician-1", "--passphrase-file", str(file), **no_words)
    assert done.returncode == exits.FAILED and "last clinician" in done.stderr, "the key was opened"
    bare = {name: value for name, value in os.environ.items() if not name.startswith("CYTOWATCH_")}
    done = subprocess.run(
        [COMMAND, "account", "disable", "clinician-1"], env={**bare, "CYTOWATCH_HOME": str(home)},
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == exits.USAGE and "no terminal to ask" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["context", "set", "ice=9"], ["context", "withdraw", "ice"], ["context", "correct", "abcdef12", "ice=9"],
     ["sign", "grade", "--grade", "2"], ["sign", "death", "--cause", "crs"], ["sign", "close-episode"],
     ["sign", "countersign", "abcdef12"], ["sign", "reverse", "abcdef12", "--reason", "x"]],
)  # fmt: skip
def test_what_is_about_a_patient_needs_the_agent_and_says_so_before_asking_for_a_passphrase(home, arguments):
    done = run(home, *arguments)
    assert done.returncode == exits.NOT_RUNNING and "The agent is not running" in done.stderr


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["context", "set", "ice"], "not KEY=VALUE"),
        (["context", "set", "ice=9", "ice=8"], "ice: is given twice"),
        (["context", "set", "icee=9"], "icee: unknown key"),
        (["context", "set", "ice=11"], "ice: 11 is not an integer"),
        (["context", "set", "temperature_cc=3900"], "site: is mandatory"),
        (["context", "set", "vasopressors=norepinephrine,water"], "'water' is not one of"),
        (["context", "set", "death=crs"], "cytowatch sign death"),
        (["context", "set", "ice=9", "--at", "noon"], "--at: expected a time"),
        (["context", "set", "ice=9", "--ago", "5"], "--ago: expected a duration"),
        (["context", "set", "ice=9", "--ago", "5m", "--at", "2026-01-01"], "cannot be combined"),
        (["context", "withdraw", "icee"], "icee: unknown key"),
        (["context", "withdraw", "context"], "by their names"),
        (["sign", "grade", "--grade", "5"], "cytowatch sign death"),
        (["sign", "grade", "--grade", "0"], "--grade: expected 1 to 4"),
        (["sign", "grade", "--grade", "2", "--scale", "Seed"], "--scale: expected one of ASTCT"),
        (["sign", "death", "--cause", "old age"], "--cause: expected one of crs"),
        (["sign", "reverse", "abcdef12"], "without a reason is refused"),
        (["account", "add", "nurse-1", "--role", "chief"], "--role: expected one of clinician"),
        (["rules", "check", "none.json"], "cannot be read"),
    ],
)  # fmt: skip
def test_wrong_use_is_refused_with_the_key_named(home, arguments, expected):
    done = run(home, *arguments)
    assert done.returncode == exits.USAGE and expected in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and done.stdout == ""


def test_nothing_known_is_no_data(home):
    for arguments in (["account", "list"], ["audit", "list"], ["audit", "verify"], ["context", "show"],
                      ["context", "history"], ["history", "--kind", "signed"]):  # fmt: skip
        done = run(home, *arguments)
        assert done.returncode == exits.NO_DATA and done.stderr, arguments


def test_a_touched_chain_is_named_and_ends_with_one(home, people):
    shutil.copytree(people, home)
    head = json.loads(run(home, "audit", "verify", "--json").stdout)["head"]
    with sqlite3.connect(home / "cytowatch.db") as conn:
        conn.execute("DROP TRIGGER audit_is_never_changed")
        conn.execute("PRAGMA ignore_check_constraints = ON")
        conn.execute("UPDATE audit SET entry = replace(entry, 'caregiver', 'clinician') WHERE seq = 4")
    done = run(home, "audit", "verify")
    assert done.returncode == exits.FAILED and "problem  row 4: " in done.stdout
    assert "1 problems" not in run(home, "audit", "verify", "--head", head).stdout
    assert run(home, "audit", "list").returncode == 0
    other = run(home, "audit", "verify", "--head", "ab" * 32)
    assert other.returncode == exits.FAILED and "rows were cut off" in other.stdout


def test_rules_from_export_to_signature(home, tmp_path, people):
    shutil.copytree(people, home)
    file = tmp_path / "rules.json"
    assert run(home, "rules", "export", str(file)).returncode == 0
    assert run(home, "rules", "export", str(file)).returncode == exits.FAILED, "never written over"
    assert "each inside its bounds" in run(home, "rules", "check", str(file)).stdout
    tree = json.loads(file.read_text())
    tree["rules"]["spo2_medium_tenths"]["value"] = 930
    file.write_text(json.dumps(tree))
    for command in (["check"], ["sign"]):
        done = run(home, "rules", *command, str(file), by="clinician-1")
        assert done.returncode == exits.USAGE and "spo2_medium_tenths: 930 differs from 920" in done.stderr
    tree["rules"]["spo2_medium_tenths"]["reason"] = "told earlier on this ward"
    file.write_text(json.dumps(tree))
    done = run(home, "rules", "sign", str(file), by="nurse-1")
    assert done.returncode == exits.FAILED and "clinician" in done.stderr
    done = run(home, "rules", "sign", str(file), by="clinician-1")
    assert done.returncode == 0 and "930 instead of 920: told earlier on this ward" in done.stdout
    shown = json.loads(run(home, "rules", "show", "--json").stdout)
    assert [one["account"] for one in shown["signed"]] == ["clinician-1"]
    assert shown["signed"][0]["rule_hash"] != shown["rule_hash"]
    assert f"Signed: {shown['signed'][0]['rule_hash']} by clinician-1" in run(home, "rules", "show").stdout


@pytest.mark.parametrize(
    "change, expected",
    [
        (lambda tree: tree.update(format="x"), "not a rule file"),
        (lambda tree: tree.update(logic=0), "not a rule file"),
        (lambda tree: tree.pop("rules"), "rules are missing"),
        (lambda tree: tree["rules"].pop("fever_cc"), "fever_cc: is missing"),
        (lambda tree: tree["rules"].update(x={"value": 1}), "x: no such rule"),
        (
            lambda tree: tree["rules"]["fever_cc"].update(value=3790, lowest=3700),
            "lowest is not a site's to change",
        ),
        (lambda tree: tree["rules"]["fever_cc"].update(source="me"), "source is not a site's to change"),
        (
            lambda tree: tree["rules"]["hr_high_bpm"].update(value=300, reason="x"),
            "hr_high_bpm: 300 is outside",
        ),
        (lambda tree: tree["rules"]["hr_high_bpm"].update(value="120"), "hr_high_bpm"),
    ],
)
def test_rule_files_that_are_refused(home, tmp_path, change, expected):
    file = tmp_path / "rules.json"
    run(home, "rules", "export", str(file))
    tree = json.loads(file.read_text())
    change(tree)
    file.write_text(json.dumps(tree))
    done = run(home, "rules", "check", str(file))
    assert done.returncode == exits.USAGE and expected in done.stderr, done.stderr


# -- with a running agent and a wearable --------------------------------------------------


@pytest.fixture
async def world(tmp_path, people):
    async with make_world(tmp_path) as made:
        shutil.copytree(people, made.home, dirs_exist_ok=True)
        yield made


async def cli(world: World, *arguments: str, by: str | None = None) -> dict:
    """The JSON of a command that must do."""
    done = await asyncio.to_thread(run, world.home, *arguments, "--json", by=by)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def text(world: World, *arguments: str, by: str | None = None) -> str:
    done = await asyncio.to_thread(run, world.home, *arguments, by=by)
    return done.stdout + done.stderr


async def bound(world: World) -> None:
    await world.in_session()
    await world.call("patient_start", profile=PATIENT)
    await world.until(lambda: world.device.session.is_open)
    await world.in_session()


def journaled(world: World) -> list[dict]:
    """Numbers of every context record on the wearable, as the agent stored them."""
    with sqlite3.connect(world.paths.database) as conn:
        rows = conn.execute(
            "SELECT payload FROM events WHERE type = ? ORDER BY seq", (records.CONTEXT,)
        ).fetchall()
    return [wearable_context.decode(row[0])[2] for row in rows]


async def in_force(world: World) -> dict[str, tuple]:
    shown = await asyncio.to_thread(run, world.home, "context", "show", "--json")
    return {row["key"]: (row["value"], row["wearable"]) for row in json.loads(shown.stdout)["context"]}


@pytest.mark.slow
async def test_context_from_the_keyboard_to_the_journal_of_the_wearable(world):
    async with world.agent():
        await bound(world)
        world.device.read_only_answers[wire.Context] = wire.Result(0x14, wire.RESULT_BUSY, "busy with flash")
        done = await cli(
            world, "context", "set", "systolic_mmhg=86", "vasopressors=norepinephrine,vasopressin", "flow_lpm=0.5",
            "oxygen=nasal_cannula_low", "constitutional=true", "--ago", "5m", by="nurse-1",
        )  # fmt: skip
        assert done["for_wearable"] and done["patient"] == "P-1" and done["simulated"]
        assert done["entered_utc_ms"] - done["observed_utc_ms"] == 300_000
        shown = await in_force(world)
        assert shown["flow_lpm"] == (0.5, "for this computer only")
        assert shown["systolic_mmhg"][0] == 86 and shown["systolic_mmhg"][1].startswith(
            "not yet on the wearable"
        )
        assert "1 entries are not yet on the wearable" in await text(world, "status")
        del world.device.read_only_answers[wire.Context]
        await world.until(lambda: journaled(world))
        assert journaled(world) == [{3: 1, 4: 1, 5: 1}]
        assert (await in_force(world))["systolic_mmhg"] == (86, "on the wearable")
        told = await text(world, "context", "set", "ice=10", by="caregiver-1")
        assert "ice: a nurse or a clinician enters it" in told
        await cli(world, "context", "correct", done["entry"][:8], "systolic_mmhg=126", by="nurse-1")
        await cli(world, "context", "withdraw", "oxygen", by="nurse-1")
        await world.until(lambda: len(journaled(world)) == 3)
        assert journaled(world)[1:] == [{3: 0}, {5: None}]
        history = (await cli(world, "context", "history"))["entries"]
        assert [row["corrects"] for row in history] == [None, done["entry"], None]
        assert (
            history[0]["corrected_by"] == [history[1]["entry"]]
            and history[0]["values"]["systolic_mmhg"] == 86
        )
        lines = (await text(world, "context", "show")).splitlines()
        assert lines[0].startswith("SIMULATED. Patient P-1") and lines[-1] == "Every other key is unknown."
        assert any(line.split()[:2] == ["oxygen", "withdrawn"] for line in lines)
        assert "corrected by" in await text(world, "context", "history")
        assert "0 entries about this patient start with" in await text(
            world, "context", "correct", "abcdef12", "ice=9", by="nurse-1"
        )
    report = await cli(world, "audit", "verify")
    assert report["rows"] == 7 and report["problems"] == []


async def test_what_was_entered_while_the_wearable_was_away_survives_a_killed_agent(world):
    async with world.agent():
        await bound(world)
        world.device.deaf = True
        await cli(world, "context", "set", "ice=3", by="nurse-1")
    world.device.session.link_lost()
    world.device.deaf = False
    async with world.agent():
        await world.until(lambda: journaled(world))
        assert journaled(world) == [{12: 3}]


@pytest.mark.slow
async def test_signed_records_from_the_keyboard_and_where_their_codes_stand(world):
    async with world.agent():
        await bound(world)
        world.device.event(grade_record(2))
        await world.in_session()
        assert "a nurse's" in await text(world, "sign", "grade", "--grade", "3", by="nurse-1")
        done = await cli(world, "sign", "grade", "--grade", "3", by="clinician-1")
        assert done["icd10cm"] == "D89.833"
        first = await cli(world, "sign", "death", "--cause", "crs", by="clinician-1")
        assert first["icd10cm"] is None and first["in_force"] is False
        refused = await text(world, "sign", "countersign", first["entry"][:8], by="clinician-1")
        assert "A second clinician must countersign" in refused
        assert journaled(world) == []
        second = await cli(world, "sign", "countersign", first["entry"][:8], by="clinician-2")
        assert second["in_force"] is True and second["icd10cm"] == "D89.835"
        await world.until(lambda: journaled(world) == [{19: 1}])
        status = await text(world, "status")
        assert (
            "Death, cause crs, signed by clinician-1, countersigned by clinician-2, ICD-10-CM D89.835."
            in status
        )
        assert "CRS (ASTCT 2019): 3, signed by clinician-1, ICD-10-CM D89.833." in status
        back = await cli(
            world, "sign", "reverse", first["entry"][:8], "--reason", "another bed", by="clinician-2"
        )
        assert back["in_force"] is False and back["icd10cm"] is None
        await cli(world, "sign", "close-episode", by="clinician-1")
        await world.until(lambda: journaled(world) == [{19: 1}, {19: None}, {18: 1}])
        assert "Death" not in await text(world, "status")
        rows = (await cli(world, "history", "--kind", "signed"))["rows"]
        assert [(row["record"], row["grade"], row["icd10cm"]) for row in rows] == [
            ("grade", 3, "D89.833"), ("death", None, None), ("close_episode", None, None),
        ]  # fmt: skip
        lines = await text(world, "history")
        assert "reversed by clinician-2: another bed" in lines and "SIMULATED" in lines
        exported = (await asyncio.to_thread(run, world.home, "export", "--kind", "signed")).stdout
        table = list(csv.DictReader(io.StringIO(exported)))
        assert [row["icd10cm"] for row in table] == ["D89.833", "", ""] and {
            row["simulated"] for row in table
        } == {"1"}
        for kind in ("grades", "alarms", "events", "readings", "context", "deliveries", "host_alarms"):
            assert "D89" not in await text(world, "export", "--kind", kind, "--format", "jsonl"), kind
        assert world.receiver.received and b"D89" not in b"".join(one.body for one in world.receiver.received)
        assert "D89" not in json.dumps(await world.call("status"))
    with sqlite3.connect(world.paths.database) as conn:
        everything = "\n".join(conn.iterdump())
    assert "D89.8" not in everything, "a code is derived from what is signed, and stored nowhere"


async def test_a_signed_rule_set_is_known_to_the_running_re_run(world):
    from crs_core.grade import rules

    other = rules.with_limits(rules.DEFAULT, {"hr_high_bpm": 110})
    async with world.agent() as agent:
        file = world.home / "rules.json"
        await text(world, "rules", "export", str(file))
        tree = json.loads(file.read_text())
        tree["rules"]["hr_high_bpm"] |= {"value": 110, "reason": "own patients are older"}
        file.write_text(json.dumps(tree))
        assert rules.rule_hash(other) not in agent.verifier.rules_by_hash
        await cli(world, "rules", "sign", str(file), by="clinician-1")
        assert agent.verifier.rules_by_hash[rules.rule_hash(other)] == other
    async with world.agent() as agent:
        assert agent.verifier.rules_by_hash[rules.rule_hash(other)] == other, "and after a restart"


async def test_without_a_bound_patient_nothing_can_be_entered(world):
    async with world.agent():
        assert "not one patient bound here" in await text(world, "context", "set", "ice=9", by="nurse-1")
        assert "not one patient bound here" in await text(world, "context", "show")
