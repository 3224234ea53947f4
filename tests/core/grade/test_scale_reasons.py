"""The reasons of a grade: each entry that a table reads says so in its own sentence; what no row asks says nothing."""

from typing import Any

import pytest
from crs_core.grade import case

BASE = {"temperature_cc": 3799, "site": "oral", "context": "complete"}
BELOW = "Below 38.00 °C at a site that settles the fever row."
ONE = "One vasopressor."
TWO = "Two or more vasopressors of any kind."
EARLIER = "The fever criterion was met earlier in this episode."
HYPOTENSION = "Hypotension."
FIO2 = "Inspired oxygen of 40 % or above."
HOURS = "Vasopressor for 24 hours or longer."
DOSE = "High-dose vasopressor."

SAID: list[tuple[str, dict[str, Any], list[str]]] = [
    ("ASTCT", {"site": "axilla"}, ["Below 38.00 °C at the axilla, which does not exclude fever."]),
    ("ASTCT", {"site": "skin"}, ["Below 38.00 °C on the skin, which cannot exclude fever."]),
    (
        "ASTCT",
        {"steroid": True},
        ["A drug that hides fever was given: a temperature below 38.00 °C says nothing."],
    ),
    ("ASTCT", {"fever_earlier": True}, [BELOW, EARLIER]),
    (
        "ASTCT",
        {"vasopressors": ["other", "dopamine"]},
        [HYPOTENSION, "Several vasopressors, not counting vasopressin."],
    ),
    ("ASTCT", {"oxygen": "bipap"}, ["Positive pressure."]),
    ("v6", {"oxygen": "blow_by"}, ["Low-flow nasal cannula or blow-by oxygen."]),
    ("v6", {"oxygen": "venturi"}, ["High-flow cannula or mask oxygen."]),
    ("Penn", {"oxygen": "cpap", "fio2_pct": 60}, ["CPAP or BiPAP."]),
    ("Penn", {"oxygen": "invasive_ventilation"}, ["Invasive ventilation."]),
    ("Lee14", {"oxygen": "venturi", "fio2_pct": 40}, ["High-flow cannula or mask oxygen.", FIO2]),
    ("Lee14", {"oxygen": "venturi", "fio2_pct": 39}, ["High-flow cannula or mask oxygen."]),
    ("Lee14", {"oxygen": "room_air", "fio2_pct": 60}, []),
    ("Lee14", {"oxygen": "invasive_ventilation", "fio2_pct": 60}, ["Invasive ventilation."]),
    ("Lee14", {"vasopressors": ["vasopressin"]}, [HYPOTENSION, ONE]),
    ("Lee14", {"vasopressors": ["other"], "vasopressor_dose": "high"}, [HYPOTENSION, ONE, DOSE]),
    ("Lee14", {"vasopressors": ["other"], "vasopressor_dose": "low"}, [HYPOTENSION, ONE]),
    ("Lee14", {"vasopressors": [], "vasopressor_dose": "high"}, []),
    ("CARTOX", {"vasopressors": ["other", "other"]}, [HYPOTENSION, TWO]),
    ("MSKCC", {"vasopressors": ["other"], "vasopressor_hours": 24}, [ONE, HOURS]),
    ("MSKCC", {"vasopressors": ["other"], "vasopressor_hours": 23}, [ONE]),
    ("MSKCC", {"vasopressors": [], "vasopressor_hours": 48}, []),
    ("MSKCC", {"refractory": True}, ["Hypotension refractory to high-dose vasopressor."]),
    ("MSKCC", {"blood_pressure": "hypotension", "fluids_for_bp": "single"}, []),
    ("MSKCC", {"constitutional": True}, ["Constitutional symptoms."]),
    ("v5", {"constitutional": True, "organ_grade": 3}, []),
    ("Penn", {"fluids_for_bp": "multiple"}, ["Several fluid boluses for the blood pressure."]),
    ("Penn", {"fluids_for_bp": "single"}, []),
    ("Penn", {"coagulopathy_treated": True}, ["Coagulopathy that was treated."]),
    ("Penn", {"hospitalised_for_crs": True}, ["In hospital for the syndrome."]),
    *[("Penn", {"creatinine_grade": grade}, [f"Creatinine of grade {grade}."]) for grade in (1, 2, 3, 4)],
    *[
        ("Penn", {"transaminase_grade": grade}, [f"Transaminases of grade {grade}."])
        for grade in (1, 2, 3, 4)
    ],
    *[
        ("Lee14", {"organ_grade": grade}, [f"Organ toxicity of grade {grade}, transaminases apart."])
        for grade in (1, 2, 3, 4)
    ],
    ("Penn", {"creatinine_grade": 0, "transaminase_grade": 0, "coagulopathy_treated": False}, []),
    ("ICANS", {"ice": 9}, ["ICE score of 7 to 9."]),
    ("ICANS", {"ice": 6}, ["ICE score of 3 to 6."]),
    ("ICANS", {"ice": 2}, ["ICE score of 0 to 2."]),
    ("ICANS", {"ice": 10, "capd": 0}, []),
    ("ICANS", {"capd": 1}, ["CAPD score of 1 to 8."]),
    ("ICANS", {"capd": 9}, ["CAPD score of 9 or above."]),
    ("ICANS", {"ice": 9, "capd": 9}, ["ICE score of 7 to 9.", "CAPD score of 9 or above."]),
    ("ICANS", {"ice": 9, "capd": 9, "age_months": 144}, ["ICE score of 7 to 9."]),
    ("ICANS", {"consciousness": "spontaneous", "seizure": "none", "cerebral_oedema": "none"}, []),
    ("ICANS", {"consciousness": "voice"}, ["Awakens to voice."]),
    ("ICANS", {"consciousness": "touch"}, ["Awakens only to touch."]),
    ("ICANS", {"consciousness": "unarousable"}, ["Unarousable."]),
    ("ICANS", {"seizure": "brief"}, ["Seizure that ended rapidly or with treatment."]),
    ("ICANS", {"seizure": "prolonged"}, ["Prolonged or repeated seizure."]),
    ("ICANS", {"motor_weakness": True}, ["Deep focal motor weakness."]),
    ("ICANS", {"cerebral_oedema": "focal"}, ["Focal cerebral oedema."]),
    ("ICANS", {"cerebral_oedema": "diffuse"}, ["Diffuse cerebral oedema or signs of raised pressure."]),
]


