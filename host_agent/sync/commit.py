"""One transaction of received records: the rows, what is derived from them, and the host's own findings."""

from collections.abc import Callable, Iterable

from crs_core import codes

from host_agent.errors import StoreError
from host_agent.store.counters import count
from host_agent.store.coverage import Coverage
from host_agent.store.db import Tx
from host_agent.store.host_alarms import end_alarm, raise_alarm
from host_agent.store.insertion import IncomingBlock, IncomingGap, Inserted, Insertion
from host_agent.store.journals import journal_by_id
from host_agent.store.rows import Derivation, Journal


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
    insertion = Insertion(tx, journal_by_id(tx, journal.id), coverage, utc_ms)
    for item in items:
        if isinstance(item, IncomingGap):
            insertion.gap(item)
        else:
            insertion.block(item)
    inserted = insertion.finish()
    if inserted.journal.binding is not None:
        derive.records(tx, inserted.journal, inserted.records)
    for fork in inserted.forks:
        raise_alarm(
            tx, derive, device=journal.device, alarm=codes.FORK, priority=codes.PRIORITY_HIGH,
            detail=f"sequences {fork.first_seq} to {fork.last_seq} came with other contents; both are kept",
            utc_ms=utc_ms,
        )  # fmt: skip
    if failure is not None:
        note_failure(tx, derive, failure, utc_ms)
    return inserted


def note_failure(tx: Tx, derive: Derivation, failure: StoreError, utc_ms: int) -> None:
    """Leave a trace of the time when nothing could be stored: a counter, and an alarm that is over."""
    count(tx, None, f"failed_{failure.code}")
    raise_alarm(
        tx, derive, device=None, alarm=codes.STORE_FAULT, priority=codes.PRIORITY_HIGH, detail=str(failure),
        utc_ms=utc_ms,
    )  # fmt: skip
    end_alarm(tx, derive, device=None, alarm=codes.STORE_FAULT, utc_ms=utc_ms)
