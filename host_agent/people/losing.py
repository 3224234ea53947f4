"""What a restore gives up: the entries, accounts and bindings that the store has and the backup does not."""

from collections import Counter
from typing import Any, NamedTuple

from host_agent.people.chain_heads import PROOFS_LISTED
from host_agent.people.context_entries import proof_of
from host_agent.people.entry import Entry, MalformedEntryError, decode
from host_agent.store.accounts import accounts
from host_agent.store.audit import Head, audit_rows
from host_agent.store.bindings import open_bindings
from host_agent.store.db import Tx

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

    `lines` say all of it to people. `accounts` are the names that can sign after the restore.
    """

    head: Head | None
    proofs: list[str]
    bindings: dict[str, dict[str, Any]]
    accounts: list[str]
    lines: list[str]

    @property
    def is_something(self) -> bool:
        """Whether anything would be missed."""
        return self.head is not None or bool(self.bindings)

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
    kept = {row.seq: row.hash for row in audit_rows(backup)}
    names = [one.name for one in accounts(backup) if not one.is_disabled]
    rows = [] if store is None else [row for row in audit_rows(store) if kept.get(row.seq) != row.hash]
    entries = [entry for entry in (_entry(row.entry) for row in rows) if entry is not None]
    head = Head(rows[-1].seq, rows[-1].hash) if rows else None
    lines = _lines(entries) if rows else []
    if head is None and noted is not None and kept.get(noted.seq) != noted.hash and store is None:
        head = noted
        many = f"{noted.seq} signed entries were" if noted.seq else "Signed entries may have been"
        lines = [f"{many} in the store that is gone or cannot be read; the backup has {len(kept)}."]
    if rows and kept.keys() & {row.seq for row in rows}:
        lines.append("The backup is of another chain of signatures than this store.")
    after = {one.binding_id for one in open_bindings(backup)}
    bindings = {
        one.binding_id.hex(): {
            "patient": one.patient or one.device_id.hex(), "device_id": one.device_id.hex(), "alarms": [],
        }
        for one in ([] if store is None else open_bindings(store))
        if one.binding_id not in after
    }  # fmt: skip
    lines += [f"Patient {one['patient']} is bound here and not in the backup." for one in bindings.values()]
    return Losing(head, [proof_of(row.signature).hex() for row in rows], bindings, names, lines)


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
