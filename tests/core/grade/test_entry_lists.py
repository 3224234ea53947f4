"""Lists of entries, key by key: how long each counts, what replaces what, what worries, and what a rise came from."""

import pytest
from crs_core.errors import LocalError, RemoteError
from crs_core.grade import course, entries, rules, told, vocabulary
from crs_core.grade.rules import DEFAULT

LIMIT_MS = DEFAULT.entry_ms
COUNTED = [
    *[(key, value, LIMIT_MS) for key, value in entries.NONE.items()],
    *[(key, 60, LIMIT_MS) for key in entries.PRESSURES],
    ("vasopressors", ["other"], LIMIT_MS),
    ("fever_other_cause", True, LIMIT_MS),
    ("ventilation_not_for_hypoxia", True, LIMIT_MS),
    ("fever_earlier", False, LIMIT_MS),
    ("fever_earlier", True, None),
    ("temperature_cc", 3700, DEFAULT.grade_temp_max_age_ms),
    ("site", "oral", DEFAULT.grade_temp_max_age_ms),
    ("spo2_tenths", 970, DEFAULT.grade_ppg_max_age_ms),
    ("hr_bpm", 80, DEFAULT.grade_ppg_max_age_ms),
    ("antipyretic", True, DEFAULT.antipyretic_ms),
    ("antipyretic", False, None),
    ("steroid", True, DEFAULT.steroid_ms),
    ("steroid", False, None),
    ("anticytokine", True, None),
    ("age_months", 60, None),
    ("death", "crs", None),
]


@pytest.mark.parametrize(("key", "value", "limit_ms"), COUNTED, ids=[f"{c[0]}-{c[1]}" for c in COUNTED])
def test_each_entry_counts_for_its_own_time_and_a_boot_ends_what_is_timed(
    key: str, value: object, limit_ms: int | None
) -> None:
    one = entries.enter([], {key: value}, 1_000)
    assert one == [[key, value, 1_000, entries.IN_FORCE]]
    last_ms = 1_000 + (limit_ms or 10**12)
    assert entries.expire(one, last_ms, False, DEFAULT) is one
    over = entries.expire(one, last_ms + 1, False, DEFAULT)
    is_timed = limit_ms is not None
    assert (over is not one) is is_timed
    if limit_ms is not None:
        short_ms = DEFAULT.entry_febrile_ms if entries.is_reassuring(key, value) else limit_ms
        assert entries.expire(one, 1_000 + short_ms, True, DEFAULT) is one
        assert entries.expire(one, 1_001 + short_ms, True, DEFAULT) == over, (
            "febrile, only what reassures ends sooner"
        )
    booted = entries.boot(one, DEFAULT)
    assert (booted != one) is is_timed
    assert booted == over
    assert one == [[key, value, 1_000, entries.IN_FORCE]], "the list given is not touched"
    # a measured pressure is none of them, however low: the judged "blood_pressure" beside it is
    worries = key in entries.NONE and value != entries.NONE[key]
    kept = [[key, value, 1_000, entries.LAPSED]] if worries or (key in entries.MASKS and value) else []
    assert over == (kept if is_timed else one)


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [
        ("systolic_mmhg", "blood_pressure", ["blood_pressure"]),
        ("fluids_for_bp", "blood_pressure", ["blood_pressure"]),
        ("blood_pressure", "systolic_mmhg", ["systolic_mmhg"]),
        ("map_mmhg", "systolic_mmhg", ["systolic_mmhg"]),
        ("diastolic_mmhg", "systolic_mmhg", ["systolic_mmhg"]),
        ("systolic_mmhg", "map_mmhg", ["map_mmhg"]),
        ("blood_pressure", "map_mmhg", ["map_mmhg"]),
        ("vasopressor_dose", "vasopressors", ["vasopressors"]),
        ("vasopressor_hours", "vasopressors", ["vasopressors"]),
        ("refractory", "vasopressors", ["vasopressors"]),
        ("flow_lpm", "oxygen", ["oxygen"]),
        ("fio2_pct", "oxygen", ["oxygen"]),
        ("ventilation_not_for_hypoxia", "oxygen", ["oxygen"]),
        ("vasopressors", "vasopressor_dose", ["vasopressor_dose", "vasopressors"]),
        ("ice", "capd", ["capd", "ice"]),
    ],
)
def test_other_words_for_a_row_and_details_of_it_go_with_a_newer_entry(
    first: str, second: str, left: list
) -> None:
    value = {
        "vasopressors": ["other"],
        "blood_pressure": "normal",
        "oxygen": "cpap",
        "vasopressor_dose": "low",
    }
    earlier = entries.enter([], {first: value.get(first, 30)}, 0)
    later = entries.enter(earlier, {second: value.get(second, 30)}, 1)
    assert [entry[0] for entry in later] == left
    assert [entry[0] for entry in entries.enter(earlier, {second: None}, 1)] == [first]
    together = entries.enter(earlier, {first: value.get(first, 30), second: value.get(second, 30)}, 1)
    assert [entry[0] for entry in together] == sorted([first, second]), "told together, both count"


