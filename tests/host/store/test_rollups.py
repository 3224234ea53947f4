"""Roll-ups are what the readings add up to, whatever order blocks come in, and only valid values are values."""

import sqlite3
from typing import Any

import pytest
from crs_core import units
from crs_core.journal import block_layout, block_reader, block_writer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host_agent.store.content_check import check_content
from host_agent.store.coverage import Coverage
from host_agent.store.db import Store, open_read_only
from host_agent.store.insertion import IncomingBlock
from host_agent.store.rollup_check import valid_values
from host_agent.store.rollups import BUCKET_MS, read_rollups, uncovered
from tests.host.store.stored import JOURNAL_ID, STATUS, blocks, fill

OFF = units.make_status(units.SITE_AXILLA, units.TEMP_VALID, units.PPG_VALID, units.WEAR_OFF)
STATES = st.builds(
    units.make_status, st.integers(0, 7), st.sampled_from([0, 0, 0, 3, 7]), st.sampled_from([0, 0, 0, 4, 11]),
    st.integers(0, 3), st.sampled_from([0, units.STATUS_CHARGING, units.STATUS_PAUSED]),
)  # fmt: skip
VALUES = st.builds(
    lambda step, temp, spo2, hr, pi, status: (step, units.Reading(0, temp, spo2, hr, pi, status)),
    st.integers(1, 120_000),
    st.none() | st.integers(2490, 2510) | st.integers(3600, 4000) | st.integers(4490, 4510),
    st.none() | st.integers(495, 505) | st.integers(900, 1005),
    st.none() | st.integers(15, 25) | st.integers(60, 310),
    st.none() | st.integers(0, 12),
    STATES,
)


def incoming(first_seq: int, readings: list[units.Reading], boot: int = 1, flags: int = 0) -> IncomingBlock:
    raw = block_writer.encode_readings(JOURNAL_ID, boot, first_seq, readings, flags)
    header, content = block_reader.decode(raw, JOURNAL_ID)
    return IncomingBlock(header, raw, content)


def rows(store: Store, columns: str = "*") -> list[tuple[Any, ...]]:
    return store.read_now(lambda tx: tx.execute(f"SELECT {columns} FROM rollups").fetchall())


def at(t_s: int, temp: int | None = 3700, spo2: int | None = 970, status: int = STATUS) -> units.Reading:
    return units.Reading(t_s * 1000, temp, spo2, 80, 150, status)


def test_five_minutes_are_one_row(store) -> None:
    fill(store, [incoming(1, [at(10, 3700), at(290, 3710), at(299, 3690, None)])])
    fill(store, [incoming(4, [at(300, 3800), at(310, 3900, 900)])])
    assert rows(store) == [
        (1, 1, 0, 1, 0, 3, 3, 11100, 3690, 3710, 2, 1940, 970, 970, 3, 240, 80, 80),
        (1, 1, 1, 1, 0, 2, 2, 7700, 3800, 3900, 2, 1870, 900, 970, 2, 160, 80, 80),
    ]


def test_a_bucket_grows_with_each_block_and_a_known_block_counts_once(tmp_path) -> None:
    items = [incoming(1 + i, [at(i * 10, 3700 + i)]) for i in range(5)]
    with Store(tmp_path / "a.db") as store:
        for item in items:
            fill(store, [item])
        fill(store, items)
        assert rows(store, "n, temp_n, temp_sum, temp_min, temp_max") == [(5, 5, 18510, 3700, 3704)]


def test_what_is_not_valid_is_counted_and_is_no_value(store) -> None:
    fill(store, [incoming(1, [at(10, 4200, 600, OFF), at(20, 4200, 600, OFF)])])
    assert rows(store) == [(1, 1, 0, 1, 0, 2, 0, 0, None, None, 0, 0, None, None, 0, 0, None, None)]
    fill(store, [incoming(3, [at(30, 3700)])])
    fill(store, [incoming(4, [at(40, 4200, 600, OFF)])])
    assert rows(store, "n, temp_n, temp_min, temp_max, spo2_min, spo2_max") == [(4, 1, 3700, 3700, 970, 970)]


def test_sites_boots_and_simulations_are_never_mixed(tmp_path) -> None:
    oral = units.make_status(units.SITE_ORAL, 0, 0, units.WEAR_WORN)
    with Store(tmp_path / "a.db") as store:
        fill(
            store,
            [
                incoming(1, [at(10), at(20, status=oral)]),
                incoming(3, [at(10)], boot=2),
                incoming(4, [at(30)], boot=2, flags=block_layout.FLAG_SIMULATED),
            ],
        )
        assert rows(store, "boot, bucket, site, simulated, n") == [
            (1, 0, 1, 0, 1), (1, 0, 2, 0, 1), (2, 0, 1, 0, 1), (2, 0, 1, 1, 1),
        ]  # fmt: skip


