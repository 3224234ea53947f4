"""`policy`: what the contacts and steps of the configuration would do, without sending anything."""

import difflib
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated, Any

import typer
from crs_core import codes
from crs_core.code_texts import ALARM_NAMES
from crs_core.codes import PRIORITY_HIGH, PRIORITY_LOW, PRIORITY_MEDIUM, PRIORITY_NAMES

from host_agent.clock import RealClock
from host_agent.config.model import Config
from host_agent.errors import ConfigError
from host_agent.escalation.contact.course import (
    OVER_STAGE,
    Accepted,
    Event,
    Hold,
    Over,
    Raised,
    Said,
    Sound,
    Tell,
)
from host_agent.escalation.contact.foreseen import Foreseen, foresee
from host_agent.escalation.contact.plan import Plan, may_wait, plan_of
from host_agent.escalation.words.imagined import imagined_text
from host_agent.escalation.words.reader import readers_of
from host_agent.paths import default_paths
from host_agent.people.accepting import ACCEPTANCE_MS
from host_agent.terminal.config_option import ConfigOption, find_config
from host_agent.terminal.options import JsonOption
from host_agent.terminal.output import show
from host_agent.terminal.progress import working
from host_agent.terminal.times import parse_moment_ms, parse_span_s
from host_agent.text import iso_utc, local_time, priority_name, span_text, table

_GRADE = "GRADE_RISE"
_SHOWN_MAX = 1000
_MEDIUM_FIRST = (codes.FEVER, codes.POSSIBLE_FEVER, codes.SPO2_LOST)
policy = typer.Typer(help="Who is told of an alarm, and when.", no_args_is_help=True)