def test_a_rise_came_from_the_newest_worry_in_force() -> None:
    """A measured pressure does not count here; the judged one, which the host sends beside it, does."""
    told_list = [
        ["capd", 9, 5, entries.IN_FORCE],
        ["oxygen", "cpap", 7, entries.IN_FORCE],
        ["seizure", "brief", 9, entries.LAPSED],
        ["systolic_mmhg", 60, 10, entries.IN_FORCE],
        ["vasopressors", [], 11, entries.IN_FORCE],
    ]
    assert entries.newest_worry_ms(told_list, 99) == 7
    assert entries.newest_worry_ms(told_list[2:], 99) == 99
    assert entries.newest_worry_ms([], 99) == 99
    judged = ["blood_pressure", "hypotension", 10, entries.IN_FORCE]
    assert entries.newest_worry_ms([*told_list, judged], 99) == 10


@pytest.mark.parametrize(
    ("key", "value", "is_worry", "is_calm"),
    [
        # whether a pressure is low needs an age, which only the host has: it caps, and "blood_pressure" worries
        ("systolic_mmhg", 40, False, True),
        ("systolic_mmhg", 90, False, True),
        ("diastolic_mmhg", 20, False, True),
        ("map_mmhg", 40, False, True),
        ("blood_pressure", "hypotension", True, False),
        ("blood_pressure", "normal", False, True),
        (entries.RISING_NEED, True, True, False),
        ("ice", 9, True, False),
        ("ice", 10, False, True),
        ("vasopressors", [], False, True),
        ("fever_other_cause", True, False, True),
        ("fever_earlier", False, False, True),
        ("fever_earlier", True, False, False),
        ("steroid", True, False, False),
        ("temperature_cc", 3700, False, False),
    ],
)
def test_what_worries_and_what_reassures(key: str, value: object, is_worry: bool, is_calm: bool) -> None:
    assert entries.is_worrying(key, value) is is_worry
    assert entries.is_reassuring(key, value) is is_calm


def test_masks_are_over_when_each_window_is() -> None:
    over, runs = ["steroid", True, 0, entries.LAPSED], ["antipyretic", True, 0, entries.IN_FORCE]
    assert entries.mask_is_over([over]) and not entries.mask_is_over([runs])
    assert not entries.mask_is_over([over, runs]) and not entries.mask_is_over([])
    assert not entries.mask_is_over([["steroid", False, 0, entries.IN_FORCE]])
    assert entries.is_masked([over]) and not entries.is_masked([["steroid", False, 0, entries.IN_FORCE]])
    assert entries.lapsed([over]) == [], "that is a question, not a worry"
    assert entries.lapsed([over, ["ice", 9, 0, 1], ["seizure", "brief", 0, 0], ["capd", 9, 0, 1]]) == [
        "ice",
        "capd",
    ]


