"""Every key and value outside the vocabulary is refused with the key named; contradictions are not."""

import pytest
from crs_core.errors import RemoteError
from crs_core.grade import case, vocabulary

NAN = float("nan")
# key -> values that it cannot have
REFUSED = {
    "bp": ["normal"],
    "Oxygen": ["cpap"],
    "context": ["partial", True],
    "temperature_cc": [2499, 4501, 38.4, 3840.0, "3840", None, True],
    "site": [None],
    "fever_earlier": [1, "yes"],
    "fever_other_cause": [False],
    "ventilation_not_for_hypoxia": [False],
    "antipyretic": ["paracetamol"],
    "blood_pressure": ["low"],
    "systolic_mmhg": [29, 261],
    "map_mmhg": [65.5],
    "age_months": [-1],
    "fluids_for_bp": ["some"],
    "vasopressors": ["norepinephrine", ["adrenaline"], [1], None, [["other"]]],
    "vasopressor_dose": ["medium"],
    "vasopressor_hours": [-0.5, NAN, float("inf"), True],
    "oxygen": ["nasal cannula", ["cpap"], {}],
    "flow_lpm": [81],
    "fio2_pct": [20.9, 101, NAN],
    "spo2_tenths": [97, 1001],
    "hr_bpm": [19, 301],
    "organ_grade": [5],
    "ice": [11],
    "capd": [33],
    "consciousness": ["asleep"],
    "seizure": [True],
    "cerebral_oedema": ["mild"],
    "death": [True],
    "grade": [5],
}


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, values in REFUSED.items() for value in values]
)
def test_what_the_vocabulary_does_not_have_is_refused_by_name(key: str, value: object) -> None:
    with pytest.raises(RemoteError, match=f"^{key}:"):
        case.assess({"site": "oral", key: value} if key == "temperature_cc" else {key: value})


@pytest.mark.parametrize("inputs", [{"temperature_cc": 3840}, {"temperature_cc": 3840, "site": "armpit"}])
def test_a_temperature_without_its_site_is_refused(inputs: dict) -> None:
    with pytest.raises(RemoteError, match="^site:"):
        case.assess(inputs)


@pytest.mark.parametrize("inputs", [None, [], "x", 5, True])
def test_a_case_that_is_no_object_is_refused(inputs: object) -> None:
    with pytest.raises(RemoteError):
        case.assess(inputs)  # type: ignore[arg-type]


ACCEPTED = [
    {},
    {"site": "oral"},
    {"temperature_cc": 2500, "site": "skin"},
    {"temperature_cc": 4500, "site": "core"},
    {"vasopressor_hours": 0},
    {"vasopressor_hours": 26.5},
    {"flow_lpm": 6.5, "fio2_pct": 21},
    {"oxygen": "room_air", "fio2_pct": 60, "flow_lpm": 40},
    {"blood_pressure": "normal", "systolic_mmhg": 50, "diastolic_mmhg": 200},
    {"vasopressors": [], "vasopressor_dose": "high", "refractory": True},
    {"spo2_tenths": 500, "hr_bpm": 20},
    {"ice": 0, "capd": 32, "consciousness": "touch", "seizure": "brief", "motor_weakness": False},
]


@pytest.mark.parametrize("inputs", ACCEPTED, ids=[str(n) for n in range(len(ACCEPTED))])
def test_edges_and_contradictions_are_accepted(inputs: dict) -> None:
    case.assess(inputs)


@pytest.mark.parametrize("device", vocabulary.OXYGEN)
@pytest.mark.parametrize("extra", [{"fio2_pct": 100}, {"flow_lpm": 0}, {"fio2_pct": 21, "flow_lpm": 80}])
def test_the_device_decides_whatever_flow_and_fraction_say(device: str, extra: dict) -> None:
    base = {"temperature_cc": 3840, "site": "oral", "oxygen": device, "context": "complete"}
    for scale in ("ASTCT", "v6", "Penn"):  # the others have their rung at 40 % inspired oxygen
        assert case.assess(base)["grades"][scale] == case.assess({**base, **extra})["grades"][scale]


def test_a_key_that_is_no_text_is_refused_by_its_name() -> None:
    for key in (5, None, True):
        with pytest.raises(RemoteError, match=f"^{key}: "):
            vocabulary.check({key: 1})
    with pytest.raises(RemoteError, match="^bp: "):
        vocabulary.check_key("bp")
    for key in ("vasopressors", "ice", "flow_lpm", "site"):
        vocabulary.check_key(key)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"fever_earlier": 1}, "true, false"),
        ({"blood_pressure": "low"}, "normal, hypotension"),
        ({"vasopressors": ["x"]}, "norepinephrine, epinephrine, dopamine"),
        ({"ice": 11}, "from 0 to 10"),
    ],
)
def test_a_refusal_says_which_values_there_are(inputs: dict, words: str) -> None:
    with pytest.raises(RemoteError, match=words):
        vocabulary.check(inputs)
