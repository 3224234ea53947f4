"""Accounts, audit and rules as a person or a script types them, without an agent: real processes."""

import json
import os
import shutil
import sqlite3
import subprocess

import pytest
from crs_core.grade import vocabulary

from host_agent.terminal import exits
from tests.host.cli.people_cli import COMMAND, WORDS, run


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.mark.slow
def test_accounts_from_the_first_to_the_last(home):
    done = run(home, "account", "add", "nurse-1", "--role", "nurse")
    assert done.returncode == exits.FAILED and "first account must be a clinician's" in done.stderr
    done = run(home, "account", "add", "clinician-1", "--role", "clinician")
    assert done.returncode == 0 and "It is the first one and signed for itself." in done.stdout
    done = run(home, "account", "add", "nurse-1", "--role", "nurse")
    assert done.returncode == 0 and "Signed by clinician-1" in done.stdout
    for arguments, text in (
        (["add", "nurse-2", "--role", "nurse"], "not that of|clinician may sign"),
        (["disable", "clinician-1"], "clinician may sign"),
    ):
        done = run(home, "account", *arguments, by="nurse-1")
        assert done.returncode == exits.FAILED and text.rpartition("|")[2] in done.stderr
    assert not (home / "accounts" / "nurse-2.json").exists(), "a refused account leaves no key behind"
    done = run(home, "account", "add", "nurse-1", "--role", "nurse", by="clinician-1")
    assert done.returncode == exits.FAILED and "exists already" in done.stderr
    done = run(home, "account", "disable", "clinician-1", by="clinician-1")
    assert done.returncode == exits.FAILED and "last clinician" in done.stderr
    done = run(home, "account", "disable", "nurse-1", by="clinician-1")
    assert done.returncode == 0 and "can no longer sign" in done.stdout
    rows = json.loads(run(home, "account", "list", "--json").stdout)["accounts"]
    assert [(row["name"], row["role"], row["disabled"], row["key_here"]) for row in rows] == [
        ("clinician-1", "clinician", False, True), ("nurse-1", "nurse", True, True),
    ]  # fmt: skip
    assert "disabled" in run(home, "account", "list").stdout
    text = run(home, "audit", "list").stdout
    assert [line.split()[3] for line in text.splitlines()] == [
        "account_add",
        "administrator",
        "account_add",
        "account_disable",
    ]
    report = json.loads(run(home, "audit", "verify", "--json").stdout)
    assert (report["rows"], report["problems"]) == (4, [])
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
     ["sign", "limits", "hr_high_bpm=130", "--reason", "x"],
     ["sign", "countersign", "abcdef12"], ["sign", "reverse", "abcdef12", "--reason", "x"]],
)  # fmt: skip
def test_what_is_about_a_patient_needs_the_agent_and_says_so_before_asking_for_a_passphrase(home, arguments):
    done = run(home, *arguments)
    assert done.returncode == exits.NOT_RUNNING and "The agent is not running" in done.stderr


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["context", "set", "ice"], "not KEY=VALUE"),
        (["context", "set", "ice=9", "ice=8"], "ice is given twice"),
        (["context", "set", "icee=9"], "icee: unknown key"),
        (["context", "set", "ice=11"], "ice: 11 is not an integer"),
        (["context", "set", "temperature_cc=3900"], "site: give it together with"),
        (["context", "set", "vasopressors=norepinephrine,water"], "'water' is not one of"),
        (["context", "set", "death=crs"], "cytowatch sign death"),
        (["context", "set", "ice=9", "--at", "noon"], "--at: expected a time"),
        (["context", "set", "ice=9", "--ago", "5"], "--ago: expected a duration"),
        (["context", "set", "ice=9", "--ago", "5m", "--at", "2026-01-01"], "cannot be combined"),
        (["context", "withdraw", "icee"], "icee: unknown key"),
        (["context", "set", "temperature=38.4"], "Did you mean temperature_cc=3840 site=oral? All keys: `cyto"),
        (["context", "set", "spo2=96", "ice=9"], "Did you mean spo2_tenths=960? All keys"),
        (["context", "withdraw", "oxygn"], "Did you mean oxygen? All keys"),
        (["context", "withdraw", "context"], "by their names"),
        (["sign", "grade", "--grade", "5"], "cytowatch sign death"),
        (["sign", "grade", "--grade", "0"], "--grade: expected 1 to 4"),
        (["sign", "grade", "--grade", "2", "--scale", "Seed"], "--scale: expected one of ASTCT"),
        (["sign", "death", "--cause", "old age"], "--cause: expected one of crs"),
        (["sign", "reverse", "abcdef12"], "without a reason is refused"),
        (["sign", "limits", "hr_high_bpm=130"], "reason: 1 to 200"),
        (["sign", "limits", "hr_high_bpm=fast", "--reason", "x"], "expected NAME=VALUE"),
        (["sign", "limits", "fever_cc=3900", "--reason", "x"], "fever_cc is not a limit"),
        (["sign", "limits", "spo2_fast_tenths=800", "--reason", "x"], "spo2_fast_tenths: 800 is outside"),
        (["account", "add", "nurse-1", "--role", "chief"], "--role: expected one of clinician"),
        (["rules", "check", "none.json"], "cannot be read"),
    ],
)  # fmt: skip
def test_wrong_use_is_refused_with_the_key_named(home, arguments, expected):
    done = run(home, *arguments)
    assert done.returncode == exits.USAGE and expected in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and done.stdout == ""