def test_the_end_of_an_episode_takes_what_was_observed_up_to_it() -> None:
    """Up to its very millisecond; a mask of another kind and what is in force belong to no episode."""
    ended_ms = 50
    for key, value, mark, is_taken in (
        ("anticytokine", True, entries.IN_FORCE, True),
        ("fever_earlier", True, entries.IN_FORCE, True),
        ("fever_earlier", False, entries.IN_FORCE, True),
        ("fever_other_cause", True, entries.IN_FORCE, True),
        ("ice", 8, entries.LAPSED, True),
        (entries.RISING_NEED, True, entries.LAPSED, True),
        ("ice", 8, entries.IN_FORCE, False),
        ("steroid", True, entries.LAPSED, False),
        ("antipyretic", True, entries.LAPSED, False),
        ("antipyretic", True, entries.IN_FORCE, False),
    ):
        at, after = [key, value, ended_ms, mark], [key, value, ended_ms + 1, mark]
        assert entries.close_episode([at], ended_ms) == ([] if is_taken else [at]), key
        assert entries.close_episode([after], ended_ms) == [after], key


def test_entries_are_written_by_number_and_what_no_wearable_has_is_left_out() -> None:
    out = bytearray()
    told.put(
        out, [["age_months", 60, 0, 0], ["oxygen", "cpap", 1, 1], ["blood_pressure", "normal", 2, 0]], 1 << 40
    )
    assert out[0] == 2 and (out[1], out[9]) == (3, 5)
    back, _ = told.get(bytes(out), 0, 1 << 40)
    assert [entry[0] for entry in back] == ["blood_pressure", "oxygen"]
    assert back[0][2] == (1 << 40) - 0xFFFFFFFF, "older than the field holds is the oldest that it says"
    out = bytearray()
    told.put(out, [["ice", 9, 500, 0]], 100)
    assert told.get(bytes(out), 0, 100)[0] == [["ice", 9, 100, 0]], "from the future is now"
    with pytest.raises(RemoteError, match="vasopressors|key 4"):
        told.put(bytearray(), [["vasopressors", ["dopamine"], 0, 0]], 0)


def test_what_is_withdrawn_on_the_link_is_none_and_flags_are_truths() -> None:
    assert told.values_of({4: None, 7: 0, 8: 1, 12: 0}) == {
        "vasopressors": None,
        "steroid": False,
        "anticytokine": True,
        "ice": 0,
    }


def test_a_key_that_is_no_text_is_refused_by_its_name() -> None:
    for key in (5, None, True):
        with pytest.raises(RemoteError, match=f"^{key}: "):
            vocabulary.check({key: 1})
    with pytest.raises(RemoteError, match="^bp: "):
        vocabulary.check_key("bp")
    for key in ("vasopressors", "ice", "flow_lpm", "site"):
        vocabulary.check_key(key)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("hr_high_bpm", "hr_high_bpm"),
        ("fever_cc:3799", "fever_cc"),
        ("no_rule:1", "no_rule"),
        ("hr_high_bpm:x", "hr_"),
    ],
)
def test_a_refused_number_is_named(text: str, named: str) -> None:
    with pytest.raises(RemoteError, match=named):
        rules.in_use(text, "")


def test_orders_that_make_no_sense_are_refused_and_equal_limits_are_not() -> None:
    rules.check(DEFAULT._replace(spo2_fast_tenths=900, spo2_slow_tenths=900, spo2_medium_tenths=900))
    with pytest.raises(LocalError, match="spo2"):
        rules.check(DEFAULT._replace(spo2_fast_tenths=900, spo2_slow_tenths=890))
    with pytest.raises(LocalError, match="spo2"):
        rules.check(DEFAULT._replace(spo2_slow_tenths=910, spo2_medium_tenths=900))
    with pytest.raises(LocalError, match="no_data"):
        rules.check(DEFAULT._replace(no_data_medium_ms=DEFAULT.no_data_high_ms))


