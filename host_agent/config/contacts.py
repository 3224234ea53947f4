"""Who is told of an alarm, and when: the tables `[[contact]]`, `[[step]]`, `[escalation]`, and what is wrong in them.

A receiver that no contact names is a system: it gets every event at once. A file without contacts has only systems.
The times are proposals that a clinician must sign.
"""

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from host_agent.forward.receiver import Receiver
from host_agent.languages import FIRST, LANGUAGES

Priority = Literal["LOW", "MEDIUM", "HIGH"]
Path = tuple[str | int, ...]
# a language is one file, so the names are known only at run time
if TYPE_CHECKING:
    Language = str
else:
    Language = Literal[LANGUAGES]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
_CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
# Keys of a receiver that say whom it reaches; the first that is there counts. Behind one address of a broker or of a
# paging service lie many people, told apart by topic or token.
_RECIPIENTS = ("to", "recipients", "recipient", "number")
_ADDRESS = ("url", "url_file", "url_env", "server", "host", "port", "topic", "token_file", "token_env")
_PORTS = {"http": 80, "https": 443}


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class EscalationSection(_Table):
    """How long people have to accept an alarm. It counts only when there are contacts."""

    accept_within_s: int = Field(
        default=600, ge=60, le=3600,
        description="Time until somebody must have accepted a HIGH alarm. Then NOBODY_REACHED sounds on the wearable"
        " and the laptop, and the steps start again.",
        json_schema_extra={"unit": "s"},
    )  # fmt: skip
    medium_to_high_s: int = Field(
        default=900, ge=60, le=3600,
        description="Time after which a MEDIUM alarm that nobody accepted becomes HIGH.",
        json_schema_extra={"unit": "s"},
    )  # fmt: skip


class ContactSection(_Table):
    """A person, and the receivers that reach this person. A receiver belongs to one contact at most."""

    example: ClassVar[dict[str, Any]] = {"name": "nurse-1", "role": "nurse", "channels": ("ward",)}

    name: Name = Field(description="Name of this person in steps and history: a-z, 0-9 and dashes.")
    role: Literal["patient", "caregiver", "nurse", "on_call"] = Field(
        description="Decides the words of a message."
    )
    channels: tuple[Name, ...] = Field(
        strict=False, description="Names of receivers. A message goes to all of them at once."
    )
    language: Language = Field(default=FIRST, description="Language of the messages.")
    unit: Literal["C", "F"] | None = Field(
        default=None,
        description="Temperature unit that comes first. When it is not set, the wearable's.",
    )
    quiet_from: Annotated[str, Field(pattern=_CLOCK)] | None = Field(
        default=None, description="Begin of the quiet hours by this computer's clock, e.g. 22:00."
    )
    quiet_until: Annotated[str, Field(pattern=_CLOCK)] | None = Field(
        default=None, description="End of the quiet hours. What they held back is sent then."
    )
    quiet_holds: Literal["LOW"] = Field(
        default="LOW",
        description="What quiet hours hold back. They never hold back a MEDIUM or HIGH alarm.",
    )


class StepSection(_Table):
    """One step: who is told how long after an alarm began, as long as nobody accepted it."""

    example: ClassVar[dict[str, Any]] = {"contacts": ("nurse-1",)}

    after_s: int = Field(
        default=0, ge=0, le=3600, description="Time from the begin of the alarm. The first step is at 0.",
        json_schema_extra={"unit": "s"},
    )  # fmt: skip
    contacts: tuple[Name, ...] = Field(strict=False, description="Names of contacts that are told together.")
    repeat_s: int = Field(
        default=0, ge=0, le=3600, description="Pause between repetitions. 0: the step is not repeated.",
        json_schema_extra={"unit": "s"},
    )  # fmt: skip
    repeats: int = Field(
        default=0, ge=0, le=100, description="How often the step is repeated while nobody accepts."
    )
    least: Priority = Field(default="LOW", description="Lowest priority of an alarm that reaches this step.")


def contact_problems(
    contacts: Sequence[ContactSection],
    steps: Sequence[StepSection],
    escalation: EscalationSection,
    receivers: Sequence[Receiver],
) -> Iterator[tuple[Path, str]]:
    """(key path, what was expected there) of everything by which an alarm could fail to reach people."""
    yield from _people(contacts, {one.name: one for one in receivers})
    if contacts or steps:
        yield from _steps(contacts, steps, escalation)
        yield from _reach(contacts, steps)


