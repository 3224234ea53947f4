"""Guards one by one: the reason that each refusal gives, and the first value on either side of each limit."""

import pytest
from crs_core import codes, units
from crs_core.grade import guards

TEMP = {"temp_cc": 3700, "temp_state": 0, "site": 1, "wear": 1, "age_ms": 0, "max_age_ms": 1_000}
PPG = {
    "spo2_tenths": 970,
    "pi_hundredths": 150,
    "ppg_state": 0,
    "age_ms": 0,
    "max_age_ms": 1_000,
    "pi_min": 5,
}


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({}, 0),
        *[({"temp_state": state}, codes.R_TEMP_ABSENT) for state in (units.TEMP_ABSENT, 8)],
        ({"temp_state": units.TEMP_OFF_BODY}, codes.R_TEMP_OFF_BODY),
        ({"temp_state": units.TEMP_SETTLING}, codes.R_TEMP_SETTLING),
        ({"temp_state": units.TEMP_OUT_OF_RANGE}, codes.R_TEMP_OUT_OF_RANGE),
        ({"temp_state": units.TEMP_STALE}, codes.R_TEMP_TOO_OLD),
        ({"temp_state": units.TEMP_FLAT}, codes.R_TEMP_FLAT),
        ({"temp_state": units.TEMP_ARTEFACT}, codes.R_TEMP_ARTEFACT),
        ({"wear": units.WEAR_OFF}, codes.R_TEMP_OFF_BODY),
        ({"wear": units.WEAR_UNKNOWN}, 0),
        ({"temp_cc": None}, codes.R_TEMP_ABSENT),
        *[({"temp_cc": value}, codes.R_TEMP_OUT_OF_RANGE) for value in (2499, 4501)],
        *[({"temp_cc": value}, 0) for value in (2500, 4500)],
        *[({"site": site}, codes.R_SITE_MISSING) for site in (units.SITE_NONE, 7)],
        ({"site": units.SITE_SKIN}, 0),
        ({"age_ms": None}, codes.R_TEMP_TOO_OLD),
        ({"age_ms": 1_000}, 0),
        ({"age_ms": 1_001}, codes.R_TEMP_TOO_OLD),
    ],
)
def test_a_temperature_is_refused_with_its_reason(values: dict, why: int) -> None:
    assert guards.temp(**(TEMP | values)) == why


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({}, 0),
        *[({"ppg_state": state}, codes.R_PPG_ABSENT) for state in (units.PPG_ABSENT, 12, 15)],
        ({"ppg_state": units.PPG_NO_CONTACT}, codes.R_PPG_NO_CONTACT),
        ({"ppg_state": units.PPG_SETTLING}, codes.R_PPG_SETTLING),
        ({"ppg_state": units.PPG_LOW_PERFUSION}, codes.R_LOW_PERFUSION),
        *[
            ({"ppg_state": state}, codes.R_PPG_DISTURBED)
            for state in (units.PPG_MOTION, units.PPG_IRREGULAR, units.PPG_SATURATED, units.PPG_SWAPPED)
        ],
        ({"ppg_state": units.PPG_STALE}, codes.R_PPG_TOO_OLD),
        ({"ppg_state": units.PPG_NO_PULSE}, codes.R_NO_PULSE),
        ({"ppg_state": units.PPG_RESTING}, codes.R_PPG_RESTING),
        ({"spo2_tenths": None}, codes.R_PPG_ABSENT),
        *[({"spo2_tenths": value}, codes.R_PPG_OUT_OF_RANGE) for value in (499, 1001)],
        *[({"spo2_tenths": value}, 0) for value in (500, 1000)],
        ({"pi_hundredths": None}, 0),
        ({"pi_hundredths": 5}, 0),
        ({"pi_hundredths": 4}, codes.R_LOW_PERFUSION),
        ({"age_ms": None}, codes.R_PPG_TOO_OLD),
        ({"age_ms": 1_000}, 0),
        ({"age_ms": 1_001}, codes.R_PPG_TOO_OLD),
    ],
)
def test_a_saturation_is_refused_with_its_reason(values: dict, why: int) -> None:
    assert guards.ppg(**(PPG | values)) == why


@pytest.mark.parametrize(
    ("hr_bpm", "ppg_state", "age_ms", "may_decide"),
    [
        (80, 0, 0, True),
        (None, 0, 0, False),
        (20, 0, 1_000, True),
        (19, 0, 0, False),
        (300, 0, 0, True),
        (301, 0, 0, False),
        (80, units.PPG_MOTION, 0, False),
        (80, 0, None, False),
        (80, 0, 1_001, False),
    ],
)
def test_a_heart_rate_decides_only_when_it_is_valid_possible_and_fresh(
    hr_bpm: int | None, ppg_state: int, age_ms: int | None, may_decide: bool
) -> None:
    assert guards.heart_rate_usable(hr_bpm, ppg_state, age_ms, 1_000) is may_decide
