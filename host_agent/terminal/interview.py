"""The questions of `context enter`, and how they are asked: one line each, Enter skips, Ctrl-C drops everything.

A question is a row of QUESTIONS. What a role may not enter is not asked.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from crs_core.grade import vocabulary

from host_agent.people import said
from host_agent.people.roles import why_not
from host_agent.terminal.output import say

# Immune effector cell-associated encephalopathy, ASTCT 2019: a point for each right answer.
ICE = (
    "Which year is it?", "Which month is it?", "Which city are we in?", "Where are we: which hospital, or at home?",
    "Name this. Point at a first thing, for example a clock.", "Name this. Point at a second thing, for example a pen.",
    "Name this. Point at a third thing, for example a button.",
    "Do this. For example: show me two fingers, or close your eyes and put out your tongue.",
    "Write a sentence. For example: the sky is blue.", "Count backwards from 100 by ten.",
)  # fmt: skip
_SITES = ("oral", "axilla", "tympanic", "rectal", "core", "skin")


class Question(NamedTuple):
    """`read` makes values of an answer (ValueError: what was expected). `words`: the answers to choose from.

    `if_known` are values without which it is not asked.
    """

    text: str
    read: Callable[[str], dict[str, Any]]
    words: tuple[str, ...] = ()
    if_known: Mapping[str, tuple[Any, ...]] | None = None


def _choice(key: str, words: Sequence[str]) -> Callable[[str], dict[str, Any]]:
    return lambda text: {key: said.one_of(text, words)}


def _drug(key: str) -> Callable[[str], dict[str, Any]]:
    return lambda text: {key: said.yes_no(text)}


def _words(key: str) -> tuple[str, ...]:
    return tuple(str(word) for word in vocabulary.WORDS[key])


_WITH_FLOW = {"oxygen": tuple(one for one in vocabulary.OXYGEN if one != "room_air")}
QUESTIONS = (
    Question("Temperature taken by hand, for example 38.4, 38,4 or 101.2F",
             lambda text: said.temperature(text, _SITES)),
    Question("Where was it taken?", _choice("site", _SITES), _SITES, {"temperature_cc": ()}),
    Question("Blood pressure, for example 120/80", lambda text: dict(said.pressure(text))),
    Question("How is oxygen given?", _choice("oxygen", _words("oxygen")), _words("oxygen")),
    Question("Flow of oxygen in litres per minute, for example 2",
             lambda text: {"flow_lpm": said.litres_per_minute(text)}, (), _WITH_FLOW),
    Question("SpO2 by another device, for example 92", lambda text: {"spo2_tenths": said.saturation_tenths(text)}),
    Question("A drug against fever or pain in the last 24 hours? y or n", _drug("antipyretic")),
    Question("A steroid in the last 7 days? y or n", _drug("steroid")),
    Question("A drug against cytokines since the infusion? y or n", _drug("anticytokine")),
    Question("How does the patient wake up? spontaneous: by themselves; unarousable: not at all",
             _choice("consciousness", _words("consciousness")), _words("consciousness")),
    Question("A seizure?", _choice("seizure", _words("seizure")), _words("seizure")),
    Question("New weakness of a limb? y or n", _drug("motor_weakness")),
)  # fmt: skip


class GivenUp(Exception):  # noqa: N818 named by the condition
    """Somebody ended the questions: nothing is entered."""


def ask_all(role: str) -> dict[str, Any]:
    """The values of everything that was answered; GivenUp at the end of the input."""
    values: dict[str, Any] = {}
    left_out = 0
    for one in QUESTIONS:
        if one.if_known is not None and not _is_known(values, one.if_known):
            continue
        if not any(_may(role, found) for found in _samples(one)):
            left_out += 1
            continue
        values |= _ask(one, role, values)
        if one.if_known is not None and "temperature_cc" in values and "site" not in values:
            say("A temperature without its site counts for nothing, so it is left out.")
            del values["temperature_cc"]
    if _may(role, {"ice": 0}):
        values |= ask_ice()
    elif left_out:
        say(f"{left_out + 1} questions are for a nurse or a clinician and were left out.")
    return values


def ask_ice() -> dict[str, Any]:
    """The ten questions, each right or wrong, and their sum; nothing when one of them has no answer."""
    if not _line("Neurological check with the ten questions of ICE? y, or Enter to skip: ", said.yes_no):
        return {}
    points = 0
    for number, text in enumerate(ICE, 1):
        answer = _line(f"  {number} of {len(ICE)}  {text} r or w: ", said.right_wrong)
        if answer is None:
            say("One question has no answer, so the ICE score is not known. It is left out.")
            return {}
        points += answer
    say(f"ICE score {points} of {len(ICE)}.")
    return {"ice": points}


def agrees(question: str) -> bool:
    """Whether `y` was typed; anything else is no."""
    print(question, end="", file=sys.stderr, flush=True)
    typed = sys.stdin.readline()
    try:
        return bool(typed.strip()) and said.yes_no(typed)
    except ValueError:
        return False


def _is_known(values: Mapping[str, Any], wanted: Mapping[str, tuple[Any, ...]]) -> bool:
    if "site" in values and "temperature_cc" in wanted:
        return False  # it stood behind the temperature
    return all(key in values and (not words or values[key] in words) for key, words in wanted.items())


def _ask(one: Question, role: str, values: Mapping[str, Any]) -> dict[str, Any]:
    for number, word in enumerate(one.words, 1):
        say(f"  {number:2}  {word.replace('_', ' ')}")

    def read(text: str) -> dict[str, Any]:
        found = one.read(text)
        if why := why_not(role, "context", found):
            raise ValueError(why.rstrip("."))
        return found

    return _line(f"{one.text}: ", read) or {}


def _line(prompt: str, read: Callable[[str], Any]) -> Any:
    """What was answered, asked again as long as it is not understood; None: skipped."""
    while True:
        print(prompt, end="", file=sys.stderr, flush=True)
        typed = sys.stdin.readline()
        if not typed:
            raise GivenUp
        if not typed.strip():
            return None
        try:
            return read(typed)
        except ValueError as error:
            say(f"  {error}. Write it again, or Enter to skip.")


def _may(role: str, values: dict[str, Any]) -> bool:
    return not why_not(role, "context", values)


def _samples(one: Question) -> Iterator[dict[str, Any]]:
    """Answers by which it shows whether a role may give any."""
    for text in (*one.words, "38.4", "92", "120/80", "y", "n"):
        try:
            yield one.read(text)
        except ValueError:
            continue
