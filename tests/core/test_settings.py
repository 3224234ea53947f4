"""The settings text: canonical, complete, and refused with the key's name."""

import pytest
from crs_core import settings
from crs_core.errors import RemoteError

BASE = {"site": "axilla", "patient_call_number": "+49 (30) 555-01", "emergency_number": "112"}


def test_round_trip_is_canonical_and_complete():
    text = settings.encode(BASE)
    values = settings.decode(text)
    assert settings.encode(values) == text
    assert set(values) == set(settings.SETTINGS)
    assert values["reading_interval_s"] == 10
    assert text.decode().splitlines() == sorted(text.decode().splitlines())
    assert settings.decode(b"".join(reversed(text.splitlines(keepends=True)))) == values


@pytest.mark.parametrize("missing", ["site", "patient_call_number", "emergency_number"])
def test_without_site_or_a_number_to_call_the_configuration_is_refused(missing):
    with pytest.raises(RemoteError, match=missing):
        settings.encode({key: value for key, value in BASE.items() if key != missing})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"site=elbow\n", "site"),
        (b"site=none\n", "site"),
        (b"unit=K\n", "unit"),
        (b"colour=red\n", "colour"),
        (b"sound_pause_s=121\n", "sound_pause_s"),
        (b"sound_pause_s=9\n", "sound_pause_s"),
        (b"sound_pause_s=+90\n", "sound_pause_s"),
        (b"sound_pause_s= 90\n", "sound_pause_s"),
        (b"sound_pause_s=090\n", "sound_pause_s"),
        (b"sound_pause_s=9e1\n", "sound_pause_s"),
        (b"sound_pause_s=\n", "sound_pause_s"),
        ("sound_pause_s=9\u00b2\n".encode(), "sound_pause_s"),
        ("sound_pause_s=\u2461\n".encode(), "sound_pause_s"),
        (b"patient_call_number=call me\n", "patient_call_number"),
        (b"patient_call_number=- ()\n", "patient_call_number"),
        (b"emergency_number=1\n", "emergency_number"),
        (b"device_name=a\tb\n", "device_name"),
        (b"device_name= a\n", "device_name"),
        (b"device_name=" + b"x" * 25 + b"\n", "device_name"),
        (b"unit=C\nunit=F\n", "unit"),
        (b"no equals sign\n", "key=value"),
        (b"=3\n", "key=value"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_a_wrong_line_is_refused_by_name(text, says):
    with pytest.raises(RemoteError, match=says):
        settings.parse_changes(text)


def test_a_newer_file_starts_an_older_application():
    text = settings.encode(BASE) + b"zoom=3\n"
    with pytest.raises(RemoteError, match="zoom"):
        settings.decode(text)
    assert settings.decode(text, ignore_unknown=True) == settings.decode(settings.encode(BASE))


def test_every_setting_says_its_unit_and_meaning():
    for name, spec in settings.SETTINGS.items():
        assert spec.doc
        assert not name.endswith("_s") or spec.unit == "s"
        if spec.kind == "int":
            assert spec.lo <= spec.default <= spec.hi
