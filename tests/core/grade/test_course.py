"""A patient's course from outside: latches, delays, expiry, masks, prompts; what a step may and may not say."""

import pytest
from crs_core.errors import RemoteError
from crs_core.grade import course

MIN = 60_000
HOUR = 60 * MIN
CALM = {"temperature_cc": 3700, "site": "oral", "spo2_tenths": 970, "hr_bpm": 80}
HOT = {"temperature_cc": 3840, "site": "oral", "spo2_tenths": 970, "hr_bpm": 100}
SEEN = {"blood_pressure": "normal", "vasopressors": [], "oxygen": "room_air", "fever_earlier": False}
WORSE = {"vasopressors": ["norepinephrine"], "blood_pressure": "hypotension", "oxygen": "room_air"}
LOW = CALM | {"spo2_tenths": 915}
AXILLA = {"temperature_cc": 3760, "site": "axilla"}
MASKED = {"steroid": True}
WARM = {"temperature_cc": 3840}
LIFE, REASSESS = "LIFE_THREATENING:HIGH", "REASSESS:MEDIUM"


def run(*steps: tuple[int, dict]) -> list[dict]:
    return course.run([{"at_ms": at_ms, "inputs": inputs} for at_ms, inputs in steps])


def lasting(seconds: int, inputs: dict, first: dict | None = None) -> dict:
    """What is said at the end of inputs that are stated every five seconds; `first` only with the first."""
    return run(*[(s * 1000, inputs | (first or {} if not s else {})) for s in range(0, seconds + 1, 5)])[-1]


def grade(said: dict) -> tuple:
    return said["grades"]["ASTCT"]["lower"], said["grades"]["ASTCT"]["upper"]


def sounding(said: dict) -> set[str]:
    return {f"{alarm['name']}:{alarm['priority']}" for alarm in said["alarms"]}


# (when, what was measured and entered, fever and interval then)
COURSES = {
    "reassuring entries cap the grade for four hours": [
        (0, CALM | SEEN, "not_met 0-0"), (4 * HOUR, CALM, "not_met 0-0"), (4 * HOUR + 1, CALM, "not_met 0-4")],
    "while febrile for one": [
        (0, HOT | SEEN, "met 1-1"), (HOUR, HOT, "met 1-1"), (HOUR + 1, HOT, "met 1-4")],
    "while masked for one": [
        (0, CALM | SEEN | MASKED, "masked 0-1"), (HOUR, CALM, "masked 0-1"), (HOUR + 1, CALM, "masked 0-4")],
    "a rise stops what reassured before it and not what came with it": [
        (0, CALM | SEEN, "not_met 0-0"), (10 * MIN, HOT, "met 1-4"), (11 * MIN, HOT | SEEN, "met 1-1")],
    "a rise by an entry stops older entries: the blood pressure was measured before oxygen was needed": [
        (0, HOT | SEEN, "met 1-1"), (10 * MIN, HOT | {"oxygen": "nasal_cannula_low"}, "met 2-4")],
    "a low saturation stops what reassured before it": [
        (0, CALM | SEEN, "not_met 0-0"), (10 * MIN, LOW, "not_met 0-4"), (11 * MIN, LOW | SEEN, "not_met 0-0"),
        (12 * MIN, LOW, "not_met 0-0")],
    "room air counts only with a saturation that is not old": [
        (0, HOT | SEEN, "met 1-1"), (5 * MIN, WARM, "met 1-1"), (5 * MIN + 1, WARM, "met 1-4")],
    "fever is latched: the higher rows no longer need a present one": [
        (0, HOT, "met 1-4"), (HOUR, CALM | SEEN | {"blood_pressure": "hypotension"}, "not_met 2-2")],
    "a fever of another cause is not latched and the statement runs out": [
        (0, HOT | SEEN | {"fever_other_cause": True}, "met 0-0"), (MIN, HOT, "met 0-0"), (HOUR + 1, HOT, "met 1-4")],
    "the axilla knows possible after ten minutes": [
        (0, AXILLA, "not_met 0-4"), (10 * MIN - 1000, AXILLA, "not_met 0-4"), (10 * MIN, AXILLA, "possible 0-4")],
    "the skin never says not met": [(0, {"temperature_cc": 3700, "site": "skin"}, "unknown 0-4")],
    "a temperature is unknown after fifteen minutes and then nothing is graded": [
        (0, CALM, "not_met 0-4"), (15 * MIN, {}, "not_met 0-4"), (15 * MIN + 1, {}, "unknown None-None")],
    "after its window a mask is unknown until none since is entered": [
        (0, CALM | {"antipyretic": True}, "masked 0-4"), (24 * HOUR, CALM, "masked 0-4"),
        (24 * HOUR + 1000, CALM, "unknown 0-4"), (24 * HOUR + 2000, CALM | {"antipyretic": False}, "not_met 0-4")],
    "two steps of one moment are both assessed": [
        (0, CALM, "not_met 0-4"), (0, SEEN, "not_met 0-0"), (1000, HOT, "met 1-4"),
        (1000, {"blood_pressure": "hypotension"}, "met 2-4")],
    "a low pressure after a fever counts without one": [
        (0, CALM | SEEN, "not_met 0-0"), (MIN, HOT, "met 1-4"),
        (2 * MIN, CALM | {"blood_pressure": "hypotension"}, "not_met 2-4")],
    "a value that is stated again is no converter that stands still": [
        (14 * MIN * n, {"temperature_cc": 3700, "site": "oral"}, "not_met 0-4") for n in range(28)],
    "another site takes the older temperature away": [
        (0, CALM, "not_met 0-4"), (1000, {"site": "axilla"}, "unknown None-None"),
        (2000, {"temperature_cc": 3700}, "not_met 0-4")],
}  # fmt: skip


