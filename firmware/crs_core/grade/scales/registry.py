"""Gathers the scales: checks that each file has all that belongs to it, and that no number stands for two things.

A scale's file has SCALE, PAPER, PEOPLE_JUDGE, FACTS (its own), CASES and READINGS. It has DEATH where a death is not
due to CRS, and TITLE where people call the table otherwise than its name and version. Each error is a LocalError that
names the scale and what is missing.
"""

# mypy: disable-error-code="type-arg, no-any-return"
# Tables are bare dicts and tuples: MicroPython has no typing module to say more with.

from collections import OrderedDict, namedtuple

from crs_core import code_texts, codes
from crs_core.errors import LocalError
from crs_core.grade import vocabulary
from crs_core.grade.scale import Row, Scale
from crs_core.grade.scales import shared_facts
from crs_core.grade.scales.parts import Reason
from crs_core.grade.scales.shared_rows import FEVER_GATE

# One scale with all that belongs to it. cited: {(row, grade): [what the paper has in this cell]}; death: Reason.
Published = namedtuple(
    "Published", ("scale", "paper", "people_judge", "facts", "cases", "readings", "cited", "death", "title")
)

# What all files say together: {name: Published}, {fact: EnteredFact}, {reason: text}, {missing: key}, {key: text}.
Registry = namedtuple("Registry", ("published", "facts", "reason_texts", "missing_keys", "missing_texts"))

_PARTS = ("SCALE", "PAPER", "PEOPLE_JUDGE", "FACTS", "CASES", "READINGS")
_NOT_EMPTY = ("PAPER", "PEOPLE_JUDGE", "CASES")
_U8_MAX = 255
_FIRST_REASON = 100
_FIRST_MISSING = 20
_DEATH = Reason(codes.R_DEATH, code_texts.REASON_TEXTS[codes.R_DEATH])


def load(name: str) -> object:
    """The module of one scale's file; LocalError names a file that is not there or does not load."""
    try:
        return __import__("crs_core.grade.scales." + name, None, None, ("SCALE",))
    except Exception as error:
        raise LocalError("scale file %s cannot be loaded: %s" % (name, error))


def gather(modules: list) -> Registry:
    """Every scale with its facts and texts; LocalError names the first that is incomplete."""
    gathered = Registry(OrderedDict(), OrderedDict(), {}, {}, {})
    for number, key in code_texts.MISSING_NAMES.items():
        gathered.missing_keys[number] = key
        gathered.missing_texts[key] = code_texts.MISSING_TEXTS[number]
    _add_facts("shared facts", shared_facts.WEARABLE + shared_facts.ENTERED, gathered)
    _add_reason("shared rows", FEVER_GATE, gathered)
    numbers: dict = {}
    for module in modules:
        one = _published(module)
        name = one.scale.name
        if name in gathered.published:
            raise LocalError("scale %s: there are two of this name" % name)
        if one.scale.number in numbers:
            raise LocalError(
                "scale %s: number %d is that of %s" % (name, one.scale.number, numbers[one.scale.number])
            )
        numbers[one.scale.number] = name
        gathered.published[name] = one
        _add_facts("scale " + name, one.facts, gathered)
        _add_reason("scale " + name, one.death, gathered)
    for one in gathered.published.values():
        _check_table("scale " + one.scale.name, one, gathered)
    return gathered


def _published(module: object) -> Published:
    who = "scale file " + getattr(module, "__name__", "?").split(".")[-1]
    for name in _PARTS:
        if not hasattr(module, name) or (name in _NOT_EMPTY and not getattr(module, name)):
            raise LocalError("%s: %s is missing" % (who, name))
    part = {name: getattr(module, name) for name in _PARTS}
    scale = part["SCALE"]
    if not isinstance(scale, Scale):
        raise LocalError("%s: SCALE is not made by make()" % who)
    if not scale.name or not scale.version:
        raise LocalError("%s: the name or the version is missing" % who)
    if type(scale.number) is not int or not 0 < scale.number <= _U8_MAX:
        raise LocalError("scale %s: its number is %r, not 1 to %d" % (scale.name, scale.number, _U8_MAX))
    return Published(
        scale=scale,
        paper=part["PAPER"],
        people_judge=part["PEOPLE_JUDGE"],
        facts=part["FACTS"],
        cases=part["CASES"],
        readings=part["READINGS"],
        cited=_cited(scale, getattr(module, "CITED", {})),
        death=getattr(module, "DEATH", _DEATH),
        title=getattr(module, "TITLE", "%s %d" % (scale.name, scale.version)),
    )


