"""Every cell of every published table: a complete case that this cell alone grades, and the near miss below it.

The grades were written down from the papers, not from the data: the data must have exactly these cells.
"""

from typing import Any

import pytest
from crs_core.grade import case
from crs_core.grade.rules import DEFAULT
from crs_core.grade.scale import row_grade
from crs_core.grade.scales import ICANS, SCALES, entered_facts, sources

# Everything asked and none, no fever now, fever of the syndrome before: only what is added can give a grade.
BASE = {"temperature_cc": 3799, "site": "oral", "fever_earlier": True, "context": "complete"}
ONE = ["norepinephrine"]
TWO = ["norepinephrine", "dopamine"]

Cell = tuple[str, str, int, dict[str, Any], dict[str, Any], int]


def fio2_cells(scale: str) -> list[Cell]:
    return [
        (
            scale,
            "hypoxia",
            2,
            {"oxygen": "nasal_cannula_low", "fio2_pct": 21},
            {"oxygen": "room_air", "fio2_pct": 21},
            0,
        ),
        (
            scale,
            "hypoxia",
            3,
            {"oxygen": "face_mask", "fio2_pct": 40},
            {"oxygen": "face_mask", "fio2_pct": 39.9},
            2,
        ),
        (
            scale,
            "hypoxia",
            4,
            {"oxygen": "invasive_ventilation", "fio2_pct": 21},
            {"oxygen": "bipap", "fio2_pct": 99},
            3,
        ),
    ]


def symptom_cells(scale: str) -> list[Cell]:
    return [
        (scale, "symptoms", 1, {"temperature_cc": 3800}, {}, 0),
        (scale, "symptoms", 1, {"constitutional": True}, {"constitutional": False}, 0),
    ]


def fever_cells(scale: str) -> list[Cell]:
    return [(scale, "fever", 1, {"temperature_cc": 3800}, {"constitutional": True}, 0)]


def ctcae_pressure_cells(scale: str) -> list[Cell]:
    return [
        (scale, "hypotension", 2, {"blood_pressure": "hypotension"}, {"fluids_for_bp": "multiple"}, 0),
        (scale, "hypotension", 3, {"vasopressors": ["vasopressin"]}, {"blood_pressure": "hypotension"}, 2),
        (
            scale,
            "hypotension",
            4,
            {"vasopressors": ["vasopressin", "other"]},
            {"vasopressors": [*ONE, *ONE]},
            3,
        ),
    ]


def dose_cells(scale: str) -> list[Cell]:
    return [
        (scale, "hypotension", 2, {"blood_pressure": "hypotension"}, {"vasopressor_dose": "high"}, 0),
        (scale, "hypotension", 2, {"vasopressors": ONE}, {"vasopressors": []}, 0),
        (
            scale,
            "hypotension",
            3,
            {"vasopressors": ONE, "vasopressor_dose": "high"},
            {"vasopressors": ONE},
            2,
        ),
        (scale, "hypotension", 3, {"vasopressors": TWO}, {"vasopressors": ONE}, 2),
    ]


def graded_cells(scale: str, row: str, key: str, cells: dict[int, int], below: dict[int, int]) -> list[Cell]:
    """A row that reads a CTCAE grade: {value: grade of the cell}, {value just below: its grade}."""
    return [
        (scale, row, grade, {key: value}, {key: value - 1}, below[value - 1])
        for value, grade in cells.items()
    ]


