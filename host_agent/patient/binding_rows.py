"""The rows of patient bindings: at most one per wearable that has not ended. starting → active → ending → ended."""

from typing import NamedTuple

from host_agent.errors import HostAgentError
from host_agent.patient.profile import Profile
from host_agent.store.db import Tx
from host_agent.store.journals import NO_BINDING, expect_journal


class BindingError(HostAgentError):
    """A patient start or end that cannot be done now."""

    code = "binding"
    default_advice = "See `cytowatch status`."


class OpenBinding(NamedTuple):
    """The binding of a wearable that has not ended."""

    row: int
    binding_id: bytes
    state: str
    pseudonym: str
    profile: str


def open_binding(tx: Tx, device: int) -> OpenBinding | None:
    """The one binding of this wearable that has not ended."""
    row = tx.execute(
        "SELECT b.id, b.binding_id, b.state, coalesce(p.pseudonym, ''), b.profile FROM bindings b"
        " LEFT JOIN patients p ON p.id = b.patient WHERE b.device = ? AND b.state <> 'ended'",
        (device,),
    ).fetchone()
    return OpenBinding(*row) if row else None


def reconcile(tx: Tx, device: int, wearable_binding: bytes, utc_ms: int) -> None:
    """Bring the row in line with what the wearable says it is bound to (zeros: to nobody)."""
    binding = open_binding(tx, device)
    if binding is None:
        return
    if binding.state == "starting" and binding.binding_id == wearable_binding:
        tx.execute("UPDATE bindings SET state = 'active' WHERE id = ?", (binding.row,))
    elif binding.state == "ending" and wearable_binding == NO_BINDING:
        end(tx, binding.row, "", utc_ms)


def give_up_wearable(tx: Tx, device: int, reason: str, utc_ms: int) -> OpenBinding:
    """End the binding on this side only: the wearable is lost. Should it return, its records stay with the binding."""
    binding = open_binding(tx, device)
    if binding is None:
        raise BindingError("No patient is bound to this wearable here.", "See `cytowatch status`.")
    end(tx, binding.row, reason, utc_ms)
    return binding


def begin_start(
    tx: Tx, device: int, device_id: bytes, *, binding_id: bytes, profile: Profile, text: str, utc_ms: int
) -> int:
    left = open_binding(tx, device)
    if left is not None:  # a start that never reached the wearable, which says that it is free
        end(tx, left.row, "the wearable reported no binding", utc_ms)
    tx.execute(
        "INSERT INTO patients (pseudonym, profile, created_utc_ms) VALUES (?, ?, ?)"
        " ON CONFLICT (pseudonym) DO UPDATE SET profile = excluded.profile",
        (profile.patient, text, utc_ms),
    )
    row = tx.execute(
        "INSERT INTO bindings (binding_id, patient, device, profile, state, started_utc_ms)"
        " VALUES (?, (SELECT id FROM patients WHERE pseudonym = ?), ?, ?, 'starting', ?) RETURNING id",
        (binding_id, profile.patient, device, text, utc_ms),
    ).fetchone()
    return expect_journal(tx, device_id, "patient_start", row[0], utc_ms)


def undo_start(tx: Tx, change: int, binding_id: bytes, utc_ms: int) -> None:
    tx.execute("DELETE FROM journal_changes WHERE id = ? AND used_by IS NULL", (change,))
    row = tx.execute("SELECT id FROM bindings WHERE binding_id = ?", (binding_id,)).fetchone()
    end(tx, row[0], "refused by the wearable", utc_ms)


def begin_end(tx: Tx, binding: int, device_id: bytes, utc_ms: int) -> int:
    tx.execute("UPDATE bindings SET state = 'ending' WHERE id = ?", (binding,))
    return expect_journal(tx, device_id, "patient_end", None, utc_ms)


def undo_end(tx: Tx, binding: int, change: int) -> None:
    tx.execute("DELETE FROM journal_changes WHERE id = ? AND used_by IS NULL", (change,))
    tx.execute("UPDATE bindings SET state = 'active' WHERE id = ?", (binding,))


def end(tx: Tx, binding: int, why: str, utc_ms: int) -> None:
    tx.execute(
        "UPDATE bindings SET state = 'ended', ended_utc_ms = ?, ended_by = ? WHERE id = ?",
        (utc_ms, why, binding),
    )
    tx.execute(
        "UPDATE episodes SET state = 'closed', priority = 0, changed_utc_ms = ?, closed_utc_ms = ?"
        " WHERE binding = ? AND state <> 'closed'",
        (utc_ms, utc_ms, binding),
    )
