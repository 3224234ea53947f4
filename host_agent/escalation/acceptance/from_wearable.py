"""The wearable's ACCEPTED record: the answer to an acceptance that this laptop sent, or somebody's at another laptop.

Records come late, twice and out of order, so everything is judged by their place in the journal.
"""

from typing import Any

from host_agent.escalation.episodes import alarm_key
from host_agent.escalation.rules import Span, spans
from host_agent.people import accepting
from host_agent.store import acceptances as store
from host_agent.store.acceptances import Acceptance
from host_agent.store.alarm_changes import changes_of
from host_agent.store.db import Tx
from host_agent.store.rows import Journal, StoredEvent
from host_agent.store.time_marks import extents_of

WHO_MAX_BYTES = 32


def on_the_wire(who: str) -> str:
    """A name as the wearable can keep it: cut between two characters."""
    return who.encode()[:WHO_MAX_BYTES].decode(errors="ignore")


def note_record(tx: Tx, journal: Journal, event: StoredEvent, received_ms: int) -> Acceptance | None:
    """Keep what an ACCEPTED record says; the acceptance when it counts and nobody was told of it yet."""
    record: Any = event.record
    changes = changes_of(tx, journal.id, record.alarm_id)
    span = _span_at(spans(changes), event.seq)
    if span is None or store.has_record(tx, journal.id, event.seq):
        return None
    episode = store.episode_by_key(tx, alarm_key(journal, record.alarm_id, span.first_seq), received_ms)
    if episode is None:
        return None
    own = next((one for one in store.acceptances_of(tx, episode.row) if _is_answer(one, record)), None)
    if own is not None:
        store.note_record(tx, own.id, journal.id, event.seq)
        return None
    at_ms = received_ms - _ran_since_ms(tx, journal, event)
    by = accepting.By(record.who, accepting.WEARABLE, at_ms, record=(journal.id, event.seq))
    has_risen = any(
        priority > record.priority for seq, priority in changes if event.seq < seq <= span.last_seq
    )
    is_old = at_ms + accepting.longest_ms(record.priority) <= received_ms
    if not episode.stands or has_risen or episode.priority > record.priority or is_old:
        over = store.ROSE if has_risen else store.LAPSED if episode.stands else store.OVER
        accepting.keep_past(tx, episode, by, record.priority, over)
        return None
    return accepting.renew(tx, episode, by, record.priority)


def _ran_since_ms(tx: Tx, journal: Journal, event: StoredEvent) -> int:
    """For how long the wearable has run since, as far as its records here say: no wall clock counts."""
    last = {one.boot: one.last_ms for one in extents_of(tx, journal.device)}
    ran_ms = sum(last_ms for boot, last_ms in last.items() if boot >= event.boot)
    return max(0, ran_ms - event.t_ms) if event.boot in last else 0


def _span_at(found: list[Span], seq: int) -> Span | None:
    """The episode that this sequence is in, or the one that it ended: an acceptance ends the patient's call."""
    return next((one for one in reversed(found) if one.first_seq <= seq), None)


def _is_answer(one: Acceptance, record: Any) -> bool:
    return (
        one.wearable in (store.WAITING, store.SENT)
        and on_the_wire(one.who) == record.who
        and one.priority >= record.priority
    )
