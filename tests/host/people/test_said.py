"""What people type, read as what they mean: never another value, and never a guess."""

import contextlib

import pytest
from crs_core.grade import vocabulary
from hypothesis import given
from hypothesis import strategies as st

from host_agent.people import said
from host_agent.people.context_keys import words_meant

SITES = ("oral", "axilla", "tympanic", "rectal", "core", "skin")
READERS = (
    said.pressure, said.temperature_cc, said.litres_per_minute, said.saturation_tenths, said.yes_no,
    said.right_wrong, lambda text: said.whole(text, 0, 10), lambda text: said.temperature(text, SITES),
    lambda text: said.one_of(text, vocabulary.OXYGEN),
)  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "means"),
    [
        ("120/80", (120, 80)), ("120 / 80", (120, 80)), ("120 80", (120, 80)), (" 98/60\n", (98, 60)),
        ("120/80 mmHg", (120, 80)), ("120/80mmhg", (120, 80)), ("85/50 mm Hg", (85, 50)), ("260/130", (260, 130)),
    ],
)  # fmt: skip
def test_a_blood_pressure_as_people_write_it(typed, means):
    assert tuple(said.pressure(typed).values()) == means


@pytest.mark.parametrize(
    "typed",
    ["", "120", "80/120", "120/120", "12o/80", "120/80/60", "120-80", "1200/80", "120/8", "-120/80", "120.5/80",
     "١٢٠/٨٠", "120/80 kPa", "high", "120//80"],
)  # fmt: skip
def test_what_is_no_blood_pressure_is_refused_with_an_example(typed):
    with pytest.raises(ValueError, match="for example 120/80"):
        said.pressure(typed)


@given(st.integers(30, 260), st.integers(30, 260), st.sampled_from(["/", " / ", " ", "/ "]))
def test_both_numbers_of_a_blood_pressure_stay_what_they_are(high, low, between):
    text = f"{high}{between}{low}"
    if high > low:
        assert said.pressure(text) == {"systolic_mmhg": high, "diastolic_mmhg": low}
    else:
        with pytest.raises(ValueError, match="the first number is the higher one"):
            said.pressure(text)


@pytest.mark.parametrize(
    ("typed", "cc"),
    [
        ("38.4", 3840), ("38,4", 3840), ("38", 3800), ("38.45", 3845), ("38,45 °C", 3845), ("38.4C", 3840),
        ("38.4 c", 3840), ("38.4 ° C", 3840), ("38.4 º", 3840), ("38.4 deg", 3840), (" 38.4 \n", 3840),
        ("100.4F", 3800), ("100.4", 3800), ("101.2F", 3845), ("101,2 °F", 3845), ("104", 4000), ("98.6f", 3700),
        ("25", 2500), ("45", 4500), ("113F", 4500), ("77F", 2500),
    ],
)  # fmt: skip
def test_a_temperature_as_people_write_it(typed, cc):
    assert said.temperature_cc(typed) == cc


@pytest.mark.parametrize(
    "typed",
    ["", "fever", "3840", "38.4.1", "38 4", "24.99", "45.01", "46", "60", "76.9F", "113.1F", "384", "38.456", "-38.4",
     "38.4K", "3.84", "٣٨", "38°4", "38.4 oral", "1e2", "101.2 C"],
)  # fmt: skip
def test_what_is_no_temperature_of_a_body_is_refused(typed):
    with pytest.raises(ValueError, match="for example 38.4 or 101.2F"):
        said.temperature_cc(typed)


@given(st.integers(2500, 4500), st.sampled_from([".", ","]), st.sampled_from(["", "C", " °C", "c"]))
def test_a_temperature_in_celsius_keeps_each_hundredth(cc, point, unit):
    assert said.temperature_cc(f"{cc // 100}{point}{cc % 100:02d}{unit}") == cc


@given(st.integers(770, 1130), st.sampled_from([".", ","]), st.sampled_from(["F", " °F", "f"]))
def test_a_temperature_in_fahrenheit_is_never_read_as_a_lower_one(tenths, point, unit):
    cc = said.temperature_cc(f"{tenths // 10}{point}{tenths % 10}{unit}")
    exact = (tenths / 10 - 32) * 5 / 9 * 100
    assert exact - 1e-6 <= cc < exact + 1
    assert (cc >= 3800) == (tenths >= 1004)


@given(st.integers(770, 1130))
def test_without_a_unit_the_size_of_the_number_says_which_it_is(tenths):
    text = f"{tenths // 10}.{tenths % 10}"
    assert said.temperature_cc(text) == said.temperature_cc(f"{text}F")


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("38.4 oral", {"temperature_cc": 3840, "site": "oral"}),
        ("101.2F Axilla", {"temperature_cc": 3845, "site": "axilla"}),
        ("38.4 °C tympanic", {"temperature_cc": 3840, "site": "tympanic"}),
        ("38.4", {"temperature_cc": 3840}),
        ("38.4 C", {"temperature_cc": 3840}),
    ],
)
def test_a_site_may_stand_behind_the_temperature(typed, values):
    assert said.temperature(typed, SITES) == values