def test_all_keys_are_shown_and_each_is_one_that_an_entry_may_have(home):
    shown = json.loads(run(home, "context", "keys", "--json").stdout)["keys"]
    keys = {one["key"] for one in shown}
    assert keys == {*vocabulary.WORDS, *vocabulary.INTEGERS, *vocabulary.NUMBERS, "vasopressors"} - {"death"}
    text = run(home, "context", "keys").stdout
    assert keys == {line.split()[0] for line in text.splitlines()[1:-1]}
    assert "2500 to 4500 hundredths of a °C, for example 3840" in text
    assert "none, or several of: norepinephrine, epinephrine" in text


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
        conn.execute("UPDATE audit SET entry = replace(entry, 'caregiver', 'clinician') WHERE seq = 5")
    done = run(home, "audit", "verify")
    assert done.returncode == exits.FAILED and "problem  row 5: " in done.stdout
    assert "1 problem was found" not in run(home, "audit", "verify", "--head", head).stdout
    assert run(home, "audit", "list").returncode == 0
    other = run(home, "audit", "verify", "--head", "ab" * 32)
    assert other.returncode == exits.FAILED and "rows at its end were removed" in other.stdout
    for slip in (head[:-1], head + "0", "", "00", "g" * 64):
        done = run(home, "audit", "verify", "--head", slip)
        assert done.returncode == exits.USAGE and "64 characters of a head" in done.stderr, (
            "a slip is no cut chain"
        )


def cut_last(home):
    """Take the last row of the chain away, and what was made from it, as somebody with a database tool does."""
    with sqlite3.connect(home / "cytowatch.db") as conn:
        triggers = conn.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            conn.execute(f"DROP TRIGGER {name}")
        conn.execute("DELETE FROM accounts WHERE added_by = (SELECT max(seq) FROM audit)")
        conn.execute("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)")
        for _, sql in triggers:
            conn.execute(sql)
    conn.close()


def test_a_chain_that_lost_its_end_or_everything_is_named_and_takes_no_first_account(home, people):
    shutil.copytree(people, home)
    cut_last(home)
    done = run(home, "audit", "verify")
    assert done.returncode == exits.FAILED and "row 5 is gone from the end of the chain" in done.stdout
    assert "the key of account caregiver-1 is on this laptop, and the chain does not have" in done.stdout
    assert "audit chain: row 5 is gone" in run(home, "doctor").stdout
    with sqlite3.connect(home / "cytowatch.db") as conn:
        conn.execute("DROP TRIGGER audit_is_never_deleted")
        conn.executescript("DELETE FROM accounts; DELETE FROM audit;")
    done = run(home, "account", "add", "mallory", "--role", "clinician")
    assert done.returncode == exits.FAILED and "5 signed entries were here and are gone" in done.stderr
    assert run(home, "audit", "verify").returncode == exits.FAILED
    (home / "cytowatch.db").unlink()
    done = run(home, "audit", "verify")
    assert done.returncode == exits.FAILED and "entries were signed here" in done.stderr
    assert run(home, "account", "add", "mallory", "--role", "clinician").returncode == exits.FAILED


