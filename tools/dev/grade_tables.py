"""Write every grading table as Markdown, from the data that grades: `python -m tools.dev.grade_tables [--write]`.

Without an option it prints the section; --write puts it into firmware/crs_core/grade/README.md between its marks.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from crs_core.grade.scale import Row
from crs_core.grade.scales import FACTS, PUBLISHED
from crs_core.grade.scales.registry import Published
from crs_core.grade.scales.shared_rows import FEVER_GATE

README = Path(__file__).resolve().parents[2] / "firmware/crs_core/grade/README.md"
BEGIN = "<!-- tables: written by `python -m tools.dev.grade_tables --write` -->"
END = "<!-- end of tables -->"


def phrase(conditions: tuple[tuple[str, object], ...]) -> str:
    """`one vasopressor of any kind, high dose`."""
    return ", ".join(FACTS[fact].words[value] for fact, value in conditions)


def section() -> str:
    """The tables of every scale, and what each leaves to people."""
    lines = [BEGIN, ""]
    for one in PUBLISHED.values():
        lines += [*_scale(one), ""]
    return "\n".join([*lines, END])


def _scale(one: Published) -> Iterator[str]:
    scale = one.scale
    yield f"#### `{scale.name}`, version {scale.version}"
    yield ""
    yield f"{one.paper}."
    yield ""
    yield "| parameter | 1 | 2 | 3 | 4 |"
    yield "|---|---|---|---|---|"
    marks: list[str] = []
    for row in scale.rows:
        if row.cells:
            yield _row(row, marks)
    yield ""
    if scale.gate:
        yield f"Gate: {' or '.join(phrase((one,)) for one in scale.gate)}; without it no row counts."
        yield ""
    for number, text in enumerate(marks, 1):
        yield f"{number}. {text}"
    beside = list(_beside(one))
    for text in beside:
        yield f"* {text}"
    if marks or beside:
        yield ""
    yield one.people_judge


def _row(row: Row, marks: list[str]) -> str:
    """One line; a row with a second reading gets its number."""
    first = len(marks)
    for _, _, why in row.others:
        if why.text not in marks:
            marks.append(why.text)
    mark = "".join(f" ({number})" for number in range(first + 1, len(marks) + 1))
    cells = []
    for column in (1, 2, 3, 4):
        phrases = [phrase(conditions) for grade, conditions, _ in reversed(row.cells) if grade == column]
        cells.append("; or ".join(phrases))
    return f"| {row.name}{mark} | " + " | ".join(cells) + " |"


def _beside(one: Published) -> Iterator[str]:
    """Second readings that belong to no cell of the table."""
    for row in one.scale.rows:
        if not row.cells:
            yield from [why.text for _, _, why in row.others]
    for fact in one.scale.facts:
        if FACTS[fact].otherwise:
            yield FACTS[fact].otherwise.text
    if one.scale.other_gate:
        yield FEVER_GATE.text


def main() -> int:
    """Print the section, or write it into the README; 1 when the README has no marks."""
    parser = argparse.ArgumentParser(prog="python -m tools.dev.grade_tables", description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the section into the README")
    if not parser.parse_args().write:
        print(section())
        return 0
    page = README.read_text(encoding="utf-8")
    if BEGIN not in page or END not in page:
        print(f"{README}: the marks are missing", file=sys.stderr)
        return 1
    before, _, rest = page.partition(BEGIN)
    README.write_text(before + section() + rest.partition(END)[2], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
