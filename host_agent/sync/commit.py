"""One transaction of received records: the rows, what is derived from them, and the host's own findings.

One bad record harms one record. What cannot be derived is kept as bytes, acknowledged, marked "not understood" and
alarmed, each piece in a savepoint of its own, so that nothing from a wearable can end the sync of the others.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

from crs_core import codes

from host_agent.errors import StoreError
from host_agent.store.counters import count
from host_agent.store.coverage import Coverage
from host_agent.store.db import Tx
from host_agent.store.host_alarms import end_alarm, has_ended_since, raise_alarm
from host_agent.store.insertion import IncomingBlock, IncomingGap, Inserted, Insertion, mark_not_understood
from host_agent.store.journals import journal_by_id
from host_agent.store.rows import Derivation, Journal, Refused
from host_agent.store.savepoint import attempt

_LOG = logging.getLogger(__name__)
_SAME_FAULT_MS = 60_000


class Finding(NamedTuple):
    """An alarm of the host about the wearable; `detail` is for people."""

    alarm: int
    priority: int
    detail: str


def commit_records(
    tx: Tx,
    derive: Derivation,
    *,
    journal: Journal,
    coverage: Coverage,
    items: Iterable[IncomingBlock | IncomingGap],
    failure: StoreError | None,
    now_ms: Callable[[], int],
) -> Inserted:
    """Insert `items`; `failure` is why the store took nothing before this, None: it did not fail.

    `now_ms` is asked in the transaction, which may have waited. The journal is read anew: its binding may have become
    known since the session began.
    """
    utc_ms = now_ms()
    inserted = _insert(tx, journal_by_id(tx, journal.id), coverage, list(items), utc_ms)
    if inserted.journal.binding is not None:
        inserted = _derive(tx, derive, inserted)
    found = [
        Finding(
            codes.FORK, codes.PRIORITY_HIGH,
            f"sequences {fork.first_seq} to {fork.last_seq} came with other contents; both are kept",
        )
        for fork in inserted.forks
    ]  # fmt: skip
    if inserted.refused:
        may_alarm = any(one.may_alarm for one in inserted.refused)
        priority = codes.PRIORITY_HIGH if may_alarm else codes.PRIORITY_MEDIUM
        found.append(Finding(codes.NOT_UNDERSTOOD, priority, _words(inserted.refused)))
    for finding in found:
        _raise(tx, derive, journal.device, finding, utc_ms)
    if failure is not None:
        note_failure(tx, derive, failure, utc_ms)
    return inserted


def _insert(
    tx: Tx, journal: Journal, coverage: Coverage, items: list[IncomingBlock | IncomingGap], utc_ms: int
) -> Inserted:
    """All items together; when that fails, one after the other, and what fails alone as bytes."""
    made: list[Inserted] = []

    def insert(journal: Journal, coverage: Coverage, some: Sequence[IncomingBlock | IncomingGap]) -> None:
        insertion = Insertion(tx, journal, coverage, utc_ms)
        for item in some:
            if isinstance(item, IncomingGap):
                insertion.gap(item)
            else:
                insertion.block(item)
        made.append(insertion.finish())

    if attempt(tx, partial(insert, journal, coverage, items)) is None:
        return made[0]
    made.clear()
    for item in items:
        at = (made[-1].journal, made[-1].coverage) if made else (journal, coverage)
        error = attempt(tx, partial(insert, *at, [item]))
        if error is None:
            continue
        _LOG.error("a block cannot be stored by its content and is kept as bytes", exc_info=error)
        if isinstance(item, IncomingGap):
            raise error
        insert(*at, [item._replace(content=None, is_refused=True)])
    return _joined(made)


def _joined(made: list[Inserted]) -> Inserted:
    """The results of insertions that followed each other, as one."""
    last, records = made[-1], made[0].records
    return last._replace(
        records=records._replace(
            readings=sum(one.records.readings for one in made),
            events=[event for one in made for event in one.records.events],
            gaps=[gap for one in made for gap in one.records.gaps],
        ),
        forks=[fork for one in made for fork in one.forks],
        duplicates=sum(one.duplicates for one in made),
        not_understood=sum(one.not_understood for one in made),
        refused=[refused for one in made for refused in one.refused],
    )


def _derive(tx: Tx, derive: Derivation, inserted: Inserted) -> Inserted:
    """Derive from each event alone; one that cannot be derived is marked as not understood."""
    records, refused = inserted.records, list(inserted.refused)
    rest = partial(derive.records, tx, inserted.journal, records._replace(events=[]))
    if (records.readings or records.gaps) and (error := attempt(tx, rest)) is not None:
        _LOG.error("nothing can be derived from readings and gaps", exc_info=error)
    for event in records.events:
        one = records._replace(readings=0, events=[event], gaps=[])
        error = attempt(tx, partial(derive.records, tx, inserted.journal, one))
        if error is not None:
            _LOG.error("record %d cannot be derived and is kept as bytes", event.seq, exc_info=error)
            mark_not_understood(tx, inserted.journal.id, event.seq)
            refused.append(Refused(event.seq, event.seq, event.type, True))
    return inserted._replace(refused=refused)


def _raise(tx: Tx, derive: Derivation, device: int, finding: Finding, utc_ms: int) -> None:
    """Raise an alarm; one that cannot be sent is stored without its events, and the records are kept."""
    alarm, priority, detail = finding

    def raising(derive: Derivation) -> None:
        raise_alarm(tx, derive, device=device, alarm=alarm, priority=priority, detail=detail, utc_ms=utc_ms)

    error = attempt(tx, partial(raising, derive))
    if error is not None:
        _LOG.error("an alarm about a wearable cannot be sent", exc_info=error)
        raising(Derivation())


def _words(refused: list[Refused]) -> str:
    """How many records, and where."""
    number = sum(one.last_seq - one.first_seq + 1 for one in refused)
    first = min(one.first_seq for one in refused)
    return f"{number} {'records' if number > 1 else 'record'}, first {first}; kept as bytes"


def note_failure(tx: Tx, derive: Derivation, failure: StoreError, utc_ms: int) -> None:
    """Leave a trace of the time when nothing could be stored: a counter, and an alarm that is over.

    Several parts see the same fault end: it is one alarm.
    """
    count(tx, None, f"failed_{failure.code}")
    if has_ended_since(tx, device=None, alarm=codes.STORE_FAULT, utc_ms=utc_ms - _SAME_FAULT_MS):
        return
    raise_alarm(
        tx, derive, device=None, alarm=codes.STORE_FAULT, priority=codes.PRIORITY_HIGH, detail=str(failure),
        utc_ms=utc_ms,
    )  # fmt: skip
    end_alarm(tx, derive, device=None, alarm=codes.STORE_FAULT, utc_ms=utc_ms)
