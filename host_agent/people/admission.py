"""The one way into the audit chain: a signed entry passes every check and is kept, or it is refused.

Of a refused entry only the count of its reason is kept. The order of the checks is part of the contract: the signature
is checked before anything that the entry claims.
"""

from collections.abc import Callable
from typing import NamedTuple

from host_agent.people import (
    accepting,
    accounts,
    acts,
    administrator,
    chain,
    context_entries,
    head_note,
    limits,
    roles,
    rule_sets,
    signed_records,
    validity,
    vouching,
)
from host_agent.people.asking import REFUSED, Ask, Refusal, refused, wearers
from host_agent.people.entry import Entry, MalformedEntryError, decode, verifies
from host_agent.store.audit import Head, has_entry, hashes_at
from host_agent.store.bindings import Binding
from host_agent.store.counters import count
from host_agent.store.db import Store, Tx
from host_agent.store.outgoing import is_outgoing
from host_agent.text import span_text


class Opening(NamedTuple):
    """What composing an entry needs: the head of the chain, the agent's time, and whom the entry is about."""

    prev: str
    now_utc_ms: int
    binding: str | None
    patient: str | None
    simulated: bool


class Taken(NamedTuple):
    """An entry in the chain. `for_wearable`: a part of it waits to be sent to the wearable."""

    audit: int
    entry: Entry
    hash: bytes
    for_wearable: bool


_CHECKS: dict[str, Callable[[Tx, Ask], Refusal | None]] = {
    "accept": accepting.check,
    "silence": accepting.check,
    "account_add": accounts.check_add,
    "account_disable": accounts.check_disable,
    "administrator": administrator.check,
    "vouch": vouching.check,
    "act": acts.check,
    "context": context_entries.check,
    "grade": signed_records.check,
    "death": signed_records.check,
    "close_episode": signed_records.check,
    "countersign": signed_records.check_second,
    "reverse": signed_records.check_second,
    "rules": rule_sets.check,
    "limits": limits.check,
}
# what has no line here is kept in the chain alone
_KEEPS: dict[str, Callable[[Tx, Ask, int], None]] = {
    "accept": accepting.keep,
    "silence": accepting.keep,
    "account_add": accounts.keep_add,
    "account_disable": accounts.keep_disable,
    "context": context_entries.keep,
    "grade": signed_records.keep,
    "death": signed_records.keep,
    "close_episode": signed_records.keep,
    "countersign": signed_records.keep_second,
    "reverse": signed_records.keep_second,
    "rules": rule_sets.keep,
    "limits": limits.keep,
}
_WITHOUT_PATIENT = ("account_add", "account_disable", "administrator", "vouch", "act", "rules")
# alarms of a wearable that nobody wears are about no patient
_PERHAPS_PATIENT = ("accept", "silence")
Then = Callable[[Tx, Taken], None]


def begin(tx: Tx, wearer: Binding | None, utc_ms: int) -> Opening:
    """What an entry about this wearer (None: about nobody) must refer to now."""
    prev = chain.head(tx).hash.hex()
    if wearer is None:
        return Opening(prev, utc_ms, None, None, False)
    return Opening(prev, utc_ms, wearer.binding_id.hex(), wearer.patient, wearer.simulated)


def plain(taken: Taken) -> dict[str, object]:
    """What was taken, in JSON types."""
    entry = taken.entry
    return {
        "entry": entry.id, "kind": entry.kind, "audit": taken.audit, "hash": taken.hash.hex(),
        "account": entry.account, "patient": entry.patient, "binding_id": entry.binding,
        "observed_utc_ms": entry.observed_utc_ms, "entered_utc_ms": entry.entered_utc_ms,
        "values": entry.values, "refers_to": entry.refers_to, "for_wearable": taken.for_wearable,
    }  # fmt: skip


async def take(store: Store, raw: bytes, signature: bytes, utc_ms: int, then: Then | None = None) -> Taken:
    """Keep a signed entry, committed when this returns; EntryRefused says why not. `then` is in the same commit."""
    if _gives_up(raw):  # no agent runs during a restore
        raise refused(
            Refusal("not_allowed", "Only a restore gives up what was signed. Run: cytowatch restore FILE")
        )
    return _answer(store, *await store.write(lambda tx: _admit(tx, store, (raw, signature), utc_ms, then)))


def take_now(store: Store, raw: bytes, signature: bytes, utc_ms: int, then: Then | None = None) -> Taken:
    """Like `take`, blocking: for commands that run without an agent."""
    return _answer(store, *store.write_now(lambda tx: _admit(tx, store, (raw, signature), utc_ms, then)))


def _gives_up(raw: bytes) -> bool:
    try:
        return acts.given_up(decode(raw)) is not None
    except (MalformedEntryError, TypeError):
        return False


