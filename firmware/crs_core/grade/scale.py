"""A scale is data, laid out as its published table; this is the loop over it: the exact interval over all completions.

A fact is something a table row reads ("oxygen", "vasopressors"), with a tuple of the values it can still have: one
value when it is known. A row is one parameter of the table; the grade is that of the worst row. No fact stands in two
rows (only a gate fact may stand in one row too), so rows are independent once the gate is fixed: the lowest grade of
all completions is the worst row's lowest, and each row needs to be gone through only over its own facts.
"""

# mypy: disable-error-code="type-arg, no-any-return"
# States and cases are bare lists, tuples and dicts: MicroPython has no typing module to say more with.

from collections import namedtuple

# number: on the wire; name: in the vocabulary; version: year or edition; rows: of the table;
# gate: without one of these (fact, value) the grade is 0, () = no gate; other_gate: the gate under another reading;
# death: the value of the key `death` that is a 5 here; facts: what gate and cells read, in order.
Scale = namedtuple("Scale", ("number", "name", "version", "rows", "gate", "other_gate", "death", "facts"))

# One parameter of a table. facts: what its cells read, in the order in which their inputs are asked for.
# cells: (grade, conditions, paper), the highest grade first; the first whose conditions all hold is the row's grade,
# and 0 when none does. A condition is (fact, value) or (fact, tuple of values).
# others: what the published words allow as well, (grade, conditions, reason): the row's grade under that reading.
Row = namedtuple("Row", ("name", "facts", "cells", "others"))

# What is known of one fact. values: what it can be; known: an input bears on it, which makes a case gradable;
# missing: number of the input that would settle it (0 = none would); reasons: reason codes;
# otherwise: the values under the other reading where the published words allow two, else None.
Fact = namedtuple("Fact", ("values", "known", "missing", "reasons", "otherwise"))


def grade(of: int, paper: str = "", **conditions: object) -> tuple:
    """One cell: grade `of` where every fact has the value, or one of the values, named for it.

    `paper` says in the project's own words what the publication has in this cell; a wearable has no use for it.
    """
    return of, tuple(conditions.items()), paper


def parameter(name: str, facts: tuple, *cells: tuple, others: tuple = ()) -> Row:
    """One row of a table: its cells from the left column of the paper to the right one, each made by `grade`."""
    return Row(name, facts, tuple(reversed(cells)), others)


def make(
    number: int,
    name: str,
    version: int,
    rows: tuple,
    gate: tuple = (),
    other_gate: tuple = (),
    death: str = "crs",
) -> Scale:
    """The scale of these rows; `facts` follow from them."""
    facts = [fact for fact, _ in gate]
    for row in rows:
        if row.cells:  # a row without a cell only holds another reading: the table does not read its facts
            facts.extend([fact for fact in row.facts if fact not in facts])
    return Scale(number, name, version, rows, gate, other_gate, death, tuple(facts))


def holds(conditions: tuple, values: dict) -> bool:
    """True when every condition holds for {fact: value}."""
    for fact, wanted in conditions:
        value = values[fact]
        if value != wanted and not (isinstance(wanted, tuple) and value in wanted):
            return False
    return True


def row_grade(row: Row, values: dict) -> int:
    """Grade 0..4 that one row gives to a complete case {fact: value}; there is no cell for 5."""
    for of, conditions, _ in row.cells:
        if holds(conditions, values):
            return of
    return 0


def grade_of(scale: Scale, values: dict) -> int:
    """Grade 0..4 of one complete case {fact: value}."""
    if not is_open(scale.gate, values):
        return 0
    return max([row_grade(row, values) for row in scale.rows])


def is_open(gate: tuple, values: dict) -> bool:
    """True when there is no gate, or one of its (fact, value) holds."""
    for fact, value in gate:
        if values[fact] == value:
            return True
    return not gate


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


def interval(scale: Scale, possible: dict, instead: tuple = ()) -> tuple:
    """(lower, upper) over all completions of {fact: tuple of possible values}.

    `instead`: (row name, grade) that this row gives whatever its cells say: another reading of the table.
    """
    if not scale.gate:
        return _range(scale, possible, instead)
    lower = 4
    upper = 0
    for fixed in completions(tuple([fact for fact, _ in scale.gate]), possible):
        low, high = 0, 0
        if is_open(scale.gate, fixed):
            low, high = _range(scale, _narrowed(possible, fixed), instead)
        lower = min(lower, low)
        upper = max(upper, high)
    return lower, upper


def matters(scale: Scale, possible: dict, fact: str) -> bool:
    """True when in some completion another value of `fact` gives another grade: its input is worth asking for."""
    if len(possible[fact]) < 2:
        return False
    gate = tuple([name for name, _ in scale.gate if name != fact])
    for fixed in completions(gate, possible):
        narrowed = _narrowed(possible, fixed)
        opening = []
        for value in possible[fact]:
            fixed[fact] = value
            if is_open(scale.gate, fixed):
                opening.append(value)
        if not opening:
            continue
        narrowed[fact] = tuple(opening)
        if len(opening) < len(possible[fact]) and _range(scale, narrowed, ())[1]:
            return True  # some values shut the gate on a case that has a grade with the others
        if fact in _moving(scale, narrowed):
            return True
    return False


def weighty(scale: Scale, possible: dict) -> list:
    """Every fact that matters."""
    if scale.gate:
        return [fact for fact in scale.facts if matters(scale, possible, fact)]
    return _moving(scale, possible)


def _narrowed(possible: dict, fixed: dict) -> dict:
    narrowed = possible.copy()
    for name, value in fixed.items():
        narrowed[name] = (value,)
    return narrowed


def _range(scale: Scale, possible: dict, instead: tuple) -> tuple:
    """(lower, upper) with the gate open."""
    lower = 0
    upper = 0
    for row in scale.rows:
        if instead and row.name == instead[0]:
            low = high = instead[1]
        elif row.cells:
            low, high, _ = _of_row(row, possible)
        else:
            continue
        lower = max(lower, low)
        upper = max(upper, high)
    return lower, upper


def _moving(scale: Scale, possible: dict) -> list:
    """The facts that move their row above what every other row can be at its lowest, with the gate open."""
    rows = [row for row in scale.rows if row.cells]
    told = [_of_row(row, possible) for row in rows]
    found = []
    for row, (_, high, peaks) in zip(rows, told):
        if not high:
            continue
        floor = max([0] + [one[0] for other, one in zip(rows, told) if other is not row])
        found.extend([fact for fact, peak in zip(row.facts, peaks) if peak > floor])
    return found


# Rows are few and so are the values that their facts can have: what each set of them says is worked out once.
_known: dict = {}


def _of_row(row: Row, possible: dict) -> tuple:
    """(lowest, highest, peaks) of one row; peaks: the highest grade to which another value of each fact can move it."""
    key = (id(row),) + tuple([possible[name] for name in row.facts])
    if key not in _known:
        grades = [row_grade(row, values) for values in completions(row.facts, possible)]
        peaks = tuple([_peak(row, possible, fact) for fact in row.facts])
        _known[key] = min(grades), max(grades), peaks
    return _known[key]


def _peak(row: Row, possible: dict, fact: str) -> int:
    peak = 0
    for case in completions(tuple([name for name in row.facts if name != fact]), possible):
        grades = []
        for value in possible[fact]:
            case[fact] = value
            grades.append(row_grade(row, case))
        if max(grades) > min(grades):
            peak = max(peak, max(grades))
    return peak
