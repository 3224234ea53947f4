"""A backup is whole or not there; a restore keeps what was there; neither takes a file for what it is not."""

import contextlib
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest

from host_agent.errors import SchemaNewer, StoreCorrupt, StoreError
from host_agent.store import backup
from host_agent.store.content_check import check_content
from host_agent.store.db import Store, open_read_only
from host_agent.store.migrate import schema_version
from host_agent.store.schema import strange_parts
from tests.host.store.stored import blocks, fill, filled


def readings(path: Path) -> int:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as conn:
        return int(conn.execute("SELECT count(*) FROM readings").fetchone()[0])


def test_a_backup_is_one_closed_file_with_all_of_it(tmp_path) -> None:
    target = tmp_path / "copy.db"
    with Store(tmp_path / "a.db") as store:
        fill(store, list(blocks(20)))  # still in the write-ahead log
        size = backup.back_up(tmp_path / "a.db", target)
    assert size == target.stat().st_size and target.stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.db", "copy.db"]
    assert backup.check_backup(target) > 0 and check_content(open_read_only(target)).found == 0
    assert readings(target) == 120


def test_a_backup_beside_a_writer_is_one_moment_and_holds_nobody_up(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(backup, "_PAGES_PER_STEP", 1)
    with Store(tmp_path / "a.db") as store:
        fill(store, list(blocks(200)))
        items = blocks(2000)
        stop = threading.Event()
        written = []

        def write() -> None:
            at = 200
            while not stop.is_set() and at < len(items):
                fill(store, items[at : at + 2])
                at += 2
                written.append(at)

        writer = threading.Thread(target=write)
        steps = []

        def on_progress(done: int, total: int) -> None:
            if not steps:
                writer.start()
            steps.append((done, total))
            if len(steps) < 20:
                at = len(written)
                for _ in range(500):
                    if len(written) > at:
                        break
                    threading.Event().wait(0.01)

        backup.back_up(tmp_path / "a.db", tmp_path / "copy.db", on_progress)
        stop.set()
        writer.join()
    assert len(written) >= 15  # it was written while it was copied
    assert len(steps) == steps[0][1]  # and never begun anew
    report = check_content(open_read_only(tmp_path / "copy.db"))
    assert (report.blocks, report.found) == (200, 0)


def test_a_backup_replaces_no_file_and_needs_a_store(tmp_path) -> None:
    filled(tmp_path / "a.db")
    (tmp_path / "there").write_text("mine")
    with pytest.raises(StoreError, match="exists"):
        backup.back_up(tmp_path / "a.db", tmp_path / "there")
    assert (tmp_path / "there").read_text() == "mine"
    with pytest.raises(StoreError, match="no store yet"):
        backup.back_up(tmp_path / "b.db", tmp_path / "c.db")


def test_a_backup_that_breaks_off_leaves_nothing(tmp_path) -> None:
    filled(tmp_path / "a.db")

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backup.back_up(tmp_path / "a.db", tmp_path / "copy.db", stop)
    assert not list(tmp_path.glob("copy*"))
    with pytest.raises(StoreError):
        backup.back_up(tmp_path / "a.db", tmp_path / "no folder" / "copy.db")


def test_a_restore_keeps_the_store_that_was_there(tmp_path) -> None:
    filled(tmp_path / "old.db", 10)
    filled(tmp_path / "a.db", 20)
    kept = backup.restore(tmp_path / "old.db", tmp_path / "a.db", 77)
    assert kept == tmp_path / "a.db.before-77" and (readings(tmp_path / "a.db"), readings(kept)) == (60, 120)
    with Store(tmp_path / "a.db") as store:  # and is a store like any other
        fill(store, list(blocks(20)))
    assert readings(tmp_path / "a.db") == 120


def test_what_a_killed_agent_left_in_the_log_stays_with_the_store_that_was_there(tmp_path) -> None:
    filled(tmp_path / "old.db", 10)
    with Store(tmp_path / "a.db") as store:
        fill(store, list(blocks(20)))
        for name in ("a.db", "a.db-wal"):  # as kill -9 leaves them
            shutil.copy(tmp_path / name, tmp_path / f"killed-{name}")
    killed = tmp_path / "killed-a.db"
    assert (tmp_path / "killed-a.db-wal").stat().st_size > 0
    kept = backup.restore(tmp_path / "old.db", killed, 77)
    assert kept is not None and (readings(killed), readings(kept)) == (60, 120)


def test_a_cut_between_the_renames_parts_no_store_from_its_log(tmp_path, monkeypatch) -> None:
    filled(tmp_path / "old.db", 10)
    with Store(tmp_path / "a.db") as store:
        fill(store, list(blocks(20)))
        for name in ("a.db", "a.db-wal"):
            shutil.copy(tmp_path / name, tmp_path / f"killed-{name}")
    rename, done = Path.rename, []

    def cut(path: Path, target: Path) -> Path:
        if done:
            raise KeyboardInterrupt
        done.extend([target] if path.name == "killed-a.db" else [])
        return rename(path, target)

    with monkeypatch.context() as power, pytest.raises(KeyboardInterrupt):
        power.setattr(Path, "rename", cut)
        backup.restore(tmp_path / "old.db", tmp_path / "killed-a.db", 77)
    assert readings(tmp_path / "killed-a.db.before-77") == 120


@pytest.mark.parametrize("kind, name", [("TRIGGER", "audit_is_never_changed"), ("INDEX", "outbox_pending")])
def test_a_part_that_was_taken_out_of_a_store_is_named(tmp_path, kind: str, name: str) -> None:
    file = spoil(filled(tmp_path / "a.db", 10), f"DROP {kind} {name}")
    with contextlib.closing(open_read_only(file)) as conn:
        assert f"schema: {kind.lower()} {name} is missing" in check_content(conn).problems
    backup.restore(file, tmp_path / "b.db", 77)
    with Store(tmp_path / "b.db") as store:
        assert store.read_now(check_content).found == 0


def test_a_restore_in_an_empty_folder(tmp_path) -> None:
    filled(tmp_path / "old.db", 10)
    assert backup.restore(tmp_path / "old.db", tmp_path / "a.db", 77) is None
    assert readings(tmp_path / "a.db") == 60


def test_a_restore_over_a_damaged_store_keeps_it_with_its_log(tmp_path) -> None:
    filled(tmp_path / "old.db", 10)
    (tmp_path / "a.db").write_bytes(b"no database at all" * 1000)
    (tmp_path / "a.db-wal").write_bytes(b"a log")
    kept = backup.restore(tmp_path / "old.db", tmp_path / "a.db", 77)
    assert kept is not None and kept.read_bytes().startswith(b"no database")
    assert not (tmp_path / "a.db-wal").exists()
    assert kept.with_name(kept.name + "-wal").read_bytes() == b"a log" and readings(tmp_path / "a.db") == 60


@pytest.mark.parametrize("what", ["text", "foreign", "newer", "damaged", "missing", "empty"])
def test_what_cannot_be_restored_is_refused_and_changes_nothing(tmp_path, what: str) -> None:
    filled(tmp_path / "a.db")
    before = (tmp_path / "a.db").read_bytes()
    bad = tmp_path / "bad"
    wanted: type[StoreError] = StoreCorrupt
    if what == "text":
        bad.write_text("this is a letter, not a database" * 200)
    elif what == "foreign":
        with sqlite3.connect(bad) as conn:
            conn.execute("CREATE TABLE recipes (id)")
            conn.execute("PRAGMA user_version = 1")
    elif what == "newer":
        shutil.copy(tmp_path / "a.db", bad)
        with sqlite3.connect(bad) as conn:
            conn.execute("PRAGMA user_version = 999")
        wanted = SchemaNewer
    elif what == "damaged":
        filled(tmp_path / "b.db", 200)
        data = bytearray((tmp_path / "b.db").read_bytes())
        data[8192:24576] = bytes(16384)
        bad.write_bytes(data)
    elif what == "empty":
        bad.write_bytes(b"")
    else:
        wanted = StoreError
    with pytest.raises(wanted):
        backup.restore(bad, tmp_path / "a.db", 77)
    assert (tmp_path / "a.db").read_bytes() == before
    assert not list(tmp_path.glob("*.restoring*")) and not list(tmp_path.glob("*.before-*"))


def spoil(path: Path, *statements: str) -> Path:
    """Change a backup as somebody with an editor could, whatever its rules say."""
    with sqlite3.connect(path, isolation_level=None) as conn:
        conn.execute("PRAGMA writable_schema = ON")
        conn.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            conn.execute(statement)
    return path


QUIET = "UPDATE outbox SET state = 'delivered' WHERE id = new.id; END"


@pytest.mark.parametrize(
    "statement",
    [
        f"CREATE TRIGGER quiet AFTER INSERT ON outbox BEGIN {QUIET}",
        f"CREATE TRIGGER quiet AFTER UPDATE ON outbox BEGIN {QUIET}",
        "CREATE TRIGGER audit_is_never_deleted2 BEFORE INSERT ON readings BEGIN SELECT RAISE(IGNORE); END",
        "CREATE VIEW extra AS SELECT * FROM readings",
        "CREATE INDEX extra ON events (payload)",
        "CREATE UNIQUE INDEX extra ON outbox (target, state)",
        "CREATE TABLE extra (id)",
        "UPDATE sqlite_master SET sql = replace(sql, 'BEGIN', 'WHEN 0 BEGIN') WHERE name = 'audit_is_never_changed'",
        "UPDATE sqlite_master SET sql = replace(sql, '2500 AND 4500', '0 AND 1') WHERE name = 'valid_readings'",
    ],
)  # fmt: skip
def test_nothing_but_rows_comes_from_a_backup_and_what_stays_behind_is_named(
    tmp_path, statement: str
) -> None:
    backup_file = spoil(filled(tmp_path / "old.db", 10), statement)
    assert len(backup.left_behind(backup_file)) == 1
    with contextlib.closing(open_read_only(backup_file)) as conn:
        assert any("is not of this program" in problem for problem in check_content(conn).problems)
    backup.restore(backup_file, tmp_path / "a.db", 77)
    with Store(tmp_path / "a.db") as store:
        assert store.read_now(check_content).found == 0
        assert store.read_now(lambda tx: strange_parts(tx, schema_version(tx))) == []
    assert readings(tmp_path / "a.db") == 60


@pytest.mark.parametrize(
    "statements",
    [
        ["DROP TABLE outbox"],
        ["DROP TABLE outbox", "CREATE VIEW outbox AS SELECT 1 AS id"],
        ["DROP TABLE counters", "CREATE VIRTUAL TABLE counters USING fts5(name, value)"],
        ["ALTER TABLE outbox ADD COLUMN more TEXT"],
        ["ALTER TABLE counters ADD COLUMN more INTEGER AS (1)"],
        ["UPDATE events SET payload = 'text'"],
        ["UPDATE blocks SET raw = 5"],
        ["UPDATE devices SET device_id = 'x' || device_id"],
        ["UPDATE journals SET cursor = 'many'"],
        ["INSERT INTO migrations VALUES (99, CAST(x'ff' AS TEXT), 1)", "UPDATE devices SET first_seen_utc_ms = x'00'"],
    ],
)  # fmt: skip
def test_rows_and_tables_that_are_not_those_of_a_store_are_refused(tmp_path, statements: list[str]) -> None:
    filled(tmp_path / "a.db")
    before = (tmp_path / "a.db").read_bytes()
    try:
        bad = spoil(filled(tmp_path / "old.db", 10), *statements)
    except sqlite3.OperationalError as error:
        assert "fts5" in str(error), error
        pytest.skip("this SQLite has no full-text search")
    with pytest.raises(StoreCorrupt):
        backup.restore(bad, tmp_path / "a.db", 77)
    assert (tmp_path / "a.db").read_bytes() == before and not list(tmp_path.glob("*.restoring*"))


def test_a_restored_store_guards_its_chain_again(tmp_path) -> None:
    backup.restore(filled(tmp_path / "old.db", 10), tmp_path / "a.db", 77)
    with Store(tmp_path / "a.db") as store, pytest.raises(StoreError, match="only grows at its end"):
        store.write_now(
            lambda tx: tx.execute(
                "INSERT INTO audit VALUES (5, 'x', 'y', x'00', zeroblob(64), zeroblob(32), 1)"
            )
        )


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be one " * 100, "cut"])
def test_a_damaged_backup_is_not_taken_for_a_damaged_store(tmp_path, content) -> None:
    filled(tmp_path / "a.db")
    backup.back_up(tmp_path / "a.db", tmp_path / "b.db")
    whole = (tmp_path / "b.db").read_bytes()
    (tmp_path / "b.db").write_bytes(whole[: len(whole) // 2] if content == "cut" else content)
    with pytest.raises(StoreError) as refused:
        backup.check_backup(tmp_path / "b.db")
    assert refused.value.advice == "Give an older backup."