@given(VALUES)
def test_the_view_lets_through_what_the_guards_of_the_grader_do(case) -> None:
    reading = case[1]
    conn = _VIEW
    conn.execute("DELETE FROM readings")
    conn.execute("INSERT INTO readings VALUES (1, 1, 1, 0, ?, ?, ?, ?, ?, 0)", reading[1:])
    told = conn.execute("SELECT temp_cc, spo2_tenths, hr_bpm, site FROM valid_readings").fetchone()
    assert told == (*valid_values(*reading[1:]), units.site_of(reading.status))


def _with_schema() -> sqlite3.Connection:
    from host_agent.store.migrate import migrate

    conn = sqlite3.connect(":memory:", isolation_level=None)
    migrate(conn, 1)
    return conn


_VIEW = _with_schema()


@settings(
    max_examples=settings.default.max_examples // 5,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.tuples(st.lists(VALUES, min_size=1, max_size=12), st.integers(1, 3)), min_size=1, max_size=12
    ),
    st.randoms(use_true_random=False),
)
def test_in_any_order_and_any_number_of_commits_they_are_what_verify_adds_up(tmp_path_factory, plan, rng):
    items, seq, boot, t_ms = [], 1, 1, 0
    for cases, leap in plan:
        if leap == 3:
            boot, t_ms = boot + 1, 0
        readings = []
        for step, reading in cases:
            t_ms += step
            readings.append(reading._replace(t_ms=t_ms))
        items.append(incoming(seq, readings, boot, block_layout.FLAG_SIMULATED if boot == 2 else 0))
        seq += len(readings)
    events = [item for item in blocks(2, seq) if item.header.kind == block_layout.KIND_EVENTS]
    items += events
    rng.shuffle(items)
    folder = tmp_path_factory.mktemp("any")
    with Store(folder / "a.db") as store:
        coverage = Coverage()
        while items:
            size = rng.randrange(1, 6)
            fill(store, items[:size], coverage)
            for item in items[:size]:
                coverage.add(item.header.first_seq, item.header.first_seq + item.header.count - 1)
            items = items[size:]
        assert store.read_now(lambda tx: uncovered(tx, 1)) == 0
        problems = store.read_now(check_content).problems
        assert not [text for text in problems if "roll-up" in text], problems


@pytest.mark.parametrize(
    "harm",
    ["UPDATE rollups SET n = n + 1 WHERE bucket = 1", "UPDATE rollups SET temp_min = temp_min - 1",
     "UPDATE rollups SET hr_sum = 0", "DELETE FROM rollups WHERE bucket = 0",
     "INSERT INTO rollups SELECT journal, 7, bucket, site, simulated, n, temp_n, temp_sum, temp_min, temp_max, spo2_n,"
     " spo2_sum, spo2_min, spo2_max, hr_n, hr_sum, hr_min, hr_max FROM rollups WHERE bucket = 0"],
)  # fmt: skip
def test_verify_names_a_roll_up_that_is_wrong(tmp_path, harm: str) -> None:
    with Store(tmp_path / "a.db") as store:
        fill(store, list(blocks(20)))
    with sqlite3.connect(tmp_path / "a.db") as conn:
        conn.execute(harm)
    (problem,) = check_content(open_read_only(tmp_path / "a.db")).problems
    assert "roll-ups are not what the readings add up to" in problem


def test_what_lacks_a_reading_does_not_cover(store) -> None:
    fill(store, list(blocks(20)))
    for harm in ("n = n - 1", "temp_n = temp_n - 1", "spo2_min = spo2_min + 1", "hr_max = NULL"):
        store.write_now(lambda tx, harm=harm: tx.execute("CREATE TABLE kept AS SELECT * FROM rollups"))
        store.write_now(lambda tx, harm=harm: tx.execute(f"UPDATE rollups SET {harm} WHERE bucket = 1"))
        assert store.read_now(lambda tx: uncovered(tx, 1)) == 1, harm
        store.write_now(lambda tx: tx.execute("DELETE FROM rollups"))
        store.write_now(lambda tx: tx.execute("INSERT INTO rollups SELECT * FROM kept"))
        store.write_now(lambda tx: tx.execute("DROP TABLE kept"))
    assert store.read_now(lambda tx: uncovered(tx, 1)) == 0
    store.write_now(lambda tx: tx.execute("UPDATE rollups SET n = n + 100"))  # of rows that are gone
    assert store.read_now(lambda tx: uncovered(tx, 1)) == 0


def test_larger_spans_are_made_of_whole_buckets(tmp_path) -> None:
    with Store(tmp_path / "a.db") as store:
        hour = [at(10 * i, 3600 + i) for i in range(12 * 31)]  # 62 minutes
        fill(store, [incoming(1 + i, hour[i : i + 12]) for i in range(0, len(hour), 12)])
        hours = store.read_now(lambda tx: list(read_rollups(tx, 3_600_000 // BUCKET_MS)))
    assert [(row.boot, row.bucket, *row.figures[:5]) for row in hours] == [
        (1, 0, 360, 360, sum(range(3600, 3960)), 3600, 3959),
        (1, 1, 12, 12, sum(range(3960, 3972)), 3960, 3971),
    ]
