"""Rule sets that a clinician signed, and limits of single patients on top of them."""

from typing import NamedTuple

from host_agent.store.db import Tx


class RuleSet(NamedTuple):
    """`rules` are the canonical bytes of crs_core.grade.rules, `rule_hash` names them in a wearable's records."""

    audit: int
    rule_hash: bytes
    rules: bytes
    account: str
    signed_utc_ms: int


class PatientLimits(NamedTuple):
    """`limits` is JSON text: name of the rule → number. `binding_id` is that of the binding they are for."""

    audit: int
    binding: int
    binding_id: bytes
    limits: str
    reason: str


def rule_sets(tx: Tx) -> list[RuleSet]:
    """Every rule set, oldest signature first."""
    rows = tx.execute("SELECT audit, rule_hash, rules, account, signed_utc_ms FROM rule_sets ORDER BY audit")
    return [RuleSet._make(row) for row in rows]


def add_rule_set(tx: Tx, made: RuleSet) -> None:
    """Store a rule set."""
    tx.execute("INSERT INTO rule_sets VALUES (?, ?, ?, ?, ?)", made)


def patient_limits(tx: Tx, binding: int | None = None) -> list[PatientLimits]:
    """The limits signed for one binding (row id), or (None) for all, oldest signature first; the last one counts."""
    where, values = ("", ()) if binding is None else (" WHERE l.binding = ?", (binding,))
    rows = tx.execute(
        "SELECT l.audit, l.binding, b.binding_id, l.limits, l.reason FROM patient_limits l"  # noqa: S608
        f" JOIN bindings b ON b.id = l.binding{where} ORDER BY l.audit",
        values,
    )
    return [PatientLimits._make(row) for row in rows]


def add_patient_limits(tx: Tx, audit: int, binding: int, limits: str, reason: str) -> None:
    """Store limits (JSON text) of one binding (row id); they replace earlier ones."""
    tx.execute("INSERT INTO patient_limits VALUES (?, ?, ?, ?)", (audit, binding, limits, reason))
