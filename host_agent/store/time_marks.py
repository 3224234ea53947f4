"""What dates the records of a wearable: time marks, and how far each of its boots reached."""

from typing import NamedTuple

from host_agent.store.db import Tx

_MARKS = "SELECT boot, t_ms, utc_ms, bound_ms FROM time_marks WHERE device = ?"


class Mark(NamedTuple):
    """At `t_ms` of `boot` it was `utc_ms` ± `bound_ms`."""

    boot: int
    t_ms: int
    utc_ms: int
    bound_ms: int


class Extent(NamedTuple):
    """What is known of one boot: the latest moment of it in a record, and when that record was received."""

    boot: int
    last_ms: int
    received_utc_ms: int


def marks_of(tx: Tx, device: int) -> list[Mark]:
    """All marks of a wearable, in order of its own time."""
    return [Mark(*row) for row in tx.execute(f"{_MARKS} ORDER BY boot, t_ms", (device,))]


def marks_of_boot(tx: Tx, device: int, boot: int) -> list[Mark]:
    """The marks of one boot: a single read of an index."""
    return [Mark(*row) for row in tx.execute(f"{_MARKS} AND boot = ?", (device, boot))]


def extents_of(tx: Tx, device: int) -> list[Extent]:
    """How far each boot of a wearable reached."""
    rows = tx.execute("SELECT boot, last_ms, received_utc_ms FROM boots WHERE device = ?", (device,))
    return [Extent(*row) for row in rows]


def keep_mark(tx: Tx, device: int, mark: Mark, source: str) -> None:
    """Keep a mark that the host measured ("live") or corrected ("journal"); a bound never gets smaller."""
    tx.execute(
        "INSERT INTO time_marks VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " utc_ms = excluded.utc_ms, bound_ms = max(bound_ms, excluded.bound_ms)",
        (device, mark.boot, mark.t_ms, source, mark.utc_ms, mark.bound_ms),
    )
