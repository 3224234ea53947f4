"""The SIG's formats, read by their own words and against bytes that others published."""

import struct
from datetime import UTC, datetime

import pytest
from crs_core import units
from crs_device.link.ble import health_values
from hypothesis import given
from hypothesis import strategies as st


def read_float(data: bytes) -> float | None:
    mantissa = int.from_bytes(data[:3], "little", signed=True)
    if mantissa == 0x7FFFFF:
        return None
    return mantissa * 10.0 ** struct.unpack("<b", data[3:])[0]


def read_sfloat(data: bytes) -> float | None:
    (word,) = struct.unpack("<H", data)
    mantissa, exponent = word & 0xFFF, word >> 12
    if mantissa == 0x7FF:
        return None
    return (mantissa - 4096 if mantissa > 2047 else mantissa) * 10.0 ** (
        exponent - 16 if exponent > 7 else exponent
    )


@pytest.mark.parametrize(
    ("value", "exponent", "data"),
    [
        (364, -1, "6c0100ff"),  # 36.4: the example of the Health Thermometer Profile
        (3700, -2, "740e00fe"),
        (-1, -2, "fffffffe"),
        (0, 0, "00000000"),
        (None, -2, "ffff7f00"),  # NaN: ISO/IEEE 11073-20601
    ],
)
def test_a_float_has_the_published_bytes(value, exponent, data):
    assert health_values.encode_float(value, exponent).hex() == data


@pytest.mark.parametrize(
    ("value", "exponent", "data"),
    [
        (114, -1, "72f0"),  # 11.4: the SFLOAT example of the Personal Health Devices Transcoding white paper
        (97, 0, "6100"),
        (120, 0, "7800"),
        (-10, -1, "f6ff"),
        (975, -1, "cff3"),
        (2047, 0, "cc10"),  # 2047 is the NaN code: one digit goes, and the value stays a value
        (None, 0, "ff07"),
    ],
)
def test_an_sfloat_has_the_published_bytes(value, exponent, data):
    assert health_values.encode_sfloat(value, exponent).hex() == data


@given(st.integers(units.TEMP_MIN_CC, units.TEMP_MAX_CC))
def test_every_temperature_comes_back_with_two_decimals(temp_cc):
    assert round(read_float(health_values.encode_float(temp_cc, -2)) * 100) == temp_cc


@given(st.integers(0, 20_000), st.sampled_from([-2, -1, 0]))
def test_every_short_float_comes_back_to_three_digits(value, exponent):
    got = read_sfloat(health_values.encode_sfloat(value, exponent))
    assert got is not None
    assert (
        abs(got - value * 10.0**exponent) <= max(10.0**exponent, abs(value) * 10.0**exponent * 0.005) * 0.999
    )


def test_a_temperature_names_its_site_and_the_time_when_it_is_known():
    data = health_values.temperature(3812, units.SITE_ORAL, None)
    assert data[0] == 4 and read_float(data[1:5]) == pytest.approx(38.12) and data[5:] == b"\x06"
    at = datetime(2026, 2, 28, 23, 59, 58, tzinfo=UTC)
    data = health_values.temperature(None, units.SITE_AXILLA, round(at.timestamp() * 1000))
    assert data[0] == 6 and read_float(data[1:5]) is None
    assert struct.unpack("<HBBBBB", data[5:12]) == (2026, 2, 28, 23, 59, 58)
    assert data[12:] == b"\x01", "armpit"


def test_every_site_has_a_type():
    types = {name: health_values.temperature_type(i)[0] for i, name in enumerate(units.SITES)}
    assert types["axilla"] == 1 and types["oral"] == 6 and types["tympanic"] == 9 and types["rectal"] == 7


@given(st.integers(0, 4_102_444_800_000))
def test_the_calendar_is_the_calendar(utc_ms):
    when = datetime.fromtimestamp(utc_ms // 1000, UTC)
    assert struct.unpack("<HBBBBB", health_values.date_time(utc_ms)) == when.timetuple()[:6]
    assert health_values.current_time(utc_ms)[7] == when.isoweekday()


@pytest.mark.parametrize("state", range(12))
def test_every_state_of_the_light_is_told_and_only_a_valid_one_has_values(state):
    status = units.make_status(units.SITE_AXILLA, 0, state, units.WEAR_WORN)
    data = health_values.oximeter(975, 88, 123, status, True)
    measurement, low, high = struct.unpack("<HHB", data[5:10])
    assert data[0] == 0x1C and measurement & 1 << 10, "data for demonstration"
    assert read_sfloat(data[10:]) == pytest.approx(1.23)
    if state == units.PPG_VALID:
        assert read_sfloat(data[1:3]) == pytest.approx(97.5) and read_sfloat(data[3:5]) == 88
        assert measurement & 1 << 7 and not measurement & 1 << 13 and low == high == 0
    else:
        assert read_sfloat(data[1:3]) is None and read_sfloat(data[3:5]) is None
        assert measurement & 1 << 13 and not measurement & 1 << 7
        assert low, "a reason for everything that is not there"
    features, can_measurement, can_low, can_high = struct.unpack("<HHHB", health_values.PLX_FEATURES)
    assert features == 0x43
    assert measurement & ~can_measurement == 0 and low & ~can_low == 0 and high & ~can_high == 0
    assert not struct.unpack("<H", health_values.oximeter(975, 88, None, status, False)[5:7])[0] & 1 << 10
