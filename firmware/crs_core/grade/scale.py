"""A scale is data; this is the loop over it: the exact interval over every way that the unknown facts could be.

A fact is something a table row reads ("oxygen", "vasopressors"), with a tuple of the values it can still have: one
value when it is known. `interval` goes through all combinations, so it is exact by construction.
"""

# mypy: disable-error-code="type-arg, no-any-return"
# States and cases are bare lists, tuples and dicts: MicroPython has no typing module to say more with.

from collections import namedtuple

# number: on the wire; name: in the vocabulary; version: year or edition; facts: what the table reads;
# gate: without one of these (fact, value) the grade is 0, () = no gate;
# rungs: from the top, (grade, ((fact, value), ...)): the first whose conditions all hold is the grade, none holds: 0.
Scale = namedtuple("Scale", ("number", "name", "version", "facts", "gate", "rungs"))

# What is known of one fact. values: what it can be; known: an input bears on it, which makes a case gradable;
# missing: number of the input that would settle it (0 = none would); reasons: reason codes;
# otherwise: the values under the other reading where the published words allow two, else None.
Fact = namedtuple("Fact", ("values", "known", "missing", "reasons", "otherwise"))


def grade_of(scale: Scale, values: dict) -> int:
    """Grade 0..4 of one complete case {fact: value}; there is no row for 5."""
    if scale.gate:
        for fact, value in scale.gate:
            if values[fact] == value:
                break
        else:
            return 0
    for grade, conditions in scale.rungs:
        for fact, value in conditions:
            if values[fact] != value:
                break
        else:
            return grade
    return 0


def completions(names: tuple, possible: dict) -> list:
    """Every combination of the possible values: a list of {fact: value}."""
    cases: list[dict] = [{}]
    for name in names:
        longer = []
        for case in cases:
            for value in possible[name]:
                one = case.copy()
                one[name] = value
                longer.append(one)
        cases = longer
    return cases


def interval(scale: Scale, possible: dict) -> tuple:
    """(lower, upper) over all completions of {fact: tuple of possible values}."""
    lower = 4
    upper = 0
    for case in completions(scale.facts, possible):
        grade = grade_of(scale, case)
        lower = min(lower, grade)
        upper = max(upper, grade)
    return lower, upper


def matters(scale: Scale, possible: dict, fact: str) -> bool:
    """True when in some completion another value of `fact` gives another grade: its input is worth asking for."""
    if len(possible[fact]) < 2:
        return False
    others = tuple([name for name in scale.facts if name != fact])
    for case in completions(others, possible):
        first = None
        for value in possible[fact]:
            case[fact] = value
            grade = grade_of(scale, case)
            if first is None:
                first = grade
            elif grade != first:
                return True
    return False
