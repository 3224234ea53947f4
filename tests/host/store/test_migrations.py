"""From every earlier schema to the newest: all rows mean what they meant; one that breaks off did nothing."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from host_agent.errors import StoreError, StoreFull
from host_agent.people.chain_check import verify as verify_chain
from host_agent.store import backup, db
from host_agent.store.acceptances import standing_episodes
from host_agent.store.content_check import check_content
from host_agent.store.db import Store, open_read_only
from host_agent.store.migrate import Migration, migrate, migrations, schema_version
from tests.host.store.old_stores import OLD_VERSIONS, ROLLUPS_50, content, old_store

NEWEST = migrations()[-1].version


@pytest.fixture(scope="module")
def old(tmp_path_factory) -> dict[int, Path]:
    """Version -> a store of it. Copy before use."""
    return {version: old_store(tmp_path_factory.mktemp("old") / "a.db", version) for version in OLD_VERSIONS}


@pytest.fixture
def copy(old, tmp_path):
    """A function: version -> a fresh copy, with nothing beside it."""

    def make(version: int, name: str = "a.db") -> Path:
        return Path(shutil.copy(old[version], tmp_path / name))

    return make


def version_of(path: Path) -> int:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as conn:
        return schema_version(conn)


def without_record(found: dict[str, Any]) -> dict[str, Any]:
    return {name: rows for name, rows in found.items() if name != "migrations"}


def assert_all_there(path: Path, before: dict[str, tuple[list[str], list[Any]]]) -> None:
    """Every row that was there, under its old columns and in its old order."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as conn:
        for table, (columns, rows) in without_record(before).items():
            told = conn.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY 1, 2").fetchall()
            assert told == rows, table


def assert_sound(path: Path) -> None:
    report = check_content(open_read_only(path))
    assert (report.found, report.thinned) == (0, 0), report.problems
    assert (report.journals, report.readings) == (3, 33)
    assert verify_chain(open_read_only(path), None).problems == []


def test_there_is_an_old_store_for_every_earlier_version() -> None:
    assert list(range(1, NEWEST)) == list(OLD_VERSIONS)


@pytest.mark.parametrize("version", OLD_VERSIONS)
def test_every_row_is_there_and_the_roll_ups_are_right(copy, version: int) -> None:
    path = copy(version)
    before = content(path)
    Store(path).close()
    assert version_of(path) == NEWEST
    assert_all_there(path, before)
    with sqlite3.connect(path) as conn:
        rollups = conn.execute("SELECT * FROM rollups ORDER BY 1, 2, 3, 4, 5").fetchall()
        recorded = conn.execute("SELECT version FROM migrations ORDER BY 1").fetchall()
        assert conn.execute("SELECT count(*) FROM blocks WHERE thinned IS NOT NULL").fetchone() == (0,)
    assert [row[1:] for row in rollups if row[0] == 50] == ROLLUPS_50
    assert [row[:6] for row in rollups if row[0] != 50] == [(51, 2, 0, 1, 0, 3), (52, 4, 0, 1, 0, 3)]
    assert recorded == [(each,) for each in range(1, NEWEST + 1)]


@pytest.mark.parametrize("version", OLD_VERSIONS)
def test_verify_finds_nothing_and_what_was_signed_is_still_protected(copy, version: int) -> None:
    path = copy(version)
    with Store(path) as store:
        if version >= 3:
            with pytest.raises(StoreError, match="append-only"):
                store.write_now(lambda tx: tx.execute("DELETE FROM audit"))
        store.write_now(lambda tx: tx.execute("INSERT INTO counters VALUES (0, 'after', 1)"))
    assert_sound(path)


@pytest.mark.parametrize("version", OLD_VERSIONS)
def test_an_old_backup_is_restored_and_then_brought_up_to_date(copy, tmp_path, version: int) -> None:
    old_backup, path = copy(version, "backup.db"), tmp_path / "now.db"
    before = content(old_backup)
    backup.restore(old_backup, path, 5)
    Store(path).close()
    assert_all_there(path, before)
    assert version_of(old_backup) == version


_KILLED = """
    import os, signal, sqlite3, sys
    from host_agent.store.migrate import migrate
    conn = sqlite3.connect(sys.argv[1], isolation_level=None)
    conn.execute("PRAGMA journal_mode = WAL")
    conn.execute("PRAGMA synchronous = FULL")
    conn.execute("PRAGMA cache_size = 2")  # pages go to the log before the commit
    left = int(sys.argv[2])
    def die(sql):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    conn.set_trace_callback(die)
    migrate(conn, 5)
"""


@pytest.mark.parametrize("version", OLD_VERSIONS)
def test_kill_9_in_the_middle_leaves_a_whole_version_and_the_next_start_goes_on(
    old, copy, tmp_path, version: int
) -> None:
    before = content(old[version])
    seen = set()
    for statements in range(200):
        path = copy(version, f"{statements}.db")
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(_KILLED), str(path), str(statements)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}, check=False,
        )  # fmt: skip
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
        reached = version_of(path)
        seen.add(reached)
        names = {row for row in content(path)}
        assert ("rollups" in names, "audit" in names, "outbox" in names) == (
            reached >= 4, reached >= 3, reached >= 2,
        )  # fmt: skip
        assert_all_there(path, before)
        Store(path).close()
        assert version_of(path) == NEWEST
        assert_all_there(path, before)
        assert check_content(open_read_only(path)).found == 0
    else:
        pytest.fail("it never came to its end")
    assert seen == set(range(version, NEWEST))


# The steps from versions 4, 6, 9 and 10 take one new page at most.
@pytest.mark.parametrize("version", [version for version in OLD_VERSIONS if version not in (4, 6, 9, 10)])
def test_a_full_disk_is_told_and_leaves_the_file_as_it_was(copy, version: int, monkeypatch) -> None:
    path = copy(version)
    before, held = path.read_bytes(), content(path)

    def with_full_disk(conn: sqlite3.Connection, utc_ms: int) -> None:
        pages = conn.execute("PRAGMA page_count").fetchone()[0]
        conn.execute(f"PRAGMA max_page_count = {pages + 1}")
        migrate(conn, utc_ms)

    monkeypatch.setattr(db, "migrate", with_full_disk)
    with pytest.raises(StoreFull) as caught:
        Store(path)
    assert "space" in caught.value.advice and path.read_bytes() == before
    monkeypatch.undo()
    assert content(path) == held
    Store(path).close()
    assert_all_there(path, held)


@pytest.mark.parametrize("version", OLD_VERSIONS)
def test_a_migration_that_fails_at_its_end_leaves_the_file_as_it_was(copy, version: int) -> None:
    path = copy(version)
    before = content(path)
    step = migrations()[version]
    broken = Migration(version + 1, step.name, step.sql + "\nINSERT INTO nowhere VALUES (1);\n")
    conn = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrate(conn, 5, [*migrations()[:version], broken])
    conn.close()
    assert content(path) == before and version_of(path) == version


def test_an_alarm_of_the_laptop_that_stood_before_can_be_accepted_afterwards(copy) -> None:
    path = copy(9)
    with sqlite3.connect(path) as conn:
        conn.executemany(
            "INSERT INTO host_alarms VALUES (?, NULL, ?, 2, 'x', 1, 2, ?)", [(60, 46, None), (61, 47, 3)]
        )
    conn.close()
    store = Store(path)
    standing = [one for one in store.read_now(lambda tx: standing_episodes(tx, 5)) if one.device is None]
    store.close()
    assert [(one.key, one.kind, one.alarm, one.priority) for one in standing] == [("host-60", "host", 46, 2)]
