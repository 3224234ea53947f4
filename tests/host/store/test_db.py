"""The database under bad conditions: every failure is a StoreError with advice, and leaves no half of a write."""

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from host_agent.errors import SchemaNewer, StoreCorrupt, StoreError, StoreFull, StoreLocked, StoreReadOnly
from host_agent.store.db import Store, integrity_problems
from host_agent.store.migrate import Migration, migrate, migrations, schema_version


def limit_pages(store: Store, pages: int) -> None:
    """A full disk as SQLite sees it: no page can be added."""
    store._writer.submit(lambda: store._conn.execute(f"PRAGMA max_page_count = {pages}").fetchall()).result()


def fill(tx: Any) -> None:
    tx.execute("INSERT INTO counters VALUES (0, 'first', 1)")
    tx.executemany("INSERT INTO patients (pseudonym, profile, created_utc_ms) VALUES (?, ?, 0)",
                   [(f"p{i}", "x" * 2000) for i in range(500)])  # fmt: skip


def test_writes_are_durable_by_wal_and_full(tmp_path, store) -> None:
    pragma = store._writer.submit(
        lambda: [store._conn.execute(f"PRAGMA {p}").fetchone()[0] for p in ("journal_mode", "synchronous")]
    ).result()
    assert pragma == ["wal", 2] and (tmp_path / "a.db").stat().st_mode & 0o077 == 0


def test_a_full_disk_says_so_keeps_nothing_of_the_write_and_works_again_with_room(store) -> None:
    limit_pages(store, 1)
    with pytest.raises(StoreFull, match="full") as caught:
        store.write_now(fill)
    assert "space" in caught.value.advice
    assert store.read_now(lambda tx: tx.execute("SELECT count(*) FROM counters").fetchone()) == (0,)
    limit_pages(store, 1 << 30)
    store.write_now(fill)
    assert store.read_now(lambda tx: tx.execute("SELECT count(*) FROM patients").fetchone()) == (500,)


def test_an_exception_undoes_the_whole_write(tmp_path) -> None:
    def half(tx: Any) -> None:
        tx.execute("INSERT INTO counters VALUES (0, 'half', 1)")
        raise ValueError("after half")

    with Store(tmp_path / "a.db") as store:
        with pytest.raises(ValueError, match="after half"):
            store.write_now(half)
        assert store.read_now(lambda tx: tx.execute("SELECT * FROM counters").fetchall()) == []
        store.write_now(lambda tx: tx.execute("INSERT INTO counters VALUES (0, 'whole', 1)"))


def test_a_lock_held_by_another_program_is_told(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("host_agent.store.db._BUSY_TIMEOUT_MS", 50)
    with Store(tmp_path / "a.db") as store:
        other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreLocked):
            store.write_now(lambda tx: None)
        other.execute("ROLLBACK")
        other.close()
        store.write_now(lambda tx: None)


def test_a_read_only_database_is_told(store) -> None:
    store._writer.submit(lambda: store._conn.execute("PRAGMA query_only = ON").fetchall()).result()
    with pytest.raises(StoreReadOnly) as caught:
        store.write_now(lambda tx: tx.execute("INSERT INTO counters VALUES (0, 'x', 1)"))
    assert "writable" in caught.value.advice


def test_a_missing_folder_is_told(tmp_path) -> None:
    with pytest.raises(StoreReadOnly, match="cannot be opened"):
        Store(tmp_path / "nowhere" / "a.db")


def test_a_file_that_is_no_database_is_told_and_kept(tmp_path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"this is not a database, but somebody's letter" * 100)
    with pytest.raises(StoreCorrupt):
        Store(path)
    assert path.read_bytes().startswith(b"this is not")


def test_damage_in_the_middle_is_found_by_the_check(tmp_path) -> None:
    path = tmp_path / "a.db"
    with Store(path) as store:
        store.write_now(fill)
        assert store.read_now(integrity_problems) == []
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 3000] = bytes(3000)
    path.write_bytes(bytes(raw))
    with Store(path) as store:
        try:
            problems = store.read_now(integrity_problems)
        except StoreCorrupt:
            problems = ["refused"]
        assert problems


