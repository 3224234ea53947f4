"""The host's own grade: every scale over what people entered and what the wearable measures, as of one moment.

A pure read of the store. Computed grades end at 4 and carry no code; a 5 is the signed death that is in force.
"""

from typing import Any, NamedTuple

from crs_core.grade import case, entries, prompts
from crs_core.grade.rules import Rules
from crs_core.grade.scales import ICANS

from host_agent.people.context_state import given
from host_agent.people.for_wearable import inputs_of_profile
from host_agent.people.limits import rules_for
from host_agent.people.replay import Replay
from host_agent.people.signed_records import death_in_force
from host_agent.people.wearable_says import Resolve, fresh, signs
from host_agent.store.bindings import ACTIVE, STARTING, binding_by_row
from host_agent.store.db import Tx


class Prompts(NamedTuple):
    """What people are asked for: names of crs_core.grade.prompts and "temperature_cc" for an oral temperature.

    `priority` is that of PROMPT_MISSED, 0 when nothing was missed.
    """

    due: list[str]
    missed: list[str]
    priority: int


NO_PROMPTS = Prompts([], [], 0)


class Regraded(NamedTuple):
    """Fever, scale → grade of crs_core.grade.case with "held" and "data_age", and what is asked for.

    `grades` is empty while nothing was entered and no death is signed: the wearable's own grade says all there is.
    """

    fever: str
    grades: dict[str, dict[str, Any]]
    prompts: Prompts


def regrade(tx: Tx, binding: int, now_ms: int, resolve: Resolve) -> Regraded:
    """Grade an open binding as of `now_ms`; `resolve` dates the wearable's records."""
    rules = rules_for(tx, binding)
    replay = replayed(tx, binding, rules, now_ms, resolve)
    sensors, ages = fresh(tx, binding, rules, now_ms, resolve)
    inputs = replay.inputs(sensors)
    death = death_in_force(tx, binding)
    if death is not None:
        inputs["death"] = death.cause
    answer = case.assess(inputs, rules)
    asked = NO_PROMPTS if death is not None else _asked(tx, binding, rules, replay, now_ms)
    if not replay.has_entries and death is None:
        return Regraded(answer["fever"], {}, asked)
    if ICANS.name in replay.held and ICANS.name not in answer["grades"]:
        answer["grades"][ICANS.name] = case.assess_scale(ICANS, inputs, rules, {})
    counted = [entry[2] for entry in replay.entered if entry[3] == entries.IN_FORCE]
    data_age = {
        "temp_age_ms": ages.get("temperature_cc"), "ppg_age_ms": ages.get("spo2_tenths"),
        "oldest_entry_age_ms": max(0, now_ms - min(counted)) if counted else None,
    }  # fmt: skip
    for name, grade in answer["grades"].items():
        held = replay.held.get(name)
        shows = held is not None and death is None and (grade["lower"] or 0) < held.lower
        grade["held"] = {"lower": held.lower, "utc_ms": held.utc_ms} if held is not None and shows else None
        grade["data_age"] = dict(data_age)
    return Regraded(answer["fever"], answer["grades"], asked)


def asked_for(tx: Tx, binding: int, now_ms: int, resolve: Resolve) -> Prompts:
    """What people are asked for about an open binding; nothing once a death is signed."""
    if death_in_force(tx, binding) is not None:
        return NO_PROMPTS
    rules = rules_for(tx, binding)
    return _asked(tx, binding, rules, replayed(tx, binding, rules, now_ms, resolve), now_ms)


def replayed(tx: Tx, binding: int, rules: Rules, now_ms: int, resolve: Resolve) -> Replay:
    """The binding's entries with the wearable's signs between them, up to now."""
    own = inputs_of_profile(binding_by_row(tx, binding).profile)
    return Replay(rules, own).run(given(tx, binding), signs(tx, binding, rules, now_ms, resolve), now_ms)


def _asked(tx: Tx, binding: int, rules: Rules, replay: Replay, now_ms: int) -> Prompts:
    """What people are asked for; nothing about a binding that is ending, since nobody can enter anything about it."""
    bound = binding_by_row(tx, binding)
    if bound.state not in (STARTING, ACTIVE):
        return NO_PROMPTS
    due, missed = prompts.look(replay.answered, bound.started_utc_ms, replay.first_met_ms, now_ms, rules)
    by_hand_ms = replay.answered.get("temperature_cc")
    is_due, is_missed = prompts.oral_due(replay.possible_since_ms, by_hand_ms, now_ms, rules)
    if is_missed:
        missed = [*missed, "temperature_cc"]
    elif is_due:
        due = [*due, "temperature_cc"]
    return Prompts(due, missed, prompts.missed_priority(missed, replay.first_met_ms))
