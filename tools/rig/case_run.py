"""Random cases in the words of the vocabulary, graded and folded into one hash: the same number on every runtime.

usage: case_run.py CASES SEED; prints "hash HEX".
"""

import binascii
import sys

from crs_core.grade import case

from tools.rig.grade_run import Dice

FLAG = (True, False)
GRADES = (0, 1, 2, 3, 4)
# key -> values at and around every edge
VALUES = (
    ("fever_earlier", FLAG),
    ("fever_other_cause", (True,)),
    ("antipyretic", FLAG),
    ("steroid", FLAG),
    ("anticytokine", FLAG),
    ("constitutional", FLAG),
    ("blood_pressure", ("normal", "hypotension")),
    ("systolic_mmhg", (30, 71, 72, 79, 80, 89, 90, 95, 99, 100, 120, 260)),
    ("diastolic_mmhg", (30, 60)),
    ("map_mmhg", (30, 64, 65, 90)),
    ("baseline_systolic_mmhg", (100, 118, 119, 124, 125, 180)),
    ("age_months", (6, 12, 71, 131, 132, 143, 144, 600)),
    ("fluids_for_bp", ("none", "single", "multiple")),
    (
        "vasopressors",
        (
            [],
            ["norepinephrine"],
            ["vasopressin"],
            ["dopamine", "dopamine"],
            ["other"],
            ["other", "other"],
            ["epinephrine", "vasopressin"],
            ["vasopressin", "other", "phenylephrine"],
        ),
    ),
    ("vasopressor_dose", ("low", "high")),
    ("vasopressor_hours", (0, 23, 23.5, 24, 26)),
    ("refractory", FLAG),
    (
        "oxygen",
        (
            "room_air",
            "room_air",
            "nasal_cannula_low",
            "blow_by",
            "nasal_cannula_high",
            "face_mask",
            "non_rebreather",
            "venturi",
            "cpap",
            "bipap",
            "invasive_ventilation",
        ),
    ),
    ("flow_lpm", (0, 6, 6.5, 80)),
    ("fio2_pct", (21, 39, 39.5, 40, 100)),
    ("ventilation_not_for_hypoxia", (True,)),
    ("spo2_tenths", (500, 860, 899, 900, 970)),
    ("hr_bpm", (20, 84, 121)),
    ("organ_grade", GRADES),
    ("transaminase_grade", GRADES),
    ("creatinine_grade", GRADES),
    ("coagulopathy_treated", FLAG),
    ("hospitalised_for_crs", FLAG),
    ("ice", (0, 2, 3, 6, 7, 9, 10)),
    ("capd", (0, 1, 8, 9, 32)),
    ("consciousness", ("spontaneous", "voice", "touch", "unarousable")),
    ("seizure", ("none", "brief", "prolonged")),
    ("motor_weakness", FLAG),
    ("cerebral_oedema", ("none", "focal", "diffuse")),
)
# statements that are seldom made: with them in half of the cases little else would be seen
RARE = (
    "fever_other_cause",
    "ventilation_not_for_hypoxia",
    "antipyretic",
    "steroid",
    "anticytokine",
    "systolic_mmhg",
    "map_mmhg",
    "refractory",
)
TEMPERATURES = (2500, 3700, 3749, 3750, 3799, 3800, 4060)
SITES = ("axilla", "oral", "tympanic", "rectal", "core", "skin")
PERCENT = (15, 40, 60, 80, 95)


def random_case(dice: Dice) -> dict:
    """A case without death: each key there or not, how many of them differs from case to case."""
    percent = PERCENT[dice.throw(len(PERCENT))]
    inputs: dict = {}
    if dice.throw(4) == 0:
        inputs["context"] = "complete"
    if dice.throw(100) < percent:
        inputs["temperature_cc"] = TEMPERATURES[dice.throw(len(TEMPERATURES))]
        inputs["site"] = SITES[dice.throw(len(SITES))]
    for key, values in VALUES:
        chosen = values[dice.throw(len(values))]
        if dice.throw(100) < (percent // 6 if key in RARE else percent):
            inputs[key] = chosen
    return inputs


def as_text(inputs: dict) -> str:
    """The whole answer about a case as text, in one fixed order."""
    answer = case.assess(inputs)
    parts = [answer["fever"]] + ["%s:%s" % (alarm["name"], alarm["priority"]) for alarm in answer["alarms"]]
    for scale in sorted(answer["grades"]):
        grade = answer["grades"][scale]
        parts.append(scale)
        parts += [str(grade[key]) for key in ("version", "lower", "upper", "status", "ambiguous")]
        parts += grade["reasons"] + grade["missing"]
        parts += ["%s %s %s" % (one["lower"], one["upper"], one["why"]) for one in grade["other_readings"]]
    return "\n".join(parts)


def main() -> None:
    dice = Dice(int(sys.argv[2]))
    crc = 0
    for _ in range(int(sys.argv[1])):
        crc = binascii.crc32(as_text(random_case(dice)).encode(), crc)
    print("hash", "%08x" % (crc & 0xFFFFFFFF))


if __name__ == "__main__":
    main()