@pytest.mark.parametrize("steps", COURSES.values(), ids=COURSES)
def test_what_a_course_says_at_each_step(steps: list) -> None:
    for said, (at_ms, _, expected) in zip(run(*[one[:2] for one in steps]), steps, strict=True):
        lower, upper = grade(said)
        assert f"{said['fever']} {lower}-{upper}" == expected, at_ms
        is_open = said["grades"]["ASTCT"]["status"] == "not_gradable"
        assert is_open is (lower is None) and said["at_ms"] == at_ms


def test_a_worrying_entry_that_runs_out_is_held_and_asks_again() -> None:
    steps = run((0, HOT | WORSE), (4 * HOUR + 20_000, HOT), (4 * HOUR + 30_000, HOT | SEEN))
    assert [grade(said) for said in steps] == [(3, 3), (1, 4), (1, 1)]
    held = [said["grades"]["ASTCT"].get("held") for said in steps]
    assert held[0] is held[2] is None
    assert held[1]["lower"] == 3 and 4 * HOUR < held[1]["at_ms"] <= 4 * HOUR + 20_000
    raised = {LIFE, "HYPOTENSION:HIGH"}
    assert sounding(steps[0]) & {*raised, REASSESS} == raised
    assert sounding(steps[1]) >= {*raised, REASSESS}, "no alarm falls by age"
    assert not sounding(steps[2]) & {*raised, REASSESS}


def test_withdrawing_a_worrying_entry_is_no_improvement() -> None:
    steps = run((0, HOT | SEEN | {"oxygen": "bipap"}), (MIN, HOT | {"oxygen": None}))
    assert [grade(said) for said in steps] == [(4, 4), (1, 4)]
    assert steps[1]["grades"]["ASTCT"]["held"]["lower"] == 4
    assert {REASSESS, LIFE, "NEW_OXYGEN:MEDIUM"} <= sounding(steps[1])


def test_a_fever_sounds_whatever_its_cause() -> None:
    said = run((0, HOT | SEEN | {"fever_other_cause": True}), (MIN, HOT))[1]
    assert "FEVER:MEDIUM" in sounding(said)
    assert "POSSIBLE_FEVER:MEDIUM" in sounding(run((0, AXILLA), (10 * MIN, AXILLA))[1])


def test_the_first_crossing_and_the_sustained_time_stand_apart() -> None:
    steps = run((0, CALM), (10_000, HOT), (20_000, HOT), (50_000, HOT))
    assert [said["sustained_ms"] for said in steps] == [None, None, None, 40_000]
    assert [said["first_met_ms"] for said in steps] == [None, 10_000, 10_000, 10_000]


def test_hypoxaemia_needs_its_two_delays() -> None:
    for tenths, first_ms in ((870, 15_000), (895, 60_000)):
        low = CALM | {"spo2_tenths": tenths}
        steps = run((0, low), (first_ms - 1000, low), (first_ms, low))
        assert ["HYPOXAEMIA:HIGH" in sounding(said) for said in steps] == [False, False, True]


