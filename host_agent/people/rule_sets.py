"""Rule sets that a clinician signed: all numbers at once, and a reason for each that differs from the default."""

from typing import Any

from crs_core.errors import CoreError
from crs_core.grade import rules
from crs_core.grade.rules import DEFAULT, Rules
from crs_core.settings import RULES_MAX_BYTES

from host_agent.people.asking import Ask, Refusal
from host_agent.store.db import Tx
from host_agent.store.rule_sets import RuleSet, add_rule_set, rule_sets

_REASON_CHARS = 200


def rules_of(values: dict[str, Any]) -> Rules | str:
    """The rules that the values of an entry state, or what is wrong with them, the number named."""
    numbers, reasons = values.get("rules"), values.get("reasons")
    if set(values) != {"rules", "reasons"} or not isinstance(numbers, dict) or not isinstance(reasons, dict):
        return "a rule set has rules and reasons"
    for name in (*numbers, *reasons):
        if name not in Rules._fields:
            return f"rule {name}: there is no rule of this name"
    for name in Rules._fields:
        if name not in numbers:
            return f"rule {name} is missing. A rule set states every number"
    made = Rules(*[numbers[name] for name in Rules._fields])
    try:
        rules.check(made)
    except CoreError as error:
        return str(error.args[0])
    for name, value, default in zip(Rules._fields, made, DEFAULT, strict=True):
        reason = reasons.get(name, "")
        if not isinstance(reason, str) or len(reason) > _REASON_CHARS:
            return f"rule {name}: a reason is text of at most {_REASON_CHARS} characters"
        if value != default and not reason.strip():
            return f"rule {name}: {value} differs from {default}. Give a reason"
    if len(rules.limits_text(made, DEFAULT)) > RULES_MAX_BYTES:
        return "rules: too many numbers differ from the program's for a wearable to keep"
    return made


def check(tx: Tx, ask: Ask) -> Refusal | None:
    """Whether this rule set may be signed."""
    made = rules_of(ask.entry.values)
    return Refusal("bad_value", made) if isinstance(made, str) else None


def keep(tx: Tx, ask: Ask, audit: int) -> None:
    """Store the rule set with the hash by which records of a wearable name it."""
    made = rules_of(ask.entry.values)
    assert isinstance(made, Rules)
    entry = ask.entry
    add_rule_set(
        tx, RuleSet(audit, rules.rule_hash(made), rules.encode(made), entry.account, entry.entered_utc_ms)
    )


def newest_rules(tx: Tx) -> Rules:
    """The rule set signed last that this program can read; the default when there is none."""
    readable = signed_rules(tx)
    return list(readable.values())[-1] if readable else DEFAULT


def signed_rules(tx: Tx) -> dict[bytes, Rules]:
    """Every signed rule set by its hash; what an older version of the table wrote is left out: it cannot be re-run.

    The one signed last is last, also when the same numbers were signed before.
    """
    found: dict[bytes, Rules] = {}
    for one in rule_sets(tx):
        try:
            made = rules.decode(one.rules)
        except CoreError:
            continue
        found.pop(one.rule_hash, None)
        found[one.rule_hash] = made
    return found