CELLS: list[Cell] = [
    ("ASTCT", "fever", 1, {"temperature_cc": 3800}, {"temperature_cc": 3799}, 0),
    ("ASTCT", "hypotension", 2, {"blood_pressure": "hypotension"}, {"blood_pressure": "normal"}, 0),
    ("ASTCT", "hypotension", 3, {"vasopressors": ONE}, {"blood_pressure": "hypotension"}, 2),
    ("ASTCT", "hypotension", 4, {"vasopressors": TWO}, {"vasopressors": [*ONE, "vasopressin"]}, 3),
    ("ASTCT", "hypoxia", 2, {"oxygen": "blow_by"}, {"oxygen": "room_air"}, 0),
    ("ASTCT", "hypoxia", 3, {"oxygen": "venturi"}, {"oxygen": "nasal_cannula_low"}, 2),
    ("ASTCT", "hypoxia", 4, {"oxygen": "cpap"}, {"oxygen": "non_rebreather"}, 3),
    *symptom_cells("Lee14"),
    *dose_cells("Lee14"),
    *fio2_cells("Lee14"),
    *graded_cells("Lee14", "organ toxicity", "organ_grade", {2: 2, 3: 3, 4: 4}, {1: 0, 2: 2, 3: 3}),
    ("Lee14", "transaminases", 3, {"transaminase_grade": 4}, {"transaminase_grade": 3}, 0),
    *fever_cells("v5"),
    *ctcae_pressure_cells("v5"),
    *fio2_cells("v5"),
    *fever_cells("v6"),
    *ctcae_pressure_cells("v6"),
    (
        "v6",
        "hypoxia",
        2,
        {"oxygen": "nasal_cannula_low", "fio2_pct": 60},
        {"oxygen": "room_air", "fio2_pct": 60},
        0,
    ),
    (
        "v6",
        "hypoxia",
        3,
        {"oxygen": "nasal_cannula_high", "fio2_pct": 21},
        {"oxygen": "blow_by", "fio2_pct": 60},
        2,
    ),
    ("v6", "hypoxia", 4, {"oxygen": "cpap", "fio2_pct": 21}, {"oxygen": "non_rebreather", "fio2_pct": 99}, 3),
    *symptom_cells("Penn"),
    ("Penn", "hospital", 2, {"hospitalised_for_crs": True}, {"hospitalised_for_crs": False}, 0),
    *graded_cells("Penn", "creatinine", "creatinine_grade", {2: 2, 3: 3}, {1: 0, 2: 2}),
    ("Penn", "creatinine", 3, {"creatinine_grade": 4}, {"creatinine_grade": 2}, 2),
    *graded_cells("Penn", "transaminases", "transaminase_grade", {3: 2, 4: 3}, {2: 0, 3: 2}),
    ("Penn", "coagulopathy", 3, {"coagulopathy_treated": True}, {"coagulopathy_treated": False}, 0),
    (
        "Penn",
        "hypotension and fluids",
        3,
        {"blood_pressure": "hypotension", "fluids_for_bp": "multiple"},
        {"blood_pressure": "hypotension", "fluids_for_bp": "single"},
        0,
    ),
    ("Penn", "vasopressors", 3, {"vasopressors": TWO}, {"blood_pressure": "hypotension"}, 0),
    ("Penn", "vasopressors", 4, {"vasopressors": ONE, "vasopressor_dose": "high"}, {"vasopressors": ONE}, 3),
    ("Penn", "hypoxia", 3, {"oxygen": "nasal_cannula_low"}, {"oxygen": "room_air"}, 0),
    ("Penn", "hypoxia", 4, {"oxygen": "invasive_ventilation"}, {"oxygen": "bipap", "fio2_pct": 99}, 3),
    *fever_cells("CARTOX"),
    *dose_cells("CARTOX"),
    *fio2_cells("CARTOX"),
    *graded_cells(
        "CARTOX", "organ toxicity", "organ_grade", {1: 1, 2: 2, 3: 3, 4: 4}, {0: 0, 1: 1, 2: 2, 3: 3}
    ),
    ("CARTOX", "transaminases", 3, {"transaminase_grade": 4}, {"transaminase_grade": 3}, 0),
    *symptom_cells("MSKCC"),
    (
        "MSKCC",
        "vasopressors",
        2,
        {"vasopressors": TWO, "vasopressor_hours": 23},
        {"blood_pressure": "hypotension"},
        0,
    ),
    (
        "MSKCC",
        "vasopressors",
        3,
        {"vasopressors": ONE, "vasopressor_hours": 24},
        {"vasopressors": ONE, "vasopressor_hours": 23.9},
        2,
    ),
    (
        "MSKCC",
        "refractory hypotension",
        4,
        {"refractory": True},
        {"vasopressors": TWO, "vasopressor_dose": "high", "vasopressor_hours": 99},
        3,
    ),
    *fio2_cells("MSKCC"),
    ("ICANS", "ICE or CAPD score", 1, {"ice": 9}, {"ice": 10}, 0),
    ("ICANS", "ICE or CAPD score", 1, {"capd": 1}, {"capd": 0}, 0),
    ("ICANS", "ICE or CAPD score", 2, {"ice": 6}, {"ice": 7}, 1),
    ("ICANS", "ICE or CAPD score", 3, {"ice": 2}, {"ice": 3}, 2),
    ("ICANS", "ICE or CAPD score", 3, {"capd": 9}, {"capd": 8}, 1),
    ("ICANS", "consciousness", 2, {"consciousness": "voice"}, {"consciousness": "spontaneous"}, 0),
    ("ICANS", "consciousness", 3, {"consciousness": "touch"}, {"consciousness": "voice"}, 2),
    ("ICANS", "consciousness", 4, {"consciousness": "unarousable"}, {"consciousness": "touch"}, 3),
    ("ICANS", "seizure", 3, {"seizure": "brief"}, {"seizure": "none"}, 0),
    ("ICANS", "seizure", 4, {"seizure": "prolonged"}, {"seizure": "brief"}, 3),
    ("ICANS", "motor weakness", 4, {"motor_weakness": True}, {"motor_weakness": False}, 0),
    ("ICANS", "cerebral oedema", 3, {"cerebral_oedema": "focal"}, {"cerebral_oedema": "none"}, 0),
    ("ICANS", "cerebral oedema", 4, {"cerebral_oedema": "diffuse"}, {"cerebral_oedema": "focal"}, 3),
]
NAMED = {scale.name: scale for scale in (*SCALES, ICANS)}


