"""The first transaction of a session: which journal is this, is its flash older than what we know, where to read on."""

from typing import Any, NamedTuple

from crs_core import codes

from host_agent.store.coverage import Coverage
from host_agent.store.db import Tx
from host_agent.store.host_alarms import end_alarm, raise_alarm
from host_agent.store.journals import current_journal, ensure_device, note_boot, open_journal
from host_agent.store.records import held_coverage, note_fork
from host_agent.store.rows import Derivation, Journal


class Begun(NamedTuple):
    """`coverage` is what need not be read again on this link; `read_from` the sequence to ask for."""

    journal: Journal
    coverage: Coverage
    read_from: int
    is_older_image: bool


def begin(tx: Tx, derive: Derivation, *, peer: Any, status: Any, name: str, utc_ms: int) -> Begun:
    """Open the journal row for a HELLO (`peer`) and a StatusIs; raise the alarms that they give reason for.

    An older image of the flash shows itself by a boot number or a head that goes back, or by a journal that returns.
    Then everything is read again and compared, byte by byte, and nothing is acknowledged that was not.
    """
    device = ensure_device(tx, peer.device_id, utc_ms, name)
    simulated = status.flags & 1
    tx.execute("UPDATE devices SET simulated = ? WHERE id = ?", (simulated, device))
    end_alarm(tx, derive, device=device, alarm=codes.JOURNAL_FAULT, utc_ms=utc_ms)
    opened = open_journal(tx, device, peer.journal_id, status.binding_id, utc_ms)
    journal = opened.journal
    if opened.unexpected:
        raise_alarm(
            tx, derive, device=device, alarm=codes.JOURNAL_REPLACED, priority=codes.PRIORITY_HIGH,
            detail=f"journal {peer.journal_id.hex()} appeared without provisioning, patient start or end here",
            utc_ms=utc_ms,
        )  # fmt: skip
    max_boot = note_boot(tx, device, status.boot)
    how = ""
    if status.boot < max_boot:
        how, first, last = "boot", status.boot, max_boot
        # from now on this is the wearable's count: the same fact is told once
        tx.execute("UPDATE devices SET max_boot = ? WHERE id = ?", (status.boot, device))
    elif status.head_seq < journal.cursor or opened.returned:
        how, first, last = "head", status.head_seq, journal.cursor
    if not how:
        coverage = held_coverage(tx, journal)
        return Begun(journal, coverage, _overlap(tx, journal), False)
    if note_fork(tx, journal, how, first_seq=first, last_seq=last, utc_ms=utc_ms):
        what = "boot number" if how == "boot" else "last sequence"
        raise_alarm(
            tx, derive, device=device, alarm=codes.FORK, priority=codes.PRIORITY_HIGH,
            detail=f"{what} went back from {last} to {first}: an older image of the flash", utc_ms=utc_ms,
        )  # fmt: skip
    return Begun(journal, Coverage(), 1, True)


def begin_without_journal(
    tx: Tx, derive: Derivation, *, peer: Any, status: Any, name: str, utc_ms: int
) -> None:
    """The wearable shows no journal: it records nothing, knows of no patient, and judges no alarm about one."""
    device = ensure_device(tx, peer.device_id, utc_ms, name)
    tx.execute("UPDATE devices SET simulated = ? WHERE id = ?", (status.flags & 1, device))
    raise_alarm(
        tx, derive, device=device, alarm=codes.JOURNAL_FAULT, priority=codes.PRIORITY_HIGH,
        detail="it runs without a journal: nothing is recorded, and no alarm about a patient can sound", utc_ms=utc_ms,
    )  # fmt: skip


def begin_unstored(tx: Tx, *, peer: Any, status: Any) -> Begun | None:
    """Where to go on while the store takes nothing, read only; None when `begin` would have had more to do."""
    row = tx.execute("SELECT id, max_boot FROM devices WHERE device_id = ?", (peer.device_id,)).fetchone()
    journal = current_journal(tx, row[0]) if row else None
    if journal is None or journal.journal_id != peer.journal_id:
        return None
    if status.boot < row[1] or status.head_seq < journal.cursor:
        return None
    return Begun(journal, held_coverage(tx, journal), _overlap(tx, journal), False)


def _overlap(tx: Tx, journal: Journal) -> int:
    """Read the last known block once more: one comparison that notices a replaced flash image."""
    row = tx.execute(
        "SELECT first_seq FROM blocks WHERE journal = ? AND last_seq <= ? ORDER BY first_seq DESC LIMIT 1",
        (journal.id, journal.cursor),
    ).fetchone()
    return int(row[0]) if row else journal.cursor + 1