def test_entries_sound_although_no_criterion_of_the_scale_is_met() -> None:
    entered = {"blood_pressure": "hypotension", "ice": 9, "oxygen": "nasal_cannula_low"}
    (said,) = run((0, CALM | SEEN | entered))
    assert grade(said) == (0, 0)
    assert {"HYPOTENSION:HIGH", "ICE_LOW:MEDIUM", "NEW_OXYGEN:MEDIUM", LIFE} <= sounding(said)


def test_a_low_pressure_that_was_measured_and_a_rising_need_are_patterns_and_their_near_miss_is_not() -> None:
    low, held = {"systolic_mmhg": 89, "age_months": 600}, {"systolic_mmhg": 90, "age_months": 600}
    flow = {"oxygen": "nasal_cannula_low", "flow_lpm": 2}
    for near, pattern in ((held, low), (flow, flow | {"flow_lpm": 3})):
        steps = run((0, CALM | near), (MIN, CALM | pattern))
        assert [LIFE in sounding(said) for said in steps] == [False, True]


SIGNS = ({"temperature_cc": 3900}, {"spo2_tenths": 890}, {"hr_bpm": 121}, {"organ_grade": 3})
NEAR = ({"temperature_cc": 3899}, {"spo2_tenths": 900}, {"hr_bpm": 120}, {"organ_grade": 2})


@pytest.mark.parametrize(("one", "other"), [(i, j) for i in range(4) for j in range(4) if i != j])
def test_two_signs_of_pattern_d_sound_and_one_with_a_near_miss_does_not(one: int, other: int) -> None:
    assert LIFE in sounding(lasting(60, CALM | SIGNS[one] | SIGNS[other]))
    assert LIFE not in sounding(lasting(60, CALM | SIGNS[one] | NEAR[other]))
    if {one, other} == {0, 2}:  # without a saturation the optical sensor still has a pulse to go by
        alone = {"site": "oral", "hr_bpm": 121, "temperature_cc": 3900}
        assert LIFE in sounding(lasting(60, alone)) and LIFE not in sounding(
            lasting(60, alone | {"hr_bpm": 120})
        )


@pytest.mark.parametrize(
    ("seconds", "inputs", "first", "is_asked"),
    [
        (325, HOT | {"hr_bpm": 125}, {}, False),
        (335, HOT | {"hr_bpm": 125}, {}, True),
        (335, HOT | {"hr_bpm": 125}, {"blood_pressure": "normal"}, False),
        (335, CALM | {"hr_bpm": 125}, {}, False),
        (335, HOT | {"hr_bpm": 120}, {}, False),
    ],
)
def test_fast_heart_with_fever_asks_for_an_unknown_blood_pressure_after_five_minutes(
    seconds: int, inputs: dict, first: dict, is_asked: bool
) -> None:
    assert ("MEASURE_BP:MEDIUM" in sounding(lasting(seconds, inputs, first))) is is_asked


ASKED = ["blood_pressure", "oxygen", "ice"]
ANSWERS = {"blood_pressure": "normal", "oxygen": "room_air", "ice": 10}


def prompts(said: dict) -> tuple:
    missed = [name for name in sounding(said) if name.startswith("PROMPT_MISSED")]
    return said["prompts"]["due"], said["prompts"]["missed"], missed


def test_prompts_are_due_and_then_missed() -> None:
    last = (12 * HOUR + 30 * MIN, CALM | {"ice": 10})
    steps = run((0, CALM | ANSWERS), (12 * HOUR - 1, CALM), (12 * HOUR, CALM), last)
    assert [prompts(said) for said in steps] == [
        ([], [], []), ([], [], []), (ASKED, [], []), ([], ["blood_pressure", "oxygen"], ["PROMPT_MISSED:LOW"]),
    ]  # fmt: skip


def test_once_febrile_prompts_come_every_two_hours_and_one_with_the_fever() -> None:
    steps = run((0, HOT | ANSWERS), (2 * HOUR - 1, CALM), (2 * HOUR, CALM), (2 * HOUR + 30 * MIN, CALM))
    late = run((0, CALM | ANSWERS), (5 * HOUR, HOT), (5 * HOUR + 30 * MIN, HOT))
    missed = ([], ASKED, ["PROMPT_MISSED:MEDIUM"])
    assert [prompts(said) for said in steps] == [([], [], []), ([], [], []), (ASKED, [], []), missed]
    assert [prompts(said) for said in late] == [([], [], []), (ASKED, [], []), missed]


