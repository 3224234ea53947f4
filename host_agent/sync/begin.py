"""The first transaction of a session: which journal it is, whether the flash is an older image, where to read on."""

from typing import Any, NamedTuple

from crs_core import codes
from crs_core.wire import message as wire

from host_agent.errors import StoreError
from host_agent.store.coverage import Coverage
from host_agent.store.db import Tx
from host_agent.store.devices import ensure_device, find_device, note_boot, set_boot, set_simulated
from host_agent.store.host_alarms import end_alarm, raise_alarm
from host_agent.store.insertion import held_coverage, last_known_block, note_fork
from host_agent.store.journals import NO_BINDING, binding_row, current_journal, open_journal
from host_agent.store.rows import Derivation, Journal
from host_agent.sync.commit import note_failure

_BINDING_NOT_READ = -1  # no row has it: an event then names no patient


class Begun(NamedTuple):
    """`coverage` need not be read again in this session; `read_from` is the sequence to ask for."""

    journal: Journal
    coverage: Coverage
    read_from: int
    is_older_image: bool


def begin(
    tx: Tx,
    derive: Derivation,
    *,
    peer: Any,
    status: Any,
    name: str,
    utc_ms: int,
    failure: StoreError | None = None,
) -> Begun:
    """Open the journal row for a HELLO (`peer`) and a StatusIs (`status`), and raise the alarms that they cause.

    `failure`: why the store took nothing before this, None: it did not fail.

    The flash is an older image when the boot number or the last sequence goes back, or when an earlier journal returns.
    Then everything is read again and compared byte by byte.
    """
    device = _heard(tx, derive, peer=peer, status=status, name=name, utc_ms=utc_ms, failure=failure)
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
    if status.boot > max_boot:  # what could not be read is of a run that is over
        end_alarm(tx, derive, device=device, alarm=codes.NOT_UNDERSTOOD, utc_ms=utc_ms)
    how = ""
    if status.boot < max_boot:
        how, first, last = "boot", status.boot, max_boot
        # from now on this is the wearable's count: the same fact raises one alarm
        set_boot(tx, device, status.boot)
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
    tx: Tx,
    derive: Derivation,
    *,
    peer: Any,
    status: Any,
    name: str,
    utc_ms: int,
    failure: StoreError | None = None,
) -> None:
    """The wearable has no journal: it records nothing, knows no patient, and raises no alarm about one."""
    device = _heard(tx, derive, peer=peer, status=status, name=name, utc_ms=utc_ms, failure=failure)
    raise_alarm(
        tx, derive, device=device, alarm=codes.JOURNAL_FAULT, priority=codes.PRIORITY_HIGH,
        detail="it runs without a journal: it records nothing and can raise no alarm about a patient", utc_ms=utc_ms,
    )  # fmt: skip


def _heard(
    tx: Tx, derive: Derivation, *, peer: Any, status: Any, name: str, utc_ms: int, failure: StoreError | None
) -> int:
    """Row id of the wearable that said HELLO, with why the store took nothing before it."""
    if failure is not None:
        note_failure(tx, derive, failure, utc_ms)
    device = ensure_device(tx, peer.device_id, utc_ms, name)
    set_simulated(tx, device, status.flags & wire.STATUS_SIMULATED)
    return device


def begin_unstored(tx: Tx, *, peer: Any, status: Any) -> Begun | None:
    """Where to read on while the store takes nothing. Reads only; None when `begin` would have to write or alarm."""
    device = find_device(tx, peer.device_id)
    journal = current_journal(tx, device.id) if device else None
    if device is None or journal is None or journal.journal_id != peer.journal_id:
        return None
    if status.boot < device.max_boot or status.head_seq < journal.cursor:
        return None
    return Begun(journal, held_coverage(tx, journal), _overlap(tx, journal), False)


def begin_in_memory(tx: Tx | None, *, peer: Any, status: Any) -> Begun:
    """A journal that no row stands for (its id is 0), to alarm from memory until `begin` can be written.

    `tx` None: the store cannot be read either, and the wearable's word decides whether it is bound to a patient.
    """
    device = find_device(tx, peer.device_id) if tx is not None else None
    binding: int | None = _BINDING_NOT_READ if status.binding_id != NO_BINDING else None
    if tx is not None:
        binding = binding_row(tx, device.id, status.binding_id) if device else None
    journal = Journal(
        0, device.id if device else 0, peer.device_id, peer.journal_id, 0, None, 0, binding, status.acked_seq
    )
    return Begun(journal, Coverage(status.acked_seq), status.acked_seq + 1, False)


def _overlap(tx: Tx, journal: Journal) -> int:
    """Where to read on: at the last known block, because comparing it once more finds a replaced flash image."""
    first_seq = last_known_block(tx, journal)
    return journal.cursor + 1 if first_seq is None else first_seq
