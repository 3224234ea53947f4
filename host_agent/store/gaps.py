"""Sequences that a wearable said it cannot give."""

from typing import NamedTuple

from host_agent.store.db import Tx


class ReceivedGap(NamedTuple):
    """`reason` is one of crs_core.codes; `received_utc_ms` is when the wearable said so."""

    first_seq: int
    last_seq: int
    reason: int
    received_utc_ms: int


def gaps(tx: Tx, journal: int) -> list[ReceivedGap]:
    """The gaps of one journal (row id), in order of sequence."""
    rows = tx.execute(
        "SELECT first_seq, last_seq, reason, received_utc_ms FROM gaps WHERE journal = ? ORDER BY first_seq",
        (journal,),
    )
    return [ReceivedGap._make(row) for row in rows]
