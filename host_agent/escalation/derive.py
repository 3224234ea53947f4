"""Derives episodes and outbox rows from records, in the transaction that stores the records.

So after a crash either all of them are stored or none, and then the wearable still holds the record, because nothing
was acknowledged.
"""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from crs_core.codes import PRIORITY_MEDIUM
from crs_core.journal import record_layout

from host_agent.escalation import episodes
from host_agent.escalation.acceptance.from_wearable import note_record
from host_agent.escalation.acceptance.replies import with_reply_code
from host_agent.escalation.acceptance.telling import tell_accepted, tell_lapsed
from host_agent.escalation.contact.calling import Calling
from host_agent.escalation.events import Event, Origin, alarm_event, together_event, with_audit_head
from host_agent.escalation.host_facts import facts_of_finding
from host_agent.escalation.record_events import device_name, events_of, patient_of
from host_agent.escalation.signed_events import end_of_patient, events_of_entry
from host_agent.escalation.target import WITHHELD, Target
from host_agent.forward.share import WINDOW_MS, is_repetition
from host_agent.patient.contact import contact_of
from host_agent.people.admission import Taken
from host_agent.store.acceptances import Acceptance, episode_by_row, of_audit
from host_agent.store.alarm_changes import note_active
from host_agent.store.audit import last_row
from host_agent.store.bindings import open_binding
from host_agent.store.contact_courses import StoredEvent as Posted
from host_agent.store.contact_courses import note_told_end
from host_agent.store.db import Tx
from host_agent.store.devices import device, device_row
from host_agent.store.episodes import Episode, close_episode, put_episode
from host_agent.store.outbox import Addressed, add_delivery, has_delivery
from host_agent.store.repetitions import Repetitions, add_repetition, share_of, take_repetitions
from host_agent.store.rows import Derivation, HostAlarm, Journal, Records, StoredEvent
from host_agent.store.savepoint import attempt
from host_agent.store.undelivered import unaddressed, untold

_LOG = logging.getLogger(__name__)


