"""Read the whole audit chain again, trust only the keys that it introduces itself, and name what does not fit.

A changed row breaks its hash or its signature; a removed, inserted or moved one breaks the numbering and the `prev`
that the next person signed. A cut at the end breaks nothing inside the chain: it shows when the head noted earlier is
not in it any more, or when a wearable journaled an entry that the chain does not have.
"""

import json
import sqlite3
from typing import NamedTuple

from crs_core import context
from crs_core.errors import RemoteError
from crs_core.grade.rules import Rules, rule_hash
from crs_core.journal import record_layout

from host_agent.people import accounts, chain, context_values, roles
from host_agent.people.context_entries import proof_of
from host_agent.people.context_state import Given, fold
from host_agent.people.entry import NO_HASH, Entry, MalformedEntryError, decode, key_id_of, row_hash, verifies
from host_agent.people.for_wearable import DEATH, numbers_of
from host_agent.people.rule_sets import rules_of


class Problem(NamedTuple):
    """`seq`: the row at which it shows; None when it belongs to no row."""

    seq: int | None
    text: str


class Report(NamedTuple):
    """What the check found; `head` is worth noting elsewhere, on paper for instance."""

    rows: int
    head: str
    problems: list[Problem]


class _Check:
    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.known: dict[str, accounts.Account] = {}
        self.entries: dict[int, Entry] = {}
        self.proof_of: dict[int, bytes] = {}
        self.hashes: set[bytes] = set()
        self._expected = 1
        self._prev = NO_HASH

    def say(self, seq: int | None, text: str) -> None:
        self.problems.append(Problem(seq, text))

    def row(self, row: chain.Row) -> None:
        if row.seq != self._expected:
            last = row.seq - 1
            which = f"row {last} is" if last == self._expected else f"rows {self._expected} to {last} are"
            self.say(row.seq, f"{which} missing before it")
        self._expected = row.seq + 1
        prev, self._prev = self._prev, row.hash
        self.hashes.add(row.hash)
        self.proof_of[row.seq] = proof_of(row.signature)
        if row_hash(prev, row.entry, row.signature) != row.hash:
            self.say(row.seq, "its hash does not fit the row before it and its content")
        try:
            entry = decode(row.entry)
        except MalformedEntryError as error:
            self.say(row.seq, f"it is not an entry: {error}")
            return
        if (entry.id, entry.kind) != (row.entry_id, row.kind):
            self.say(row.seq, "its id or kind is not that of the entry in it")
        if entry.prev != prev.hex():
            self.say(row.seq, "it was signed after another row than the one before it")
        if self._signature(row, entry):
            self.entries[row.seq] = entry
            self._people(row.seq, entry)

    def _signature(self, row: chain.Row, entry: Entry) -> bool:
        signer: object = self.known.get(entry.account)
        if not self.known:
            signer = accounts.first_account(entry)
        if not isinstance(signer, accounts.Account):
            self.say(row.seq, f"account {entry.account} was not added before it")
            return False
        if entry.key != signer.key_id.hex() or not verifies(signer.public_key, row.entry, row.signature):
            self.say(row.seq, f"the signature is not that of {entry.account}")
            return False
        if signer.is_disabled:
            self.say(row.seq, f"account {entry.account} was disabled before it")
        if why := roles.why_not(signer.role, entry.kind, entry.values):
            self.say(row.seq, f"a {signer.role} signed it: {why}")
        return True

    def _people(self, seq: int, entry: Entry) -> None:
        if entry.kind == "account_add" and not accounts.add_fault(entry.values):
            public_key = bytes.fromhex(entry.values["public_key"])
            self.known[entry.values["name"]] = accounts.Account(
                entry.values["name"], entry.values["role"], key_id_of(public_key), public_key, seq, False
            )  # fmt: skip
        elif entry.kind == "account_disable" and entry.values.get("name") in self.known:
            name = entry.values["name"]
            self.known[name] = self.known[name]._replace(is_disabled=True)


