"""The check of the store's content notices each way in which it can stop saying what the wearables said."""

import sqlite3
from pathlib import Path

import pytest

from host_agent.store.content_check import check_content
from host_agent.store.db import Store, open_read_only
from host_agent.store.insertion import IncomingGap
from tests.host.store.stored import blocks, fill, filled


def report_of(path: Path):
    conn = open_read_only(path)
    try:
        return check_content(conn)
    finally:
        conn.close()


def test_what_was_synced_has_no_problem(tmp_path) -> None:
    report = report_of(filled(tmp_path / "a.db"))
    assert report == (1, 20, 120, 0, 20, 0, 0, [])


def test_a_gap_that_the_wearable_told_is_no_hole(tmp_path) -> None:
    items = blocks(6)
    last = items[2].header
    items[2] = IncomingGap(last.first_seq, last.first_seq + last.count - 1, 1)
    with Store(tmp_path / "a.db") as store:
        fill(store, items)
    report = report_of(tmp_path / "a.db")
    assert (report.blocks, report.gaps, report.found) == (5, 1, 0)


def test_a_block_of_a_kind_to_come_is_no_problem(tmp_path) -> None:
    items = blocks(20)
    items[0] = items[0]._replace(content=None)
    with Store(tmp_path / "a.db") as store:
        fill(store, items)
    report = report_of(tmp_path / "a.db")
    assert (report.blocks, report.readings, report.found) == (20, 108, 0)


def test_records_of_a_branch_may_lie_in_what_it_left(tmp_path) -> None:
    path = filled(tmp_path / "a.db")
    with sqlite3.connect(path) as conn:
        conn.execute(
            "INSERT INTO journals (device, journal_id, branch, parent, base_seq, cursor, first_seen_utc_ms, is_current)"
            " SELECT device, journal_id, 1, id, 26, 26, 1, 0 FROM journals"
        )
    assert report_of(path).found == 0
    with sqlite3.connect(path) as conn:
        conn.execute("UPDATE journals SET cursor = 30 WHERE branch = 1")
    assert "records 27 to 30 were acknowledged and are not here" in report_of(path).problems[0]


@pytest.mark.parametrize(
    "harm, told",
    [
        ("UPDATE readings SET temp_cc = temp_cc + 1 WHERE seq = 5", "records 1 to 12: the readings differ"),
        ("UPDATE readings SET simulated = 1 WHERE seq = 5", "first at 5"),
        ("DELETE FROM readings WHERE seq = 12", "first at 12"),
        ("UPDATE events SET payload = x'02' WHERE seq = 13", "records 13 to 14: the events differ"),
        ("DELETE FROM events WHERE seq = 14", "first at 14"),
        ("UPDATE blocks SET raw = substr(raw, 2) WHERE first_seq = 1", "the block is damaged"),
        ("UPDATE blocks SET boot = 2 WHERE first_seq = 1", "the header of the block differs from its row"),
        ("DELETE FROM blocks WHERE first_seq = 1", "records 1 to 12 were acknowledged and are not here"),
        ("DELETE FROM blocks WHERE first_seq = 1", "12 readings that no block holds, first 1"),
        (
            "INSERT INTO events SELECT journal, seq + 90000, boot, t_ms, type, payload, simulated, 1 FROM events"
            " WHERE seq = 13",
            "1 events that no block holds, first 90013",
        ),
        ("UPDATE journals SET cursor = 1000", "to 1000 were acknowledged and are not here"),
        ("UPDATE journals SET binding = 99", "table journals: row 1 refers to nothing"),
    ],
)  # fmt: skip
def test_each_harm_is_named(tmp_path, harm: str, told: str) -> None:
    path = filled(tmp_path / "a.db")
    with sqlite3.connect(path) as conn:
        conn.execute(harm)
    report = report_of(path)
    assert report.found >= 1
    assert any(told in problem for problem in report.problems), report.problems


def test_many_problems_are_counted_and_the_first_are_told(tmp_path) -> None:
    path = filled(tmp_path / "a.db", 100)
    with sqlite3.connect(path) as conn:
        conn.execute("UPDATE readings SET temp_cc = 1")
    report = report_of(path)
    assert (report.found, len(report.problems)) == (50, 20)


def test_of_a_damaged_file_the_rows_are_not_believed(tmp_path) -> None:
    path = filled(tmp_path / "a.db", 200)
    data = bytearray(path.read_bytes())
    data[8192:24576] = bytes(16384)
    path.write_bytes(data)
    report = report_of(path)
    assert report.found and report.blocks == 0 and report.problems[0].startswith("file: ")
