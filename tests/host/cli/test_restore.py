"""A restore says which accounts, signatures and bindings it loses, and lets nobody lose them by a slip."""

import json
import shutil
import sqlite3

import pytest
from crs_core import codes

from host_agent.store.bindings import add_binding, set_binding_state
from host_agent.store.db import Store
from host_agent.store.devices import ensure_device
from host_agent.store.host_alarms import raise_alarm
from host_agent.store.migrate import migrate, migrations
from host_agent.store.outbox import Addressed, add_delivery
from host_agent.store.rows import Derivation
from host_agent.terminal import exits
from host_agent.terminal.signing import SIGN_IN
from tests.host.cli.people_cli import run

STANDS = ("--account", "clinician-1", "--reason", "the disk failed")


@pytest.fixture
def home(tmp_path, people):
    """A laptop with its people, and a backup of that."""
    shutil.copytree(people, tmp_path / "home")
    assert run(tmp_path / "home", "backup", str(tmp_path / "copy.db")).returncode == 0
    return tmp_path / "home"


def restore(home, *arguments, copy="copy.db"):
    return run(home, "restore", str(home.parent / copy), *arguments)


def rows(home):
    with sqlite3.connect(home / "cytowatch.db") as conn:
        return conn.execute("SELECT kind FROM audit ORDER BY seq").fetchall()


def disable(home, name):
    done = run(home, "account", "disable", name, by="clinician-1")
    assert done.returncode == 0, done.stderr


def bind(home, patient, binding_id=b"BINDING1"):
    with Store(home / "cytowatch.db") as store:

        def write(tx):
            device = ensure_device(tx, b"DEVICE01", 1)
            set_binding_state(
                tx, add_binding(tx, device, binding_id, patient=patient, profile="", utc_ms=1), "active"
            )

        store.write_now(write)


def test_what_loses_nothing_asks_nobody(home):
    done = restore(home)
    assert done.returncode == 0 and "lost" not in done.stderr, done.stderr
    assert run(home, "audit", "verify").returncode == 0


def test_on_a_new_laptop_it_says_what_is_in_no_backup_and_so_do_the_commands(home, tmp_path):
    bind(home, "JS-60")
    assert run(home, "backup", str(tmp_path / "bound.db")).returncode == 0
    new = tmp_path / "new"
    text = run(new, "restore", str(tmp_path / "bound.db")).stdout
    assert f"The key of wearable {b'DEVICE01'.hex()} is not on this laptop. An engineer makes one" in text
    assert f"nobody can sign. Whoever keeps the administrator code signs one in: {SIGN_IN}" in text
    assert "its key is not on this laptop" in (doctor := run(new, "doctor").stdout)
    assert "the key of no account is on this computer: nobody can sign here" in doctor
    assert "  key       not on this laptop, which cannot hear it. An engineer" in run(new, "status").stdout
    for command in (("account", "add", "nurse-9", "--role", "nurse"), ("account", "disable", "nurse-1")):
        done = run(new, *command)
        assert done.returncode == exits.USAGE and SIGN_IN in done.stderr, done.stderr
    assert "not on this laptop" not in restore(home, *STANDS, "--patient", "JS-60").stdout


@pytest.mark.parametrize("option", ["--administrator-code-file", "--by"])
def test_an_account_command_names_its_own_options(home, option):
    way = ("--administrator",) if "code" in option else ()
    done = run(home, "account", "add", "nurse-9", "--role", "nurse", *way)
    assert done.returncode == exits.USAGE and f"Give {option} " in done.stderr, done.stderr