def verify(tx: sqlite3.Connection, noted_head: str | None = None) -> Report:
    """Check every row, every row made from one, and that `noted_head` (hex) is still in the chain."""
    check = _Check()
    number = 0
    for row in chain.rows(tx):
        number += 1
        check.row(row)
    if noted_head is not None and noted_head.lower() not in {one.hex() for one in check.hashes}:
        check.say(
            None, f"the chain does not contain {noted_head}: rows were cut off its end, or it is another"
        )
    _check_accounts(tx, check)
    _check_context(tx, check)
    _check_signed(tx, check)
    _check_rules(tx, check)
    _check_outgoing(tx, check)
    _check_wearables(tx, check)
    return Report(number, chain.head(tx).hash.hex(), check.problems)


def _check_accounts(tx: sqlite3.Connection, check: _Check) -> None:
    stored = {one.name: one for one in accounts.accounts(tx)}
    for name in sorted({*stored, *check.known}):
        if stored.get(name) != check.known.get(name):
            check.say(None, f"account {name} is not as the chain has it")


def _check_context(tx: sqlite3.Connection, check: _Check) -> None:
    stored: dict[int, dict[str, object]] = {}
    heads: dict[int, tuple[object, ...]] = {}
    for audit, *columns in tx.execute(
        "SELECT e.audit, e.entry_id, lower(hex(b.binding_id)), e.account, e.observed_utc_ms, e.entered_utc_ms,"
        " c.entry_id FROM context_entries e JOIN bindings b ON b.id = e.binding"
        " LEFT JOIN context_entries c ON c.audit = e.corrects"
    ):
        heads[audit], stored[audit] = tuple(columns), {}
    for audit, key, value in tx.execute("SELECT entry, key, value FROM context_values"):
        stored.setdefault(audit, {})[key] = _json(value)
    signed = {seq: entry for seq, entry in check.entries.items() if entry.kind == "context"}
    for seq in sorted({*stored, *signed}):
        entry = signed.get(seq)
        if entry is None or heads.get(seq) != (
            entry.id, entry.binding, entry.account, entry.observed_utc_ms, entry.entered_utc_ms, entry.refers_to,
        ):  # fmt: skip
            check.say(seq, "the stored context entry is not the signed one")
        elif stored[seq] != context_values.from_signed(entry.values):
            check.say(seq, "the stored context values are not the signed ones")


def _check_signed(tx: sqlite3.Connection, check: _Check) -> None:
    stored = {
        audit: tuple(columns)
        for audit, *columns in tx.execute(
            "SELECT s.audit, s.entry_id, lower(hex(b.binding_id)), s.kind, s.account, s.observed_utc_ms, s.scale,"
            " s.scale_version, s.grade, s.cause, s.countersigned_by, s.reversed_by FROM signed_records s"
            " JOIN bindings b ON b.id = s.binding"
        )
    }
    seconds: dict[tuple[str, str], int] = {
        (entry.kind, str(entry.refers_to)): seq
        for seq, entry in check.entries.items()
        if entry.kind in ("countersign", "reverse")
    }
    signed = {
        seq: (
            entry.id, entry.binding, entry.kind, entry.account, entry.observed_utc_ms, entry.values.get("scale"),
            entry.values.get("scale_version"), entry.values.get("grade"), entry.values.get("cause"),
            seconds.get(("countersign", entry.id)), seconds.get(("reverse", entry.id)),
        )
        for seq, entry in check.entries.items()
        if entry.kind in ("grade", "death", "close_episode")
    }  # fmt: skip
    for seq in sorted({*stored, *signed}):
        if stored.get(seq) != signed.get(seq):
            check.say(seq, "the stored record is not the signed one")