def citation(cell: Cell) -> str:
    """The test's own name: the paper, the row and the column."""
    return sources.cite(cell[0], cell[1], cell[2]).replace("::", ":")


def told(scale: str, extra: dict[str, Any]) -> tuple[int, int]:
    grade = case.assess({**BASE, **extra})["grades"][scale]
    assert grade["status"] == "provisional" and grade["missing"] == []
    return grade["lower"], grade["upper"]


@pytest.mark.parametrize("cell", CELLS, ids=[f"{n}-{citation(cell)}" for n, cell in enumerate(CELLS)])
def test_a_cell_grades_its_case_and_not_the_near_miss(cell: Cell) -> None:
    scale, row, grade, inputs, near_miss, below = cell
    assert told(scale, inputs) == (grade, grade)
    assert told(scale, near_miss) == (below, below) and below < grade
    values = {}
    for name in NAMED[scale].facts:
        (values[name],) = entered_facts.read(name, {**BASE, **inputs}, DEFAULT).values
    by_row = {one.name: row_grade(one, values) for one in NAMED[scale].rows}
    assert by_row.pop(row) == grade
    assert max(by_row.values()) == 0, "another row grades this case too"


def test_the_tables_have_these_cells_and_no_other() -> None:
    in_the_data = {
        (scale.name, row.name, grade)
        for scale in NAMED.values()
        for row in scale.rows
        for grade, _ in row.cells
    }
    assert in_the_data == {cell[:3] for cell in CELLS}


def test_every_cell_has_its_citation_and_no_citation_is_left_over() -> None:
    cited = {
        (scale, row, grade)
        for scale, rows in sources.CELLS.items()
        for row, grades in rows.items()
        for grade in grades
    }
    assert cited == {cell[:3] for cell in CELLS}
    assert set(sources.PAPERS) == set(sources.LEAVES) == set(NAMED)


def test_numbers_and_names_of_the_scales_stand_for_one_scale_each() -> None:
    from crs_core import code_texts

    assert {scale.number: scale.name for scale in NAMED.values()} == code_texts.SCALE_NAMES
    assert NAMED["ASTCT"].number == 1 and NAMED["ASTCT"].version == 2019
    assert len({(scale.name, scale.version) for scale in NAMED.values()}) == 8
