"""Compare the audit chain with what is known of it outside of it: a cut end, another chain, an older backup show here.

Known outside are the head in each event that receivers got, the head in the file audit.head, the entries that wearables
journaled (each signature covers the whole chain before it), the accounts whose keys are on this laptop, and a head that
a person noted. A signed restore says which rows it gave up; those are not missed.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from crs_core import context
from crs_core.errors import RemoteError
from crs_core.journal import record_layout

from host_agent.errors import HostAgentError
from host_agent.keys import keyfile
from host_agent.paths import Paths
from host_agent.people import account_key, acts, head_note
from host_agent.people.entry import Entry
from host_agent.store.accounts import Account
from host_agent.store.db import Tx
from host_agent.store.events import events
from host_agent.store.journals import all_journals
from host_agent.store.outbox import audit_heads
from host_agent.text import local_time

PROOFS_LISTED = 400  # of lost rows in the entry of a restore; an entry holds 16 KiB


class Noted(NamedTuple):
    """A head of the chain as it was known elsewhere; `hash` in hex."""

    rows: int
    hash: str
    where: str


class Elsewhere(NamedTuple):
    """What this laptop knows outside the store. `keys`: account -> public key in hex, of the key files here."""

    heads: tuple[Noted, ...] = ()
    keys: Mapping[str, str] = {}
    custodian_of: frozenset[bytes] = frozenset()
    faults: tuple[str, ...] = ()

    @property
    def knows_a_chain(self) -> bool:
        """Whether something was signed on this laptop at some time."""
        return bool(self.heads or self.keys or self.faults)


class Chain(NamedTuple):
    """The chain that was read: row -> hash, the proofs, the entries and the accounts in it."""

    hashes: Mapping[int, bytes]
    proofs: set[bytes]
    entries: list[Entry]
    accounts: Mapping[str, Account]


NOWHERE = Elsewhere()


def read_elsewhere(paths: Paths) -> Elsewhere:
    """What stands beside the store of this state folder."""
    heads: tuple[Noted, ...] = ()
    faults: tuple[str, ...] = ()
    try:
        if noted := head_note.read(paths.database):
            heads = (Noted(noted.seq, noted.hash.hex(), str(head_note.path_of(paths.database))),)
    except HostAgentError as error:
        faults = (str(error),)
    enrolled, _ = keyfile.load_all(paths.keys)
    return Elsewhere(
        heads,
        account_key.public_keys(paths.accounts),
        frozenset(one.device_id for one in enrolled.values() if one.role == keyfile.ROLE_CUSTODIAN),
        faults,
    )


def compare(tx: Tx, chain: Chain, noted_head: str | None, elsewhere: Elsewhere) -> Iterator[str]:
    """One sentence for each thing that is known elsewhere and that the chain does not have."""
    yield from elsewhere.faults
    lost = [one for one in map(acts.given_up, chain.entries) if one is not None]
    given_up = {str(one.get("head")) for one in lost}
    hashes = {one.hex() for one in chain.hashes.values()}
    if noted_head is not None and noted_head.lower() not in hashes | given_up:
        yield f"the chain does not contain {noted_head}: rows at its end were removed, or it is another chain"
    for noted in (*elsewhere.heads, *_delivered(tx)):
        if noted.hash not in given_up and (text := missing(chain.hashes, noted)):
            yield text
    for name, public_key in sorted(elsewhere.keys.items()):
        known = chain.accounts.get(name)
        if known is None or known.public_key.hex() != public_key:
            yield f"the key of account {name} is on this laptop, and the chain does not have this account"
    proofs = chain.proofs | {bytes.fromhex(proof) for one in lost for proof in _listed(one)}
    yield from _wearables(tx, proofs, elsewhere.custodian_of)


def given_up(chain: Chain) -> Iterator[str]:
    """One sentence for each signed restore that gave up a part of the chain: no problem, and never hidden."""
    for entry in chain.entries:
        if (lost := acts.given_up(entry)) is not None:
            at = local_time(entry.entered_utc_ms, with_date=True)
            yield (
                f"a restore signed by {entry.account} ({at}) gave up the chain that had {lost.get('rows')} rows and the"
                f" head {lost.get('head')}: {entry.values.get('reason')}"
            )


def missing(hashes: Mapping[int, bytes], noted: Noted) -> str:
    """What of the chain that had this head is not there any more; "" when all of it is."""
    last = max(hashes, default=0)
    if noted.rows > last:
        gone = f"row {noted.rows} is" if noted.rows == last + 1 else f"rows {last + 1} to {noted.rows} are"
        return f"{gone} gone from the end of the chain: {noted.where} has the head of {noted.rows} rows"
    here = hashes.get(noted.rows)
    if here is not None and here.hex() == noted.hash:
        return ""
    return f"row {noted.rows} is not the one that {noted.where} knows: the chain was rewritten, or it is another chain"


def _delivered(tx: Tx) -> list[Noted]:
    """The heads in events for receivers, each once."""
    noted = []
    for one in audit_heads(tx):
        at = local_time(one.created_utc_ms, with_date=True)
        noted.append(Noted(one.rows, one.hash, f"event {one.event_key} for {one.target} ({at})"))
    return noted


def _listed(lost: dict[str, Any]) -> list[str]:
    proofs = lost.get("proofs")
    return [one for one in proofs if _is_proof(one)] if isinstance(proofs, list) else []


def _is_proof(text: object) -> bool:
    return isinstance(text, str) and len(text) == 16 and not set(text) - set("0123456789abcdef")


def _wearables(tx: Tx, proofs: set[bytes], custodian_of: frozenset[bytes]) -> Iterator[str]:
    """A wearable bound by this host, or whose custodian it is, got its context from this host alone."""
    for journal in all_journals(tx):
        if journal.binding is None and journal.device_id not in custodian_of:
            continue
        for event in events(tx, journal.id, record_layout.CONTEXT):
            try:
                _, proof, numbers = context.decode(event.payload)
            except RemoteError:
                continue
            if proof not in proofs:
                names = ", ".join(context.KEYS[number][0] for number in numbers)
                if journal.binding is None:
                    names += " (it was signed on another laptop, or in a store that is gone)"
                yield (
                    f"wearable {journal.device_id.hex()} journaled, as its record {event.seq}, an entry that is not in"
                    f" the chain: {names}"
                )