def test_the_administrator_code_is_shown_once_and_signs_the_second_clinician_in(home):
    first = json.loads(run(home, "account", "add", "clinician-1", "--role", "clinician", "--json").stdout)
    code = first["administrator_code"]
    assert "clinician-1 is the only clinician: nobody can countersign a death" in run(home, "doctor").stdout
    done = run(home, "account", "administrator", by="clinician-1")
    assert done.returncode == exits.FAILED and "made before" in done.stderr and code not in done.stdout
    own = run(home, "account", "add", "own", "--role", "clinician", by="clinician-1")
    assert own.returncode == 0 and "administrator code" not in own.stdout
    assert (
        "one person may have made the accounts of all clinicians (clinician-1, own)"
        in run(home, "doctor").stdout
    )
    vouch = ("account", "vouch", "own", "--administrator")
    wrong = run(home, *vouch, CYTOWATCH_ADMINISTRATOR_CODE="AAAA-AAAA-AAAA")
    assert wrong.returncode == exits.FAILED and "not the administrator code" in wrong.stderr
    assert run(home, *vouch, CYTOWATCH_ADMINISTRATOR_CODE="short").returncode == exits.USAGE
    done = run(home, *vouch, CYTOWATCH_ADMINISTRATOR_CODE=code.lower())
    assert (
        done.returncode == 0
        and "Account own is vouched for by the administrator code from now on." in done.stdout
    )
    assert "2 clinicians can sign" in run(home, "doctor").stdout
    rows = json.loads(run(home, "account", "list", "--json").stdout)["accounts"]
    assert [row["vouched_by"] for row in rows] == [["clinician-1"], ["The administrator code", "clinician-1"]]
    for kept in home.rglob("*"):
        assert not kept.is_file() or code.encode() not in kept.read_bytes(), kept
    assert json.loads(run(home, "audit", "verify", "--json").stdout)["problems"] == []


def test_where_an_earlier_version_made_no_code_a_clinician_makes_it_once(home):
    run(home, "account", "add", "clinician-1", "--role", "clinician")
    cut_last(home)
    (home / "audit.head").unlink()
    said = run(home, "doctor").stdout
    assert "cytowatch account administrator" in said and "account vouch NAME --administrator" in said
    done = run(home, "account", "vouch", "clinician-1", "--administrator", CYTOWATCH_ADMINISTRATOR_CODE="x")
    assert done.returncode == exits.FAILED and "No administrator code was made here" in done.stderr
    code = json.loads(run(home, "account", "administrator", "--json", by="clinician-1").stdout)[
        "administrator_code"
    ]
    done = run(
        home, "account", "add", "clinician-2", "--role", "clinician", "--administrator",
        CYTOWATCH_ADMINISTRATOR_CODE=code,
    )  # fmt: skip
    assert done.returncode == 0 and "Signed by the administrator code." in done.stdout
    assert "2 clinicians can sign" in run(home, "doctor").stdout


def test_rules_from_export_to_signature(home, tmp_path, people):
    shutil.copytree(people, home)
    file = tmp_path / "rules.json"
    assert run(home, "rules", "export", str(file)).returncode == 0
    assert run(home, "rules", "export", str(file)).returncode == exits.FAILED, "never written over"
    assert "each within its bounds" in run(home, "rules", "check", str(file)).stdout
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
        (lambda tree: tree["rules"].pop("fever_cc"), "fever_cc is missing"),
        (lambda tree: tree["rules"].update(x={"value": 1}), "x: there is no rule"),
        (
            lambda tree: tree["rules"]["fever_cc"].update(value=3790, lowest=3700),
            "a site cannot change lowest",
        ),
        (lambda tree: tree["rules"]["fever_cc"].update(source="me"), "a site cannot change source"),
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