def _check_rules(tx: sqlite3.Connection, check: _Check) -> None:
    """Rule sets and limits of patients."""
    stored: dict[int, tuple[object, ...]] = {
        audit: (lower_hash, account)
        for audit, lower_hash, account in tx.execute(
            "SELECT audit, lower(hex(rule_hash)), account FROM rule_sets"
        )
    }
    for audit, binding, limits, reason in tx.execute(
        "SELECT l.audit, lower(hex(b.binding_id)), l.limits, l.reason FROM patient_limits l"
        " JOIN bindings b ON b.id = l.binding"
    ):
        stored[audit] = (binding, _json(limits), reason)
    signed: dict[int, tuple[object, ...]] = {}
    for seq, entry in check.entries.items():
        if entry.kind == "limits":
            signed[seq] = (entry.binding, entry.values.get("limits"), entry.values.get("reason"))
        elif entry.kind == "rules":
            made = rules_of(entry.values)
            # numbers that an older table had cannot be hashed by this program; the row is then taken as it is
            signed[seq] = stored.get(seq, ())
            if isinstance(made, Rules):
                signed[seq] = (rule_hash(made).hex(), entry.account)
    for seq in sorted({*stored, *signed}):
        if stored.get(seq) != signed.get(seq):
            check.say(seq, "the stored rules or limits are not the signed ones")


def _check_outgoing(tx: sqlite3.Connection, check: _Check) -> None:
    """What was or will be sent. A pressure judged from what was measured is left alone: rules change."""
    by_id = {entry.id: entry for entry in check.entries.values()}
    for audit, proof, observed_utc_ms, numbers, profile in tx.execute(
        "SELECT o.audit, o.proof, o.observed_utc_ms, o.numbers, b.profile FROM context_outgoing o"
        " JOIN bindings b ON b.id = o.binding"
    ):
        entry = check.entries.get(audit)
        if entry is None:
            check.say(audit, "what the wearable is told comes from no signed entry")
            continue
        source, told = _told(audit, entry, by_id, profile)
        tree = _json(numbers)
        sent = (
            {int(key): value for key, value in tree.items() if key.isdigit()}
            if isinstance(tree, dict)
            else {}
        )
        right = source is not None and (proof, observed_utc_ms) == (
            check.proof_of[audit],
            source.observed_utc_ms,
        )
        if not right or not sent or any(told.get(key, sent[key]) != sent[key] for key in sent):
            check.say(audit, "what the wearable is told is not what was signed")


def _json(text: object) -> object:
    """What stands in a column, or a word that was never signed when it is not JSON."""
    try:
        return json.loads(str(text))
    except (ValueError, RecursionError):
        return f"not JSON: {text!r}"


def _told(
    audit: int, entry: Entry, by_id: dict[str, Entry], profile: str
) -> tuple[Entry | None, dict[int, int | None]]:
    """The entry whose moment counts, and the numbers that follow from what was signed alone."""
    if entry.kind == "close_episode":
        return entry, {context.EPISODE_CLOSED: 1}
    if entry.kind == "reverse":
        return entry, {context.DEATH: None}
    if entry.kind == "countersign":
        death = by_id.get(str(entry.refers_to))
        return death, {} if death is None else {context.DEATH: DEATH.get(str(death.values.get("cause")))}
    values = context_values.from_signed(entry.values)
    given = Given(audit, entry.id, entry.account, "", 0, 0, values, None, False)
    told = numbers_of(audit, fold([given]), profile)
    if values.get("blood_pressure") is None:
        told.pop(context.BLOOD_PRESSURE, None)
    told.pop(context.ORGAN_GRADE_WORST, None)  # the worst of several entries
    return entry, told


def _check_wearables(tx: sqlite3.Connection, check: _Check) -> None:
    """A wearable bound by this host got its context from this host alone."""
    proofs = set(check.proof_of.values())
    for seq, payload, device_id in tx.execute(
        "SELECT e.seq, e.payload, d.device_id FROM events e JOIN journals j ON j.id = e.journal"
        " JOIN devices d ON d.id = j.device WHERE e.type = ? AND j.binding IS NOT NULL ORDER BY d.id, e.seq",
        (record_layout.CONTEXT,),
    ):
        try:
            proof = context.decode(payload)[1]
        except RemoteError:
            continue
        if proof not in proofs:
            check.say(
                None,
                f"wearable {device_id.hex()} journaled, as its record {seq}, an entry that is not in the chain",
            )
