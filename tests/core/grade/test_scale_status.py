"""What makes a scale gradable, shown or signed, and what it asks for."""

from typing import Any

import pytest
from crs_core.grade import case, entries

CRS = ("ASTCT", "Lee14", "v5", "v6", "Penn", "CARTOX", "MSKCC")


@pytest.mark.parametrize(
    ("inputs", "gradable"),
    [
        ({}, ()),
        ({"fever_earlier": True}, ()),
        ({"fever_other_cause": True}, ()),
        ({"ventilation_not_for_hypoxia": True, "antipyretic": True}, ()),
        ({"spo2_tenths": 850, "hr_bpm": 140, "age_months": 600, "diastolic_mmhg": 50, "flow_lpm": 4}, ()),
        ({"oxygen": "room_air"}, ()),
        ({"oxygen": "room_air", "spo2_tenths": 899}, ()),
        ({"oxygen": "room_air", "spo2_tenths": 900}, CRS),
        ({"temperature_cc": 3700, "site": "skin", "steroid": True}, CRS),
        ({"blood_pressure": "normal"}, CRS[:-1]),
        *[
            ({"vasopressors": names}, CRS)
            for names in ([], ["other"], ["other", "dopamine"], ["vasopressin"])
        ],
        ({"oxygen": "room_air", "fio2_pct": 21}, ("Lee14", "v5", "CARTOX", "MSKCC")),
        ({"refractory": False}, ("MSKCC",)),
        ({"seizure": "none"}, ("ICANS",)),
        ({"context": "complete"}, CRS),
    ],
)
def test_a_scale_is_gradable_by_a_key_of_its_own_table_only(
    inputs: dict[str, Any], gradable: tuple[str, ...]
) -> None:
    """Every key by itself is compared with the brute-force oracle in test_scale_interval.py."""
    grades = case.assess(inputs)["grades"]
    assert tuple(name for name in grades if grades[name]["status"] != "not_gradable") == gradable
    for name in grades:
        assert (grades[name]["lower"] is None) == (grades[name]["upper"] is None) == (name not in gradable)


def test_icans_is_shown_only_when_something_neurological_was_entered() -> None:
    keys = ("ice", "capd", "consciousness", "seizure", "motor_weakness", "cerebral_oedema")
    for key in keys:
        assert "ICANS" in case.assess({key: entries.NONE[key]})["grades"], key
    others = {key: value for key, value in entries.NONE.items() if key not in keys}
    assert "ICANS" not in case.assess(others | FEVER)["grades"]


@pytest.mark.parametrize(("death", "fives"), [("crs", CRS), ("icans", ("ICANS",)), ("other", ())])
def test_a_death_is_a_five_only_on_the_scales_it_is_due_to(death: str, fives: tuple[str, ...]) -> None:
    for inputs in ({"death": death}, {"death": death, "ice": 3, "context": "complete"}):
        grades = case.assess(inputs)["grades"]
        signed = tuple(name for name in grades if grades[name]["status"] == "signed")
        assert signed == tuple(name for name in grades if grades[name]["upper"] == 5) == fives
        for name in fives:
            assert grades[name]["lower"] == 5 and grades[name]["missing"] == []
            assert not grades[name]["ambiguous"] and grades[name]["other_readings"] == []
            assert grades[name]["reasons"] == [f"Signed record of death due to {death.upper()}."]


FEVER = {"temperature_cc": 3840, "site": "oral"}
CALM = {"blood_pressure": "normal", "vasopressors": []}
LOW_FLOW = {"oxygen": "blow_by"}
VOICE = ["seizure", "motor_weakness", "cerebral_oedema"]


@pytest.mark.parametrize(
    ("inputs", "scale", "missing"),
    [
        (FEVER, "v6", ["blood_pressure", "vasopressors", "oxygen"]),
        (FEVER, "v5", ["blood_pressure", "vasopressors", "oxygen", "fio2_pct"]),
        (FEVER | CALM, "Lee14", ["oxygen", "fio2_pct", "organ_grade", "transaminase_grade"]),
        (FEVER | CALM | {"oxygen": "face_mask"}, "v5", ["fio2_pct"]),
        # low flow is 2 as hypotension is, but who is asked for vasopressors is asked for the pressure with them
        (FEVER | LOW_FLOW, "v6", ["blood_pressure", "vasopressors"]),
        (FEVER | LOW_FLOW, "ASTCT", ["blood_pressure", "vasopressors"]),
        (LOW_FLOW | {"fever_earlier": True, "vasopressors": []}, "v6", []),
        # ventilated is 4 whatever else: nothing is worth asking for
        ({"oxygen": "invasive_ventilation"}, "v5", []),
        # any oxygen is 3 on Penn: only a 4 would change that, which needs a drug at a high dose
        (LOW_FLOW | {"vasopressors": []}, "Penn", []),
        (LOW_FLOW | {"vasopressors": ["other"]}, "Penn", ["vasopressor_dose"]),
        (LOW_FLOW, "Penn", ["vasopressors", "vasopressor_dose"]),
        (
            {"ice": 5, "seizure": "none", "motor_weakness": False},
            "ICANS",
            ["consciousness", "cerebral_oedema"],
        ),
        ({"consciousness": "voice", "age_months": 143}, "ICANS", ["capd", *VOICE]),
        ({"consciousness": "voice", "age_months": 144}, "ICANS", ["ice", *VOICE]),
    ],
)
def test_a_scale_names_what_would_narrow_its_interval(
    inputs: dict[str, Any], scale: str, missing: list[str]
) -> None:
    assert case.assess(inputs)["grades"][scale]["missing"] == missing
