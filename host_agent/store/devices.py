"""Wearables that this laptop has heard of, or raised an alarm about."""

from typing import Any, NamedTuple

from host_agent.store.db import Tx

_SELECT = "SELECT id, device_id, name, simulated, last_seen_utc_ms, settings, max_boot FROM devices"


class Device(NamedTuple):
    """One wearable; `id` is its row id, `max_boot` the highest boot number that it ever reported.

    `settings` is its last canonical text ("key=value" lines, no secrets), "" before it said any.
    """

    id: int
    device_id: bytes
    name: str
    simulated: bool
    last_seen_utc_ms: int
    settings: str
    max_boot: int

    @property
    def label(self) -> str:
        """The name that people gave it (`Bed 3`), else that of this laptop's key, else its device id."""
        own = dict(line.split("=", 1) for line in self.settings.splitlines() if "=" in line).get(
            "device_name"
        )
        return own or self.name or self.device_id.hex()


def devices(tx: Tx) -> list[Device]:
    """Every wearable, in the order in which they were first heard of."""
    return [_device(row) for row in tx.execute(f"{_SELECT} ORDER BY id")]


def device(tx: Tx, row_id: int) -> Device:
    """The wearable of this row id; KeyError when there is none."""
    row = tx.execute(f"{_SELECT} WHERE id = ?", (row_id,)).fetchone()
    if row is None:
        raise KeyError(row_id)
    return _device(row)


def find_device(tx: Tx, device_id: bytes) -> Device | None:
    """The wearable with this device id; None when nothing was ever stored of it."""
    row = tx.execute(f"{_SELECT} WHERE device_id = ?", (device_id,)).fetchone()
    return _device(row) if row else None


def device_row(tx: Tx, device_id: bytes) -> int | None:
    """The row id of a wearable; None when nothing was ever stored of it."""
    found = tx.execute("SELECT id FROM devices WHERE device_id = ?", (device_id,)).fetchone()
    return int(found[0]) if found else None


def ensure_device(tx: Tx, device_id: bytes, utc_ms: int, name: str = "") -> int:
    """Row id of a wearable that was heard at `utc_ms`; a new row is made when there is none."""
    tx.execute(
        "INSERT INTO devices (device_id, name, first_seen_utc_ms, last_seen_utc_ms) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (device_id) DO UPDATE SET last_seen_utc_ms = excluded.last_seen_utc_ms,"
        " name = CASE WHEN excluded.name = '' THEN name ELSE excluded.name END",
        (device_id, name, utc_ms, utc_ms),
    )
    return int(tx.execute("SELECT id FROM devices WHERE device_id = ?", (device_id,)).fetchone()[0])


def ensure_device_unheard(tx: Tx, device_id: bytes, utc_ms: int) -> int:
    """Row id of a wearable. A known one keeps its time of last contact: an alarm about it is no contact."""
    known = device_row(tx, device_id)
    return ensure_device(tx, device_id, utc_ms) if known is None else known


def set_simulated(tx: Tx, device: int, simulated: int) -> None:
    """Keep whether the wearable says that it is a simulation."""
    tx.execute("UPDATE devices SET simulated = ? WHERE id = ?", (simulated, device))


def note_boot(tx: Tx, device: int, boot: int) -> int:
    """Raise the highest boot number known; returns what it was before."""
    row = tx.execute("SELECT max_boot FROM devices WHERE id = ?", (device,)).fetchone()
    before = int(row[0])
    if boot > before:
        set_boot(tx, device, boot)
    return before


def set_boot(tx: Tx, device: int, boot: int) -> None:
    """Set the highest boot number known, also to a lower one."""
    tx.execute("UPDATE devices SET max_boot = ? WHERE id = ?", (boot, device))


def _device(row: tuple[Any, ...]) -> Device:
    id_, device_id, name, simulated, *rest = row
    return Device(id_, device_id, name, bool(simulated), *rest)
