"""Alarms that cannot wait for the store, or never will be records: from memory, under the keys they would have there.

Three causes: this laptop's disk takes nothing (`records_not_stored`), the wearable's flash took nothing and its ALARM
message has no sequence (`not_journaled`), or a finding of the host itself cannot be stored (`finding`). Nothing is
acknowledged to the wearable meanwhile.
"""

import contextlib
import logging
from collections.abc import Sequence
from typing import Any, Protocol

from crs_core import codes
from crs_core.journal import block_layout
from crs_core.wire import message as wire

from host_agent.clock import Clock
from host_agent.errors import StoreError
from host_agent.escalation.checks.check import Finding
from host_agent.escalation.derive import Escalation
from host_agent.escalation.events import Event, Origin, alarm_event, together_event, with_audit_head
from host_agent.escalation.record_events import device_name, events_of, patient_of
from host_agent.forward.delivery import Delivery
from host_agent.forward.waiting import Together
from host_agent.patient.contact import NAMELESS, Contact, contact_of
from host_agent.store.audit import Head, last_row
from host_agent.store.db import Store, Tx
from host_agent.store.devices import devices
from host_agent.store.empty import read_or_empty
from host_agent.store.events import decode_event
from host_agent.store.insertion import IncomingBlock, IncomingGap
from host_agent.store.rows import Journal, StoredEvent
from host_agent.sync.timebase import arrived_time

_LOG = logging.getLogger(__name__)
_FAULT_ENDS_MS = 60_000  # real time without a finding after which it is a new fault
_DOORBELLS_MAX = 16  # of one wearable that wait to be judged
_Unstored = tuple[Journal, Sequence[IncomingBlock | IncomingGap], StoreError]
_Doorbell = tuple[Journal, Any, Any]


class Offers(Protocol):
    """Hands an event to every receiver that may have it, past the store."""

    def __call__(
        self, priority: int, simulated: bool, delivery: Delivery, *, share: str, kind: str, together: Together
    ) -> None:
        """As `Workers.offer`."""


class MemoryAlarms:
    """For each wearable one thing at a time: what comes meanwhile replaces or joins what waits, so nothing piles up."""

    def __init__(
        self,
        store: Store,
        escalation: Escalation,
        clock: Clock,
        offer: Offers,
        *,
        agent_simulated: bool = False,
    ) -> None:
        self._store = store
        self._escalation = escalation
        self._clock = clock
        self._offer = offer
        self._agent_simulated = agent_simulated
        # (wearable, alarm, priority) -> when the fault started and was last found: it is sent once
        self._faults: dict[tuple[bytes | None, int, int], tuple[int, int]] = {}
        # as last read: a text needs its numbers also while the store cannot be read; None is this laptop itself
        self._contacts: dict[bytes | None, Contact] = {}
        self._head: Head | None = None  # of the chain; nothing is signed while the store takes nothing

        self._unstored: dict[bytes, _Unstored] = {}
        self._doorbells: dict[bytes, list[_Doorbell]] = {}
        self._at_work: set[bytes] = set()

    async def unstored(
        self, journal: Journal, items: Sequence[IncomingBlock | IncomingGap], error: StoreError
    ) -> None:
        """As `records_not_stored`. A later call has the earlier records too, or they were stored since."""
        self._unstored[journal.device_id] = (journal, items, error)
        await self._work(journal.device_id)

    async def unjournaled(self, journal: Journal, status: Any, alarm: Any) -> None:
        """As `not_journaled`. Of too many the last ones become one, with each alarm at its highest priority."""
        waiting = self._doorbells.setdefault(journal.device_id, [])
        if len(waiting) >= _DOORBELLS_MAX:
            before = waiting.pop()[2]
            highest = dict(before.alarms)
            for number, priority in alarm.alarms:
                highest[number] = max(priority, highest.get(number, 0))
            alarm = alarm._replace(alarms=tuple(highest.items()))
        waiting.append((journal, status, alarm))
        await self._work(journal.device_id)

    async def _work(self, device_id: bytes) -> None:
        if device_id in self._at_work:
            return
        self._at_work.add(device_id)
        try:
            while True:
                if (doorbells := self._doorbells.get(device_id)) is not None and doorbells:
                    await self.not_journaled(*doorbells.pop(0))
                elif (records := self._unstored.pop(device_id, None)) is not None:
                    await self.records_not_stored(*records)
                else:
                    return
        finally:
            self._at_work.discard(device_id)

    def remember(self, tx: Tx) -> None:
        """Read whom every wearable's texts are about, whom to call, and the head of what was signed."""
        self._head = last_row(tx)
        known: dict[bytes | None, Contact] = {one.device_id: contact_of(tx, one.id) for one in devices(tx)}
        self._contacts = {**known, None: contact_of(tx, None)}

    async def records_not_stored(
        self, journal: Journal, items: Sequence[IncomingBlock | IncomingGap], error: StoreError
    ) -> None:
        """What the records would have raised, and that the store takes nothing (STORE_FAULT)."""
        now_ms = self._clock.utc_ms()
        with contextlib.suppress(StoreError):
            await self._store.read(self.remember)
        last_known = self._contacts.get(journal.device_id)
        for event in await events_in_memory(self._store, journal, items, now_ms, last_known):
            self._send(event)
        self.finding(None, Finding(codes.STORE_FAULT, codes.PRIORITY_HIGH, str(error)))

    async def not_journaled(self, journal: Journal, status: Any, alarm: Any) -> None:
        """The alarms of an ALARM message whose record does not come; `status` is the wearable's StatusIs."""
        events = await not_journaled_events(
            self._store, journal, status.boot, alarm, self._contacts.get(journal.device_id),
            simulated=bool(status.flags & wire.STATUS_SIMULATED), utc_ms=self._clock.utc_ms(),
        )  # fmt: skip

        def post_all(tx: Tx) -> None:
            for event in events:
                self._escalation.post(tx, event, None)

        try:
            await self._store.write(post_all)
        except StoreError:
            for event in events:
                self._send(event)

    def finding(self, device_id: bytes | None, finding: Finding) -> None:
        """An alarm of the host itself about a wearable, None: about the agent."""
        now_ms = self._clock.utc_ms()
        place = (device_id, finding.alarm, finding.priority)
        start_ms, last_ms = self._faults.get(place, (now_ms, now_ms))
        if not 0 <= now_ms - last_ms <= _FAULT_ENDS_MS * self._clock.speed:
            start_ms = now_ms
        self._faults[place] = (start_ms, now_ms)
        contact = self._contacts.get(device_id, Contact(device=NAMELESS if device_id else ""))
        self._send(
            host_event(
                device_id, finding, contact, simulated=self._agent_simulated, utc_ms=now_ms,
                start_ms=start_ms,
            )
        )  # fmt: skip

    def _send(self, event: Event) -> None:
        event = with_audit_head(event, self._head)

        def together(number: int, first_utc_ms: int, last_utc_ms: int) -> Delivery:
            told = with_audit_head(together_event(event, number, first_utc_ms, last_utc_ms), self._head)
            return Delivery(told.key, told.payload.encode())

        delivery = Delivery(event.key, event.payload.encode())
        self._offer(
            event.priority, event.simulated, delivery, share=event.share, kind=event.kind, together=together
        )


