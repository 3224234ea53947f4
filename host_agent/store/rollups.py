"""Five-minute roll-ups of readings, updated in the transaction that inserts the readings.

The view `valid_readings` defines which values count. A bucket is five minutes of the wearable's own clock since its
start: a later time mark may change the time of a bucket, and never its content.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from host_agent.store.db import Tx

BUCKET_MS = 300_000
KEY = ("boot", "bucket", "site", "simulated")  # within a journal

_QUANTITIES = (("temp", "temp_cc"), ("spo2", "spo2_tenths"), ("hr", "hr_bpm"))
COLUMNS = ("n", *(f"{name}_{what}" for name, _ in _QUANTITIES for what in ("n", "sum", "min", "max")))
_AGGREGATES = "count(*), " + ", ".join(
    f"count({column}), coalesce(sum({column}), 0), min({column}), max({column})" for _, column in _QUANTITIES
)


def _together(column: str) -> str:
    return column[-3:] if column.endswith(("_min", "_max")) else "sum"


def _merged(column: str) -> str:
    """How a stored figure is combined with a further one; when one has no value, the other counts."""
    if _together(column) != "sum":
        both = f"coalesce({column}, excluded.{column}), coalesce(excluded.{column}, {column})"
        return f"{column} = {column[-3:]}({both})"
    return f"{column} = {column} + excluded.{column}"


_VALUES = f"boot, bucket, site, simulated, {', '.join(column for _, column in _QUANTITIES)}"
# LIMIT -1 makes SQLite compute each value once, not once for each figure made of it: a third of the time
_ADD = (
    f"INSERT INTO rollups SELECT ?1, boot, bucket, site, simulated, {_AGGREGATES} FROM"  # noqa: S608 names of ours
    f" (SELECT {_VALUES} FROM valid_readings WHERE journal = ?1 AND seq BETWEEN ?2 AND ?3 LIMIT -1)"
    " GROUP BY boot, bucket, site, simulated"
    f" ON CONFLICT DO UPDATE SET {', '.join(_merged(column) for column in COLUMNS)}"
)


def add_readings(tx: Tx, journal: int, runs: Iterable[tuple[int, int]]) -> None:
    """Add the stored readings of these ranges of sequences; call it exactly once for each reading."""
    for first, last in runs:
        tx.execute(_ADD, (journal, first, last))


class Rollup(NamedTuple):
    """`bucket` counts buckets of the width asked for; `figures` are those of COLUMNS, None: of no valid value."""

    device: int
    journal_id: bytes
    branch: int
    binding: int | None
    boot: int
    bucket: int
    site: int
    simulated: bool
    figures: tuple[int | None, ...]


def read_rollups(tx: Tx, buckets: int) -> Iterator[Rollup]:
    """Every roll-up by wearable and journal, oldest first, `buckets` of five minutes in one."""
    figures = ", ".join(f"{_together(column)}(r.{column})" for column in COLUMNS)
    for device, journal_id, branch, binding, boot, bucket, site, simulated, *values in tx.execute(
        "SELECT j.device, j.journal_id, j.branch, j.binding, r.boot, r.bucket / ?1 AS b, r.site, r.simulated,"  # noqa: S608
        f" {figures} FROM rollups r JOIN journals j ON j.id = r.journal"
        " GROUP BY j.device, j.id, r.boot, b, r.site, r.simulated",
        (buckets,),
    ):
        yield Rollup(device, journal_id, branch, binding, boot, bucket, site, bool(simulated), tuple(values))


def rollups_of(tx: Tx, journal: int, buckets: int) -> Iterator[tuple[int, ...]]:
    """boot, bucket of `buckets` of five minutes, then lowest and highest temperature (hundredths of a °C) and oxygen
    (tenths of a percent) in it, of one journal (row id); None: no valid value."""
    yield from tx.execute(
        "SELECT boot, bucket / ?2 AS b, min(temp_min), max(temp_max), min(spo2_min), max(spo2_max) FROM rollups"
        " WHERE journal = ?1 GROUP BY boot, b ORDER BY boot, b",
        (journal, buckets),
    )


def count_rollups(tx: Tx, journal: int) -> int:
    """How many roll-ups one journal (row id) has."""
    return int(tx.execute("SELECT count(*) FROM rollups WHERE journal = ?", (journal,)).fetchone()[0])


def uncovered(tx: Tx, journal: int) -> int:
    """How many buckets of this journal do not hold all their stored readings; 0 in a sound store.

    A bucket may hold more: readings whose rows were removed stay in it.
    """
    covers = " AND ".join(
        ["r.n >= s.n", *(f"r.{name}_n >= s.{name}_n" for name, _ in _QUANTITIES)]
        + [f"coalesce(r.{name}_min <= s.{name}_min, s.{name}_n = 0)" for name, _ in _QUANTITIES]
        + [f"coalesce(r.{name}_max >= s.{name}_max, s.{name}_n = 0)" for name, _ in _QUANTITIES]
    )
    stored = ", ".join(
        f"count({column}) AS {name}_n, min({column}) AS {name}_min, max({column}) AS {name}_max"
        for name, column in _QUANTITIES
    )
    row = tx.execute(
        f"SELECT count(*) FROM (SELECT boot, bucket, site, simulated, count(*) AS n, {stored} FROM"  # noqa: S608
        f" (SELECT {_VALUES} FROM valid_readings WHERE journal = ?1 LIMIT -1)"
        " GROUP BY boot, bucket, site, simulated) AS s"
        " LEFT JOIN rollups AS r ON r.journal = ?1 AND r.boot = s.boot AND r.bucket = s.bucket AND r.site = s.site"
        f" AND r.simulated = s.simulated WHERE r.n IS NULL OR NOT ({covers})",
        (journal,),
    ).fetchone()
    return int(row[0])
