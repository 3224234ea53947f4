"""ICANS, the ASTCT grading of neurotoxicity, as data: ICE for adults, CAPD below 12 years.

Nothing that a wearable measures is in this table. The worst domain decides. People exclude sedation and other causes.
"""

# mypy: disable-error-code="type-arg"
# Cases are bare dicts: MicroPython has no typing module to say more with.

from crs_core.grade import facts
from crs_core.grade.rules import Rules
from crs_core.grade.scale import Fact, grade, make, parameter
from crs_core.grade.scales.parts import Case, EnteredFact, Missing, Reason, one_key

PAPER = "Lee DW et al., Biol Blood Marrow Transplant 2019;25:625-638, neurotoxicity"
SCALE = make(
    number=8,
    name="ICANS",
    version=2019,
    rows=(
        parameter(
            "ICE or CAPD score",
            ("score",),
            grade(1, "ICE 7 to 9, or CAPD 1 to 8", score="mild"),
            grade(2, "ICE 3 to 6", score="moderate"),
            grade(3, "ICE 0 to 2, or CAPD 9 or above", score="severe"),
        ),
        parameter(
            "consciousness",
            ("consciousness",),
            grade(2, "awakens to voice", consciousness="voice"),
            grade(3, "awakens only to touch", consciousness="touch"),
            grade(4, "unarousable, or stupor or coma", consciousness="unarousable"),
        ),
        parameter(
            "seizure",
            ("seizure",),
            grade(
                3,
                "any seizure that ends rapidly, or a non-convulsive one that ends with treatment",
                seizure="brief",
            ),
            grade(4, "longer than 5 min, or repeated without return to baseline", seizure="prolonged"),
        ),
        parameter("motor weakness", ("motor",), grade(4, "deep focal motor weakness", motor="yes")),
        parameter(
            "cerebral oedema",
            ("oedema",),
            grade(3, "focal oedema on imaging", oedema="focal"),
            grade(
                4,
                "diffuse oedema, posturing, sixth nerve palsy, papilloedema or Cushing's triad",
                oedema="diffuse",
            ),
        ),
    ),
    death="icans",
)
PEOPLE_JUDGE = (
    "Everything: people score ICE or CAPD, see seizure, weakness and imaging, and leave out what sedation or "
    "another cause explains. Tremor, myoclonus and intracranial haemorrhage are not counted."
)
DEATH = Reason(136, "Signed record of death due to ICANS.")

_ICE = Missing(31, "ice", "ICE score")
_CAPD = Missing(32, "capd", "CAPD score")
_SCORES = ("unimpaired", "mild", "moderate", "severe")
_SAYS = {
    ("ice", "mild"): Reason(123, "ICE score of 7 to 9."),
    ("ice", "moderate"): Reason(124, "ICE score of 3 to 6."),
    ("ice", "severe"): Reason(125, "ICE score of 0 to 2."),
    ("capd", "mild"): Reason(126, "CAPD score of 1 to 8."),
    ("capd", "severe"): Reason(127, "CAPD score of 9 or above."),
}


def _step(key: str, points: int) -> str:
    """How impaired a score is; CAPD has no "moderate"."""
    if key == "ice":
        return (
            "unimpaired" if points > 9 else "mild" if points > 6 else "moderate" if points > 2 else "severe"
        )
    return "unimpaired" if points < 1 else "mild" if points < 9 else "severe"


def _score(inputs: dict, rules: Rules) -> Fact:
    """The score that was entered. Of two the worse counts, unless the age says which one is meant."""
    age_months = inputs.get("age_months")
    is_child = age_months is not None and age_months < rules.child_below_months
    given = [key for key in ("ice", "capd") if key in inputs]
    if len(given) > 1 and age_months is not None:
        given = ["capd" if is_child else "ice"]
    if not given:
        if facts.is_complete(inputs):
            return Fact(("unimpaired",), True, 0, (), None)
        values = ("unimpaired", "mild", "severe") if is_child else _SCORES
        return Fact(values, False, _CAPD.number if is_child else _ICE.number, (), None)
    steps = [(key, _step(key, inputs[key])) for key in given]
    worst = max([_SCORES.index(step) for _, step in steps])
    return Fact((_SCORES[worst],), True, 0, tuple([_SAYS[one].number for one in steps if one in _SAYS]), None)


