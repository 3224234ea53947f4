"""Which standing alarm a person means: its number, its name, or the only one."""

import difflib
from collections.abc import Sequence
from typing import Any

from crs_core.code_texts import ALARM_NAMES

from host_agent.errors import ConfigError, HostAgentError

_SEE = "See what stands now: cytowatch alarm list"
Row = dict[str, Any]


class NoSuchAlarm(HostAgentError):  # noqa: N818 named by the condition, as in errors.py
    """No alarm, or more than one, is meant."""

    code = "no_such_alarm"


def about(rows: Sequence[Row], device: str | None, patient: str | None) -> list[Row]:
    """The alarms of the wearable whose id starts so, and of this patient; NoSuchAlarm when none is."""
    found = [row for row in rows if not device or (row["device_id"] or "").startswith(device.lower())]
    if rows and not found:  # that others stand must not read as if none did
        raise NoSuchAlarm(
            f"No alarm stands about a wearable whose id begins with {device}.", f"{_standing(rows)}{_SEE}"
        )
    if not patient:
        return found
    names = sorted({str(row["patient"]) for row in rows if row["patient"]})
    if patient not in names:  # no guess: a pseudonym that is nearly the same is somebody else's
        others = f"Alarms stand about {', '.join(names)}. " if names else ""
        raise NoSuchAlarm(f"No alarm stands about {patient}.", f"{others}{_SEE}")
    return [row for row in found if row["patient"] == patient]


def the_alarm(rows: Sequence[Row], typed: str | None) -> Row:
    """The one that is meant; None: the only one that stands."""
    if typed is None:
        if not rows:
            raise NoSuchAlarm("No alarm stands that somebody could accept.", _SEE)
        if len(rows) > 1:
            raise ConfigError(f"{len(rows)} alarms stand: {_named(rows)}.", "Give one of them, or --all.")
        return rows[0]
    if typed.isascii() and typed.isdigit():
        found = [row for row in rows if row["number"] == int(typed)]
    else:
        found = _by_name(rows, typed)
    if not found:
        raise NoSuchAlarm(f"No alarm {typed} stands now.", _advice(rows, typed))
    if len(found) > 1:
        raise ConfigError(
            f"{len(found)} alarms are called {typed}: {_named(found)}.",
            "Give the number of one of them, --device ID or --patient PSEUDONYM.",
        )
    return found[0]


def _by_name(rows: Sequence[Row], typed: str) -> list[Row]:
    name = _plain(typed)
    exact = [row for row in rows if row["name"] == name]
    if name in ALARM_NAMES.values():  # NO_DATA is no short form of NO_DATA_YET
        return exact
    return [row for row in rows if len(name) > 2 and row["name"].startswith(name)]


def _advice(rows: Sequence[Row], typed: str) -> str:
    names = [str(row["name"]) for row in rows]
    near = difflib.get_close_matches(_plain(typed), names, n=1, cutoff=0.5)
    if near and _plain(typed) not in ALARM_NAMES.values():
        return f"Did you mean {near[0]}? {_SEE}"
    known = difflib.get_close_matches(_plain(typed), list(ALARM_NAMES.values()), n=1, cutoff=0.8)
    ended = f"{known[0]} has ended, or was never raised, about whom you asked. " if known else ""
    return f"{ended}{_standing(rows)}{_SEE}"


def _standing(rows: Sequence[Row]) -> str:
    named = _named(rows)
    return f"These stand: {named}. " if named else ""


def _named(rows: Sequence[Row]) -> str:
    return ", ".join(
        f"{row['number']} {row['name']}" + (f" of {row['patient']}" if row["patient"] else "") for row in rows
    )


def _plain(typed: str) -> str:
    return typed.strip().upper().replace("-", "_").replace(" ", "_")
