"""A patient's profile: refused rather than guessed."""

import datetime
import time

import pytest

from host_agent.errors import ConfigError
from host_agent.patient.profile import PROFILE_BYTES, day_number, decode_profile, encode_profile, make_profile

USUAL = {"patient": "P-1", "age_years": 54, "site": "axilla"}


def test_canonical_text_is_sorted_and_leaves_out_what_was_not_stated():
    profile = make_profile(**USUAL, infusion_date="2026-03-31", product="axi-cel")
    text = encode_profile(profile)
    assert text == "age_years=54\ninfusion_date=2026-03-31\npatient=P-1\nproduct=axi-cel\nsite=axilla\n"
    assert decode_profile(text)["product"] == "axi-cel"


def test_the_longest_profile_fits():
    profile = make_profile(
        patient="P" * 32, age_years=120, site="tympanic", infusion_date="2026-03-31", product="ü" * 40,
        systolic_mmhg=250, call_number="+" + "1 2" + " 1" * 10,
    )  # fmt: skip
    assert len(encode_profile(profile).encode()) <= PROFILE_BYTES


@pytest.mark.parametrize(
    "change, option",
    [({"age_years": None}, "--age-years"), ({"age_years": 11}, "no rules for children"),
     ({"age_years": -1}, "no rules for children"),
     ({"age_years": 121}, "--age-years"), ({"patient": "Max Muster"}, "--patient"), ({"patient": ""}, "--patient"),
     ({"patient": "a\nb"}, "--patient"), ({"site": "knee"}, "--site"), ({"site": "none"}, "--site"),
     ({"infusion_date": "31.3.2026"}, "--infusion-date"), ({"product": "a=b"}, "--product"),
     ({"product": "a\nage_years=5"}, "--product"), ({"systolic_mmhg": 12}, "--baseline-systolic"),
     ({"patient": "P-1\n"}, "--patient"), ({"product": "axi-cel\n"}, "--product"),
     ({"call_number": "call me"}, "--call-number"), ({"call_number": "555-0100\n"}, "--call-number")],
)  # fmt: skip
def test_refusals_name_the_option(change, option):
    with pytest.raises(ConfigError, match=option):
        make_profile(**{**USUAL, **change})


def test_day_number_counts_from_infusion_and_is_unknown_without_it():
    text = encode_profile(make_profile(**USUAL, infusion_date="2023-11-10"))
    assert day_number(text, 1_700_000_000_000) == 4 and day_number("patient=P-1\n", 1_700_000_000_000) is None
    assert day_number("infusion_date=soon\n", 0) is None


@pytest.mark.parametrize(
    "zone, at, day",
    [("America/New_York", "2026-04-07T21:30-04:00", 7), ("Asia/Tokyo", "2026-04-08T07:30+09:00", 8),
     ("Pacific/Kiritimati", "2026-03-31T00:00+14:00", 0), ("Pacific/Pago_Pago", "2026-03-31T23:59-11:00", 0)],
)  # fmt: skip
def test_a_day_begins_at_midnight_here(monkeypatch, zone, at, day):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        utc_ms = round(datetime.datetime.fromisoformat(at).timestamp() * 1000)
        assert day_number("infusion_date=2026-03-31\n", utc_ms) == day
    finally:
        monkeypatch.undo()
        time.tzset()
