"""Entries on their way to the wearable: made in the commit of the entry, kept until the wearable journaled them."""

from collections.abc import Iterator
from typing import NamedTuple

from host_agent.store.db import Tx

WAITING, JOURNALED, REFUSED, LEFT = "waiting", "journaled", "refused", "left"

_SELECT = (
    "SELECT o.audit, o.binding, b.profile, o.proof, o.observed_utc_ms, o.numbers, o.state, o.last_error"
    " FROM context_outgoing o JOIN bindings b ON b.id = o.binding"
)


class Outgoing(NamedTuple):
    """What one entry tells the wearable. `numbers` is JSON text: key number → value or null.

    `state` is one of the four words above, `left`: the binding ended first. `profile` is that of the binding.
    """

    audit: int
    binding: int
    profile: str
    proof: bytes
    observed_utc_ms: int
    numbers: str
    state: str
    last_error: str


def outgoing(tx: Tx, binding: int | None = None) -> list[Outgoing]:
    """All that was ever put here for one binding (row id), or (None) for all, in the order of signing."""
    if binding is None:
        return list(_found(tx, "ORDER BY o.audit"))
    return list(_found(tx, "WHERE o.binding = ? ORDER BY o.audit", binding))


def waiting(tx: Tx, binding: int) -> list[Outgoing]:
    """What is still to be sent for this binding (row id), in the order of signing."""
    return list(_found(tx, "WHERE o.binding = ? AND o.state = 'waiting' ORDER BY o.audit", binding))


def all_waiting(tx: Tx) -> list[Outgoing]:
    """What is still to be sent, for every binding, in the order of signing."""
    return list(_found(tx, "WHERE o.state = 'waiting' ORDER BY o.audit"))


def waiting_for_nobody(tx: Tx) -> list[Outgoing]:
    """What still waits although its binding ended."""
    return list(_found(tx, "WHERE o.state = 'waiting' AND b.state = 'ended' ORDER BY o.audit"))


def last_answered(tx: Tx, binding: int) -> Outgoing | None:
    """The last entry of this binding (row id) that the wearable journaled or refused."""
    where = "WHERE o.binding = ? AND o.state IN ('journaled', 'refused') ORDER BY o.audit DESC LIMIT 1"
    return next(_found(tx, where, binding), None)


def is_outgoing(tx: Tx, audit: int) -> bool:
    """Whether the entry of this audit row tells the wearable anything."""
    return next(_found(tx, "WHERE o.audit = ?", audit), None) is not None


def add_outgoing(
    tx: Tx, audit: int, binding: int, proof: bytes, *, observed_utc_ms: int, numbers: str
) -> None:
    """Let what one entry tells the wearable wait to be sent; `numbers` as in `Outgoing`."""
    tx.execute(
        "INSERT INTO context_outgoing (audit, binding, proof, observed_utc_ms, numbers, state)"
        " VALUES (?, ?, ?, ?, ?, 'waiting')",
        (audit, binding, proof, observed_utc_ms, numbers),
    )


def note_attempt(tx: Tx, audit: int, error: str) -> None:
    """It was sent and nothing came back: it stays and is sent again."""
    tx.execute(
        "UPDATE context_outgoing SET attempts = attempts + 1, last_error = ? WHERE audit = ?", (error, audit)
    )


def finish(tx: Tx, audit: int, state: str, error: str, utc_ms: int) -> None:
    """It is `journaled` by the wearable, `refused` by it for good, or `left` because its binding ended."""
    tx.execute(
        "UPDATE context_outgoing SET attempts = attempts + ?, state = ?, last_error = ?, done_utc_ms = ?"
        " WHERE audit = ?",
        (state != LEFT, state, error, utc_ms, audit),
    )


def _found(tx: Tx, where: str, *values: object) -> Iterator[Outgoing]:
    return map(Outgoing._make, tx.execute(f"{_SELECT} {where}", values))
