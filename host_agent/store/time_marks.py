"""What dates the records of a wearable: time marks, and how far each of its boots reached."""

from collections.abc import Iterable
from typing import NamedTuple

from host_agent.store.db import Tx

_MARKS = "SELECT boot, t_ms, utc_ms, bound_ms, own, key_id FROM time_marks WHERE device = ?"
_EXTENTS = (
    "SELECT boot, last_ms, received_utc_ms, coalesce(tight_ms, last_ms), coalesce(tight_utc_ms, received_utc_ms)"
    " FROM boots WHERE device = ?"
)


AHEAD_MAX_MS = (
    600_000  # beyond it a record is not of this boot's clock, or this laptop's clock was just set back
)


class Mark(NamedTuple):
    """At `t_ms` of `boot` it was `utc_ms` ± `bound_ms`. `own`: this laptop measured it; `key_id` None: not known."""

    boot: int
    t_ms: int
    utc_ms: int
    bound_ms: int
    own: bool = False
    key_id: int | None = None


class Extent(NamedTuple):
    """What is known of one boot: the latest moment of it in a record, and when that record was received.

    At `tight_ms` of the boot it was `tight_utc_ms` at the latest, because a record of that moment had come by then.
    None: as `last_ms`.
    """

    boot: int
    last_ms: int
    received_utc_ms: int
    tight_ms: int | None = None
    tight_utc_ms: int | None = None


def marks_of(tx: Tx, device: int) -> list[Mark]:
    """All marks of a wearable, in order of its own time."""
    return [_mark(row) for row in tx.execute(f"{_MARKS} ORDER BY boot, t_ms", (device,))]


def marks_of_boot(tx: Tx, device: int, boot: int) -> list[Mark]:
    """The marks of one boot: a single read of an index."""
    return [_mark(row) for row in tx.execute(f"{_MARKS} AND boot = ?", (device, boot))]


def newest_marked_boot(tx: Tx, device: int) -> int | None:
    """The highest boot number that has a mark."""
    found = tx.execute("SELECT max(boot) FROM time_marks WHERE device = ?", (device,)).fetchone()[0]
    return None if found is None else int(found)


def extents_of(tx: Tx, device: int) -> list[Extent]:
    """How far each boot of a wearable reached."""
    return [Extent(*row) for row in tx.execute(_EXTENTS, (device,))]


def extents_of_boot(tx: Tx, device: int, boot: int) -> list[Extent]:
    """How far this boot reached; an empty list before its first record."""
    return [Extent(*row) for row in tx.execute(f"{_EXTENTS} AND boot = ?", (device, boot))]


def keep_mark(tx: Tx, device: int, mark: Mark, source: str) -> None:
    """Keep a mark that the host measured ("live") or corrected ("journal"); a bound never gets smaller.

    Where it contradicts the earliest receipt of its boot, this laptop's clock was set, and it stands for the receipt.
    """
    tx.execute(
        "INSERT INTO time_marks (device, boot, t_ms, source, utc_ms, bound_ms, key_id, own)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 1)"
        " ON CONFLICT DO UPDATE SET utc_ms = excluded.utc_ms, bound_ms = max(bound_ms, excluded.bound_ms),"
        " key_id = excluded.key_id, own = 1",
        (device, mark.boot, mark.t_ms, source, mark.utc_ms, mark.bound_ms, mark.key_id),
    )
    tx.execute(
        "UPDATE boots SET tight_ms = ?1, tight_utc_ms = ?2 + ?3 WHERE device = ?4 AND boot = ?5"
        " AND abs(?2 - ?1 - coalesce(tight_utc_ms, received_utc_ms) + coalesce(tight_ms, last_ms)) > ?3"
        " AND ?6 = 'live'",
        (mark.t_ms, mark.utc_ms, mark.bound_ms, device, mark.boot, source),
    )


def keep_received_mark(tx: Tx, device: int, mark: Mark) -> None:
    """Keep a mark that a wearable journaled, whoever sent the time; what this laptop knows better stays."""
    tx.execute(
        "INSERT OR IGNORE INTO time_marks (device, boot, t_ms, source, utc_ms, bound_ms, key_id)"
        " VALUES (?, ?, ?, 'journal', ?, ?, ?)",
        (device, mark.boot, mark.t_ms, mark.utc_ms, mark.bound_ms, mark.key_id),
    )


def note_extents(tx: Tx, device: int, latest: Iterable[tuple[int, int]], received_utc_ms: int) -> None:
    """A record of each (boot, t_ms) came at `received_utc_ms`; the latest record and the earliest receipt stay.

    A moment far ahead of what this laptop measured of that boot says nothing: one bad record dates no other.
    """
    tx.executemany(
        "INSERT INTO boots VALUES (?1, ?2, ?3, ?4, ?3, ?4) ON CONFLICT (device, boot) DO UPDATE SET"
        " tight_ms = iif(?4 - ?3 < coalesce(tight_utc_ms, received_utc_ms) - coalesce(tight_ms, last_ms), ?3,"
        " coalesce(tight_ms, last_ms)),"
        " tight_utc_ms = iif(?4 - ?3 < coalesce(tight_utc_ms, received_utc_ms) - coalesce(tight_ms, last_ms), ?4,"
        " coalesce(tight_utc_ms, received_utc_ms)),"
        " received_utc_ms = iif(?3 > last_ms, ?4, received_utc_ms), last_ms = max(?3, last_ms)",
        [
            (device, boot, t_ms, received_utc_ms)
            for boot, t_ms in latest
            if received_utc_ms - t_ms > _own_start(tx, device, boot) - AHEAD_MAX_MS
        ],
    )


def _own_start(tx: Tx, device: int, boot: int) -> int:
    """When this boot began by the newest mark of this laptop; the beginning of time without one."""
    row = tx.execute(
        "SELECT utc_ms - t_ms FROM time_marks WHERE device = ? AND boot = ? AND own = 1 ORDER BY t_ms DESC LIMIT 1",
        (device, boot),
    ).fetchone()
    return -(1 << 62) if row is None else int(row[0])


def _mark(row: tuple[int, int, int, int, int, int | None]) -> Mark:
    boot, t_ms, utc_ms, bound_ms, own, key_id = row
    return Mark(boot, t_ms, utc_ms, bound_ms, bool(own), key_id)