def test_lost_accounts_and_signatures_are_named_and_somebody_stands_for_them(home):
    disable(home, "nurse-1")
    assert run(home, "account", "add", "nurse-2", "--role", "nurse", by="clinician-2").returncode == 0
    before = rows(home)
    for missing in (
        (),
        STANDS[:2],
        STANDS[2:],
        (*STANDS, "--patient", "P-1"),
        ("--account", "nurse-2", *STANDS[2:]),
    ):
        done = restore(home, *missing)
        assert done.returncode in (exits.FAILED, exits.USAGE), (missing, done.stdout)
        assert "Accounts lost: nurse-2." in done.stderr
        assert "Accounts that were disabled since and can sign again: nurse-1." in done.stderr
        assert rows(home) == before, missing
    done = restore(home, *STANDS, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["lost"][0] == "Accounts lost: nurse-2."
    assert rows(home) == [*before[:5], ("act",)]
    report = json.loads(run(home, "audit", "verify", "--json").stdout)
    text = "the key of account nurse-2 is on this laptop, and the chain does not have this account"
    assert [one["text"] for one in report["problems"]] == [text], "nothing but what is still lying about"
    (home / "accounts" / "nurse-2.json").unlink()
    assert run(home, "audit", "verify").returncode == 0


@pytest.mark.parametrize("harm", ["damage", "delete"])
def test_a_store_that_cannot_be_read_is_not_replaced_unasked(home, harm):
    disable(home, "nurse-1")
    database = home / "cytowatch.db"
    if harm == "damage":
        database.write_bytes(b"not a database" * 1000)
    else:
        database.unlink()
    done = restore(home)
    assert done.returncode == exits.FAILED
    assert (
        "6 signed entries were in the store that is gone or cannot be read; the backup has 5." in done.stderr
    )
    assert ("cannot be read" in done.stderr.split("signed entries")[0]) == (harm == "damage")
    done = restore(home, *STANDS)
    assert done.returncode == 0, done.stderr
    assert run(home, "audit", "verify").returncode == 0, "the signed restore explains it"


def test_without_the_note_the_keys_on_the_laptop_say_that_something_was_signed(home):
    (home / "audit.head").unlink()
    (home / "cytowatch.db").write_bytes(b"not a database" * 1000)
    done = restore(home)
    assert done.returncode == exits.FAILED and "Signed entries may have been in the store" in done.stderr
    assert restore(home, *STANDS).returncode == 0


def test_a_lost_binding_is_typed(home):
    bind(home, "JS-60")
    done = restore(home, *STANDS)
    assert (
        done.returncode == exits.FAILED
        and "Patient JS-60 is bound here and not in the backup." in done.stderr
    )
    assert restore(home, *STANDS, "--patient", "js-60").returncode == exits.FAILED
    assert restore(home, *STANDS, "--patient", "JS-60").returncode == 0
    with sqlite3.connect(home / "cytowatch.db") as conn:
        (entry,) = conn.execute("SELECT entry FROM audit WHERE kind = 'act'").fetchone()
    assert json.loads(entry)["values"]["patients"] == {b"BINDING1".hex(): "JS-60"}


def in_alarm(home, patient="JS-60", alarm=codes.STALE_DATA):
    """A HIGH alarm of this laptop stands about the wearable that is bound."""
    with Store(home / "cytowatch.db") as store:
        store.write_now(
            lambda tx: raise_alarm(
                tx,
                Derivation(),
                device=ensure_device(tx, b"DEVICE01", 1),
                alarm=alarm,
                priority=3,
                detail="",
                utc_ms=1,
            )
        )


def waits(home, key, state="pending", target="ward", database="cytowatch.db"):
    """An event that waits for a receiver, in the store or in a backup."""
    with Store(home / database) as store:

        def write(tx):
            add_delivery(tx, Addressed(target, key, None, 3, False, "{}", ""), 1_800_000_000_000)
            tx.execute("UPDATE outbox SET state = ? WHERE event_key = ? AND target = ?", (state, key, target))

        store.write_now(write)


@pytest.mark.parametrize(
    ("here", "there", "asks"),
    [({"e1": "pending"}, {}, True), ({"e1": "refused"}, {}, True), ({"e1": "delivered"}, {}, False),
     ({"e1": "withheld"}, {}, False), ({"e1": "pending"}, {"e1": "pending"}, False),
     ({"e1": "pending"}, {"e1": "refused"}, False), ({"e1": "pending"}, {"e1": "delivered"}, True),
     ({"e1": "pending", "e2": "pending"}, {"e2": "pending"}, True), ({}, {"e1": "pending"}, False)],
)  # fmt: skip
def test_an_event_that_nobody_took_is_not_lost_unasked(home, here, there, asks):
    for key, state in here.items():
        waits(home, key, state)
    for key, state in there.items():
        waits(home.parent, key, state, database="copy.db")
    done = restore(home)
    text = "Events that no receiver took and the backup does not have: 1, for ward, since 2027-01-15"
    assert (done.returncode, text in done.stderr) == ((exits.FAILED, True) if asks else (0, False)), (
        done.stderr
    )
    if asks:
        assert restore(home, *STANDS).returncode == 0


def test_an_event_that_one_receiver_took_is_told(home):
    waits(home, "e1", "pending")
    waits(home, "e1", "delivered", target="second")
    assert restore(home).returncode == 0


def test_a_high_alarm_that_the_backup_does_not_know_is_asked_about(home, tmp_path):
    bind(home, "JS-60")
    assert run(home, "backup", str(tmp_path / "bound.db")).returncode == 0
    assert restore(home, copy="bound.db").returncode == 0
    in_alarm(home)
    done = restore(home, *STANDS, copy="bound.db")
    assert (
        done.returncode == exits.FAILED
        and "HIGH alarms stand about JS-60: nothing new arrives" in done.stderr
    )
    assert restore(home, *STANDS, "--patient", "JS-6O", copy="bound.db").returncode == exits.FAILED
    assert restore(home, *STANDS, "--patient", "JS-60", copy="bound.db").returncode == 0
    with sqlite3.connect(home / "cytowatch.db") as conn:
        (entry,) = conn.execute("SELECT entry FROM audit WHERE kind = 'act'").fetchone()
    assert json.loads(entry)["values"]["alarms"] == ["STALE_DATA"]
    in_alarm(home)
    assert run(home, "backup", str(tmp_path / "alarmed.db")).returncode == 0
    assert restore(home, copy="alarmed.db").returncode == 0, (
        "this backup knows of it, so it is asked about afterwards"
    )
    in_alarm(home, alarm=codes.LINK_LOST)
    assert restore(home, copy="alarmed.db").returncode == exits.FAILED


@pytest.mark.parametrize("harm", ["damage", "delete", "replace"])
def test_what_a_store_held_that_cannot_be_read_is_not_known(home, harm):
    """Nothing was signed since the backup; which bindings and alarms were lost, nobody can say."""
    database = home / "cytowatch.db"
    database.write_bytes(b"not a database" * 1000)
    if harm != "damage":
        database.unlink()
    if harm == "replace":
        Store(database).close()
    done = restore(home)
    assert done.returncode == exits.FAILED and "which bindings, alarms and events" in done.stderr.lower()
    assert restore(home, "--account", "nurse-1", "--reason", "the disk failed").returncode == 0


_HARM = {
    "head": "DELETE FROM audit WHERE seq = 1",
    "middle": "DELETE FROM audit WHERE seq = 3",
    "tail": "DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)",
    "changed": "UPDATE audit SET entry = CAST(replace(entry, 'nurse', 'nursf') AS BLOB) WHERE seq = 4",
    "signature": "UPDATE audit SET signature = zeroblob(64) WHERE seq = 4",
    "account": "INSERT INTO accounts SELECT 'intruder', role, zeroblob(8), zeroblob(32), added_by, disabled_by"
    " FROM accounts LIMIT 1",
    "role": "UPDATE accounts SET role = 'clinician' WHERE role = 'nurse'",
}


@pytest.mark.parametrize("place", sorted(_HARM))
def test_a_backup_whose_chain_has_problems_is_refused(home, place):
    before = rows(home)
    conn = sqlite3.connect(home.parent / "copy.db", isolation_level=None)
    for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        conn.execute(f"DROP TRIGGER {name}")
    conn.execute("PRAGMA foreign_keys = OFF")
    conn.execute(_HARM[place])
    conn.close()
    for arguments in ((), STANDS, ("--account", "clinician-1", *STANDS[2:], "--patient", "P-1")):
        done = restore(home, *arguments)
        assert done.returncode == exits.FAILED, done.stdout
        assert "The chain of signatures in" in done.stderr and "Give an older backup." in done.stderr, (
            done.stderr
        )
    assert rows(home) == before


def test_only_a_clinician_gives_up_what_was_signed(home):
    disable(home, "caregiver-1")
    done = restore(home, "--account", "nurse-1", *STANDS[2:])
    assert done.returncode == exits.FAILED and "Only a clinician gives up what was signed" in done.stderr
    done = restore(home, *STANDS)
    assert done.returncode == 0, done.stderr
    text = run(home, "audit", "verify").stdout
    assert "given up  a restore signed by clinician-1 (" in text
    assert "gave up the chain that had 6 rows and the head " in text and text.count("the disk failed") == 1


def test_who_can_sign_no_more_or_never_could_stands_for_no_restore(home, tmp_path):
    disable(home, "clinician-2")
    before = rows(home)
    for account in ("clinician-2", "caregiver-1"):
        done = restore(home, "--account", account, *STANDS[2:])
        assert done.returncode == exits.FAILED and account in done.stderr, done.stdout
    assert rows(home) == before
    other = tmp_path / "other"  # a chain that somebody made for themselves
    assert run(other, "account", "add", "mallory", "--role", "clinician").returncode == 0
    assert run(other, "backup", str(tmp_path / "other.db")).returncode == 0
    shutil.copy(other / "accounts" / "mallory.json", home / "accounts")
    done = restore(home, "--account", "mallory", *STANDS[2:], copy="other.db")
    assert done.returncode == exits.FAILED and "no account that could stand" in done.stderr
    assert rows(home) == before
    shutil.copy(other / "accounts" / "mallory.json", home / "accounts" / "clinician-1.json")
    assert restore(home, *STANDS).returncode == exits.FAILED, "another key under a known name"
    assert rows(home) == before


@pytest.mark.parametrize("account", ["caregiver-1", "nurse-1", "clinician-1"])
def test_a_lost_binding_is_stood_for_by_a_nurse_or_a_clinician(home, account):
    bind(home, "JS-60")
    done = restore(home, "--account", account, *STANDS[2:], "--patient", "JS-60")
    assert done.returncode == (exits.FAILED if account == "caregiver-1" else 0), done.stderr
    with sqlite3.connect(home / "cytowatch.db") as conn:
        assert bool(conn.execute("SELECT 1 FROM bindings").fetchall()) == (account == "caregiver-1")


def test_a_store_cut_before_the_restore_is_seen_by_the_note_beside_it(home):
    disable(home, "nurse-1")
    shutil.copy(home.parent / "copy.db", home / "cytowatch.db")
    for side in ("-wal", "-shm"):
        (home / f"cytowatch.db{side}").unlink(missing_ok=True)
    done = restore(home)
    assert done.returncode == exits.FAILED
    assert "6 signed entries were here, by the note beside the store; the backup has 5." in done.stderr


def test_a_backup_from_before_the_first_account_needs_another_folder(home, tmp_path):
    with Store(tmp_path / "early.db"):
        pass
    done = restore(home, *STANDS, copy="early.db")
    assert (
        done.returncode == exits.FAILED
        and "holds no account" in done.stderr
        and f"move {home} away" in done.stderr
    )
    home.rename(tmp_path / "moved")
    assert restore(home, copy="early.db").returncode == 0


def test_an_earlier_schema_is_compared_too(home, tmp_path):
    disable(home, "nurse-1")
    old = sqlite3.connect(tmp_path / "old.db", isolation_level=None)
    migrate(old, 0, migrations()[:3])
    old.execute("ATTACH ? AS copy", (str(tmp_path / "copy.db"),))
    for table in ("audit", "accounts"):
        old.execute(f"INSERT INTO {table} SELECT * FROM copy.{table}")
    old.close()
    done = restore(home, copy="old.db")
    assert done.returncode == exits.FAILED and "can sign again: nurse-1" in done.stderr, done.stderr
    assert restore(home, *STANDS, copy="old.db").returncode == 0
    assert run(home, "audit", "verify").returncode == 0
