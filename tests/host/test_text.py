"""What people read: units, marks, and never a word that reassures."""

import time

import pytest
from crs_core import codes, units

from host_agent import text as words
from host_agent.text import iso_utc, local_of_iso, local_time, utc_ms_of_iso

GRADE = {"missing": (2, 4), "signed": False, "at_text": "14:05"}


@pytest.mark.parametrize(
    "lower, upper, expected",
    [
        (
            1,
            4,
            "CRS (ASTCT 2019): at least 1, could be up to 4. Not known: blood pressure, oxygen. Not signed.",
        ),
        (0, 4, "CRS (ASTCT 2019): no criterion met at 14:05 on what was measured, could be up to 4."),
        (0, 0, "CRS (ASTCT 2019): no criterion met at 14:05 on what was measured. Not known"),
        (2, 2, "CRS (ASTCT 2019): 2 on what is known. Not known"),
        (None, None, "CRS (ASTCT 2019): not gradable at 14:05. Not known"),
        (5, 5, "CRS (ASTCT 2019): not gradable at 14:05."),
    ],
)
def test_grade_sentences(lower, upper, expected):
    text = words.grade_text(codes.SCALE_ASTCT, 2019, lower=lower, upper=upper, **GRADE)
    assert text.startswith(expected) and text.endswith("Not signed.")


def test_a_signed_grade_with_nothing_missing_says_so():
    text = words.grade_text(1, 2019, lower=2, upper=2, missing=(), signed=True, at_text="14:05")
    assert text == "CRS (ASTCT 2019): 2 on what is known. Signed."


@pytest.mark.parametrize(
    "temp_cc, expected",
    [(3800, "38.00 °C (100.4 °F)"), (3799, "37.99 °C (100.3 °F)"), (3840, "38.40 °C (101.1 °F)"),
     (3705, "37.05 °C (98.6 °F)"), (None, "not measured")],
)  # fmt: skip
def test_a_temperature_below_the_limit_never_reads_as_the_limit(temp_cc, expected):
    assert words.temperature_text(temp_cc) == expected


@pytest.mark.parametrize(
    "seconds, expected",
    [
        (-5, "0 s"), (59.9, "59 s"), (60, "1 min"), (750, "12 min 30 s"), (11100, "3 h 5 min"),
        (187200, "2 d 4 h"),
    ],
)  # fmt: skip
def test_spans(seconds, expected):
    assert words.span_text(seconds) == expected


def test_values_that_are_not_there_are_not_zero():
    assert words.percent_text(None) == words.heart_rate_text(None) == "not measured"
    assert (words.percent_text(973), words.heart_rate_text(84)) == ("97.3 %", "84/min")


def test_a_sensor_that_rests_by_plan_is_told_apart_from_one_that_has_no_value():
    assert words.saturation_text(973, units.PPG_VALID) == "97.3 %"
    assert words.saturation_text(None, units.PPG_NO_CONTACT) == "not measured"
    resting = "not measured for some seconds (sensor resting)"
    assert words.saturation_text(None, units.PPG_RESTING) == resting


def test_ids_of_a_newer_wearable_keep_their_number():
    assert words.scale_name(9, 3) == "scale 9 3" and words.missing_names([2, 99]) == [
        "blood pressure",
        "input 99",
    ]


def test_times_of_both_directions(monkeypatch):
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    assert words.iso_utc(1_700_000_000_250) == "2023-11-14T22:13:20.250Z"
    assert words.local_of_iso("2023-11-14T22:13:20.250Z", with_date=True) == "2023-11-14 22:13:20"
    assert words.local_of_iso(None) == "time not known"
    monkeypatch.undo()
    time.tzset()


def test_what_may_not_be_graded_is_not_shown_as_a_body_temperature():
    assert words.temperature_at_text(3705, "axilla", units.TEMP_VALID) == "37.05 °C (98.6 °F) axilla"
    assert words.temperature_at_text(None, "axilla", units.TEMP_VALID) == "temperature not measured"
    for state in range(1, 8):
        text = words.temperature_at_text(2762, "axilla", state)
        assert text.startswith("temperature not measured (") and "27.6" not in text
    assert words.temperature_at_text(2762, "axilla", units.TEMP_OFF_BODY).endswith(
        "(thermometer off the body)"
    )
    assert words.temperature_at_text(3600, "axilla", units.TEMP_SETTLING).endswith("(thermometer settling)")


@pytest.mark.parametrize(
    "utc_ms", [-(1 << 63), -62_000_000_000_000, 0, 253_402_300_800_000, 1 << 60, (1 << 64) - 1]
)
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "UTC"])
def test_every_integer_is_a_time_that_can_be_read_back(utc_ms, zone, monkeypatch):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    at = iso_utc(utc_ms)
    assert abs(utc_ms_of_iso(at)) <= 253_402_300_800_000 and len(at) == 24
    assert local_time(utc_ms, with_date=True) and local_of_iso(at, with_date=True)
    monkeypatch.undo()
    time.tzset()
