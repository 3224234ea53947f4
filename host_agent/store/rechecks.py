"""How far a journal's decisions were re-run on this host, from what, and where wearable and host disagree."""

from collections.abc import Iterable
from typing import NamedTuple

from host_agent.store.db import Tx


class Position(NamedTuple):
    """A journal is re-run up to `done_seq`, and may be up to `cursor`; `state` is what the re-run left there."""

    device: int
    cursor: int
    done_seq: int
    state: bytes | None


class Disagreement(NamedTuple):
    """`kind` is grade, alarm, state, rules or malformed; both sides as short text."""

    seq: int
    kind: str
    device_says: str
    host_says: str
    rule_hash: bytes


def position(tx: Tx, journal: int) -> Position:
    """Where the re-run of this journal stands."""
    return Position(
        *tx.execute(
            "SELECT device, cursor, verified_seq, verify_state FROM journals WHERE id = ?", (journal,)
        ).fetchone()
    )


def set_position(tx: Tx, journal: int, done_seq: int, state: bytes) -> None:
    """Keep how far the re-run came."""
    tx.execute(
        "UPDATE journals SET verified_seq = ?, verify_state = ? WHERE id = ?", (done_seq, state, journal)
    )


def keep_disagreements(tx: Tx, journal: int, found: Iterable[Disagreement], utc_ms: int) -> None:
    """Keep what was found, each place and kind once."""
    tx.executemany(
        "INSERT OR IGNORE INTO disagreements (journal, seq, kind, device_says, host_says, rule_hash,"
        " detected_utc_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(journal, *entry, utc_ms) for entry in found],
    )
