"""What the inputs of a case say about each fact that the host's scales read besides those of ASTCT (facts.py).

Most facts are one key read word by word: a table. The others are a function each. FACTS has them all.
"""

# mypy: disable-error-code="type-arg, no-any-return"
# States and cases are bare lists, tuples and dicts: MicroPython has no typing module to say more with.

from crs_core import entry_codes as entry
from crs_core import codes
from crs_core.grade import facts
from crs_core.grade.rules import Rules
from crs_core.grade.scale import Fact

_FIO2_PCT = 40  # the rung of CTCAE 5.0, Lee 2014, CARTOX and MSKCC
_HOURS = 24  # the rung of MSKCC

# fact -> (key, values from the least, missing, {value: reason}); the first value is what "asked, and there is none" is
_READ: dict = {
    "constitutional": (
        "constitutional",
        ("no", "yes"),
        entry.MISSING_CONSTITUTIONAL,
        {"yes": entry.R_CONSTITUTIONAL},
    ),
    "refractory": ("refractory", ("no", "yes"), entry.MISSING_REFRACTORY, {"yes": entry.R_REFRACTORY}),
    "fluids": (
        "fluids_for_bp",
        ("none", "single", "multiple"),
        entry.MISSING_FLUIDS,
        {"multiple": entry.R_FLUIDS_MULTIPLE},
    ),
    "organ": (
        "organ_grade",
        (0, 1, 2, 3, 4),
        entry.MISSING_ORGAN,
        {1: entry.R_ORGAN_1, 2: entry.R_ORGAN_2, 3: entry.R_ORGAN_3, 4: entry.R_ORGAN_4},
    ),
    "transaminase": (
        "transaminase_grade",
        (0, 1, 2, 3, 4),
        entry.MISSING_TRANSAMINASE,
        {
            1: entry.R_TRANSAMINASE_1,
            2: entry.R_TRANSAMINASE_2,
            3: entry.R_TRANSAMINASE_3,
            4: entry.R_TRANSAMINASE_4,
        },
    ),
    "creatinine": (
        "creatinine_grade",
        (0, 1, 2, 3, 4),
        entry.MISSING_CREATININE,
        {1: entry.R_CREATININE_1, 2: entry.R_CREATININE_2, 3: entry.R_CREATININE_3, 4: entry.R_CREATININE_4},
    ),
    "coagulopathy": (
        "coagulopathy_treated",
        ("no", "yes"),
        entry.MISSING_COAGULOPATHY,
        {"yes": entry.R_COAGULOPATHY},
    ),
    "hospitalised": (
        "hospitalised_for_crs",
        ("no", "yes"),
        entry.MISSING_HOSPITALISED,
        {"yes": entry.R_HOSPITALISED},
    ),
    "consciousness": (
        "consciousness",
        ("spontaneous", "voice", "touch", "unarousable"),
        entry.MISSING_CONSCIOUSNESS,
        {
            "voice": entry.R_AWAKENS_TO_VOICE,
            "touch": entry.R_AWAKENS_TO_TOUCH,
            "unarousable": entry.R_UNAROUSABLE,
        },
    ),
    "seizure": (
        "seizure",
        ("none", "brief", "prolonged"),
        entry.MISSING_SEIZURE,
        {"brief": entry.R_SEIZURE_BRIEF, "prolonged": entry.R_SEIZURE_PROLONGED},
    ),
    "motor": ("motor_weakness", ("no", "yes"), entry.MISSING_MOTOR_WEAKNESS, {"yes": entry.R_MOTOR_WEAKNESS}),
    "oedema": (
        "cerebral_oedema",
        ("none", "focal", "diffuse"),
        entry.MISSING_OEDEMA,
        {"focal": entry.R_OEDEMA_FOCAL, "diffuse": entry.R_OEDEMA_DIFFUSE},
    ),
}

_SUPPORT = ("none", "low", "high", "noninvasive", "ventilator")
_SUPPORT_REASONS = {
    "low": codes.R_OXYGEN_LOW,
    "high": codes.R_OXYGEN_HIGH,
    "noninvasive": entry.R_NONINVASIVE,
    "ventilator": entry.R_VENTILATOR,
}
_SCORE_REASONS = {
    ("ice", "mild"): entry.R_ICE_7_9,
    ("ice", "moderate"): entry.R_ICE_3_6,
    ("ice", "severe"): entry.R_ICE_0_2,
    ("capd", "mild"): entry.R_CAPD_1_8,
    ("capd", "severe"): entry.R_CAPD_FROM_9,
}
_SCORES = ("unimpaired", "mild", "moderate", "severe")


def read(name: str, inputs: dict, rules: Rules) -> Fact:
    """The fact `name` of any scale from the inputs of a case."""
    if name in _FACTS:
        return _FACTS[name](inputs, rules)
    key, values, missing, why = _READ[name]
    given = inputs.get(key)
    if given is None:
        if facts.is_complete(inputs):
            return Fact((values[0],), True, 0, (), None)
        return Fact(values, False, missing, (), None)
    if isinstance(given, bool):
        given = "yes" if given else "no"
    return Fact((given,), True, 0, (why[given],) if given in why else (), None)