class Escalation(Derivation):
    """Adds episodes and outbox rows. `link_utc_ms` is the real clock, which times deliveries.

    `on_event` is called in the writer thread when rows were added, before the commit.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        *,
        link_utc_ms: Callable[[], int],
        agent_simulated: bool = False,
        speed: float = 1.0,
        on_event: Callable[[], None] = lambda: None,
        calling: Calling | None = None,
    ) -> None:
        """Without `calling` every receiver is a system."""
        self._targets = tuple(targets)
        self.calling = calling
        self.accept_within_ms = None if calling is None else calling.plan.accept_within_ms
        if calling is not None:
            calling.count = self._count
        self._link_utc_ms = link_utc_ms
        self._agent_simulated = agent_simulated
        self._window_ms = round(
            WINDOW_MS / speed
        )  # a simulation that runs faster has as many events in less time
        self._on_event = on_event

    @property
    def reaching(self) -> list[str]:
        """Names of the receivers that reach a person."""
        return [target.name for target in self._targets if target.reaches_person]

    def records(self, tx: Tx, journal: Journal, records: Records) -> None:
        """New records of a bound journal."""
        utc_ms = records.received_utc_ms
        for event in records.events:
            if event.record is None:
                continue
            made = events_of(tx, journal, event, utc_ms)
            if event.type == record_layout.GRADE:
                self._grade_record(tx, journal, event, made, utc_ms)
            elif event.type in (record_layout.ALARM, record_layout.BOOT, record_layout.GRADER_STATE):
                self._alarm_record(tx, journal, event, made, utc_ms)
            elif event.type == record_layout.ACCEPTED:
                self._tell_accepted(tx, note_record(tx, journal, event, utc_ms))
        self.call_now(tx, journal.device)

    def host_alarm(self, tx: Tx, alarm: HostAlarm) -> None:
        """A host alarm was raised, rose, or ended (priority 0)."""
        key = f"host-{alarm.id}"
        if alarm.priority == 0:
            close_episode(tx, key, alarm.changed_utc_ms)
            self.call_now(tx, alarm.device)
            return
        device_id, simulated, binding = self._about(tx, alarm.device)
        row = Episode(
            key, alarm.device, None, binding, "host", alarm.alarm, alarm.priority, alarm.priority, simulated
        )  # fmt: skip
        episode = put_episode(tx, row, alarm.changed_utc_ms)
        event = alarm_event(
            Origin(device_id, device_name(tx, alarm.device), None, 0, None, None, None),
            patient_of(tx, binding, alarm.changed_utc_ms),
            alarm=alarm.alarm,
            priority=alarm.priority,
            simulated=simulated,
            occurred=(alarm.changed_utc_ms, 0),
            contact=contact_of(tx, alarm.device, binding),
            now_ms=alarm.changed_utc_ms,
            detail=alarm.detail,
            facts=facts_of_finding(tx, alarm.device, alarm.alarm, alarm.detail),
            key=f"{device_id or 'agent'}-host-{alarm.alarm}-{alarm.raised_utc_ms}-{alarm.priority}",
        )
        self.post(tx, event, episode)

    def signed(self, tx: Tx, taken: Taken) -> None:
        """A person signed an entry."""
        for one in of_audit(tx, taken.audit):
            self._tell_accepted(tx, one)
        for event in events_of_entry(tx, taken, self._agent_simulated):
            self.post(tx, event, None)

    def post(self, tx: Tx, event: Event, episode: int | None) -> None:
        """One outbox row per target; a key that is there already stays as it is.

        What comes from one wearable beyond its share is counted, and told together by `tell_repetitions`.
        """
        now_ms = self._link_utc_ms()
        event = with_audit_head(event, last_row(tx))
        device = device_row(tx, bytes.fromhex(event.share)) if event.share else None
        posted = Posted(
            event.key, event.alarm, event.priority, event.simulated, event.payload, device, event.kind
        )
        targets = self._targets
        if self.calling is not None:
            posted = posted._replace(payload=self.calling.post(tx, posted, episode))
            targets = self.calling.systems
        for target in targets:
            withheld = posted.simulated and not target.accept_simulated
            if self._count(tx, target, posted):
                continue
            delivery = Addressed(
                target.name, posted.key, episode, posted.priority, posted.simulated, posted.payload,
                WITHHELD if withheld else "", device, posted.kind, posted.alarm,
            )  # fmt: skip
            add_delivery(tx, with_reply_code(tx, delivery, now_ms), now_ms)
        self._on_event()

    def call(self, tx: Tx, utc_ms: int) -> None:
        """What is due of the contact steps, and the word to all when a patient ended."""
        if self.calling is None:
            return
        self.calling.adopt(tx)
        self.calling.advance(tx)
        for one in self.calling.ends(tx):
            self.post(tx, end_of_patient(tx, one, utc_ms), None)
            note_told_end(tx, one)
        self._on_event()

    def address_again(self, tx: Tx, utc_ms: int) -> None:
        """Give what stands and reached nobody to the receivers of today, which may not be those of yesterday."""
        now_ms = self._link_utc_ms()
        names = {target.name for target in self._targets}
        for one in unaddressed(tx, now_ms, names, self.reaching):
            for target in self._targets:
                withheld = "" if target.accept_simulated or not one.simulated else WITHHELD
                row = Addressed(target.name, *one[:5], withheld, *one[5:])
                add_delivery(tx, with_reply_code(tx, row, now_ms), now_ms)
        for alarm in untold(tx, now_ms, PRIORITY_MEDIUM) if names else ():
            device_id, simulated, binding = self._about(tx, alarm.device)
            event = alarm_event(
                Origin(device_id, device_name(tx, alarm.device), None, 0, None, None, None),
                patient_of(tx, binding, utc_ms),
                alarm=alarm.alarm,
                priority=alarm.priority,
                simulated=simulated,
                occurred=(alarm.opened_utc_ms, 0),
                contact=contact_of(tx, alarm.device, binding),
                now_ms=utc_ms,
                detail="it stood before a receiver was configured",
                key=f"{alarm.key}-stands-{alarm.priority}",
            )
            self.post(tx, event, alarm.episode)
        self._on_event()

    def tell_repetitions(self, tx: Tx, utc_ms: int) -> None:
        """Make one event of what was counted long enough; `utc_ms` dates the patient's day."""
        now_ms = self._link_utc_ms()
        for one in take_repetitions(tx, now_ms, self._window_ms):
            device_id, _, binding = self._about(tx, one.device)
            source = None if one.kind.startswith("host-") else "-"
            seq = 0 if one.kind.startswith("alarm-") else None
            like = Event(
                "", one.alarm, one.priority, one.simulated, "",
                Origin(device_id, device_name(tx, one.device), source, 0, seq, None, None),
                patient_of(tx, binding, utc_ms), contact_of(tx, one.device, binding),
            )  # fmt: skip
            event = together_event(like, one.number, one.first_utc_ms, one.last_utc_ms)
            event = with_audit_head(event, last_row(tx))
            delivery = Addressed(
                one.target, event.key, None, event.priority, event.simulated, event.payload, "", one.device,
                f"again-{one.kind}", one.alarm,
            )  # fmt: skip
            add_delivery(tx, delivery, now_ms)
            self._on_event()

    def accepted(self, tx: Tx, one: Acceptance) -> None:
        """Somebody accepted an alarm without signing: with the code of a message."""
        self._tell_accepted(tx, one)

    def lapsed(self, tx: Tx, one: Acceptance, utc_ms: int) -> None:
        """An acceptance lapsed while the alarm goes on. People are called as their steps say; systems are told here."""
        systems = None if self.calling is None else {target.name for target in self.calling.systems}
        tell_lapsed(tx, one, utc_ms, link_ms=self._link_utc_ms(), targets=systems)
        self.call_now(tx, episode_by_row(tx, one.episode, utc_ms).device)
        self._on_event()

    def _tell_accepted(self, tx: Tx, one: Acceptance | None) -> None:
        if one is None:
            return
        tell_accepted(tx, one, link_ms=self._link_utc_ms())
        self.call_now(tx, episode_by_row(tx, one.episode, one.at_utc_ms).device)
        self._on_event()

    def call_now(self, tx: Tx, device: int | None) -> None:
        """An acceptance or an end counts from the commit that brought it."""
        if self.calling is None:
            return
        error = attempt(tx, partial(self.calling.advance, tx, device))
        if error is not None:  # the records are stored all the same, and the check looks again
            _LOG.error("contact steps cannot be judged", exc_info=error)
        self._on_event()

    def _count(self, tx: Tx, target: Target, event: Posted) -> bool:
        """Whether it came so often to this receiver that it was only counted."""
        if (event.simulated and not target.accept_simulated) or not event.kind:
            return False
        if has_delivery(tx, target.name, event.key):
            return False
        now_ms = self._link_utc_ms()
        since_ms = now_ms - self._window_ms
        share = share_of(
            tx, target.name, event.device, event.kind, event.priority, since_ms=since_ms, now_ms=now_ms
        )
        if not is_repetition(*share):
            return False
        again = Repetitions(
            target.name, event.device, event.kind, event.priority, event.simulated, event.alarm, 1, now_ms, now_ms
        )  # fmt: skip
        add_repetition(tx, again)
        return True

    def _grade_record(
        self, tx: Tx, journal: Journal, event: StoredEvent, made: list[Event], utc_ms: int
    ) -> None:
        record: Any = event.record
        for rise in made:
            episode = episodes.raise_grade(
                tx,
                journal,
                lower=record.lower,
                priority=rise.priority,
                simulated=rise.simulated,
                utc_ms=utc_ms,
            )
            self.post(tx, rise, episode)

    def _alarm_record(
        self, tx: Tx, journal: Journal, event: StoredEvent, made: list[Event], utc_ms: int
    ) -> None:
        raised = {item.alarm: item for item in made}
        if event.type != record_layout.ALARM:
            note_active(
                tx, journal.id, event, [(alarm, item.priority, item.simulated) for alarm, item in raised.items()]
            )  # fmt: skip
        record: Any = event.record
        changed = dict(record.changes) if event.type == record_layout.ALARM else raised
        for alarm in changed:
            found = episodes.refresh_alarm(tx, journal, alarm, bool(event.simulated), utc_ms)
            if alarm in raised:
                inside = [row for first, last, row in found if first <= event.seq <= last]
                self.post(tx, raised[alarm], inside[0] if inside else None)

    def _about(self, tx: Tx, row: int | None) -> tuple[str | None, bool, int | None]:
        """(device id, whether it is simulated, its open binding) by a wearable's row id; None: the agent."""
        if row is None:
            return None, self._agent_simulated, None
        found = device(tx, row)
        bound = open_binding(tx, row)
        simulated = found.simulated or self._agent_simulated
        return found.device_id.hex(), simulated, bound.row if bound else None
