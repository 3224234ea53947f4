"""Calibration text: the same checks on CPython and on MicroPython."""

from crs_core import calibration, settings
from crs_core.errors import RemoteError
from crs_core.spo2_curve import AN6845, spo2_tenths

TEXT = "date=2026-11-20;spo2=12000,-330000,1118000;spo2_n=120;spo2_arms=187;temp=-5;temp_n=24;temp_sd=4;by=bench 2"
TEMPERATURE_ALONE = (
    "date=2026-11-20;spo2=15958,-346597,1126899;spo2_n=0;spo2_arms=0;temp=12;temp_n=5;temp_sd=10;by=bath"
)
# what is changed in TEXT, and what the refusal says
WRONG = (
    ("date=2026", "date=\u00b2026", "date is not"),
    ("date=2026", "date=\u2460026", "date is not"),
    ("by=bench 2", "by=", "by is not"),
    ("by=bench 2", "by=bench 2 ", "by is not"),
    ("by=bench 2", "by=a\x1b[2J", "by is not"),
    ("by=bench 2", "by=b\u00e9nch", "by is not"),
    ("by=bench 2", "by=" + "x" * 61, "by is not"),
    ("by=bench 2", "by=a;b", "not of the form"),
    ("by=bench 2", "by=" + "x" * 120, "longer than 200 bytes"),
    (";by=bench 2", "", "not of the form"),
    ("temp=-5", "temp=-05", "not of the form"),
    ("temp=-5", "temp=+5", "not of the form"),
    ("temp=-5", "temp= -5", "not of the form"),
    ("temp=-5", "temp=-5.5", "not of the form"),
    ("temp=-5", "temp=-0", "not of the form"),
    ("temp=-5", "temp=", "not of the form"),
    ("temp_n=24", "temp_n=2_4", "not of the form"),
    ("temp_n=24;temp_sd=4", "temp_sd=4;temp_n=24", "not of the form"),
    ("temp_n=24", "temp_n=24;temp_n=24", "not of the form"),
    ("12000,-330000,1118000", "-330000,1118000", "not of the form"),
    ("12000,-330000,1118000", "1,2,3,4", "not of the form"),
    ("2026-11-20", "20.11.2026", "date is not"),
    ("2026-11-20", "2026-1-120", "date is not"),
    ("2026-11-20", "", "date is not"),
    ("2026-11-20", "2026-13-20", "no such date"),
    ("2026-11-20", "2026-11-32", "no such date"),
    ("2026-11-20", "1970-01-01", "no such date"),
    ("2026-11-20", "2026-02-29", "no such date"),
    ("2026-11-20", "2026-02-30", "no such date"),
    ("2026-11-20", "2028-02-30", "no such date"),
    ("2026-11-20", "2026-04-31", "no such date"),
    ("2026-11-20", "2026-11-31", "no such date"),
    ("2026-11-20", "2026-00-20", "no such date"),
    ("2026-11-20", "2026-11-00", "no such date"),
    ("2026-11-20", "0000-11-20", "no such date"),
    ("2026-11-20", "2100-02-28", "no such date"),
    ("2026-11-20", "2100-02-29", "no such date"),
    ("temp=-5", "temp=-51", "beyond 50 cc"),
    ("temp=-5", "temp=51", "beyond 50 cc"),
    ("temp_n=24", "temp_n=0", "offset without pairs"),
    ("temp=-5;temp_n=24", "temp=0;temp_n=0", "offset without pairs"),
    ("temp_n=24", "temp_n=4", "fewer than 5 pairs"),
    ("temp_n=24", "temp_n=-1", "fewer than 5 pairs"),
    ("temp_sd=4", "temp_sd=11", "scatter by more than 10 cc"),
    ("temp_sd=4", "temp_sd=-1", "scatter"),
    ("spo2_n=120", "spo2_n=19", "fewer than 20 pairs"),
    ("spo2_n=120", "spo2_n=0", "curve without pairs"),
    ("spo2_arms=187", "spo2_arms=401", "ARMS above 4.00 %"),
    ("spo2_arms=187", "spo2_arms=-1", "ARMS above 4.00 %"),
    ("12000,-330000,1118000", "0,330000,800000", "does not fall"),
    ("12000,-330000,1118000", "100000,-330000,1118000", "does not fall"),  # it turns up at R 1.65
    (
        "12000,-330000,1118000",
        "-600000,370000,900000",
        "does not fall",
    ),  # it falls from R 0.31 on, not from 0.30
    ("12000,-330000,1118000", "0,-346597,1200000", "within 90..101 %"),
    ("12000,-330000,1118000", "0,-346597,1100000", "within 90..101 %"),
    ("12000,-330000,1118000", "0,-170000,1040000", "more than 8 % from AN6845 at R 1."),
    ("12000,-330000,1118000", "0,-480000,1190000", "more than 8 % from AN6845 at R 0.97"),
    ("12000,-330000,1118000", "0,-99999999,1118000", "too large"),
)