def agents(inputs: dict, rules: Rules) -> Fact:
    """Vasopressors of any kind, vasopressin too: "none", "one" or "several"."""
    given = inputs.get("vasopressors")
    if given is None:
        if facts.is_complete(inputs):
            return Fact(("none",), True, 0, (), None)
        return Fact(("none", "one", "several"), False, codes.MISSING_VASOPRESSORS, (), None)
    counted = facts.different(given)
    if counted > 1:
        return Fact(("several",), True, 0, (entry.R_TWO_VASOPRESSORS,), None)
    if counted:
        return Fact(("one",), True, 0, (codes.R_ONE_VASOPRESSOR,), None)
    return Fact(("none",), True, 0, (), None)


def dose(inputs: dict, rules: Rules) -> Fact:
    """Dose of the vasopressors by Lee's table: "low" or "high"; without a vasopressor no row asks."""
    given = inputs.get("vasopressor_dose")
    if given is None:
        if facts.is_complete(inputs):
            return Fact(("low",), True, 0, (), None)
        return Fact(("low", "high"), False, entry.MISSING_VASOPRESSOR_DOSE, (), None)
    say = (entry.R_DOSE_HIGH,) if given == "high" and inputs.get("vasopressors") else ()
    return Fact((given,), True, 0, say, None)


def hours(inputs: dict, rules: Rules) -> Fact:
    """Time since the first vasopressor: "under24" or "from24" hours; without a vasopressor no row asks."""
    given = inputs.get("vasopressor_hours")
    if given is None:
        if facts.is_complete(inputs):
            return Fact(("under24",), True, 0, (), None)
        return Fact(("under24", "from24"), False, entry.MISSING_VASOPRESSOR_HOURS, (), None)
    if given < _HOURS:
        return Fact(("under24",), True, 0, (), None)
    return Fact(("from24",), True, 0, (entry.R_FROM_24_HOURS,) if inputs.get("vasopressors") else (), None)


def support(inputs: dict, rules: Rules) -> Fact:
    """The device that supports oxygen: "none", "low", "high", "noninvasive" (CPAP, BiPAP) or "ventilator".

    Reads the key as facts.oxygen does. That positive pressure for another reason is no need is a reading on all scales
    that read this fact: only ASTCT says so.
    """
    need = facts.oxygen(inputs, rules)
    if len(need.values) > 1:
        values = _SUPPORT if "positive_pressure" in need.values else _SUPPORT[:3]
        return Fact(values, need.known, need.missing, need.reasons, None)
    device = inputs.get("oxygen")
    if device == "invasive_ventilation":
        value = "ventilator"
    elif device in ("cpap", "bipap"):
        value = "noninvasive"
    else:
        return need
    if inputs.get("ventilation_not_for_hypoxia"):
        return Fact(("none",), True, 0, (codes.R_VENTILATION_OTHER,), (value,))
    return Fact((value,), True, 0, (_SUPPORT_REASONS[value],), None)


def fio2(inputs: dict, rules: Rules) -> Fact:
    """Inspired oxygen: "under40" or "from40" percent; without a device no row asks."""
    given = inputs.get("fio2_pct")
    if given is None:
        if facts.is_complete(inputs):
            return Fact(("under40",), True, 0, (), None)
        return Fact(("under40", "from40"), False, entry.MISSING_FIO2, (), None)
    if given < _FIO2_PCT:
        return Fact(("under40",), True, 0, (), None)
    asked = support(inputs, rules).values[0] in ("low", "high", "noninvasive")
    return Fact(("from40",), True, 0, (entry.R_FIO2_FROM_40,) if asked else (), None)


def score(inputs: dict, rules: Rules) -> Fact:
    """ICE or CAPD as a rung: "unimpaired", "mild", "moderate" or "severe" (CAPD has no "moderate").

    The score that is given counts; of two the worse, unless the age says which one is meant.
    """
    age_months = inputs.get("age_months")
    is_child = age_months is not None and age_months < rules.child_below_months
    given = [key for key in ("ice", "capd") if key in inputs]
    if len(given) > 1 and age_months is not None:
        given = ["capd" if is_child else "ice"]
    if not given:
        if facts.is_complete(inputs):
            return Fact(("unimpaired",), True, 0, (), None)
        values = ("unimpaired", "mild", "severe") if is_child else _SCORES
        return Fact(values, False, entry.MISSING_CAPD if is_child else entry.MISSING_ICE, (), None)
    worst = max([_SCORES.index(_rung(key, inputs[key])) for key in given])
    say = tuple(
        [
            _SCORE_REASONS[key, _rung(key, inputs[key])]
            for key in given
            if _rung(key, inputs[key]) != _SCORES[0]
        ]
    )
    return Fact((_SCORES[worst],), True, 0, say, None)


def _rung(key: str, points: int) -> str:
    """ICE 10 unimpaired, 7-9 mild, 3-6 moderate, 0-2 severe; CAPD 0 unimpaired, 1-8 mild, from 9 severe."""
    if key == "ice":
        return (
            "unimpaired" if points > 9 else "mild" if points > 6 else "moderate" if points > 2 else "severe"
        )
    return "unimpaired" if points < 1 else "mild" if points < 9 else "severe"


_FACTS = {
    "fever": facts.fever,
    "fever_earlier": facts.fever_earlier,
    "pressure": facts.pressure,
    "vasopressors": facts.vasopressors,
    "oxygen": facts.oxygen,
    "agents": agents,
    "dose": dose,
    "hours": hours,
    "support": support,
    "fio2": fio2,
    "score": score,
}
# every fact that a scale may read
NAMES = tuple(sorted(_FACTS)) + tuple(sorted(_READ))
