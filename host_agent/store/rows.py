"""Records and alarms as tuples, for the store and everything above it. Units as in crs_core.units."""

from typing import NamedTuple

from host_agent.store.db import Tx


class Journal(NamedTuple):
    """One branch of one journal; `id`, `device` and `binding` are row ids, `binding` None is quarantine."""

    id: int
    device: int
    device_id: bytes
    journal_id: bytes
    branch: int
    parent: int | None
    base_seq: int
    binding: int | None
    cursor: int


class StoredReading(NamedTuple):
    """One reading; `status` bits as in crs_core.units, a value that was not measured is None."""

    seq: int
    boot: int
    t_ms: int
    temp_cc: int | None
    spo2_tenths: int | None
    hr_bpm: int | None
    pi_hundredths: int | None
    status: int
    simulated: int


class StoredEvent(NamedTuple):
    """One event; `record` is its payload (of journal.record_types), None when this program cannot read it."""

    seq: int
    boot: int
    t_ms: int
    type: int
    payload: bytes
    simulated: int
    record: tuple | None  # type: ignore[type-arg]  # of crs_core.journal.record_types


class StoredGap(NamedTuple):
    """Sequences that the wearable declares as lost; reason of crs_core.codes."""

    first_seq: int
    last_seq: int
    reason: int


class Refused(NamedTuple):
    """A record, or a whole block (`type` None), that is kept as bytes because its content cannot be true.

    `may_alarm`: it may have said that an alarm sounds.
    """

    first_seq: int
    last_seq: int
    type: int | None
    may_alarm: bool


class Fork(NamedTuple):
    """One key with two contents, or signs of an older image; `how` is bytes, head or boot."""

    how: str
    first_seq: int
    last_seq: int
    branch: int | None


class Records(NamedTuple):
    """What one commit added to one journal, in the order it came (events may be ahead of older readings).

    `readings` is their number; their rows can be read in the same transaction.
    """

    readings: int
    events: list[StoredEvent]
    gaps: list[StoredGap]
    received_utc_ms: int


class HostAlarm(NamedTuple):
    """An alarm that the host raised itself; priority 0: it ended. `device` None: it is about the agent."""

    id: int
    device: int | None
    alarm: int
    priority: int
    detail: str
    raised_utc_ms: int
    changed_utc_ms: int
    ended_utc_ms: int | None = None


class Derivation:
    """What else belongs into the same commit as the records: episodes and outbox rows. This one adds nothing.

    Both run inside the transaction, in the writer thread. An exception undoes the records too, and nothing is
    acknowledged. `records` is called only for journals with a binding; never twice for one record.
    """

    def records(self, tx: Tx, journal: Journal, records: Records) -> None:
        """New records of a bound journal."""

    def host_alarm(self, tx: Tx, alarm: HostAlarm) -> None:
        """A host alarm was raised, rose, or ended (priority 0)."""