def refusal(act, *arguments) -> str:
    """What the RemoteError says; "" when there is none."""
    try:
        act(*arguments)
    except RemoteError as error:
        return str(error.args[0])
    return ""


def check_one_text_for_one_content():
    found = calibration.parse(TEXT)
    assert found.spo2 == (12000, -330000, 1118000) and found.temp == -5 and found.by == "bench 2"
    assert calibration.encode(found) == TEXT
    assert calibration.encode(calibration.parse(TEMPERATURE_ALONE)) == TEMPERATURE_ALONE


def check_every_wrong_text_is_refused_by_name():
    for old, new, says in WRONG:
        text = TEXT.replace(old, new)
        assert text != TEXT
        told = refusal(calibration.parse, text)
        assert told.startswith("calibration: ") and says in told, (new, told)
        assert refusal(settings.parse_changes, ("calibration=" + text + "\n").encode()), new


def check_the_bounds_themselves_are_allowed():
    for old, new in (
        ("temp=-5", "temp=-50"), ("temp=-5", "temp=50"), ("temp_n=24", "temp_n=5"), ("temp_sd=4", "temp_sd=10"),
        ("spo2_n=120", "spo2_n=20"), ("spo2_arms=187", "spo2_arms=400"), ("by=bench 2", "by=" + "x" * 60),
        ("2026-11-20", "2028-02-29"), ("2026-11-20", "2026-12-31"), ("2026-11-20", "2099-02-28"),
        ("2026-11-20", "2020-01-01"),
    ):  # fmt: skip
        assert calibration.parse(TEXT.replace(old, new)), new


def check_the_id_stands_for_the_bytes():
    number = calibration.id_of(TEXT)
    assert 1000 <= number <= 64999
    assert number == 33278, "journals out there refer to this content by this number"
    assert calibration.id_of(TEXT.replace("temp=-5", "temp=-6")) != number


def check_what_is_in_use():
    assert calibration.in_use("", 1) == (1, calibration.BUILT_IN[1][1], AN6845, 0)
    assert calibration.in_use("", 2)[2] == (0, -170000, 1040000)
    assert calibration.in_use(TEXT, 2) == (calibration.id_of(TEXT), TEXT, (12000, -330000, 1118000), -5)
    assert refusal(calibration.in_use, "", 3) == "calibration: no curve 3 is built in"
    assert "not of the form" in refusal(calibration.in_use, "x", 1)


def check_settings_refuse_it_where_it_is_given_and_not_where_it_is_stored():
    assert settings.parse_changes(("calibration=" + TEXT + "\n").encode()) == {"calibration": TEXT}
    assert settings.parse_changes(b"calibration=\n") == {"calibration": ""}
    assert "no curve 9" in refusal(settings.parse_changes, b"calibration_id=9\n")
    assert "no curve 9" in refusal(
        settings.parse_changes, ("calibration=" + TEXT + "\ncalibration_id=9\n").encode()
    )
    assert settings.parse_changes(b"calibration_id=9\ncalibration=x\n", True) == {
        "calibration_id": 9, "calibration": "x",
    }  # fmt: skip


def check_a_curve_is_rounded_and_never_floored():
    for ratio_milli in range(300, 2000, 7):
        for curve in (AN6845, (12000, -330000, 1118000), (-999, -250000, 1100000)):
            exact = (
                curve[2] * 1000000 + curve[1] * ratio_milli * 1000 + curve[0] * ratio_milli * ratio_milli
            ) // 1000
            assert abs(spo2_tenths(curve, ratio_milli) * 1000000 - exact) <= 502000, (curve, ratio_milli)
