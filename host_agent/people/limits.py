"""Per-patient limits that a clinician signed, on top of the site's rules, and the rules that result for a patient."""

import contextlib
import json
from typing import Any

from crs_core.errors import LocalError
from crs_core.grade.rules import DEFAULT, Rules, with_limits

from host_agent.people.asking import Ask, Refusal
from host_agent.people.rule_sets import newest_rules
from host_agent.store.db import Tx
from host_agent.store.rule_sets import add_patient_limits, patient_limits

# Numbers that differ from patient to patient; all others are the site's.
NAMES = (
    "spo2_fast_tenths", "spo2_slow_tenths", "spo2_medium_tenths", "spo2_need_tenths", "hr_high_bpm",
    "hypotension_systolic_mmhg",
)  # fmt: skip
_REASON_CHARS = 200


def fault(values: dict[str, Any], rules: Rules = DEFAULT) -> str:
    """What is wrong with the values of a limits entry over these rules, the number named; "" when nothing is."""
    limits, reason = values.get("limits"), values.get("reason")
    if set(values) != {"limits", "reason"} or not isinstance(limits, dict) or not limits:
        return "limits: at least one number, and a reason"
    for name in limits:
        if name not in NAMES:
            return f"{name} is not a limit of a patient. These are: {', '.join(NAMES)}"
    if not isinstance(reason, str) or not reason.strip() or len(reason) > _REASON_CHARS:
        return f"reason: 1 to {_REASON_CHARS} characters"
    try:
        with_limits(rules, limits)
    except LocalError as error:
        return str(error.args[0])
    return ""


def check(tx: Tx, ask: Ask) -> Refusal | None:
    """Whether these limits may be signed."""
    text = fault(ask.entry.values, newest_rules(tx))
    return Refusal("bad_value", text) if text else None


def keep(tx: Tx, ask: Ask, audit: int) -> None:
    """Store the limits; they replace those signed before."""
    assert ask.wearer is not None
    values = ask.entry.values
    text = json.dumps(values["limits"], sort_keys=True)
    add_patient_limits(tx, audit, ask.wearer.row, text, values["reason"])


def limits_of(tx: Tx, binding: int) -> dict[str, int]:
    """The limits signed last for this binding; empty when there are none."""
    signed = patient_limits(tx, binding)
    return dict(json.loads(signed[-1].limits)) if signed else {}


def rules_for(tx: Tx, binding: int) -> Rules:
    """The rules for this patient: the set signed last (else the default) with the patient's limits on top.

    A limit that a later rule set contradicts is left out, and only that one: the site's number then counts until the
    limit is signed again.
    """
    rules = newest_rules(tx)
    limits = limits_of(tx, binding)
    try:
        return with_limits(rules, limits)
    except LocalError:
        for name, value in limits.items():
            with contextlib.suppress(LocalError):
                rules = with_limits(rules, {name: value})
        return rules
