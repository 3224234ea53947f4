"""Bind a wearable in session to a patient, and end that: the host's rows first, then the wearable, then the rows again.

A crash midway is repaired at the next contact (`binding_states.reconcile`).
"""

import os
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from crs_core.wire import message as wire
from crs_core.wire import rights

from host_agent.errors import RequestRefused
from host_agent.patient import binding_states
from host_agent.patient.binding_states import BindingError
from host_agent.patient.profile import Profile, encode_profile
from host_agent.store.bindings import ACTIVE, Binding, open_binding, set_binding_state
from host_agent.store.bindings import end_binding as end_row
from host_agent.store.db import Store
from host_agent.store.journals import NO_BINDING, expect_journal, forget_expected
from host_agent.sync.engine import SyncEngine
from host_agent.sync.new_journal import bind


class Start(NamedTuple):
    """Whom to bind the wearable to. `site`: as the wearable is set up; `second_wearable`: they may wear another.

    `label`: what messages call the patient; "": the pseudonym. It stays on this laptop.
    """

    profile: Profile
    site: str
    second_wearable: bool = False
    label: str = ""


async def check_start(store: Store, engine: SyncEngine, start: Start) -> tuple[int, Profile]:
    """(row id of the wearable, whole profile) of a start that can be done now; BindingError says why it cannot."""
    if engine.client.key is not None:
        engine.client.key.demand(rights.BIND)
    profile = start.profile if start.profile.site else start.profile._replace(site=start.site)
    if profile.site != start.site:
        raise BindingError(
            f"--site says {profile.site}, the wearable is set up for {start.site or 'no site'}.",
            "Look where the thermometer sits. If the wearable is set up wrongly, provision it again.",
        )
    journal = engine.journal
    if journal is None:
        raise BindingError(
            "The wearable runs without a journal.", "Provision it, or read its faults in `cytowatch doctor`."
        )
    device = journal.device
    if engine.status.binding_id != NO_BINDING:
        if await store.read(lambda tx: open_binding(tx, device)) is None:
            raise _bound_elsewhere(engine)
        raise BindingError(
            "The wearable is bound to a patient already.", "End that first: `cytowatch patient end`."
        )
    if not start.second_wearable:
        await store.read(lambda tx: binding_states.check_pseudonym(tx, device, profile.patient))
    if start.label:
        await store.read(lambda tx: binding_states.check_label(tx, device, start.label, profile.patient))
    return device, profile


async def start_binding(
    store: Store, engine: SyncEngine, start: Start, *, utc_ms: int, may_end: Collection[bytes] = ()
) -> dict[str, Any]:
    """Bind the wearable in session; returns binding id and device. BindingError and RequestRefused say why not.

    `may_end`: bindings that somebody stands for, as in `binding_states.begin_start`.
    """
    device, profile = await check_start(store, engine, start)
    chosen = os.urandom(8)
    text = encode_profile(profile)
    row, announced = await store.write(
        lambda tx: binding_states.begin_start(
            tx,
            device,
            engine.device_id,
            binding_id=chosen,
            profile=profile,
            text=text,
            utc_ms=utc_ms,
            second_wearable=start.second_wearable,
            may_end=may_end,
            label=start.label,
        )
    )
    try:
        await bind(engine.client, wire.BIND_START, chosen, text)
    except RequestRefused:
        await store.write(lambda tx: binding_states.undo_start(tx, row, announced, utc_ms))
        raise
    await store.write(lambda tx: set_binding_state(tx, row, ACTIVE))
    return {
        "binding_id": chosen.hex(), "device_id": engine.device_id.hex(), "patient": profile.patient, "site": start.site,
        "label": start.label or None,
    }  # fmt: skip


def _bound_elsewhere(engine: SyncEngine) -> BindingError:
    return BindingError(
        f"Another laptop bound this wearable to a patient (binding {engine.status.binding_id.hex()}), and that laptop"
        " gets the alarms.",
        "Look at the patient. If that laptop is gone, stop the agent and restore its backup here: cytowatch restore"
        " FILE. Without a backup, end the binding and start anew: cytowatch patient end --override REASON",
    )


async def check_not_lost(store: Store, engines: Iterable[SyncEngine], device: int) -> None:
    """BindingError when the wearable (row id) is in session and bound as it is here: then it is not lost."""
    binding = await store.read(lambda tx: open_binding(tx, device))
    for engine in engines:
        if binding is not None and engine.status.binding_id == binding.binding_id:
            raise BindingError(
                f"The wearable is linked to this laptop and bound to {binding.patient}: it is not lost.",
                "End it with `cytowatch patient end`, or lose records on purpose: cytowatch patient end --override"
                " REASON",
            )


async def check_end(store: Store, engine: SyncEngine, override: str) -> Binding | None:
    """The binding that would end; BindingError when it cannot be ended now.

    Without `override` (a reason) everything must be synced. None: another laptop bound the wearable, and its binding
    ends by `override` alone.
    """
    if engine.client.key is not None:
        engine.client.key.demand(rights.BIND)
    journal = engine.journal
    device = journal.device if journal else None
    binding = None if device is None else await store.read(lambda tx: open_binding(tx, device))
    if journal is None or device is None or (binding is None and engine.status.binding_id == NO_BINDING):
        raise BindingError("No patient is bound to this wearable.")
    if binding is None:
        if not override:
            raise _bound_elsewhere(engine)
        return None
    if engine.status.binding_id != binding.binding_id:
        now = "nobody" if engine.status.binding_id == NO_BINDING else "a patient of another laptop"
        raise BindingError(
            f"The wearable is bound to {now} now, no more to {binding.patient}.",
            "Find out who changed that. Then end the binding on this laptop: cytowatch patient end --wearable-lost"
            " REASON",
        )
    behind = engine.head_seq - journal.cursor
    if not override and (not engine.is_caught_up or behind > 0):
        raise BindingError(
            f"The wearable still holds records that are not synced ({max(behind, 0)} known).",
            "Wait until `cytowatch status` says synced, or lose them on purpose with --override REASON.",
        )
    return binding


async def end_binding(store: Store, engine: SyncEngine, override: str, utc_ms: int) -> dict[str, Any]:
    """End the binding and let the wearable wipe itself; `override` as in `check_end`."""
    binding = await check_end(store, engine, override)
    if binding is None:
        return await _end_foreign(store, engine, override, utc_ms)
    row = binding.row
    announced = await store.write(lambda tx: binding_states.begin_end(tx, row, engine.device_id, utc_ms))
    op = wire.BIND_END_OVERRIDE if override else wire.BIND_END
    try:
        await bind(engine.client, op, binding.binding_id, override)
    except RequestRefused:
        await store.write(lambda tx: binding_states.undo_end(tx, row, announced))
        raise
    await store.write(lambda tx: end_row(tx, row, override, utc_ms))
    return {
        "binding_id": binding.binding_id.hex(),
        "device_id": engine.device_id.hex(),
        "patient": binding.patient,
    }


async def _end_foreign(store: Store, engine: SyncEngine, override: str, utc_ms: int) -> dict[str, Any]:
    """End what another laptop bound: its own records stay there, and it alarms JOURNAL_REPLACED if it still runs."""
    binding_id = engine.status.binding_id
    announced = await store.write(
        lambda tx: expect_journal(tx, engine.device_id, "patient_end", None, utc_ms)
    )
    try:
        await bind(engine.client, wire.BIND_END_OVERRIDE, binding_id, override)
    except RequestRefused:
        await store.write(lambda tx: forget_expected(tx, announced))
        raise
    return {"binding_id": binding_id.hex(), "device_id": engine.device_id.hex(), "patient": None}
