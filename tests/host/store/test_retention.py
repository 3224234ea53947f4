"""What retention may remove, what it must not, and that a removal is whole, written down and told from a loss."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest
from crs_core.journal import block_layout, block_reader, block_writer

from host_agent.errors import StoreCorrupt, StoreFull
from host_agent.store import retention
from host_agent.store.content_check import check_content
from host_agent.store.db import Store, open_read_only
from host_agent.store.retention import Retention, Run, due_journals, thin_step, thinned_readings
from host_agent.views.hours import hours_rows
from tests.fakes.fake_clock import FakeClock
from tests.host.store.stored import DAY_MS, ENDED_MS, blocks, fill, left_patient

RUN = Run(ENDED_MS + 30 * DAY_MS, 30)
KEPT = (
    "events", "rollups", "blocks", "gaps", "grades", "alarm_changes", "audit", "context_entries",
    "bindings",
)  # fmt: skip


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    with left_patient(tmp_path / "a.db") as opened:
        yield opened


def count(store: Store, table: str, where: str = "1") -> int:
    return int(
        store.read_now(lambda tx: tx.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0])
    )


def thin(store: Store, run: Run = RUN) -> int:
    total = 0
    while removed := store.write_now(lambda tx: thin_step(tx, 1, run)):
        total += removed
    return total


def test_readings_go_and_all_else_stays_and_verify_knows_it(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(retention, "_BLOCKS_PER_STEP", 3)
    with left_patient(tmp_path / "a.db") as store:
        before = {table: count(store, table) for table in KEPT}
        read = store.read_now(lambda tx: tx.execute("SELECT * FROM readings ORDER BY seq").fetchall())
        assert thin(store) == 120 and count(store, "readings") == 0
        assert {table: count(store, table) for table in KEPT} == before
        told = store.read_now(lambda tx: tx.execute("SELECT * FROM thinnings").fetchall())
        assert told == [(1, 1, RUN.utc_ms, 30, 1, read[-1][1], 120)]
        report = store.read_now(check_content)
        assert (report.readings, report.thinned, report.found) == (120, 120, 0)
        again = store.read_now(lambda tx: thinned_readings(tx, 1))
        assert again == [row[1:] for row in read]
        assert thin(store, Run(RUN.utc_ms + DAY_MS, 30)) == 0 and count(store, "thinnings") == 1


@pytest.mark.parametrize(
    "change",
    ["UPDATE bindings SET state = 'active', ended_utc_ms = NULL", "UPDATE bindings SET state = 'ending'",
     "UPDATE bindings SET ended_utc_ms = ended_utc_ms + 1", "UPDATE journals SET binding = NULL",
     "UPDATE journals SET is_current = 0 WHERE id = 2; UPDATE journals SET is_current = 1 WHERE id = 1",
     "UPDATE journals SET verified_seq = 0"],
)  # fmt: skip
def test_what_may_not_be_removed_stays(store, change: str) -> None:
    for statement in change.split("; "):
        store.write_now(lambda tx, statement=statement: tx.execute(statement))
    assert store.read_now(lambda tx: due_journals(tx, RUN)) == []
    assert thin(store) == 0 and count(store, "readings") == 120


def test_only_what_was_graded_again_and_understood_goes(store) -> None:
    store.write_now(lambda tx: tx.execute("UPDATE journals SET verified_seq = 20 WHERE id = 1"))
    assert thin(store) == 12  # the second block of readings ends at 26
    assert count(store, "readings", "seq <= 12") == 0 and count(store, "readings") == 108
    assert store.read_now(check_content).found == 0


def test_the_same_block_again_stays_removed_and_other_bytes_are_a_fork(store) -> None:
    thin(store)
    fill(store, list(blocks(20)))  # the wearable's flash was set back: its old journal is shown again
    assert count(store, "readings") == 0 and count(store, "forks") == 0
    other = [item for item in blocks(20) if item.header.kind == block_layout.KIND_READINGS][3]
    raw = block_writer.encode_readings(
        b"journal1", 1, other.header.first_seq, [row._replace(temp_cc=3999) for row in other.content]
    )
    header, content = block_reader.decode(raw, b"journal1")
    fill(store, [other._replace(header=header, raw=raw, content=content)])
    assert count(store, "forks") == 1


async def test_what_is_not_rolled_up_is_not_removed(store) -> None:
    store.write_now(lambda tx: tx.execute("UPDATE rollups SET temp_n = temp_n - 1 WHERE bucket = 1"))
    assert await Retention(store, 30, FakeClock(RUN.utc_ms)).once() == 0
    assert count(store, "readings") == 120
    store.write_now(lambda tx: tx.execute("UPDATE rollups SET temp_n = temp_n + 1 WHERE bucket = 1"))
    assert await Retention(store, 30, FakeClock(RUN.utc_ms)).once() == 120


async def test_it_runs_at_the_start_and_each_day_and_a_failing_store_ends_it_not(store, monkeypatch):
    clock = FakeClock(RUN.utc_ms - 2 * DAY_MS + 1)
    running = asyncio.create_task(Retention(store, 30, clock).run())
    for day in range(2):
        while len(clock.slept) <= day:
            await asyncio.sleep(0.01)
        assert count(store, "readings") == 120
        if day == 0:  # the second day the store fails
            monkeypatch.setattr(retention, "due_journals", lambda tx, run: tx.execute("SELECT nonsense"))
            await clock.advance(86_400)
    monkeypatch.undo()
    await clock.advance(86_400)
    while len(clock.slept) < 3:
        await asyncio.sleep(0.01)
    assert count(store, "readings") == 0
    running.cancel()


def test_rows_that_are_not_those_of_the_blocks_are_left_for_verify(store) -> None:
    store.write_now(lambda tx: tx.execute("DELETE FROM readings WHERE seq = 5"))
    with pytest.raises(StoreCorrupt, match="119 readings are stored, blocks hold 120"):
        thin(store)
    assert count(store, "readings") == 119 and count(store, "thinnings") == 0


@pytest.mark.parametrize(
    "harm, told",
    [
        ("DELETE FROM readings WHERE seq = 30", "the readings differ from the block, first at 30"),
        ("UPDATE blocks SET thinned = NULL WHERE first_seq = 1", "the readings differ from the block"),
        ("UPDATE blocks SET thinned = 1 WHERE first_seq = 29", "12 readings are here and are marked as removed"),
        ("UPDATE blocks SET thinned = 1 WHERE first_seq = 13", "events are marked as removed"),
        ("UPDATE thinnings SET readings = 1", "1 readings were removed, 24 are marked as removed"),
        ("INSERT INTO readings SELECT journal, 5, boot, t_ms, temp_cc, spo2_tenths, hr_bpm, pi_hundredths, status,"
         " simulated FROM readings WHERE seq = 30", "1 readings are here and are marked as removed"),
        ("UPDATE rollups SET temp_sum = temp_sum + 1 WHERE bucket = 0", "roll-ups are not"),
        ("DELETE FROM thinnings", "refers to nothing"),
    ],
)  # fmt: skip
def test_verify_tells_a_loss_from_a_removal(tmp_path, harm: str, told: str, monkeypatch) -> None:
    monkeypatch.setattr(retention, "_BLOCKS_PER_STEP", 2)
    with left_patient(tmp_path / "a.db") as store:
        assert store.write_now(lambda tx: thin_step(tx, 1, RUN)) == 24
        assert store.read_now(check_content).found == 0
    with sqlite3.connect(tmp_path / "a.db") as conn:
        conn.execute(harm)
    problems = check_content(open_read_only(tmp_path / "a.db")).problems
    assert any(told in problem for problem in problems), problems


def test_a_full_disk_removes_nothing(tmp_path) -> None:
    with left_patient(tmp_path / "a.db", 400) as store:
        pages = store._writer.submit(lambda: store._conn.execute("PRAGMA page_count").fetchone()[0]).result()
        store._writer.submit(
            lambda: store._conn.execute(f"PRAGMA max_page_count = {pages}").fetchall()
        ).result()

        def step(tx: Any) -> None:
            thin_step(tx, 1, RUN)
            tx.execute("INSERT INTO counters VALUES (0, 'much', zeroblob(40000000))")

        with pytest.raises(StoreFull):
            store.write_now(step)
        assert count(store, "readings") == 2400 and count(store, "thinnings") == 0
        assert count(store, "blocks", "thinned IS NOT NULL") == 0


_KILLED = """
    import os, signal, sys
    from pathlib import Path
    from host_agent.store import retention
    from host_agent.store.db import Store
    retention._BLOCKS_PER_STEP = 3
    left = int(sys.argv[2])
    store = Store(Path(sys.argv[1]))
    def die(sql):
        global left
        left -= sql.startswith(("DELETE FROM readings", "INSERT INTO thinnings", "UPDATE blocks", "COMMIT"))
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    store._writer.submit(lambda: store._conn.set_trace_callback(die)).result()
    while store.write_now(lambda tx: retention.thin_step(tx, 1, retention.Run(int(sys.argv[3]), 30))):
        pass