@policy.command("test")
def test_policy(
    *,
    event: Annotated[
        str,
        typer.Option(
            "--event",
            metavar="NAME[=PRIORITY]",
            help="An alarm such as FEVER or HYPOXAEMIA=MEDIUM, or GRADE_RISE. Without a priority: MEDIUM for a fever,"
            " else HIGH.",
        ),
    ],
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="When it begins, e.g. 2026-03-31T03:07. Default: now."),
    ] = None,
    span: Annotated[
        str, typer.Option("--for", metavar="SPAN", help="How far to look ahead, e.g. 90m.")
    ] = "1h",
    accepted_after: Annotated[
        str | None,
        typer.Option("--accepted-after", metavar="SPAN", help="Somebody accepts it after this time."),
    ] = None,
    over_after: Annotated[
        str | None, typer.Option("--over-after", metavar="SPAN", help="The condition ends after this time.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what would happen, when, to whom and why. Nothing is sent, and no store is read or written."""
    settings = find_config(default_paths(), config)
    plan = plan_of(settings)
    alarm, priority = _event(event)
    begin_ms = RealClock().utc_ms() if at is None else parse_moment_ms(at, "--at")
    for_ms = round(parse_span_s(span, "--for") * 1000)
    waits = may_wait(alarm, priority, is_rise=alarm == 0)
    # nobody accepts an alarm about the calling itself: it is said once, as in `Calling.post`
    first: Event = Said(priority, waits) if alarm == codes.NOBODY_REACHED else Raised(priority, waits)
    happens: list[tuple[int, Event]] = [(0, first)]
    if accepted_after is not None:
        lapse_ms = None if alarm == 0 else ACCEPTANCE_MS[priority]
        happens.append((round(parse_span_s(accepted_after, "--accepted-after") * 1000), Accepted(lapse_ms)))
    if over_after is not None:
        happens.append((round(parse_span_s(over_after, "--over-after") * 1000), Over()))
    name = ALARM_NAMES.get(alarm, _GRADE)
    used = {channel for one in settings.contact for channel in one.channels}
    systems = [one.name for one in settings.receivers if one.name not in used]
    data: dict[str, Any] = {
        "event": name, "priority": priority_name(priority), "at": iso_utc(begin_ms), "for_ms": for_ms,
        "systems": systems,
    }  # fmt: skip
    lines = [
        f"{name}, {priority_name(priority)}, at {local_time(begin_ms, with_date=True)}. Nothing is sent."
    ]
    lines.append(
        f"At once to every system: {', '.join(systems)}."
        if systems
        else "There is no receiver that is a system."
    )
    if plan is None:
        data["steps"], data["texts"] = [], {}
        lines.append("There is no [[contact]]: every receiver is a system, and nobody is called second.")
        if not settings.reaching:
            lines.append(
                "None of them reaches a person: at a HIGH alarm NOBODY_REACHED sounds on the wearable and the laptop."
            )
        show(data, lines, as_json=as_json)
        return
    happens.sort(key=lambda pair: pair[0])
    found: list[Foreseen] = []
    with working(lambda: f"looking ahead, {len(found):,} steps so far"):
        for one in islice(foresee(plan, happens, at_utc_ms=begin_ms, for_ms=for_ms), _SHOWN_MAX + 1):
            found.append(one)
    data["is_cut"] = len(found) > _SHOWN_MAX
    found = found[:_SHOWN_MAX]
    data["steps"] = [_as_json(plan, one) for one in found]
    data["texts"] = dict(_texts(settings, alarm, priority, begin_ms, found))
    lines += [
        "",
        *table(("TIME", "AFTER", "WHO", "CHANNELS", "WHAT", "WHY"), [_row(plan, one) for one in found]),
    ]
    if data["is_cut"]:
        lines.append(f"Shown are the first {_SHOWN_MAX} lines. More follows: give a shorter --for.")
    if data["texts"]:
        lines += ["", "What each reads, with the patient, the values and the numbers of then:"]
        lines += [f"{name}: {text}" for name, text in data["texts"].items()]
    show(data, lines, as_json=as_json)


def _texts(
    settings: Config, alarm: int, priority: int, begin_ms: int, found: Sequence[Foreseen]
) -> Iterator[tuple[str, str]]:
    """(contact, the text of the event) of each that is told, in that order."""
    readers = readers_of(settings)
    channels = {one.name: one.channels for one in settings.contact}
    told = [name for one in found if isinstance(one.action, Tell) for name in one.action.people]
    for name in dict.fromkeys(told):
        yield name, imagined_text(alarm, priority, readers[channels[name][0]], begin_ms)


def _event(text: str) -> tuple[int, int]:
    """(alarm, 0 for a grade rise; priority) of what was typed."""
    name, _, typed = text.partition("=")
    numbers = {known: number for number, known in ALARM_NAMES.items()} | {_GRADE: 0}
    if name.upper() not in numbers:
        near = difflib.get_close_matches(name.upper(), list(numbers), n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(numbers)}."
        raise ConfigError(f"--event: there is no alarm {name!r}.", hint)
    alarm = numbers[name.upper()]
    if not typed:
        return alarm, PRIORITY_MEDIUM if alarm in _MEDIUM_FIRST else PRIORITY_HIGH
    if typed.upper() not in PRIORITY_NAMES[1:]:
        raise ConfigError(
            f"--event: expected LOW, MEDIUM or HIGH after the =, found {typed!r}.",
            f"For example: {name.upper()}=MEDIUM",
        )
    return alarm, PRIORITY_NAMES.index(typed.upper())


def _who(plan: Plan, names: tuple[str, ...]) -> tuple[str, ...]:
    people = [plan.person(name) for name in names]
    return tuple(channel for one in people if one is not None for channel in one.channels)


def _parts(action: Tell | Hold | Sound) -> tuple[tuple[str, ...], str]:
    """(whom it is about, what happens)."""
    if isinstance(action, Sound):
        return (), "NOBODY_REACHED sounds on the wearable and the laptop"
    if isinstance(action, Hold):
        return (action.who,), f"held back until {local_time(action.until_utc_ms, with_seconds=False)}"
    number = f" {action.number}" if action.number else ""
    priority = PRIORITY_LOW if action.stage == OVER_STAGE else action.priority  # an end is never urgent
    return action.people, f"{action.stage}{number}, {priority_name(priority)}"


def _row(plan: Plan, one: Foreseen) -> tuple[str, ...]:
    names, what = _parts(one.action)
    systems = ["systems"] if isinstance(one.action, Tell) and one.action.systems else []
    who = ", ".join([*names, *systems]) or ("everybody" if isinstance(one.action, Sound) else "nobody")
    after = span_text(one.after_ms / 1000) if one.after_ms else "at once"
    channels = ", ".join(_who(plan, names)) or "-"
    return local_time(one.utc_ms), after, who, channels, what, one.action.why


def _as_json(plan: Plan, one: Foreseen) -> dict[str, Any]:
    names, what = _parts(one.action)
    kind = type(one.action).__name__.lower()
    return {
        "at": iso_utc(one.utc_ms), "after_ms": one.after_ms, "action": kind, "people": list(names),
        "channels": list(_who(plan, names)), "what": what, "why": one.action.why,
    }  # fmt: skip