def test_readers_see_no_write_until_it_is_committed_and_cannot_write(store) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def slow(tx: Any) -> None:
        tx.execute("INSERT INTO counters VALUES (0, 'x', 1)")
        inside.set()
        go_on.wait(5)

    writing = threading.Thread(target=lambda: store.write_now(slow))
    writing.start()
    assert inside.wait(5)
    assert store.read_now(lambda tx: tx.execute("SELECT * FROM counters").fetchall()) == []
    go_on.set()
    writing.join()
    assert len(store.read_now(lambda tx: tx.execute("SELECT * FROM counters").fetchall())) == 1
    with pytest.raises(StoreReadOnly):
        store.read_now(lambda tx: tx.execute("DELETE FROM counters"))


async def test_writes_from_the_event_loop_run_one_at_a_time(tmp_path) -> None:
    import asyncio

    with Store(tmp_path / "a.db") as store:
        store.write_now(lambda tx: tx.execute("INSERT INTO counters VALUES (0, 'n', 0)"))

        def add(tx: Any) -> None:
            value = tx.execute("SELECT value FROM counters WHERE name = 'n'").fetchone()[0]
            tx.execute("UPDATE counters SET value = ? WHERE name = 'n'", (value + 1,))

        await asyncio.gather(*(store.write(add) for _ in range(50)))
        assert await store.read(lambda tx: tx.execute("SELECT value FROM counters").fetchone()) == (50,)


# --- migrations -----------------------------------------------------------------------------------------------------


def test_every_migration_is_recorded_with_its_version(tmp_path) -> None:
    with Store(tmp_path / "a.db") as store:
        rows = store.read_now(lambda tx: tx.execute("SELECT version, name FROM migrations").fetchall())
        assert rows == [(step.version, step.name) for step in migrations()]
        assert store.read_now(schema_version) == len(rows)
    Store(tmp_path / "a.db").close()  # nothing to do the second time


def test_a_newer_schema_is_refused_and_not_touched(tmp_path) -> None:
    path = tmp_path / "a.db"
    Store(path).close()
    conn = sqlite3.connect(path)
    conn.execute("PRAGMA user_version = 999")
    conn.close()
    before = path.read_bytes()
    with pytest.raises(SchemaNewer, match="999") as caught:
        Store(path)
    assert "Update" in caught.value.advice and path.read_bytes() == before


def test_a_migration_that_fails_leaves_the_version_before_it() -> None:
    conn = sqlite3.connect(":memory:", isolation_level=None)
    good = Migration(1, "0001_a.sql", "CREATE TABLE a (x);\n")
    bad = Migration(2, "0002_b.sql", "CREATE TABLE b (x);\nINSERT INTO nowhere VALUES (1);\n")
    with pytest.raises(sqlite3.OperationalError):
        migrate(conn, 1, [good, bad])
    assert schema_version(conn) == 1
    tables = {row[0] for row in conn.execute("SELECT name FROM sqlite_master")}
    assert "a" in tables and "b" not in tables
    assert conn.execute("SELECT version FROM migrations").fetchall() == [(1,)]


def test_a_migration_cut_off_in_a_statement_is_refused() -> None:
    conn = sqlite3.connect(":memory:", isolation_level=None)
    with pytest.raises(StoreError, match="middle of a statement"):
        migrate(conn, 1, [Migration(1, "0001_a.sql", "CREATE TABLE a (x);\nCREATE TABLE b (")])
    assert schema_version(conn) == 0


def test_the_package_carries_the_migrations() -> None:
    folder = Path(__file__).resolve().parents[3] / "host_agent/store/migrations"
    assert [step.name for step in migrations()] == sorted(p.name for p in folder.glob("*.sql"))