def test_a_possible_fever_asks_for_an_oral_temperature_and_asks_again_every_hour() -> None:
    oral = {"temperature_cc": 3770, "site": "oral"}
    steps = run((0, AXILLA | ANSWERS), (10 * MIN, AXILLA), (12 * MIN, oral), (13 * MIN, AXILLA),
                (72 * MIN, AXILLA), (102 * MIN, AXILLA))  # fmt: skip
    due = [n for n, said in enumerate(steps) if "temperature_cc" in said["prompts"]["due"]]
    missed = [n for n, said in enumerate(steps) if "temperature_cc" in said["prompts"]["missed"]]
    assert (due, missed) == ([1, 4], [5]) and "PROMPT_MISSED:LOW" in sounding(steps[5])


def test_a_signed_death_is_a_5_and_silent_until_a_pulse_contradicts_it() -> None:
    dead = {"death": "crs", "temperature_cc": 3900, "site": "oral"}
    said = run((0, dead), (10 * MIN, {}))[1]
    assert grade(said) == (5, 5) and said["grades"]["ASTCT"]["status"] == "signed"
    assert sounding(said) == set()
    alive = run((0, dead), *[(s * 1000, {"spo2_tenths": 970, "hr_bpm": 80}) for s in range(1, 33)])
    assert "RECORD_CONTRADICTS:HIGH" not in sounding(alive[29])
    assert "RECORD_CONTRADICTS:HIGH" in sounding(alive[32])


def test_a_measured_pressure_is_judged_when_it_is_entered_and_held_like_any_other() -> None:
    own = {"age_months": 600, "baseline_systolic_mmhg": 130, "vasopressors": [], "oxygen": "room_air"}
    steps = run(
        (0, HOT | own | {"systolic_mmhg": 96}),
        (4 * HOUR + 20_000, HOT),
        (4 * HOUR + 30_000, HOT | {"systolic_mmhg": 125}),
    )
    assert grade(steps[0]) == (2, 2), "well below the own baseline"
    assert {"HYPOTENSION:HIGH", "REASSESS:MEDIUM"} <= sounding(steps[1])
    assert steps[1]["grades"]["ASTCT"]["held"]["lower"] == 2
    assert not {"HYPOTENSION:HIGH", "REASSESS:MEDIUM"} & sounding(steps[2])


def step(at_ms: object, inputs: object = None, **more: object) -> dict:
    return {"at_ms": at_ms, "inputs": {} if inputs is None else inputs, **more}


@pytest.mark.parametrize(
    ("steps", "named"),
    [
        ([5], "step 0"),
        ([[]], "step 0"),
        ([{"inputs": {}}], "step 0"),
        ([{"at_ms": 0}], "step 0"),
        ([step(0, [])], "step 0"),
        ([step(0), step(1, note=1)], "step 1: note"),
        *[([step(at_ms)], "step 0: at_ms") for at_ms in (-1, 0.0, True, "0")],
        ([step(5), step(4)], "step 1: at_ms: 4 comes after 5"),
        ([step(0), step(2_592_000_001)], "step 1: at_ms: more than 30 days"),
        *[([step(0, {"bp": value})], "step 0: bp: unknown key") for value in (None, 38)],
        ([step(0, {"ice": 11})], "step 0: ice"),
        ([step(0, {"temperature_cc": 3700})], "step 0: site"),
        ([step(0, {"site": "oral"}), step(1, {"temperature_cc": 3700, "site": "x"})], "step 1: site"),
    ],
)
def test_a_step_that_is_refused_is_named(steps: list, named: str) -> None:
    with pytest.raises(RemoteError, match=f"^{named}"):
        course.run(steps)


def test_steps_of_one_moment_and_steps_with_an_id_are_taken() -> None:
    said = course.run(
        [step(7, {"temperature_cc": 3700, "site": "oral"}, id="a"), step(7, {"temperature_cc": 3800})]
    )
    assert [(one["fever"], one["first_met_ms"]) for one in said] == [("not_met", None), ("met", 7)]


def test_a_course_that_begins_late_in_a_boot_is_the_same() -> None:
    """Ages count from the step that set a value, whatever the clock says."""
    said = run(*[(10_000_000 + 5_000 * n, {"temperature_cc": 3850, "site": "oral"}) for n in range(30)])[-1]
    assert "FEVER:MEDIUM" in sounding(said)
    assert set(said) == {"at_ms", "fever", "first_met_ms", "sustained_ms", "alarms", "grades", "prompts"}
    assert said["prompts"] == {"due": [], "missed": []}
