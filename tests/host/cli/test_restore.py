"""A restore says which accounts, signatures and bindings it loses, and lets nobody lose them by a slip."""

import json
import shutil
import sqlite3

import pytest

from host_agent.store.bindings import add_binding, set_binding_state
from host_agent.store.db import Store
from host_agent.store.devices import ensure_device
from host_agent.store.migrate import migrate, migrations
from host_agent.terminal import exits
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
