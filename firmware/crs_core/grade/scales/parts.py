"""What a scale's file is written with: reasons and missing inputs with their numbers, facts, other readings, cases.

The numbers share one space with the wearable's own in `crs_core.codes`: reasons from 100 and missing inputs from 20 on
are here, each at most 255. A number once given keeps its meaning.
"""

# mypy: disable-error-code="type-arg, no-any-return"
# Cases are bare dicts: MicroPython has no typing module to say more with.

from collections import namedtuple

from crs_core.grade import facts
from crs_core.grade.rules import Rules
from crs_core.grade.scale import Fact

# Why a grade is what it is; text: one sentence for people.
Reason = namedtuple("Reason", ("number", "text"))

# An input that is not known; key: of the vocabulary; text: what it is called beside "Not known:".
Missing = namedtuple("Missing", ("number", "key", "text"))

# A fact that cells read. values: all it can be, the first is what "asked, and there is none" stands for;
# words: {value or tuple of values that a cell names: phrase in the table of the README};
# missing, reasons: all that it can give; read: (inputs of a case, rules) -> scale.Fact;
# otherwise: the Reason of its second reading, where the published words leave its value open, else None.
EnteredFact = namedtuple(
    "EnteredFact", ("name", "values", "words", "missing", "reasons", "read", "otherwise")
)

# A complete case that one cell alone grades, and a near miss that it does not. row, grade: of the cell; inputs: beside
# "everything was asked and there is none, no fever now, fever of the syndrome before"; says: the reasons that the
# inputs give; near: inputs of the near miss; below: the scale's grade of it.
Case = namedtuple("Case", ("row", "grade", "inputs", "says", "near", "below"))

# A case that the published words leave open. inputs: as in Case; reads: grade by the other reading; why: its Reason.
OtherReading = namedtuple("OtherReading", ("inputs", "reads", "why"))

YES_NO = ("no", "yes")


def one_key(name: str, missing: Missing, says: dict, words: dict, values: tuple = YES_NO) -> EnteredFact:
    """A fact that is one key of the vocabulary, read word by word. `says`: {value: Reason}."""

    def read(inputs: dict, rules: Rules) -> Fact:
        given = inputs.get(missing.key)
        if given is None:
            if facts.is_complete(inputs):
                return Fact((values[0],), True, 0, (), None)
            return Fact(values, False, missing.number, (), None)
        if isinstance(given, bool):
            given = "yes" if given else "no"
        return Fact((given,), True, 0, (says[given].number,) if given in says else (), None)

    return EnteredFact(name, values, words, (missing,), tuple(says.values()), read, None)


def reading(of: int, why: Reason, **conditions: object) -> tuple:
    """Another reading of the published words: under these conditions the row may also be meant to give grade `of`."""
    return of, tuple(conditions.items()), why
