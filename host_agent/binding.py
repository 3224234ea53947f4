"""Binding a wearable to a patient and ending it: rows before the wearable acts, so that a kill in between is mended.

starting → active → ending → ended. The wearable's own status decides what really happened (`reconcile`).
"""

import os
from typing import Any, NamedTuple

from crs_core.wire import message as wire

from host_agent.errors import HostAgentError, RequestRefused
from host_agent.profile import Profile, encode_profile
from host_agent.store.db import Store, Tx
from host_agent.store.journals import NO_BINDING, expect_journal
from host_agent.sync.engine import SyncEngine


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
        _end(tx, binding.row, "", utc_ms)


async def start_binding(
    store: Store,
    engine: SyncEngine,
    profile: Profile,
    *,
    site: str,
    utc_ms: int,
    binding_id: bytes | None = None,
) -> dict[str, Any]:
    """Bind the wearable in session; returns binding id and device. BindingError and RequestRefused say why not."""
    if not profile.site:
        profile = profile._replace(site=site)
    if profile.site != site:
        raise BindingError(
            f"--site says {profile.site}, the wearable is set up for {site or 'no site'}.",
            "Look where the thermometer sits. If the wearable is set up wrongly, provision it again.",
        )
    chosen = binding_id or os.urandom(8)
    text = encode_profile(profile)
    journal = engine.journal
    if journal is None:
        raise BindingError(
            "The wearable runs without a journal.", "Provision it, or read its faults in `cytowatch doctor`."
        )
    device = journal.device
    if engine.status.binding_id != NO_BINDING:
        raise BindingError(
            "The wearable is bound to a patient already.", "End that first: `cytowatch patient end`."
        )
    change = await store.write(
        lambda tx: _begin_start(
            tx, device, engine.device_id, binding_id=chosen, profile=profile, text=text, utc_ms=utc_ms
        )
    )
    try:
        await engine.client.bind(wire.BIND_START, chosen, text)
    except RequestRefused:
        await store.write(lambda tx: _undo_start(tx, change, chosen, utc_ms))
        raise
    await store.write(
        lambda tx: tx.execute("UPDATE bindings SET state = 'active' WHERE binding_id = ?", (chosen,))
    )
    return {
        "binding_id": chosen.hex(), "device_id": engine.device_id.hex(), "patient": profile.patient, "site": site,
    }  # fmt: skip


async def end_binding(store: Store, engine: SyncEngine, override: str, utc_ms: int) -> dict[str, Any]:
    """End the binding and let the wearable wipe itself. Without `override` (a reason) everything must be synced."""
    journal = engine.journal
    device = journal.device if journal else None
    binding = None if device is None else await store.read(lambda tx: open_binding(tx, device))
    if binding is None or journal is None or device is None:
        raise BindingError("No patient is bound to this wearable here.", "See `cytowatch status`.")
    behind = engine.head_seq - journal.cursor
    if not override and (not engine.is_caught_up or behind > 0):
        raise BindingError(
            f"The wearable still holds records that are not synced ({max(behind, 0)} known).",
            "Wait until `cytowatch status` says synced, or give them up by name: --override REASON.",
        )
    row = binding.row
    change = await store.write(lambda tx: _begin_end(tx, row, engine.device_id, utc_ms))
    op = wire.BIND_END_OVERRIDE if override else wire.BIND_END
    try:
        await engine.client.bind(op, binding.binding_id, override)
    except RequestRefused:
        await store.write(lambda tx: _undo_end(tx, row, change))
        raise
    await store.write(lambda tx: _end(tx, row, override, utc_ms))
    return {
        "binding_id": binding.binding_id.hex(),
        "device_id": engine.device_id.hex(),
        "patient": binding.pseudonym,
    }


def give_up_wearable(tx: Tx, device: int, reason: str, utc_ms: int) -> OpenBinding:
    """End the binding on this side only: the wearable is lost. Should it return, its records stay with the binding."""
    binding = open_binding(tx, device)
    if binding is None:
        raise BindingError("No patient is bound to this wearable here.", "See `cytowatch status`.")
    _end(tx, binding.row, reason, utc_ms)
    return binding


def _begin_start(
    tx: Tx, device: int, device_id: bytes, *, binding_id: bytes, profile: Profile, text: str, utc_ms: int
) -> int:
    left = open_binding(tx, device)
    if left is not None:  # a start that never reached the wearable, which says that it is free
        _end(tx, left.row, "the wearable reported no binding", utc_ms)
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


def _undo_start(tx: Tx, change: int, binding_id: bytes, utc_ms: int) -> None:
    tx.execute("DELETE FROM journal_changes WHERE id = ? AND used_by IS NULL", (change,))
    row = tx.execute("SELECT id FROM bindings WHERE binding_id = ?", (binding_id,)).fetchone()
    _end(tx, row[0], "refused by the wearable", utc_ms)


def _begin_end(tx: Tx, binding: int, device_id: bytes, utc_ms: int) -> int:
    tx.execute("UPDATE bindings SET state = 'ending' WHERE id = ?", (binding,))
    return expect_journal(tx, device_id, "patient_end", None, utc_ms)


def _undo_end(tx: Tx, binding: int, change: int) -> None:
    tx.execute("DELETE FROM journal_changes WHERE id = ? AND used_by IS NULL", (change,))
    tx.execute("UPDATE bindings SET state = 'active' WHERE id = ?", (binding,))


def _end(tx: Tx, binding: int, why: str, utc_ms: int) -> None:
    tx.execute(
        "UPDATE bindings SET state = 'ended', ended_utc_ms = ?, ended_by = ? WHERE id = ?",
        (utc_ms, why, binding),
    )
    tx.execute(
        "UPDATE episodes SET state = 'closed', priority = 0, changed_utc_ms = ?, closed_utc_ms = ?"
        " WHERE binding = ? AND state <> 'closed'",
        (utc_ms, utc_ms, binding),
    )
