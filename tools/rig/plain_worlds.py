"""The interval of a case by brute force: every completion of its missing keys, each graded by `plain_tables.py`.

Written from the vocabulary, apart from `crs_core`. A *world* is one completion of the missing keys of one group; groups
share no key, so all completions are the product of the groups' worlds.
"""

from collections.abc import Callable
from functools import cache
from inspect import signature
from itertools import product
from typing import Any

from tools.rig.plain_tables import DEVICES, TABLES, Blood, Oxygen, icans

Inputs = dict[str, Any]
MASKING = ("antipyretic", "steroid", "anticytokine")


def fever_worlds(inputs: Inputs) -> set[bool]:
    if inputs.get("fever_other_cause"):
        return {False}
    if "temperature_cc" not in inputs:
        return {True, False}
    if inputs["temperature_cc"] >= 3800:
        return {True}
    is_hidden = any(inputs.get(drug) for drug in MASKING) or inputs["site"] in ("axilla", "skin")
    return {True, False} if is_hidden else {False}


def _one_key(key: str, values: tuple[Any, ...], none: Any) -> Callable[[Inputs], set[Any]]:
    def worlds(inputs: Inputs) -> set[Any]:
        if key in inputs:
            return {inputs[key]}
        return {none} if inputs.get("context") else set(values)

    return worlds


