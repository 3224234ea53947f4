"""Read the whole audit chain again, trust only the keys that the chain itself adds, and name what does not fit.

A changed row breaks its hash or its signature; a removed, inserted or moved one breaks the numbering and the `prev`
that the next person signed. A cut at the end breaks nothing inside the chain: chain_heads.py finds it elsewhere.
"""

import json
from typing import NamedTuple

from crs_core import context
from crs_core.grade.rules import Rules, rule_hash

from host_agent.people import (
    accepting,
    accounts,
    administrator,
    chain,
    chain_heads,
    context_values,
    roles,
    vouching,
)
from host_agent.people.chain_heads import NOWHERE, Elsewhere
from host_agent.people.context_entries import proof_of
from host_agent.people.context_state import Given, fold
from host_agent.people.entry import (
    ADMINISTRATOR,
    NO_HASH,
    Entry,
    MalformedEntryError,
    decode,
    row_hash,
    verifies,
)
from host_agent.people.for_wearable import DEATH, numbers_of
from host_agent.people.rule_sets import rules_of
from host_agent.store.accounts import Account
from host_agent.store.accounts import accounts as stored_accounts
from host_agent.store.audit import AuditRow, audit_rows
from host_agent.store.context import context_entries
from host_agent.store.context import context_values as stored_values
from host_agent.store.db import Tx
from host_agent.store.outgoing import outgoing
from host_agent.store.rule_sets import patient_limits, rule_sets
from host_agent.store.signed_records import signed_records


class Problem(NamedTuple):
    """`seq`: the row at which it shows; None when it belongs to no row."""

    seq: int | None
    text: str


class Report(NamedTuple):
    """What the check found; `head` is worth noting elsewhere, on paper for instance.

    `given_up` names what signed restores gave up.
    """

    rows: int
    head: str
    problems: list[Problem]
    given_up: list[str]


class _Check:
    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.known: dict[str, Account] = {}
        self.vouchers: dict[str, set[str]] = {}
        self.entries: dict[int, Entry] = {}
        self.proof_of: dict[int, bytes] = {}
        self.hashes: dict[int, bytes] = {}
        self._expected = 1
        self._prev = NO_HASH

    def say(self, seq: int | None, text: str) -> None:
        self.problems.append(Problem(seq, text))

    def row(self, row: AuditRow) -> None:
        if row.seq != self._expected:
            last = row.seq - 1
            which = f"row {last} is" if last == self._expected else f"rows {self._expected} to {last} are"
            self.say(row.seq, f"{which} missing before it")
        self._expected = row.seq + 1
        prev, self._prev = self._prev, row.hash
        self.hashes[row.seq] = row.hash
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

    def _signature(self, row: AuditRow, entry: Entry) -> bool:
        signer: object = self.known.get(entry.account)
        if not self.known:
            signer = accounts.first_account(entry)
        if not isinstance(signer, Account):
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
            self.known[entry.values["name"]] = accounts.account_from(entry.values, seq)
        elif entry.kind == "account_disable" and entry.values.get("name") in self.known:
            name = entry.values["name"]
            self.known[name] = self.known[name]._replace(is_disabled=True)
        elif entry.kind == administrator.KIND and not administrator.fault(entry.values):
            if ADMINISTRATOR in self.known:
                self.say(seq, "it makes a second administrator code")
            self.known.setdefault(ADMINISTRATOR, administrator.account_from(entry.values, seq))
        elif entry.kind == "countersign":
            self._countersigned(seq, entry)
        vouching.note(self.vouchers, entry)

    def _countersigned(self, seq: int, entry: Entry) -> None:
        """Before there was an administrator code, any two accounts could do it."""
        first = next((one for one in self.entries.values() if one.id == entry.refers_to), None)
        if first is not None and ADMINISTRATOR in self.known:
            one = vouching.stands_behind_both(self.vouchers, first.account, entry.account)
            if one is not None:
                self.say(
                    seq, f"{one} alone stands behind {first.account} and {entry.account}, who both signed it"
                )


