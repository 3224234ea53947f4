"""GRADE records of wearables, one row each, so that they are found without decoding events."""

from collections.abc import Iterator
from typing import NamedTuple

from host_agent.store.db import Tx

_SELECT = (
    "SELECT seq, boot, t_ms, scale, scale_version, rule_hash, lower, upper, fever, status, reasons, missing, simulated"
    " FROM grades WHERE journal = ?"
)


class StoredGrade(NamedTuple):
    """What a wearable decided; numbers of crs_core.codes, `reasons` and `missing` one byte a code.

    `lower` and `upper` None: not gradable.
    """

    seq: int
    boot: int
    t_ms: int
    scale: int
    scale_version: int
    rule_hash: bytes
    lower: int | None
    upper: int | None
    fever: int
    status: int
    reasons: bytes
    missing: bytes
    simulated: int


def grades(tx: Tx, journal: int) -> Iterator[StoredGrade]:
    """Every grade of one journal (row id), oldest first."""
    return map(StoredGrade._make, tx.execute(f"{_SELECT} ORDER BY seq", (journal,)))


def newest_grade(tx: Tx, journal: int) -> StoredGrade | None:
    """The last grade of one journal (row id)."""
    row = tx.execute(f"{_SELECT} ORDER BY seq DESC LIMIT 1", (journal,)).fetchone()
    return StoredGrade._make(row) if row else None