def _hypotension(inputs: Inputs) -> set[bool]:
    """By what was judged, else by what was measured at every age that the patient could have."""
    if "blood_pressure" in inputs:
        return {inputs["blood_pressure"] == "hypotension"}
    if "systolic_mmhg" not in inputs and "map_mmhg" not in inputs:
        return {False} if inputs.get("context") else {True, False}
    mean = inputs.get("map_mmhg", 260)
    baseline = inputs.get("baseline_systolic_mmhg", 30)
    found = set()
    for age in [inputs["age_months"]] if "age_months" in inputs else range(12, 300, 6):
        if "systolic_mmhg" in inputs:
            pressures = [inputs["systolic_mmhg"]]
        else:
            pressures = [260] if inputs.get("context") else [30, 260]
        for systolic in pressures:
            if age < 12:
                found |= {True, False}
            elif age < 132:
                found.add(systolic < 70 + 2 * (age // 12))
            elif age < 144:
                found.add(systolic < 90)
            else:
                low = systolic < 90 or (systolic < 100 and systolic < baseline * 80 / 100)
                found.add(low or mean < 65)
    return found


def blood_worlds(inputs: Inputs) -> set[Blood]:
    if "vasopressors" in inputs:
        lists = [inputs["vasopressors"]]
    elif inputs.get("context"):
        lists = [[]]
    else:
        lists = [[], ["dopamine"], ["vasopressin"], ["dopamine", "vasopressin"], ["dopamine", "epinephrine"]]
    found = set()
    for names in lists:
        kinds = set(names) - {"other"}
        others = names.count("other")
        counted = len(kinds - {"vasopressin"}) + others
        for hypotension in _hypotension(inputs):
            found.add(
                (
                    hypotension or bool(names),
                    len(kinds) + others,
                    counted,
                    kinds == {"vasopressin"} and not others,
                )
            )
    return found


def oxygen_worlds(inputs: Inputs) -> set[Oxygen]:
    complete = "context" in inputs
    fractions = [inputs["fio2_pct"]] if "fio2_pct" in inputs else [21] if complete else [39, 40]
    devices = (
        [inputs["oxygen"]] if "oxygen" in inputs else ["room_air"] if complete else ["room_air", *DEVICES]
    )
    saturations = [inputs["spo2_tenths"]] if "spo2_tenths" in inputs else [1000] if complete else [899, 900]
    found: set[Oxygen] = set()
    for device, percent, spo2 in product(devices, fractions, saturations):
        rung = 40 if percent >= 40 else 39
        if device == "room_air":
            found.add(("none", 39))
            if spo2 < 900:  # a need that nobody meets: any
                found |= {(need, rung) for need in DEVICES}
        elif device in ("cpap", "bipap", "invasive_ventilation") and inputs.get(
            "ventilation_not_for_hypoxia"
        ):
            found.add(("none", 39))
        else:
            found.add((device, rung))
    return found


def score_worlds(inputs: Inputs) -> set[tuple[str, int]]:
    age = inputs.get("age_months")
    if "ice" in inputs and "capd" in inputs:
        if age is not None:
            kind = "capd" if age < 144 else "ice"
            return {(kind, inputs[kind])}
        ice, capd = ("ice", inputs["ice"]), ("capd", inputs["capd"])
        rest = ("spontaneous", "none", False, "none")
        return {ice if icans(ice, *rest) >= icans(capd, *rest) else capd}
    for kind in ("ice", "capd"):
        if kind in inputs:
            return {(kind, inputs[kind])}
    if inputs.get("context"):
        return {("ice", 10)}
    return {("ice", points) for points in range(11)} | {("capd", points) for points in range(33)}


FLAG = (True, False)
GRADES = (0, 1, 2, 3, 4)
GROUPS: dict[str, Callable[[Inputs], set[Any]]] = {
    "fever": fever_worlds,
    "earlier": _one_key("fever_earlier", FLAG, False),
    "constitutional": _one_key("constitutional", FLAG, False),
    "blood": blood_worlds,
    "oxygen": oxygen_worlds,
    "dose": _one_key("vasopressor_dose", ("low", "high"), "low"),
    "hours": _one_key("vasopressor_hours", (0, 24), 0),
    "fluids": _one_key("fluids_for_bp", ("none", "single", "multiple"), "none"),
    "refractory": _one_key("refractory", FLAG, False),
    "organ": _one_key("organ_grade", GRADES, 0),
    "liver": _one_key("transaminase_grade", GRADES, 0),
    "creatinine": _one_key("creatinine_grade", GRADES, 0),
    "coagulopathy": _one_key("coagulopathy_treated", FLAG, False),
    "hospitalised": _one_key("hospitalised_for_crs", FLAG, False),
    "points": score_worlds,
    "wakes": _one_key("consciousness", ("spontaneous", "voice", "touch", "unarousable"), "spontaneous"),
    "seizure": _one_key("seizure", ("none", "brief", "prolonged"), "none"),
    "weakness": _one_key("motor_weakness", FLAG, False),
    "oedema": _one_key("cerebral_oedema", ("none", "focal", "diffuse"), "none"),
}


def is_gradable(scale: str, inputs: Inputs) -> bool:
    """Is a key known that the table of this scale reads?"""
    if "context" in inputs or TABLES[scale][1] & set(inputs):
        return True
    device = inputs.get("oxygen")
    return (
        scale != "ICANS"
        and device is not None
        and (device != "room_air" or inputs.get("spo2_tenths", 0) >= 900)
    )


def brute(scale: str, inputs: Inputs, reading: str = "") -> tuple[int, int]:
    """(lowest, highest) grade of every completion of the missing keys, each graded by the plain table."""
    groups = [name for name in signature(TABLES[scale][0]).parameters if name != "reading"]
    return _extremes(scale, reading, tuple(frozenset(GROUPS[name](inputs)) for name in groups))


@cache
def _extremes(scale: str, reading: str, worlds: tuple[frozenset[Any], ...]) -> tuple[int, int]:
    table = TABLES[scale][0]
    grades = {table(*world, reading=reading) for world in product(*worlds)}
    return min(grades), max(grades)


def is_ambiguous(scale: str, inputs: Inputs) -> bool:
    """Does another reading of words that settled inputs lead to change the interval?"""
    told = brute(scale, inputs)
    readings = []
    blood, oxygen = blood_worlds(inputs), oxygen_worlds(inputs)
    if all(need in ("cpap", "bipap") for need, _ in oxygen):
        readings.append("noninvasive")
    if all(pressors >= 2 for _, pressors, _, _ in blood):
        readings.append("two")
    if inputs.get("fluids_for_bp") == "multiple" and all(world[0] for world in blood):
        readings.append("fluids")
    if all(alone for _, _, _, alone in blood):
        readings.append("vasopressin")
    if "transaminase_grade" in inputs:
        readings.append("liver")
    if any(brute(scale, inputs, reading) != told for reading in readings):
        return True
    if scale in ("ASTCT", "ICANS"):
        return False
    device_counts = {key: value for key, value in inputs.items() if key != "ventilation_not_for_hypoxia"}
    if (
        inputs.get("oxygen") in ("cpap", "bipap", "invasive_ventilation")
        and brute(scale, device_counts) != told
    ):
        return True
    is_shut = GROUPS["fever"](inputs) == {False} and GROUPS["earlier"](inputs) == {False}
    return is_shut and told != (0, 0)