@pytest.mark.parametrize("typed", ["oral", "oral 38.4", "38.4 forehead", "38.4 oral oral"])
def test_a_site_that_is_none_is_refused(typed):
    with pytest.raises(ValueError, match="expected a temperature"):
        said.temperature(typed, SITES)


@pytest.mark.parametrize(
    ("typed", "flow"),
    [("2", 2.0), ("2.5", 2.5), ("2,5 L", 2.5), ("2 l/min", 2.0), ("0.25", 0.25), ("15L", 15.0)],
)
def test_a_flow_as_people_write_it(typed, flow):
    assert said.litres_per_minute(typed) == flow


@pytest.mark.parametrize("typed", ["", "two", "2..5", "-2", "2 5", "2 L/h", "12345"])
def test_what_is_no_flow_is_refused(typed):
    with pytest.raises(ValueError, match="litres per minute, for example 2"):
        said.litres_per_minute(typed)


@pytest.mark.parametrize(
    ("typed", "tenths"), [("92", 920), ("92.5 %", 925), ("92,5", 925), ("100%", 1000), ("50", 500)]
)
def test_a_saturation_as_people_write_it(typed, tenths):
    assert said.saturation_tenths(typed) == tenths


@pytest.mark.parametrize("typed", ["", "49.9", "101", "970", "0.97", "ninety", "-92"])
def test_what_is_no_saturation_is_refused(typed):
    with pytest.raises(ValueError, match="expected"):
        said.saturation_tenths(typed)


@given(st.integers(500, 1000))
def test_each_tenth_of_a_percent_stays_what_it_is(tenths):
    assert said.saturation_tenths(f"{tenths // 10}.{tenths % 10}") == tenths


@pytest.mark.parametrize(
    ("typed", "means"),
    [("y", True), ("Yes", True), ("J", True), ("ja", True), ("n", False), ("NO", False), ("nein", False)],
)
def test_yes_and_no(typed, means):
    assert said.yes_no(typed) is means


@pytest.mark.parametrize(
    ("typed", "means"),
    [("r", True), ("Right", True), ("1", True), ("w", False), ("WRONG", False), ("0", False)],
)
def test_right_and_wrong(typed, means):
    assert said.right_wrong(typed) is means


@pytest.mark.parametrize("typed", ["", "maybe", "yn", "1 0", "?", "not", "yes no", "rw"])
def test_neither_is_asked_again(typed):
    for read in (said.yes_no, said.right_wrong):
        with pytest.raises(ValueError, match="expected"):
            read(typed)


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("1", "room_air"), ("5", "face_mask"), ("10", "invasive_ventilation"), ("Face Mask", "face_mask"),
        ("face-mask", "face_mask"), ("room", "room_air"), ("CPAP", "cpap"), (" venturi\n", "venturi"),
        ("nasal_cannula_low", "nasal_cannula_low"),
    ],
)  # fmt: skip
def test_a_word_of_a_list_by_number_name_or_beginning(typed, word):
    assert said.one_of(typed, vocabulary.OXYGEN) == word


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("nasal", "a word of the list"), ("0", "from 1 to 10"), ("11", "from 1 to 10"), ("", "a word of the list"),
        ("facemask", "Did you mean face mask?"), ("air", "a word of the list"), ("-1", "a word of the list"),
    ],
)  # fmt: skip
def test_what_may_be_two_words_or_none_is_refused(typed, says):
    with pytest.raises(ValueError, match="expected a number") as refused:
        said.one_of(typed, vocabulary.OXYGEN)
    assert says in str(refused.value)


@given(st.text(max_size=40))
def test_no_text_does_more_than_mean_a_value_or_be_refused_with_what_was_expected(text):
    for read in READERS:
        try:
            read(text)
        except ValueError as error:
            assert "expected" in str(error) or "the first number is" in str(error)


@given(st.text(max_size=40))
def test_whatever_is_read_is_in_the_bounds_of_the_vocabulary(text):
    for read, key in ((said.temperature_cc, "temperature_cc"), (said.saturation_tenths, "spo2_tenths")):
        with contextlib.suppress(ValueError):
            low, high = vocabulary.INTEGERS[key]
            assert low <= read(text) <= high


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("Face-Mask", "face_mask"),
        ("facemask", "face_mask"),
        ("VENTURI", "venturi"),
        ("bypap", "bipap"),
        ("xyz", None),
    ],
)
def test_the_word_that_was_meant(typed, word):
    assert words_meant(vocabulary.OXYGEN, typed) == word


@pytest.mark.parametrize(("typed", "word"), [("yes", "true"), ("No", "false"), ("TRUE", "true"), ("x", None)])
def test_yes_is_true_where_a_key_takes_that(typed, word):
    assert words_meant(("true", "false"), typed) == word
