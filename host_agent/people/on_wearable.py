"""What the wearable holds of what was entered: read from its own journal records, never from what was sent to it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from crs_core import context
from crs_core.errors import RemoteError
from crs_core.grade import entries, entry_numbers, grader, grader_state
from crs_core.grade.rules import Rules
from crs_core.journal import record_layout

from host_agent.store.db import Tx
from host_agent.store.events import events, last_event_of
from host_agent.store.journals import current_journal_of_binding, journal_by_id
from host_agent.store.rows import Journal, StoredEvent

_STATES = (record_layout.GRADER_STATE, record_layout.GRADE, record_layout.BOOT)


class Journaled(NamedTuple):
    """The newest CONTEXT record of one entry: the wearable's own time of it, and how old the observation was then."""

    boot: int
    t_ms: int
    age_ms: int


class OnWearable(NamedTuple):
    """`journaled` proof → its newest record; `owner` key of the wearable's vocabulary → proof of the entry that gave it
    last; `in_force` the keys that count there, None while no record says it; `device` row id, None without a journal;
    `boot` the last that its records name.
    """

    device: int | None
    boot: int
    journaled: dict[bytes, Journaled]
    owner: dict[str, bytes]
    in_force: frozenset[str] | None

    def holds(self, key: str, proof: bytes) -> bool:
        """Whether this key counts on the wearable, from the entry with this proof."""
        if self.owner.get(key) != proof:
            return False
        return self.journaled[proof].boot == self.boot if self.in_force is None else key in self.in_force


def on_wearable(tx: Tx, binding: int, rules: Rules) -> OnWearable:
    """As the records that are stored here say; a wearable that restarted dropped what has a time limit."""
    journal = current_journal_of_binding(tx, binding)
    if journal is None:
        return OnWearable(None, 0, {}, {}, None)
    journaled: dict[bytes, Journaled] = {}
    owner: dict[str, bytes] = {}
    state = _newest_state(tx, journal)
    counts = _in_force(state, rules)
    boot = state.boot if state is not None else 0
    for event in _contexts(tx, journal):
        record: Any = event.record
        try:
            age_ms, proof, numbers = context.decode(record.data)
            values = entry_numbers.values_of(numbers)
        except RemoteError:
            continue  # of a newer wearable: what it says is not known here
        journaled[proof] = Journaled(event.boot, event.t_ms, age_ms)
        _own(owner, values, proof)
        boot = max(boot, event.boot)
        if counts is not None and state is not None and event.seq > state.seq:
            counts |= {
                key for key, value in values.items() if value is not None
            }  # its state is still to come
    return OnWearable(journal.device, boot, journaled, owner, counts)


def _own(owner: dict[str, bytes], values: dict[str, Any], proof: bytes) -> None:
    if values.get("episode_closed"):
        for key in entries.OF_THE_EPISODE:
            owner.pop(key, None)
    for key, others in entries.REPLACES:
        if values.get(key) is not None:
            for other in others:
                owner.pop(other, None)
    for key in values:
        owner[key] = proof


def _in_force(event: StoredEvent | None, rules: Rules) -> frozenset[str] | None:
    record: Any = None if event is None else event.record
    if event is None or record is None:
        return None
    encoded = record.state_after if event.type == record_layout.GRADE else record.grader_state
    try:
        told = grader.decode_state(encoded, 0)[grader_state.TOLD]
    except RemoteError:
        return None
    if event.type == record_layout.BOOT:
        told = entries.boot(told, rules)
    return frozenset(entry[0] for entry in told if entry[3] == entries.IN_FORCE)


def _branches(tx: Tx, journal: Journal) -> list[tuple[int, int]]:
    """(row id, last sequence that belongs to it) of a journal and of what it shares with its parents, oldest first."""
    found = []
    row: Journal | None = journal
    limit = 0xFFFFFFFF
    while row is not None:
        found.append((row.id, limit))
        limit = min(limit, row.base_seq)
        row = None if row.parent is None else journal_by_id(tx, row.parent)
    return found[::-1]


def _contexts(tx: Tx, journal: Journal) -> Iterator[StoredEvent]:
    for row_id, until in _branches(tx, journal):
        for event in events(tx, row_id, record_layout.CONTEXT):
            if event.seq <= until and event.record is not None:
                yield event


def _newest_state(tx: Tx, journal: Journal) -> StoredEvent | None:
    """The newest record that says which entries count on the wearable."""
    for row_id, until in reversed(_branches(tx, journal)):
        event = last_event_of(tx, row_id, _STATES, until)
        if event is not None:
            return event
    return None