def _admit(
    tx: Tx, store: Store, signed: tuple[bytes, bytes], utc_ms: int, then: Then | None
) -> tuple[Taken | Refusal, bool]:
    """The outcome, and whether the chain goes on from the head that was noted: else the note stays, as a witness."""
    is_empty = chain.head(tx).seq == 0
    try:
        noted = head_note.read(store.path)
    except head_note.HeadNoteError:
        if is_empty:
            raise
        noted = Head(0, b"")
    if is_empty and noted is not None:
        count(tx, None, REFUSED + "chain_missing")
        return Refusal("chain_missing", f"{noted.seq} signed entries were here and are gone."), False
    outcome = admit(tx, *signed, utc_ms)
    if isinstance(outcome, Refusal):
        return outcome, False
    if then is not None:
        then(tx, outcome)
    gave_up = (acts.given_up(outcome.entry) or {}).get("head")
    goes_on = (
        noted is None
        or noted.hash.hex() == gave_up
        or hashes_at(tx, [noted.seq]).get(noted.seq) == noted.hash
    )
    return outcome, goes_on


def _answer(store: Store, outcome: Taken | Refusal, goes_on: bool) -> Taken:
    if isinstance(outcome, Refusal):
        raise refused(outcome)
    if goes_on:
        head_note.write(store.path, Head(outcome.audit, outcome.hash))
    return outcome


def admit(tx: Tx, raw: bytes, signature: bytes, utc_ms: int) -> Taken | Refusal:
    """In the writer's transaction: the chain row and everything that follows from it, or a counted refusal."""
    ask = _examine(tx, raw, signature, utc_ms)
    refusal = ask if isinstance(ask, Refusal) else _CHECKS[ask.entry.kind](tx, ask)
    if refusal is not None:
        count(tx, None, REFUSED + refusal.why)
        return refusal
    assert isinstance(ask, Ask)
    row = chain.append(tx, ask.entry, raw, signature, utc_ms)
    if ask.entry.kind in _KEEPS:
        _KEEPS[ask.entry.kind](tx, ask, row.seq)
    return Taken(row.seq, ask.entry, row.hash, is_outgoing(tx, row.seq))


def _examine(tx: Tx, raw: bytes, signature: bytes, utc_ms: int) -> Ask | Refusal:
    """Form, replay, signature, order, time, patient, role: what holds for entries of every kind."""
    try:
        entry = decode(raw)
    except MalformedEntryError as error:
        return Refusal("malformed", f"This is not an entry: {error}.")
    if has_entry(tx, entry.id):
        return Refusal("replayed", f"Entry {entry.id} was taken before.")
    head = chain.head(tx)
    signer = accounts.signer_of(tx, entry) if head.seq else accounts.first_account(entry)
    if signer is None:
        return Refusal("unknown_account", f"There is no account {entry.account}.")
    if isinstance(signer, Refusal):
        return signer
    if entry.key != signer.key_id.hex() or not verifies(signer.public_key, raw, signature):
        return Refusal("bad_signature", f"The signature is not that of {entry.account} over this entry.")
    if signer.is_disabled:
        return Refusal("disabled_account", f"Account {entry.account} is disabled.")
    if entry.prev != head.hash.hex():
        return Refusal("moved_on", "Somebody else signed since this entry was composed.")
    if abs(utc_ms - entry.entered_utc_ms) > validity.ENTRY_MS:
        away = span_text(abs(utc_ms - entry.entered_utc_ms) / 1000)
        return Refusal("stale", f"The entry's own time is {away} away from the agent's time.")
    if not validity.is_time_known(entry.observed_utc_ms, utc_ms):
        ahead = span_text((entry.observed_utc_ms - utc_ms) / 1000)
        return Refusal("from_future", f"Its time of observation lies {ahead} ahead of the agent's clock.")
    wearer = _wearer(tx, entry)
    if isinstance(wearer, Refusal):
        return wearer
    why_not = roles.why_not(signer.role, entry.kind, entry.values)
    if why_not:
        return Refusal("not_allowed", why_not)
    return Ask(entry, signature, signer.role, wearer, utc_ms)


def _wearer(tx: Tx, entry: Entry) -> Binding | Refusal | None:
    if entry.kind in _WITHOUT_PATIENT:
        return None if entry.binding is None else Refusal("malformed", "This entry must not name a patient.")
    if entry.binding is None and entry.kind in _PERHAPS_PATIENT:
        return None
    if entry.binding is None:
        return Refusal("wrong_patient", "The entry does not name a patient.")
    wearer = next((one for one in wearers(tx) if one.binding_id.hex() == entry.binding), None)
    if wearer is None:
        return Refusal("wrong_patient", f"Binding {entry.binding} is not open here.")
    if wearer.patient != entry.patient:
        return Refusal("wrong_patient", f"Binding {entry.binding} is not that of {entry.patient}.")
    return wearer
