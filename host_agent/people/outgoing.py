"""Entries on their way to the wearable: rows of the commit that took the entry, sent until the wearable journaled them.

Each goes with the age that it has when it is sent, under the same proof; twice is harmless.
"""

import json
import sqlite3
from typing import NamedTuple

from crs_core import context


class Waiting(NamedTuple):
    """One entry that the wearable does not have yet."""

    audit: int
    proof: bytes
    observed_utc_ms: int
    numbers: dict[int, int | None]

    def data(self, now_ms: int) -> bytes:
        """The bytes of CONTEXT as of now."""
        return context.encode(max(0, now_ms - self.observed_utc_ms), self.proof, self.numbers)


def put(
    tx: sqlite3.Connection,
    audit: int,
    binding: int,
    proof: bytes,
    *,
    observed_utc_ms: int,
    numbers: dict[int, int | None],
) -> None:
    """Queue what one entry tells the wearable."""
    context.encode(0, proof, numbers)  # LocalError here, and not when it is sent at night
    tx.execute(
        "INSERT INTO context_outgoing (audit, binding, proof, observed_utc_ms, numbers, state)"
        " VALUES (?, ?, ?, ?, ?, 'waiting')",
        (audit, binding, proof, observed_utc_ms, json.dumps(numbers, sort_keys=True)),
    )


def waiting(tx: sqlite3.Connection, binding: int) -> list[Waiting]:
    """What is still to be sent for this binding, in the order in which it was signed."""
    return [
        Waiting(audit, proof, observed, {int(key): value for key, value in json.loads(numbers).items()})
        for audit, proof, observed, numbers in tx.execute(
            "SELECT audit, proof, observed_utc_ms, numbers FROM context_outgoing"
            " WHERE binding = ? AND state = 'waiting' ORDER BY audit",
            (binding,),
        )
    ]


def tried(tx: sqlite3.Connection, audit: int, error: str) -> None:
    """It was sent and nothing came back: it stays and is sent again."""
    tx.execute(
        "UPDATE context_outgoing SET attempts = attempts + 1, last_error = ? WHERE audit = ?", (error, audit)
    )


def done(tx: sqlite3.Connection, audit: int, state: str, error: str, utc_ms: int) -> None:
    """`journaled` by the wearable, `refused` by it for good, or `left` because its binding ended."""
    tx.execute(
        "UPDATE context_outgoing SET attempts = attempts + ?, state = ?, last_error = ?, done_utc_ms = ?"
        " WHERE audit = ?",
        (state != "left", state, error, utc_ms, audit),
    )