def _cited(scale: Scale, beside: dict) -> dict:
    """{(row, grade): [texts]}; `beside` has those of a table whose cells cannot carry them."""
    cited: dict = {}
    for row in scale.rows:
        for of, _, paper in row.cells:
            text = paper or beside.get((row.name, of))
            if not text:
                raise LocalError("scale %s: row %s, grade %d cites nothing" % (scale.name, row.name, of))
            texts = cited.setdefault((row.name, of), [])
            if text not in texts:
                texts.append(text)
    for place in beside:
        if place not in cited:
            raise LocalError("scale %s: row %s, grade %d is cited and no cell" % ((scale.name,) + place))
    return cited


def _check_table(who: str, one: Published, gathered: Registry) -> None:
    if len({row.name for row in one.scale.rows}) < len(one.scale.rows):
        raise LocalError("%s: two rows have one name" % who)
    read: list = []
    for row in one.scale.rows:
        _check_row("%s: row %s" % (who, row.name), row, one, gathered)
        if row.cells:
            read.extend(row.facts)
    for name in read:
        # the loop of ../scale.py takes rows for independent
        if read.count(name) > 1:
            raise LocalError("%s: two rows read the fact %s" % (who, name))
    for condition in one.scale.gate + one.scale.other_gate:
        _check_conditions("%s: the gate" % who, (condition,), gathered.facts)


def _check_row(where: str, row: Row, one: Published, gathered: Registry) -> None:
    used: set = set()
    grades = [of for of, _, _ in reversed(row.cells)]
    if grades != sorted(grades) or not set(grades) <= {1, 2, 3, 4}:
        raise LocalError("%s: its grades do not rise from 1 to 4" % where)
    for of, conditions, _ in row.cells:
        if not [case for case in one.cases if case.row == row.name and case.grade == of]:
            raise LocalError("%s: no case tests grade %d" % (where, of))
        _check_conditions(where, conditions, gathered.facts)
        used |= {name for name, _ in conditions}
        for name, value in conditions:
            if value not in gathered.facts[name].words:
                raise LocalError("%s: fact %s has no words for %r" % (where, name, value))
    for _, conditions, why in row.others:
        _check_conditions(where, conditions, gathered.facts)
        _add_reason(where, why, gathered)
        used |= {name for name, _ in conditions}
    if used != set(row.facts):
        raise LocalError("%s: lists the facts %s and reads %s" % (where, sorted(row.facts), sorted(used)))


def _check_conditions(where: str, conditions: tuple, facts: dict) -> None:
    for name, value in conditions:
        if name not in facts:
            raise LocalError("%s: no file declares the fact %s" % (where, name))
        for one in value if type(value) is tuple else (value,):
            if one not in facts[name].values:
                raise LocalError("%s: the fact %s is never %r" % (where, name, one))


def _add_facts(who: str, given: tuple, gathered: Registry) -> None:
    for fact in given:
        if fact.name in gathered.facts:
            raise LocalError("%s: the fact %s exists already" % (who, fact.name))
        gathered.facts[fact.name] = fact
        for reason in fact.reasons + ((fact.otherwise,) if fact.otherwise else ()):
            _add_reason(who, reason, gathered)
        for number, key, text in fact.missing:
            if not _FIRST_MISSING <= number <= _U8_MAX or gathered.missing_keys.get(number, key) != key:
                raise LocalError("%s: the number %d is not free for the input %s" % (who, number, key))
            vocabulary.check_key(key)
            gathered.missing_keys[number] = key
            gathered.missing_texts[key] = text


def _add_reason(who: str, reason: Reason, gathered: Registry) -> None:
    """Two scales may give one reason; one number never has two sentences."""
    number, text = reason
    known = code_texts.REASON_TEXTS.get(number)
    if known is None and _FIRST_REASON <= number <= _U8_MAX:
        known = gathered.reason_texts.setdefault(number, text)
    if known != text:
        raise LocalError("%s: the number %d is not free for the reason %r" % (who, number, text))