@pytest.mark.parametrize(
    ("steps", "named"),
    [
        ([5], "step 0"),
        ([{"inputs": {}}], "step 0"),
        ([{"at_ms": 0}], "step 0"),
        ([{"at_ms": 0, "inputs": []}], "step 0"),
        ([{"at_ms": 0, "inputs": {}}, {"at_ms": 1, "inputs": {}, "note": 1}], "step 1: note"),
        ([{"at_ms": -1, "inputs": {}}], "step 0: at_ms"),
        ([{"at_ms": 0.0, "inputs": {}}], "step 0: at_ms"),
        ([{"at_ms": True, "inputs": {}}], "step 0: at_ms"),
        ([{"at_ms": 5, "inputs": {}}, {"at_ms": 4, "inputs": {}}], "step 1: at_ms"),
        ([{"at_ms": 0, "inputs": {}}, {"at_ms": 2_592_000_001, "inputs": {}}], "step 1: at_ms"),
        ([{"at_ms": 0, "inputs": {"bp": None}}], "step 0: bp"),
        ([{"at_ms": 0, "inputs": {"ice": 11}}], "step 0: ice"),
        ([{"at_ms": 0, "inputs": {"temperature_cc": 3700}}], "step 0: site"),
        (
            [
                {"at_ms": 0, "inputs": {"site": "oral"}},
                {"at_ms": 1, "inputs": {"temperature_cc": 3700, "site": "x"}},
            ],
            "step 1: site",
        ),
    ],
)
def test_a_step_that_is_refused_is_named(steps: list, named: str) -> None:
    with pytest.raises(RemoteError, match=f"^{named}"):
        course.run(steps)


def test_steps_of_one_moment_and_steps_with_an_id_are_taken() -> None:
    said = course.run(
        [
            {"at_ms": 7, "inputs": {"temperature_cc": 3700, "site": "oral"}, "id": "a"},
            {"at_ms": 7, "inputs": {"temperature_cc": 3800}},
        ]
    )
    assert [(one["at_ms"], one["fever"], one["first_met_ms"]) for one in said] == [
        (7, "not_met", None),
        (7, "met", 7),
    ]


def test_a_heart_rate_that_is_measured_alone_may_decide() -> None:
    """Without a saturation the optical sensor still has a pulse to go by."""
    hot = {"temperature_cc": 3900, "site": "oral", "hr_bpm": 121}
    said = course.run([{"at_ms": 5_000 * n, "inputs": hot} for n in range(40)])
    assert "LIFE_THREATENING" in [alarm["name"] for alarm in said[-1]["alarms"]]
    calm = course.run([{"at_ms": 5_000 * n, "inputs": hot | {"hr_bpm": 120}} for n in range(40)])
    assert "LIFE_THREATENING" not in [alarm["name"] for alarm in calm[-1]["alarms"]]


def test_a_course_that_begins_late_in_a_boot_is_the_same() -> None:
    """Ages count from the step that set a value, whatever the clock says."""
    steps = [
        {"at_ms": 10_000_000 + 5_000 * n, "inputs": {"temperature_cc": 3850, "site": "oral"}}
        for n in range(30)
    ]
    said = course.run(steps)[-1]
    assert "FEVER" in [alarm["name"] for alarm in said["alarms"]]
    assert set(said) == {"at_ms", "fever", "first_met_ms", "sustained_ms", "alarms", "grades", "prompts"}
    assert said["prompts"] == {"due": [], "missed": []}


def test_a_value_that_is_stated_again_is_no_converter_that_stands_still() -> None:
    steps = [{"at_ms": 840_000 * n, "inputs": {"temperature_cc": 3700, "site": "oral"}} for n in range(28)]
    assert course.run(steps)[-1]["fever"] == "not_met"


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


def test_a_flag_of_the_link_is_a_truth_and_a_number_is_not() -> None:
    words = told.values_of({7: 0, 8: 1, 12: 1})
    assert words["steroid"] is False and words["anticytokine"] is True
    assert words["ice"] == 1 and words["ice"] is not True
