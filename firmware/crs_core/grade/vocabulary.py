"""The grader's vocabulary: every key and value that a case may hold. Anything else is refused with the key named.

Keys that contradict one another are not refused: each table row reads its own key.
"""

# mypy: disable-error-code="type-arg"

from crs_core.errors import RemoteError

VASOPRESSORS = ("norepinephrine", "epinephrine", "dopamine", "phenylephrine", "vasopressin", "other")
OXYGEN = (
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
)
SITES = ("axilla", "oral", "tympanic", "rectal", "core", "skin")

_BOOL = (True, False)
# A statement is only ever made: leaving it out is how "no" is said.
_STATED = (True,)

# key -> the values it may have
WORDS = {
    "context": ("complete",),
    "site": SITES,
    "fever_earlier": _BOOL,
    "fever_other_cause": _STATED,
    "antipyretic": _BOOL,
    "steroid": _BOOL,
    "anticytokine": _BOOL,
    "constitutional": _BOOL,
    "blood_pressure": ("normal", "hypotension"),
    "fluids_for_bp": ("none", "single", "multiple"),
    "vasopressor_dose": ("low", "high"),
    "refractory": _BOOL,
    "oxygen": OXYGEN,
    "ventilation_not_for_hypoxia": _STATED,
    "coagulopathy_treated": _BOOL,
    "hospitalised_for_crs": _BOOL,
    "consciousness": ("spontaneous", "voice", "touch", "unarousable"),
    "seizure": ("none", "brief", "prolonged"),
    "motor_weakness": _BOOL,
    "cerebral_oedema": ("none", "focal", "diffuse"),
    "death": ("crs", "icans", "other"),
}
# key -> lowest and highest possible integer
INTEGERS = {
    "temperature_cc": (2500, 4500),
    "systolic_mmhg": (30, 260),
    "diastolic_mmhg": (30, 260),
    "map_mmhg": (30, 260),
    "baseline_systolic_mmhg": (30, 260),
    "age_months": (0, 1500),
    "spo2_tenths": (500, 1000),
    "hr_bpm": (20, 300),
    "organ_grade": (0, 4),
    "transaminase_grade": (0, 4),
    "creatinine_grade": (0, 4),
    "ice": (0, 10),
    "capd": (0, 32),
}
# key -> lowest and highest possible number, whole or not; None = no limit
NUMBERS = {"vasopressor_hours": (0, None), "flow_lpm": (0, 80), "fio2_pct": (21, 100)}


def check(inputs: dict) -> None:
    """Raise RemoteError naming the key unless every key and value of the case is of the vocabulary."""
    if not isinstance(inputs, dict):
        raise RemoteError("a case must be an object of keys and values")
    for key in sorted([str(key) for key in inputs]):
        if key not in inputs:
            raise RemoteError("%s: a key must be text" % key)
        _check_one(key, inputs[key])
    if "temperature_cc" in inputs and "site" not in inputs:
        raise RemoteError("site: is mandatory with temperature_cc")


def check_key(key: object) -> None:
    """Raise RemoteError unless `key` is of the vocabulary."""
    if key not in WORDS and key not in INTEGERS and key not in NUMBERS and key != "vasopressors":
        raise RemoteError("%s: unknown key" % (key,))


def _check_one(key: str, value: object) -> None:
    if key in WORDS:
        # compared by type too: in Python 1 == True
        for word in WORDS[key]:
            if type(value) is type(word) and value == word:
                return
        raise RemoteError("%s: %r is not one of %s" % (key, value, ", ".join([_show(w) for w in WORDS[key]])))
    if key in INTEGERS:
        low, high = INTEGERS[key]
        if type(value) is not int or not low <= value <= high:
            raise RemoteError("%s: %r is not an integer from %d to %d" % (key, value, low, high))
    elif key in NUMBERS:
        low_number, high_number = NUMBERS[key]
        # written so that a NaN, which no comparison accepts, is refused
        if type(value) not in (int, float) or not value >= low_number:  # type: ignore[operator]
            raise RemoteError("%s: %r is not a number from %d" % (key, value, low_number))
        if not value <= (1_000_000 if high_number is None else high_number):  # type: ignore[operator]
            raise RemoteError("%s: %r is too large" % (key, value))
    elif key == "vasopressors":
        _check_vasopressors(value)
    else:
        raise RemoteError("%s: unknown key" % key)


def _check_vasopressors(value: object) -> None:
    if type(value) is not list:
        raise RemoteError("vasopressors: %r is not a list" % (value,))
    for name in value:
        if name not in VASOPRESSORS:
            raise RemoteError("vasopressors: %r is not one of %s" % (name, ", ".join(VASOPRESSORS)))


def _show(word: object) -> str:
    return {True: "true", False: "false"}[word] if isinstance(word, bool) else str(word)
