"""What is in force for a patient: all entries of the binding, folded in the order in which things were observed.

The newest observation of a key counts; of two of the same moment the one entered later, so that a correction, which
keeps the moment of what it corrects, takes its place. Nothing is deleted: a withdrawn key is held as None.
"""

import json
import logging
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from crs_core.errors import CoreError
from crs_core.grade import entries, vocabulary

from host_agent.people.context_values import DROPS, NONE_VALUES, ONLY_BY_NAME, PRESSURE
from host_agent.store.context import context_entries
from host_agent.store.context import context_values as stored_values
from host_agent.store.db import Tx
from host_agent.store.signed_records import signed_records

_LOG = logging.getLogger(__name__)


class Given(NamedTuple):
    """One entry about a patient. `values` None: a clinician signed the end of the episode."""

    audit: int
    entry_id: str
    account: str
    role: str
    observed_utc_ms: int
    entered_utc_ms: int
    values: dict[str, Any] | None
    corrects: str | None
    simulated: bool


class Held(NamedTuple):
    """The value of one key that is in force, and the entry that it comes from. None: withdrawn."""

    value: Any
    given: Given


State = dict[str, Held]
# What the signed end of an episode takes with it.
_OF_THE_EPISODE = entries.OF_THE_EPISODE

# What `context: complete` says anew.
_COMPLETED = [key for key in (*NONE_VALUES, *PRESSURE) if key not in ONLY_BY_NAME]


def given(tx: Tx, binding: int) -> list[Given]:
    """Every context entry and every signed end of an episode of this binding, in order of observation."""
    values = stored_values(tx, binding)
    found = [
        Given(
            one.audit, one.entry_id, one.account, one.role, one.observed_utc_ms, one.entered_utc_ms,
            _values(values.get(one.audit, {})), one.corrects, one.simulated,
        )
        for one in context_entries(tx, binding)
    ]  # fmt: skip
    found += [
        Given(
            one.audit, one.entry_id, one.account, one.role, one.observed_utc_ms, one.entered_utc_ms, None, None,
            one.simulated,
        )
        for one in signed_records(tx, binding)
        if one.kind == "close_episode"
    ]  # fmt: skip
    return sorted(found, key=lambda entry: (entry.observed_utc_ms, entry.audit))


def _values(texts: dict[str, str]) -> dict[str, Any]:
    """The values by key. A damaged one counts as withdrawn: no older value of its key may take its place."""
    values: dict[str, Any] = {}
    for key, text in texts.items():
        try:
            vocabulary.check_key(key)
        except CoreError:
            continue  # no key of this program
        try:
            values[key] = json.loads(text)
            if values[key] is not None:
                vocabulary.check({"site": "oral", key: values[key]})
        except (ValueError, TypeError, RecursionError, CoreError):
            _LOG.warning("the stored value of %s is damaged and counts as withdrawn", key)
            values[key] = None
    if "temperature_cc" in values and values.get("site") is None:
        values["temperature_cc"] = None
    return values


def fold(given_entries: Iterable[Given]) -> State:
    """What is in force after these entries, given in order of observation."""
    state: State = {}
    for entry in given_entries:
        if entry.values is None:
            for key in _OF_THE_EPISODE:
                state.pop(key, None)
            continue
        values = expanded(entry.values, {key: held.value for key, held in state.items()})
        _drop(state, values)
        for key, value in values.items():
            state[key] = Held(value, entry)
    return state


def in_force(tx: Tx, binding: int) -> State:
    """What is in force for this binding, expired values included: see validity.py."""
    return fold(given(tx, binding))


def of_one_moment(given_entries: Iterable[Given]) -> Iterator[dict[str, Any] | None]:
    """The values of entries of the same moment as one, a correction in the place of what it corrects.

    None is the signed end of an episode, by itself.
    """
    values: dict[str, Any] = {}
    for entry in given_entries:
        if entry.values is None:
            if values:
                yield values
            values = {}
            yield None
            continue
        if entry.values.get("context") == "complete":
            for key in _COMPLETED:
                values.pop(key, None)
        _drop(values, entry.values)
        values.update(entry.values)
    if values:
        yield values


def _drop(state: dict[str, Any], values: dict[str, Any]) -> None:
    for key in values:
        for dropped in DROPS.get(key, ()):
            if dropped not in values:
                state.pop(dropped, None)


def expanded(values: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """`context: complete` written out, key by key; `before` {key: value} is what was entered before."""
    if values.get("context") != "complete":
        return values
    out = {key: value for key, value in values.items() if key != "context"}
    has_pressure = any(key in values for key in ("systolic_mmhg", "map_mmhg"))
    for key, value in NONE_VALUES.items():
        stays = key in ONLY_BY_NAME and before.get(key)
        if key not in out and not stays and not (key == "blood_pressure" and has_pressure):
            out[key] = value
    return out