def _people(contacts: Sequence[ContactSection], receivers: dict[str, Receiver]) -> Iterator[tuple[Path, str]]:
    names: list[str] = []
    owner: dict[str, str] = {}
    address: dict[object, tuple[str, str]] = {}
    for at, one in enumerate(contacts):
        if one.name in names:
            yield ("contact", at, "name"), f"another name for each contact; {one.name} is used twice"
        names.append(one.name)
        place: Path = ("contact", at, "channels")
        if not one.channels:
            yield place, f"at least one receiver; without one nothing ever reaches {one.name}"
        for channel in one.channels:
            if channel not in receivers:
                yield place, f"names of receivers; there is no receiver {channel}{_near(channel, receivers)}"
            elif receivers[channel].reaches == "nobody":
                yield (
                    place,
                    f"receivers that tell a person; {channel} is a [[{receivers[channel].kind}]]; it tells nobody",
                )
            elif channel in owner:
                whose = (
                    "this contact has it twice" if owner[channel] == one.name else f"{owner[channel]} has it"
                )
                yield place, f"a receiver of its own for each contact; {channel}: {whose}"
            else:
                owner[channel] = one.name
                for where in _reaches(receivers[channel]):
                    other, other_channel = address.setdefault(where, (one.name, channel))
                    if other != one.name:
                        yield (
                            place,
                            f"an address of its own for each contact; {channel} reaches the same place as"
                            f" {other_channel} of {other}",
                        )
        if (one.quiet_from is None) != (one.quiet_until is None):
            missing = "quiet_from" if one.quiet_from is None else "quiet_until"
            yield ("contact", at, missing), "quiet_from and quiet_until together"
        elif one.quiet_from is not None and one.quiet_from == one.quiet_until:
            yield ("contact", at, "quiet_until"), "another time than quiet_from: quiet hours end each day"


def _steps(
    contacts: Sequence[ContactSection], steps: Sequence[StepSection], escalation: EscalationSection
) -> Iterator[tuple[Path, str]]:
    names = [one.name for one in contacts]
    for at, step in enumerate(steps):
        place: Path = ("step", at, "contacts")
        if not step.contacts:
            yield place, "at least one contact"
        for name in dict.fromkeys(step.contacts):
            if name not in names:
                yield place, f"names of contacts; there is no contact {name}{_near(name, names)}"
            elif step.contacts.count(name) > 1:
                yield place, f"each contact once; {name} is there {step.contacts.count(name)} times"
        if step.repeats and not step.repeat_s:
            yield ("step", at, "repeat_s"), "the pause between the repeats, above 0"
        elif step.repeat_s and not step.repeats:
            yield ("step", at, "repeats"), "how often to repeat, above 0, because repeat_s is set"
        last_s = step.after_s + step.repeat_s * step.repeats
        for key, limit_s in _limits(step, escalation):
            if step.after_s >= limit_s:
                yield (
                    ("step", at, "after_s"),
                    f"a time before {key} ({limit_s} s); this step would never come",
                )
                break
            if last_s >= limit_s:
                yield (
                    ("step", at, "repeats"),
                    (
                        f"fewer or faster repeats: the last one comes at {last_s} s, and the steps"
                        f" start again at {key} ({limit_s} s)"
                    ),
                )
                break


def _limits(step: StepSection, escalation: EscalationSection) -> list[tuple[str, int]]:
    """(key, seconds) of what ends the steps of each priority that this step serves."""
    limits = [("escalation.accept_within_s", escalation.accept_within_s)]
    if step.least != "HIGH":
        limits.append(("escalation.medium_to_high_s", escalation.medium_to_high_s))
    return limits


def _reach(contacts: Sequence[ContactSection], steps: Sequence[StepSection]) -> Iterator[tuple[Path, str]]:
    """Whether each contact is ever told, and an alarm of each priority told at once to somebody who can help."""
    if not steps:
        yield ("contact", 0), "a [[step]] as well; without one no contact is ever told"
        return
    if not contacts:
        return  # each step names a contact that is not there
    told = {name for step in steps for name in step.contacts}
    for at, one in enumerate(contacts):
        if one.name not in told:
            yield ("contact", at, "name"), f"a contact that a [[step]] names; {one.name} is never told"
    helpers = {one.name for one in contacts if one.role != "patient"}
    for least, served in (("HIGH", steps), ("MEDIUM", [step for step in steps if step.least != "HIGH"])):
        if not served:
            yield ("step", 0, "least"), "LOW or MEDIUM in one step at least; nobody is told of a MEDIUM alarm"
        elif min(step.after_s for step in served) > 0:
            first = min(range(len(steps)), key=lambda at: (steps[at] not in served, steps[at].after_s))
            yield ("step", first, "after_s"), f"0 in the first step; a {least} alarm must not wait"
        elif not helpers.intersection(name for step in served for name in step.contacts):
            yield (
                ("step", 0, "contacts"),
                (f"a caregiver, nurse or on_call in one step for {least} alarms; only the patient is told"),
            )
        else:
            continue
        return


def _reaches(receiver: Receiver) -> Iterator[object]:
    """What two receivers have in common when they reach the same place; the kind does not matter."""
    for key in _RECIPIENTS:
        if value := getattr(receiver, key, None):
            for one in value if isinstance(value, tuple | list) else [value]:
                yield ("to", re.sub(r"\s+", "", _plain(one)).casefold())
            return
    found = tuple((key, _plain(getattr(receiver, key, None))) for key in _ADDRESS)
    if any(value for key, value in found if key not in ("port", "topic", "token_file", "token_env")):
        yield found


def _plain(value: object) -> str:
    text = value.get_secret_value() if isinstance(value, SecretStr) else "" if value is None else str(value)
    if "://" not in text:
        return text
    try:
        split = urlsplit(text)
        port = split.port or _PORTS.get(split.scheme.lower())
    except ValueError:
        return text
    query = f"?{split.query}" if split.query else ""
    return (
        f"{split.scheme.lower()}://{(split.hostname or '').rstrip('.')}:{port}{split.path.rstrip('/')}{query}"
    )


def _near(name: str, known: Sequence[str] | dict[str, Receiver]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; there are: {', '.join(sorted(known))}" if known else "; there is none at all"