@pytest.mark.parametrize(
    ("scale", "extra", "said"), SAID, ids=[f"{n}-{one[0]}" for n, one in enumerate(SAID)]
)
def test_an_entry_says_what_it_was_read_as(scale: str, extra: dict[str, Any], said: list[str]) -> None:
    grade = case.assess({**BASE, "fever_earlier": True, **extra})["grades"][scale]
    other = [reading["why"] for reading in grade["other_readings"]]
    # the fever of the base case is in every answer, and told only where it is what was changed
    told = [text for text in grade["reasons"] if text in said or text not in (BELOW, EARLIER, *other)]
    assert told == said


READINGS: list[tuple[str, dict[str, Any], list[Any]]] = [
    ("v5", {"vasopressors": ["other", "other"]}, [3, 3, "Two vasopressors are read as 4"]),
    ("v6", {"vasopressors": ["other", "vasopressin"]}, [3, 3, "Two vasopressors are read as 4"]),
    ("v6", {"oxygen": "bipap"}, [3, 3, "CPAP or BiPAP is read as 4, life-threatening"]),
    *[
        (scale, {"oxygen": "cpap", "fio2_pct": 50}, [4, 4, "CPAP or BiPAP is read by inspired oxygen"])
        for scale in ("Lee14", "v5", "CARTOX", "MSKCC")
    ],
    (
        "Penn",
        {"blood_pressure": "hypotension", "fluids_for_bp": "multiple"},
        [2, 2, "Hypotension with several boluses"],
    ),
    (
        "MSKCC",
        {"blood_pressure": "hypotension", "fluids_for_bp": "multiple"},
        [2, 2, "Hypotension with fluids alone"],
    ),
    ("Lee14", {"transaminase_grade": 3}, [3, 3, "Transaminases below 4 are in no cell"]),
    ("CARTOX", {"transaminase_grade": 1}, [1, 1, "Transaminases below 4 are in no cell"]),
    ("ASTCT", {"vasopressors": ["vasopressin"]}, [2, 2, "Vasopressin alone: read as one vasopressor"]),
    *[
        (
            scale,
            {"oxygen": "bipap", "ventilation_not_for_hypoxia": True, "fio2_pct": 30},
            [*[4 if scale == "v6" else 3 if scale == "Penn" else 2] * 2, "Positive pressure not for hypoxia"],
        )
        for scale in ("Lee14", "v5", "v6", "Penn", "CARTOX", "MSKCC")
    ],
    *[
        (
            scale,
            {"fever_earlier": False, "oxygen": "invasive_ventilation"},
            [0, 0, "The table states no fever gate"],
        )
        for scale in ("Lee14", "v5", "v6", "Penn", "CARTOX", "MSKCC")
    ],
]


@pytest.mark.parametrize(
    ("scale", "extra", "other"), READINGS, ids=[f"{n}-{one[0]}" for n, one in enumerate(READINGS)]
)
def test_an_ambiguous_case_tells_the_other_reading(
    scale: str, extra: dict[str, Any], other: list[Any]
) -> None:
    grade = case.assess({**BASE, "fever_earlier": True, **extra})["grades"][scale]
    (reading,) = grade["other_readings"]
    assert [reading["lower"], reading["upper"]] == other[:2]
    assert reading["why"].startswith(other[2]) and grade["reasons"].count(reading["why"]) == 1
    assert grade["ambiguous"] and grade["status"] == "provisional"


def test_a_signed_death_says_so_and_nothing_else() -> None:
    grades = case.assess({**BASE, "death": "crs", "oxygen": "cpap"})["grades"]
    assert all(grade["reasons"] == ["Signed record of death due to CRS."] for grade in grades.values())
    grade = case.assess({"death": "icans"})["grades"]["ICANS"]
    assert grade["reasons"] == ["Signed record of death due to ICANS."] and grade["missing"] == []
