"""What a restore gives up: what the store has and the backup does not.

Entries, accounts, bindings, events that no receiver took, and HIGH alarms that stand: nobody would be asked afterwards
who stands for the end of that monitoring.
"""

from collections import Counter
from typing import Any, NamedTuple

from crs_core.code_texts import alarm_name

from host_agent.patient.standing import standing_high
from host_agent.people.chain_heads import PROOFS_LISTED
from host_agent.people.context_entries import proof_of
from host_agent.people.entry import Entry, MalformedEntryError, decode
from host_agent.store.accounts import Account, accounts
from host_agent.store.audit import Head, audit_rows
from host_agent.store.bindings import open_bindings
from host_agent.store.db import Tx
from host_agent.store.outbox import Waiting, waiting
from host_agent.text import local_time

_KINDS = {
    "context": "context entries",
    "grade": "signed grades",
    "death": "signed deaths",
    "countersign": "countersignatures",
    "reverse": "reversals",
    "close_episode": "ends of an episode",
    "rules": "rule sets",
    "limits": "limits of patients",
    "act": "guarded acts",
    "vouch": "vouchings for accounts",
}


class Losing(NamedTuple):
    """`head` of the chain that is given up, None when none of it is; `bindings`: hex -> patient, device_id, alarms.

    `lines` say all of it to people. `accounts`: who can stand for it, known to store and backup alike. `is_something`:
    somebody must.
    """

    head: Head | None
    proofs: list[str]
    bindings: dict[str, dict[str, Any]]
    accounts: dict[str, Account]
    lines: list[str]
    is_something: bool

    def values(self) -> dict[str, Any]:
        """`lost` of the entry that stands for the restore; empty when no entry is given up."""
        if self.head is None:
            return {}
        proofs = self.proofs[-PROOFS_LISTED:]
        return {"lost": {"rows": self.head.seq, "head": self.head.hash.hex(), "proofs": proofs}}


def losing(store: Tx | None, backup: Tx, noted: Head | None) -> Losing:
    """Compare the store that is there (None: none, or none that can be read) with the backup.

    `noted` is the head in the file beside the store: it says at least how much a store held that is gone.
    """
    held = [] if store is None else list(audit_rows(store))
    copied = list(audit_rows(backup))
    same = {(row.entry, row.signature) for row in copied}
    names = _who_can_stand(store, backup)
    rows = [row for row in held if (row.entry, row.signature) not in same]
    entries = [entry for entry in (_entry(row.entry) for row in rows) if entry is not None]
    head = Head(rows[-1].seq, rows[-1].hash) if rows else None
    lines = _lines(entries) if rows else []
    is_noted = noted is None or any((row.seq, row.hash) == noted for row in (*held, *copied))
    if noted is not None and head is None and not is_noted and (noted.seq or not held):
        head = noted
        many = f"{noted.seq} signed entries were" if noted.seq else "Signed entries may have been"
        where = (
            "here, by the note beside the store" if held else "in the store that is gone or cannot be read"
        )
        lines = [f"{many} {where}; the backup has {len(copied)}."]
    is_unknown = noted is not None and not held
    if is_unknown:
        lines.append("Which bindings, alarms and events that store held is not known.")
    if {row.seq for row in rows} & {row.seq for row in copied}:
        lines.append("The backup is of another chain of signatures than this store.")
    bindings: dict[str, dict[str, Any]] = {}
    untaken: list[Waiting] = []
    if store is not None:
        bindings = _bindings(store, backup, lines)
        there = {(one.target, one.event_key) for one in waiting(backup)}
        untaken = [one for one in waiting(store) if (one.target, one.event_key) not in there]
        lines += _untaken(untaken)
    is_something = bool(head or bindings or untaken or is_unknown)
    proofs = [proof_of(row.signature).hex() for row in rows]
    return Losing(head, proofs, bindings, names, lines, is_something)


def _who_can_stand(store: Tx | None, backup: Tx) -> dict[str, Account]:
    """Accounts of the backup. Where the store has any, only those that can still sign there, with the same key."""
    found = {one.name: one for one in accounts(backup) if not one.is_disabled}
    here = {} if store is None else {one.name: one for one in accounts(store)}
    if not here:
        return found
    return {
        name: one
        for name, one in found.items()
        if name in here and not here[name].is_disabled and here[name].public_key == one.public_key
    }


def _bindings(store: Tx, backup: Tx, lines: list[str]) -> dict[str, dict[str, Any]]:
    """Those that are lost, and those with a HIGH alarm that the backup does not know; `lines` gets why."""
    after = {one.binding_id: standing_high(backup, one) for one in open_bindings(backup)}
    found = {}
    for one in open_bindings(store):
        is_lost = one.binding_id not in after
        unknown = standing_high(store, one) - after.get(one.binding_id, set())
        alarms = sorted(alarm_name(alarm) for alarm in unknown)
        about = one.patient or one.device_id.hex()
        if is_lost:
            lines.append(f"Patient {about} is bound here and not in the backup.")
        if is_lost or alarms:
            found[one.binding_id.hex()] = {
                "patient": about,
                "device_id": one.device_id.hex(),
                "alarms": alarms,
            }
    return found


def _untaken(events: list[Waiting]) -> list[str]:
    if not events:
        return []
    oldest = min(events, key=lambda one: one.created_utc_ms)
    at = local_time(oldest.created_utc_ms, with_date=True)
    targets = ", ".join(sorted({one.target for one in events}))
    return [
        f"Events that no receiver took and the backup does not have: {len(events)}, for {targets}, since {at}."
    ]


def _entry(raw: bytes) -> Entry | None:
    try:
        return decode(raw)
    except MalformedEntryError:
        return None


def _lines(entries: list[Entry]) -> list[str]:
    added = sorted(str(one.values.get("name")) for one in entries if one.kind == "account_add")
    back = sorted(str(one.values.get("name")) for one in entries if one.kind == "account_disable")
    lines = [f"Accounts lost: {', '.join(added)}."] if added else []
    if back:
        lines.append(f"Accounts that were disabled since and can sign again: {', '.join(back)}.")
    if any(one.kind == "administrator" for one in entries):
        lines.append("The administrator code no longer counts.")
    counted = Counter(one.kind for one in entries)
    signed = [f"{number} {_KINDS[kind]}" for kind, number in sorted(counted.items()) if kind in _KINDS]
    return [*lines, f"Signatures lost: {', '.join(signed)}."] if signed else lines