def verify(tx: Tx, noted_head: str | None = None, elsewhere: Elsewhere = NOWHERE) -> Report:
    """Check every row, every row made from one, and that the chain has what is known of it elsewhere.

    `noted_head` (hex) was noted by a person.
    """
    check = _Check()
    number = 0
    for row in audit_rows(tx):
        number += 1
        check.row(row)
    known = chain_heads.Chain(
        check.hashes, set(check.proof_of.values()), list(check.entries.values()), check.known
    )
    for text in chain_heads.compare(tx, known, noted_head, elsewhere):
        check.say(None, text)
    _check_accounts(tx, check)
    _check_context(tx, check)
    _check_signed(tx, check)
    _check_rules(tx, check)
    _check_outgoing(tx, check)
    for seq in accepting.differing(tx, check.entries):
        check.say(seq, "the stored acceptance is not the signed one")
    return Report(number, chain.head(tx).hash.hex(), check.problems, list(chain_heads.given_up(known)))


def _check_accounts(tx: Tx, check: _Check) -> None:
    stored = {one.name: one for one in stored_accounts(tx)}
    for name in sorted({*stored, *check.known} - {ADMINISTRATOR}):
        if stored.get(name) != check.known.get(name):
            check.say(None, f"account {name} is not as the chain says")


def _check_context(tx: Tx, check: _Check) -> None:
    stored = {
        one.audit: (
            one.entry_id, _hex(one.binding_id), one.account, one.observed_utc_ms, one.entered_utc_ms, one.corrects,
        )
        for one in context_entries(tx)
    }  # fmt: skip
    values = {
        audit: {key: _json(text) for key, text in pairs.items()} for audit, pairs in stored_values(tx).items()
    }
    signed = {seq: entry for seq, entry in check.entries.items() if entry.kind == "context"}
    for seq in sorted({*stored, *values, *signed}):
        entry = signed.get(seq)
        if entry is None or stored.get(seq) != (
            entry.id, entry.binding, entry.account, entry.observed_utc_ms, entry.entered_utc_ms, entry.refers_to,
        ):  # fmt: skip
            check.say(seq, "the stored context entry is not the signed one")
        elif values.get(seq, {}) != context_values.from_signed(entry.values):
            check.say(seq, "the stored context values are not the signed ones")


def _check_signed(tx: Tx, check: _Check) -> None:
    stored = {
        one.audit: (
            one.entry_id, _hex(one.binding_id), one.kind, one.account, one.observed_utc_ms, one.scale,
            one.scale_version, one.grade, one.cause, one.countersigned_by, one.reversed_by,
        )
        for one in signed_records(tx)
    }  # fmt: skip
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


def _check_rules(tx: Tx, check: _Check) -> None:
    """Rule sets and limits of patients."""
    stored: dict[int, tuple[object, ...]] = {
        one.audit: (_hex(one.rule_hash), one.account) for one in rule_sets(tx)
    }
    for limits in patient_limits(tx):
        stored[limits.audit] = (_hex(limits.binding_id), _json(limits.limits), limits.reason)
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


def _check_outgoing(tx: Tx, check: _Check) -> None:
    """What was or will be sent. A pressure that was judged from numbers is not compared: rules change."""
    by_id = {entry.id: entry for entry in check.entries.values()}
    for item in outgoing(tx):
        entry = check.entries.get(item.audit)
        if entry is None:
            check.say(item.audit, "what goes to the wearable comes from no signed entry")
            continue
        source, right_numbers = _right_numbers(item.audit, entry, by_id, item.profile)
        tree = _json(item.numbers)
        sent = (
            {int(key): value for key, value in tree.items() if key.isdigit()}
            if isinstance(tree, dict)
            else {}
        )
        is_right = source is not None and (item.proof, item.observed_utc_ms) == (
            check.proof_of[item.audit],
            source.observed_utc_ms,
        )
        if not is_right or not sent or any(right_numbers.get(key, sent[key]) != sent[key] for key in sent):
            check.say(item.audit, "what goes to the wearable is not what was signed")


def _json(text: object) -> object:
    """The content of a column; for text that is not JSON, a text that nobody can have signed."""
    try:
        return json.loads(str(text))
    except (ValueError, RecursionError):
        return f"not JSON: {text!r}"


def _hex(data: object) -> str:
    """The content of a column as hex; for other content, a text that nobody can have signed."""
    return data.hex() if isinstance(data, bytes) else f"not bytes: {data!r}"


def _right_numbers(
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
    numbers = numbers_of(audit, fold([given]), profile)
    if values.get("blood_pressure") is None:
        numbers.pop(context.BLOOD_PRESSURE, None)
    numbers.pop(context.ORGAN_GRADE_WORST, None)  # the worst of several entries
    return entry, numbers
