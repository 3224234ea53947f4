"""Alarms that cannot wait for the store, or never will be records: from memory, under the keys they would have there.

Two causes: this laptop's disk takes nothing (`from_memory`), or the wearable's flash took nothing and it says so by a
doorbell without a sequence (`unjournaled`). Nothing is acknowledged to the wearable in either case.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from crs_core.journal import block_layout

from host_agent.errors import StoreError
from host_agent.escalation.events import Event, Origin, alarm_event
from host_agent.escalation.news import Resolve, device_name, news, patient_of
from host_agent.escalation.watchdog import Finding
from host_agent.store.db import Store, Tx
from host_agent.store.migrate import migrate
from host_agent.store.records import IncomingBlock, IncomingGap, decode_event
from host_agent.store.rows import Journal, StoredEvent


async def from_memory(
    store: Store,
    journal: Journal,
    items: Sequence[IncomingBlock | IncomingGap],
    resolve: Resolve,
    utc_ms: int,
) -> list[Event]:
    """The events of blocks that could not be stored. Reads what it can of the store; without it, says less."""
    if journal.binding is None:
        return []
    records = [record for item in items if isinstance(item, IncomingBlock) for record in _events_in(item)]

    def judge(tx: Tx) -> list[Event]:
        return [event for record in records for event in news(tx, journal, record, resolve, utc_ms)]

    return await _read_or_blank(store, judge)


async def unjournaled(
    store: Store,
    journal: Journal,
    boot: int,
    doorbell: Any,
    *,
    simulated: bool,
    resolve: Resolve,
    utc_ms: int,
) -> list[Event]:
    """One event per alarm of a doorbell whose record the wearable could not write, or this computer cannot fetch.

    In the second case the record has a sequence, and the event the key that the record will give it.
    """

    def judge(tx: Tx) -> list[Event]:
        device_id = journal.device_id.hex()
        occurred = resolve(tx, journal.device, boot, doorbell.t_ms)
        place = (journal.branch, doorbell.seq, boot, doorbell.t_ms) if doorbell.seq else (0, None, None, None)
        return [
            alarm_event(
                Origin(device_id, device_name(tx, journal.device), journal.journal_id.hex(), *place),
                patient_of(tx, journal.binding, utc_ms),
                alarm=alarm,
                priority=priority,
                simulated=simulated,
                occurred=occurred,
                detail="" if doorbell.seq else "not in the journal: the wearable's flash did not take it",
                key=None if doorbell.seq else f"{device_id}-unjournaled-{boot}-{doorbell.t_ms}-alarm-{alarm}",
                from_host=False,
            )
            for alarm, priority in doorbell.alarms
            if priority > 0
        ]

    return await _read_or_blank(store, judge)


def host_finding(
    device_id: bytes | None, finding: Finding, *, simulated: bool, utc_ms: int, run: str
) -> Event:
    """An alarm of the host that could not be stored; `run` names this run of the agent, so it is told once in it."""
    about = device_id.hex() if device_id else None
    return alarm_event(
        Origin(about, about or "", None, 0, None, None, None),
        None,
        alarm=finding.alarm,
        priority=finding.priority,
        simulated=simulated,
        occurred=(utc_ms, 0),
        detail=finding.detail,
        key=f"{about or 'agent'}-host-{finding.alarm}-unstored-{run}-{finding.priority}",
        from_host=True,
    )


def _events_in(item: IncomingBlock) -> list[StoredEvent]:
    if item.content is None or item.header.kind == block_layout.KIND_READINGS:
        return []
    simulated = item.header.flags & block_layout.FLAG_SIMULATED
    return [
        StoredEvent(
            item.header.first_seq + i,
            item.header.boot,
            t_ms,
            kind,
            payload,
            simulated,
            decode_event(kind, payload),
        )
        for i, (t_ms, kind, payload) in enumerate(item.content)
    ]


async def _read_or_blank(store: Store, judge: Callable[[Tx], list[Event]]) -> list[Event]:
    try:
        return await store.read(judge)
    except StoreError:
        blank = sqlite3.connect(":memory:", isolation_level=None)
        try:
            migrate(blank, 0)
            return judge(blank)
        finally:
            blank.close()