"""


@pytest.mark.parametrize("statements", range(9))
def test_kill_9_in_the_middle_leaves_whole_steps_and_the_next_run_goes_on(tmp_path, statements: int) -> None:
    left_patient(tmp_path / "a.db").close()
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(_KILLED), str(tmp_path / "a.db"), str(statements), str(RUN.utc_ms)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    report = check_content(open_read_only(tmp_path / "a.db"))
    assert (report.thinned, report.found) == (36 * (statements // 4), 0)
    with Store(tmp_path / "a.db") as store:
        assert thin(store, Run(RUN.utc_ms + DAY_MS, 30)) == 120 - report.thinned
        assert store.read_now(check_content).found == 0
        runs = store.read_now(
            lambda tx: tx.execute("SELECT sum(readings), count(*) FROM thinnings").fetchone()
        )
        assert runs == (120, 2 if report.thinned else 1)


def test_hours_count_what_was_measured_and_removed(store) -> None:
    asked = {"device": None, "day": None, "now_ms": ENDED_MS, "utc": True}
    before = store.read_now(lambda tx: hours_rows(tx, **asked))
    assert sum(row["both_ms"] for row in before) > 0
    store.write_now(lambda tx: tx.execute("UPDATE journals SET verified_seq = 100 WHERE id = 1"))
    assert 0 < thin(store) < 120 and store.read_now(lambda tx: hours_rows(tx, **asked)) == before
