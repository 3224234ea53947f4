"""A restore is signed before anything moves: one that nobody could sign has not happened."""

import shutil
import sqlite3

import pytest

from host_agent.errors import StoreFull
from host_agent.terminal import exits
from tests.host.cli.people_cli import run

STANDS = ("--account", "clinician-1", "--reason", "the disk failed")


@pytest.fixture
def home(tmp_path, people):
    """A laptop with its people, and a backup from before an account was disabled."""
    made = tmp_path / "home"
    shutil.copytree(people, made)
    assert run(made, "backup", str(tmp_path / "copy.db")).returncode == 0
    done = run(made, "account", "disable", "nurse-1", by="clinician-1")
    assert done.returncode == 0, done.stderr
    return made


def restore(home, *arguments):
    return run(home, "restore", str(home.parent / "copy.db"), *arguments)


def rows(home):
    with sqlite3.connect(home / "cytowatch.db") as conn:
        return conn.execute("SELECT kind FROM audit ORDER BY seq").fetchall()


@pytest.mark.parametrize("full", ["commit", "write back", "open"])
def test_a_restore_that_cannot_be_signed_changes_nothing(home, full, monkeypatch):
    before, note = rows(home), (home / "audit.head").read_bytes()

    def fail(*_, **__):
        raise StoreFull("the disk is full")

    # the three moments at which a full disk meets the signature
    where = {
        "commit": "host_agent.store.db.Store.write_now", "write back": "host_agent.store.backup._into_one_file",
        "open": "host_agent.cli.restore.Store",
    }  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(where[full], fail)
        done = restore(home, *STANDS)
    assert done.returncode == exits.FAILED and "the disk is full" in done.stderr, done.stderr
    assert rows(home) == before and (home / "audit.head").read_bytes() == note
    assert not list(home.glob("*.before-*")) and not list(home.glob("*.restoring*"))
    assert run(home, "audit", "verify").returncode == 0
    assert restore(home, *STANDS).returncode == 0
    assert rows(home)[-1] == ("act",)
    assert run(home, "audit", "verify").returncode == 0


def test_what_a_cut_restore_left_behind_is_in_nobodys_way(home):
    (home / "cytowatch.db.restoring").mkdir()
    (home / "cytowatch.db.restoring" / "cytowatch.db-wal").write_text("x")
    assert restore(home, *STANDS).returncode == 0
    (home / "cytowatch.db.restoring").write_text("as an earlier version left it")
    assert restore(home, *STANDS).returncode == 0 and not list(home.glob("*.restoring*"))
