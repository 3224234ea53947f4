"""Wearables that this host has heard of."""

from typing import NamedTuple

from host_agent.store.db import Tx


class Device(NamedTuple):
    """One wearable. `id` is its row id, `settings` its last canonical text: lines of `key=value`, without secrets."""

    id: int
    device_id: bytes
    name: str
    simulated: bool
    last_seen_utc_ms: int
    settings: str


def devices(tx: Tx) -> list[Device]:
    """Every wearable, in the order in which they were first heard of."""
    return [
        Device(id_, device_id, name, bool(simulated), seen_utc_ms, settings)
        for id_, device_id, name, simulated, seen_utc_ms, settings in tx.execute(
            "SELECT id, device_id, name, simulated, last_seen_utc_ms, settings FROM devices ORDER BY id"
        )
    ]


def device_row(tx: Tx, device_id: bytes) -> int | None:
    """The row id of a wearable; None when nothing was ever stored of it."""
    found = tx.execute("SELECT id FROM devices WHERE device_id = ?", (device_id,)).fetchone()
    return int(found[0]) if found else None