async def events_in_memory(
    store: Store,
    journal: Journal,
    items: Sequence[IncomingBlock | IncomingGap],
    utc_ms: int,
    last_known: Contact | None,
) -> list[Event]:
    """The events of blocks that could not be stored. Reads what it can of the store; without it, says less."""
    if journal.binding is None:
        return []
    records = [record for item in items if isinstance(item, IncomingBlock) for record in _events_in(item)]

    def judge(tx: Tx) -> list[Event]:
        found = []
        for record in records:
            try:
                found += events_of(tx, journal, record, utc_ms, last_known)
            except Exception:  # one bad record harms one record
                _LOG.exception("record %d makes no event", record.seq)
        return found

    return await read_or_empty(store, judge)


async def not_journaled_events(
    store: Store,
    journal: Journal,
    boot: int,
    alarm: Any,
    last_known: Contact | None,
    *,
    simulated: bool,
    utc_ms: int,
) -> list[Event]:
    """One event per alarm of an ALARM message whose record the wearable could not write, or this laptop cannot fetch.

    In the second case the record has a sequence, and the event the key that the record will give it.
    """

    def judge(tx: Tx) -> list[Event]:
        device_id = journal.device_id.hex()
        occurred = arrived_time(tx, journal.device, boot, alarm.t_ms, utc_ms)
        place = (journal.branch, alarm.seq, boot, alarm.t_ms) if alarm.seq else (0, None, None, None)
        return [
            alarm_event(
                Origin(device_id, device_name(tx, journal.device), journal.journal_id.hex(), *place),
                patient_of(tx, journal.binding, utc_ms),
                alarm=number,
                priority=priority,
                simulated=simulated,
                occurred=occurred,
                contact=contact_of(tx, journal.device, journal.binding).or_else(last_known),
                now_ms=utc_ms,
                detail="" if alarm.seq else "not in the journal: the wearable's flash did not take it",
                key=None if alarm.seq else f"{device_id}-unjournaled-{boot}-{alarm.t_ms}-alarm-{number}",
            )
            for number, priority in alarm.alarms
            if priority > 0
        ]

    return await read_or_empty(store, judge)


def host_event(
    device_id: bytes | None,
    finding: Finding,
    contact: Contact,
    *,
    simulated: bool,
    utc_ms: int,
    start_ms: int,
) -> Event:
    """An alarm of the host that could not be stored; one fault, from its start on, has one key."""
    about = device_id.hex() if device_id else None
    return alarm_event(
        Origin(about, about or "", None, 0, None, None, None),
        None,
        alarm=finding.alarm,
        priority=finding.priority,
        simulated=simulated,
        occurred=(utc_ms, 0),
        contact=contact,
        now_ms=utc_ms,
        detail=finding.detail,
        key=f"{about or 'agent'}-host-{finding.alarm}-unstored-{start_ms}-{finding.priority}",
    )


def _events_in(item: IncomingBlock) -> list[StoredEvent]:
    if item.content is None or item.header.kind == block_layout.KIND_READINGS:
        return []
    first, boot, simulated = (
        item.header.first_seq,
        item.header.boot,
        item.header.flags & block_layout.FLAG_SIMULATED,
    )
    return [
        StoredEvent(first + i, boot, t_ms, kind, payload, simulated, decode_event(kind, payload))
        for i, (t_ms, kind, payload) in enumerate(item.content)
    ]
