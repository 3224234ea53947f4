"""Patients and their bindings to wearables. At most one binding of a wearable has not ended (an index sees to it)."""

from collections.abc import Iterator
from typing import NamedTuple

from host_agent.store.db import Tx

STARTING, ACTIVE, ENDING, ENDED = "starting", "active", "ending", "ended"

_SELECT = (
    "SELECT b.id, b.binding_id, b.device, d.device_id, p.pseudonym, b.profile, b.state, b.started_utc_ms,"
    " b.ended_utc_ms, d.simulated FROM bindings b JOIN devices d ON d.id = b.device"
    " LEFT JOIN patients p ON p.id = b.patient"
)


class Binding(NamedTuple):
    """One wearable bound to one patient. `row` and `device` are row ids, `patient` is the pseudonym, None: not stated.

    `profile` is the canonical text of patient/profile.py; `state` is one of the four words above.
    """

    row: int
    binding_id: bytes
    device: int
    device_id: bytes
    patient: str | None
    profile: str
    state: str
    started_utc_ms: int
    ended_utc_ms: int | None
    simulated: bool


def bindings(tx: Tx) -> list[Binding]:
    """Every binding, the one that started first first."""
    return list(_found(tx, "ORDER BY b.id"))


def open_bindings(tx: Tx) -> list[Binding]:
    """Every binding that has not ended, the one that started first first."""
    return list(_found(tx, "WHERE b.state <> 'ended' ORDER BY b.id"))


def open_binding(tx: Tx, device: int) -> Binding | None:
    """The one binding of this wearable that has not ended."""
    return next(_found(tx, "WHERE b.device = ? AND b.state <> 'ended'", device), None)


def binding_by_row(tx: Tx, row: int) -> Binding:
    """The binding of this row id; KeyError when there is none."""
    found = next(_found(tx, "WHERE b.id = ?", row), None)
    if found is None:
        raise KeyError(row)
    return found


def label_of(tx: Tx, row: int) -> str:
    """What people call the patient of this binding (row id) in messages; "" when nobody chose a label."""
    found = tx.execute("SELECT label FROM patient_labels WHERE binding = ?", (row,)).fetchone()
    return str(found[0]) if found else ""


def set_label(tx: Tx, row: int, label: str) -> None:
    """Give the patient of this binding (row id) a label."""
    tx.execute("INSERT OR REPLACE INTO patient_labels (binding, label) VALUES (?, ?)", (row, label))


def binding_states(tx: Tx, device: int) -> set[str]:
    """The states that the bindings of this wearable are in; an empty set when it was never bound here."""
    return {row[0] for row in tx.execute("SELECT DISTINCT state FROM bindings WHERE device = ?", (device,))}


def reasons_of_ends(tx: Tx) -> dict[int, str]:
    """Row id of each binding that ended -> why it ended without everything; "" when everything was synced."""
    return dict(tx.execute("SELECT id, ended_by FROM bindings WHERE state = 'ended'").fetchall())


def add_binding(tx: Tx, device: int, binding_id: bytes, *, patient: str, profile: str, utc_ms: int) -> int:
    """Make a binding in state `starting`, and the patient when the pseudonym is new; returns the row id."""
    tx.execute(
        "INSERT INTO patients (pseudonym, profile, created_utc_ms) VALUES (?, ?, ?)"
        " ON CONFLICT (pseudonym) DO UPDATE SET profile = excluded.profile",
        (patient, profile, utc_ms),
    )
    made = tx.execute(
        "INSERT INTO bindings (binding_id, patient, device, profile, state, started_utc_ms)"
        " VALUES (?, (SELECT id FROM patients WHERE pseudonym = ?), ?, ?, 'starting', ?) RETURNING id",
        (binding_id, patient, device, profile, utc_ms),
    ).fetchone()
    return int(made[0])


def set_binding_state(tx: Tx, row: int, state: str) -> None:
    """Move a binding to `active` or `ending`, also one that had ended; `end_binding` is for the last state."""
    tx.execute("UPDATE bindings SET state = ?, ended_utc_ms = NULL, ended_by = '' WHERE id = ?", (state, row))


def end_binding(tx: Tx, row: int, reason: str, utc_ms: int) -> None:
    """End a binding, and close the episodes that are open about it. `reason` "": everything was synced."""
    tx.execute(
        "UPDATE bindings SET state = 'ended', ended_utc_ms = ?, ended_by = ? WHERE id = ?",
        (utc_ms, reason, row),
    )
    tx.execute(
        "UPDATE episodes SET state = 'closed', priority = 0, changed_utc_ms = ?, closed_utc_ms = ?"
        " WHERE binding = ? AND state <> 'closed'",
        (utc_ms, utc_ms, row),
    )


def _found(tx: Tx, where: str, *values: object) -> Iterator[Binding]:
    for *columns, simulated in tx.execute(f"{_SELECT} {where}", values):
        yield Binding._make((*columns, bool(simulated)))
