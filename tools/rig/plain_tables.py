"""Every scale once more, as one plain function of complete inputs: what the tables of `crs_core` are compared with.

Written from the published tables, apart from `crs_core`: it shares no code and no data with it. `reading` names another
reading of the published words. What is missing is gone through in `plain_worlds.py`.
"""

from collections.abc import Callable

# what the support of oxygen is, in words of the vocabulary, and the inspired oxygen in percent
Oxygen = tuple[str, int]
# hypotension, number of vasopressors, the same without vasopressin, is it vasopressin alone
Blood = tuple[bool, int, int, bool]

DEVICES = (
    "nasal_cannula_low", "blow_by", "nasal_cannula_high", "face_mask", "non_rebreather", "venturi", "cpap", "bipap",
    "invasive_ventilation",
)  # fmt: skip
LOW = ("nasal_cannula_low", "blow_by")
MASKS = ("nasal_cannula_high", "face_mask", "non_rebreather", "venturi")


def astct(fever: bool, earlier: bool, blood: Blood, oxygen: Oxygen, reading: str = "") -> int:
    if not fever and not earlier:
        return 0
    hypotension, _, counted, vasopressin_alone = blood
    grade = 1 if fever else 0
    if hypotension:
        grade = 2
    if counted == 1 or (vasopressin_alone and reading != "vasopressin"):
        grade = 3
    if counted >= 2:
        grade = 4
    if oxygen[0] in LOW:
        grade = max(grade, 2)
    elif oxygen[0] in MASKS:
        grade = max(grade, 3)
    elif oxygen[0] != "none":
        grade = 4
    return grade


def _by_fio2(oxygen: Oxygen, reading: str) -> int:
    device, percent = oxygen
    if device == "none":
        return 0
    if device == "invasive_ventilation" or (reading == "noninvasive" and device in ("cpap", "bipap")):
        return 4
    return 3 if percent >= 40 else 2


def _ctcae_blood(blood: Blood, reading: str) -> int:
    hypotension, pressors, _, _ = blood
    if pressors >= 2:
        return 3 if reading == "two" else 4
    if pressors == 1:
        return 3
    return 2 if hypotension else 0


def ctcae5(fever: bool, blood: Blood, oxygen: Oxygen, reading: str = "") -> int:
    return max(1 if fever else 0, _ctcae_blood(blood, reading), _by_fio2(oxygen, reading))


def ctcae6(fever: bool, blood: Blood, oxygen: Oxygen, reading: str = "") -> int:
    device = oxygen[0]
    need = 0 if device == "none" else 2 if device in LOW else 3 if device in MASKS else 4
    if reading == "noninvasive" and device in ("cpap", "bipap"):
        need = 3
    return max(1 if fever else 0, _ctcae_blood(blood, reading), need)


def _lee_blood(blood: Blood, dose: str) -> int:
    hypotension, pressors, _, _ = blood
    if pressors >= 2:
        return 3
    if pressors == 1:
        return 3 if dose == "high" else 2
    return 2 if hypotension else 0


def lee2014(
    fever: bool,
    constitutional: bool,
    blood: Blood,
    dose: str,
    oxygen: Oxygen,
    organ: int,
    liver: int,
    reading: str = "",
) -> int:
    grade = 1 if fever or constitutional else 0
    grade = max(grade, _lee_blood(blood, dose), _by_fio2(oxygen, reading))
    if organ >= 2:
        grade = max(grade, organ)
    if liver == 4:
        grade = max(grade, 3)
    elif liver >= 2 and reading == "liver":
        grade = max(grade, liver)
    return grade


def cartox(
    fever: bool, blood: Blood, dose: str, oxygen: Oxygen, organ: int, liver: int, reading: str = ""
) -> int:
    grade = max(1 if fever else 0, organ, _lee_blood(blood, dose), _by_fio2(oxygen, reading))
    if liver == 4:
        grade = max(grade, 3)
    elif reading == "liver":
        grade = max(grade, liver)
    return grade


def penn(
    fever: bool,
    constitutional: bool,
    hospitalised: bool,
    creatinine: int,
    liver: int,
    coagulopathy: bool,
    blood: Blood,
    fluids: str,
    dose: str,
    oxygen: Oxygen,
    reading: str = "",
) -> int:
    hypotension, pressors, _, _ = blood
    if oxygen[0] == "invasive_ventilation" or (pressors and dose == "high"):
        return 4
    if oxygen[0] != "none" or pressors or coagulopathy or creatinine >= 3 or liver == 4:
        return 3
    if hypotension and fluids == "multiple":
        return 2 if reading == "fluids" else 3
    if hospitalised or creatinine == 2 or liver == 3:
        return 2
    return 1 if fever or constitutional else 0


def mskcc(
    fever: bool,
    constitutional: bool,
    blood: Blood,
    fluids: str,
    hours: float,
    refractory: bool,
    oxygen: Oxygen,
    reading: str = "",
) -> int:
    hypotension, pressors, _, _ = blood
    grade = 1 if fever or constitutional else 0
    if reading == "fluids" and hypotension and fluids == "multiple":
        grade = 2
    if pressors:
        grade = 3 if hours >= 24 else 2
    if refractory:
        grade = 4
    return max(grade, _by_fio2(oxygen, reading))


def icans(
    points: tuple[str, int], wakes: str, seizure: str, weakness: bool, oedema: str, reading: str = ""
) -> int:
    kind, score = points
    if kind == "ice":
        grade = 0 if score == 10 else 1 if score >= 7 else 2 if score >= 3 else 3
    else:
        grade = 0 if score == 0 else 1 if score <= 8 else 3
    grade = max(grade, {"spontaneous": 0, "voice": 2, "touch": 3, "unarousable": 4}[wakes])
    grade = max(grade, {"none": 0, "brief": 3, "prolonged": 4}[seizure])
    grade = max(grade, 4 if weakness else 0)
    return max(grade, {"none": 0, "focal": 3, "diffuse": 4}[oedema])


FEVER, FIO2 = {"temperature_cc"}, {"fio2_pct"}
PRESSURE = {"blood_pressure", "systolic_mmhg", "map_mmhg", "vasopressors"}
SYMPTOMS, DOSE = {"constitutional"}, {"vasopressor_dose"}
LABORATORY = {"organ_grade", "transaminase_grade"}
HOSPITAL = {
    "hospitalised_for_crs",
    "creatinine_grade",
    "transaminase_grade",
    "coagulopathy_treated",
    "fluids_for_bp",
}

# scale -> its table, and the keys that make it gradable; a device of oxygen does for every scale but ICANS.
# The names of a table's arguments are those of the groups of worlds that it takes.
TABLES: dict[str, tuple[Callable[..., int], set[str]]] = {
    "ASTCT": (astct, FEVER | PRESSURE),
    "Lee14": (lee2014, FEVER | PRESSURE | FIO2 | SYMPTOMS | DOSE | LABORATORY),
    "v5": (ctcae5, FEVER | PRESSURE | FIO2),
    "v6": (ctcae6, FEVER | PRESSURE),
    "Penn": (penn, FEVER | PRESSURE | SYMPTOMS | DOSE | HOSPITAL),
    "CARTOX": (cartox, FEVER | PRESSURE | FIO2 | DOSE | LABORATORY),
    "MSKCC": (mskcc, FEVER | FIO2 | SYMPTOMS | {"vasopressors", "vasopressor_hours", "refractory"}),
    "ICANS": (icans, {"ice", "capd", "consciousness", "seizure", "motor_weakness", "cerebral_oedema"}),
}
