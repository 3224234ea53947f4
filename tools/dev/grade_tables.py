"""Write every grading table as Markdown, from the data that grades: `python -m tools.dev.grade_tables [--write]`.

Without an option it prints the section; --write puts it into firmware/crs_core/grade/README.md between its marks.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from crs_core import code_texts, codes, entry_codes
from crs_core.grade.scale import Row, Scale
from crs_core.grade.scales import ICANS, SCALES, sources

README = Path(__file__).resolve().parents[2] / "firmware/crs_core/grade/README.md"
BEGIN = "<!-- tables: written by `python -m tools.dev.grade_tables --write` -->"
END = "<!-- end of tables -->"

WORDS = {
    ("fever", "yes"): "fever ≥ 38.00 °C",
    ("fever_earlier", "yes"): "fever earlier in this episode",
    ("constitutional", "yes"): "constitutional symptoms",
    ("pressure", "hypotension"): "hypotension",
    ("vasopressors", "one"): "one vasopressor, vasopressin not counted",
    ("vasopressors", "several"): "several vasopressors, vasopressin not counted",
    ("agents", "one"): "one vasopressor of any kind",
    ("agents", "several"): "two or more vasopressors of any kind",
    ("agents", ("one", "several")): "any vasopressor",
    ("dose", "high"): "high dose",
    ("hours", "from24"): "for 24 h or longer",
    ("refractory", "yes"): "refractory to high-dose vasopressor",
    ("fluids", "multiple"): "several boluses",
    ("oxygen", "low"): "low-flow cannula or blow-by",
    ("oxygen", "high"): "high-flow cannula or any mask",
    ("oxygen", "positive_pressure"): "CPAP, BiPAP or invasive ventilation",
    ("support", "low"): "low-flow cannula or blow-by",
    ("support", "high"): "high-flow cannula or any mask",
    ("support", "noninvasive"): "CPAP or BiPAP",
    ("support", "ventilator"): "invasive ventilation",
    ("support", ("noninvasive", "ventilator")): "CPAP, BiPAP or invasive ventilation",
    ("support", ("low", "high", "noninvasive")): "any oxygen or CPAP or BiPAP",
    ("fio2", "from40"): "FiO2 ≥ 40 %",
    ("organ", 1): "grade 1",
    ("organ", 2): "grade 2",
    ("organ", 3): "grade 3",
    ("organ", 4): "grade 4",
    ("transaminase", 1): "grade 1",
    ("transaminase", 2): "grade 2",
    ("transaminase", 3): "grade 3",
    ("transaminase", 4): "grade 4",
    ("creatinine", 2): "grade 2",
    ("creatinine", (3, 4)): "grade 3 or 4",
    ("coagulopathy", "yes"): "treated coagulopathy",
    ("hospitalised", "yes"): "in hospital for the syndrome",
    ("score", "mild"): "ICE 7–9, CAPD 1–8",
    ("score", "moderate"): "ICE 3–6",
    ("score", "severe"): "ICE 0–2, CAPD ≥ 9",
    ("consciousness", "voice"): "awakens to voice",
    ("consciousness", "touch"): "awakens only to touch",
    ("consciousness", "unarousable"): "unarousable",
    ("seizure", "brief"): "ends rapidly or with treatment",
    ("seizure", "prolonged"): "prolonged or repeated",
    ("motor", "yes"): "deep focal weakness",
    ("oedema", "focal"): "focal",
    ("oedema", "diffuse"): "diffuse, or its signs",
}


def phrase(conditions: tuple[tuple[str, object], ...]) -> str:
    """`one vasopressor of any kind, high dose`."""
    return ", ".join(WORDS[condition] for condition in conditions)


def section() -> str:
    """The tables of every scale, and what each leaves to people."""
    lines = [BEGIN, ""]
    for scale in (*SCALES, ICANS):
        lines += [*_scale(scale), ""]
    return "\n".join([*lines, END])


def _scale(scale: Scale) -> Iterator[str]:
    yield f"#### `{scale.name}`, version {scale.version}"
    yield ""
    yield f"{sources.PAPERS[scale.name]}."
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
    for text in _beside(scale):
        yield f"* {text}"
    if marks or scale.other_gate or "vasopressors" in scale.facts:
        yield ""
    yield sources.LEAVES[scale.name]


def _row(row: Row, marks: list[str]) -> str:
    """One line; a row with a second reading gets its number."""
    first = len(marks)
    for _, _, reason in row.others:
        text = code_texts.reason_text(reason)
        if text not in marks:
            marks.append(text)
    mark = "".join(f" ({number})" for number in range(first + 1, len(marks) + 1))
    cells = []
    for column in (1, 2, 3, 4):
        cells.append("; or ".join(phrase(conditions) for grade, conditions in row.cells if grade == column))
    return f"| {row.name}{mark} | " + " | ".join(cells) + " |"


def _beside(scale: Scale) -> Iterator[str]:
    """Second readings that belong to no cell of the table."""
    for row in scale.rows:
        if not row.cells:
            yield from [code_texts.reason_text(reason) for _, _, reason in row.others]
    if "vasopressors" in scale.facts:
        yield code_texts.reason_text(codes.R_VASOPRESSIN_ALONE)
    if "support" in scale.facts:
        yield code_texts.reason_text(entry_codes.R_READ_VENTILATION_OTHER)
    if scale.other_gate:
        yield code_texts.reason_text(entry_codes.R_READ_FEVER_GATE)


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