FACTS = (
    EnteredFact(
        "score",
        _SCORES,
        {"mild": "ICE 7–9, CAPD 1–8", "moderate": "ICE 3–6", "severe": "ICE 0–2, CAPD ≥ 9"},
        (_ICE, _CAPD),
        tuple(_SAYS.values()),
        _score,
        None,
    ),
    one_key(
        "consciousness",
        Missing(33, "consciousness", "consciousness"),
        values=("spontaneous", "voice", "touch", "unarousable"),
        says={
            "voice": Reason(128, "Awakens to voice."),
            "touch": Reason(129, "Awakens only to touch."),
            "unarousable": Reason(130, "Unarousable."),
        },
        words={"voice": "awakens to voice", "touch": "awakens only to touch", "unarousable": "unarousable"},
    ),
    one_key(
        "seizure",
        Missing(34, "seizure", "seizure"),
        values=("none", "brief", "prolonged"),
        says={
            "brief": Reason(131, "Seizure that ended rapidly or with treatment."),
            "prolonged": Reason(132, "Prolonged or repeated seizure."),
        },
        words={"brief": "ends rapidly or with treatment", "prolonged": "prolonged or repeated"},
    ),
    one_key(
        "motor",
        Missing(35, "motor_weakness", "motor weakness"),
        says={"yes": Reason(133, "Deep focal motor weakness.")},
        words={"yes": "deep focal weakness"},
    ),
    one_key(
        "oedema",
        Missing(36, "cerebral_oedema", "cerebral oedema"),
        values=("none", "focal", "diffuse"),
        says={
            "focal": Reason(134, "Focal cerebral oedema."),
            "diffuse": Reason(135, "Diffuse cerebral oedema or signs of raised pressure."),
        },
        words={"focal": "focal", "diffuse": "diffuse, or its signs"},
    ),
)
_WAKES = "consciousness"
CASES = (
    Case("ICE or CAPD score", 1, {"ice": 9}, ("ICE score of 7 to 9.",), {"ice": 10}, 0),
    Case("ICE or CAPD score", 1, {"capd": 1}, ("CAPD score of 1 to 8.",), {"capd": 0}, 0),
    Case("ICE or CAPD score", 2, {"ice": 6}, ("ICE score of 3 to 6.",), {"ice": 7}, 1),
    Case("ICE or CAPD score", 3, {"ice": 2}, ("ICE score of 0 to 2.",), {"ice": 3}, 2),
    Case("ICE or CAPD score", 3, {"capd": 9}, ("CAPD score of 9 or above.",), {"capd": 8}, 1),
    Case(_WAKES, 2, {"consciousness": "voice"}, ("Awakens to voice.",), {"consciousness": "spontaneous"}, 0),
    Case(_WAKES, 3, {"consciousness": "touch"}, ("Awakens only to touch.",), {"consciousness": "voice"}, 2),
    Case(_WAKES, 4, {"consciousness": "unarousable"}, ("Unarousable.",), {"consciousness": "touch"}, 3),
    Case(
        "seizure",
        3,
        {"seizure": "brief"},
        ("Seizure that ended rapidly or with treatment.",),
        {"seizure": "none"},
        0,
    ),
    Case(
        "seizure", 4, {"seizure": "prolonged"}, ("Prolonged or repeated seizure.",), {"seizure": "brief"}, 3
    ),
    Case(
        "motor weakness",
        4,
        {"motor_weakness": True},
        ("Deep focal motor weakness.",),
        {"motor_weakness": False},
        0,
    ),
    Case(
        "cerebral oedema",
        3,
        {"cerebral_oedema": "focal"},
        ("Focal cerebral oedema.",),
        {"cerebral_oedema": "none"},
        0,
    ),
    Case(
        "cerebral oedema",
        4,
        {"cerebral_oedema": "diffuse"},
        ("Diffuse cerebral oedema or signs of raised pressure.",),
        {"cerebral_oedema": "focal"},
        3,
    ),
)
READINGS = ()
