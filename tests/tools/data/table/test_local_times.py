"""Times of a clock on a wall: zones, hours left out or repeated, twelve-hour clocks, order of dates."""

import datetime
import zoneinfo

import pytest

from tools.data.table.moments import Moments
from tools.data.table.numbers import Numbers

# (zone, the moment of a change of its clock in UTC)
CHANGES = [
    ("Europe/Berlin", "2026-03-29 01:00"),
    ("Europe/London", "2026-03-29 01:00"),
    ("America/New_York", "2026-03-08 07:00"),
    ("America/St_Johns", "2026-03-08 05:30"),
    ("America/Santiago", "2026-09-06 04:00"),
    ("Africa/Cairo", "2026-04-23 22:00"),
    ("Australia/Adelaide", "2026-10-03 16:30"),
    ("Australia/Lord_Howe", "2026-10-03 15:30"),
    ("Europe/Berlin", "2026-10-25 01:00"),
    ("America/New_York", "2026-11-01 06:00"),
    ("Australia/Lord_Howe", "2026-04-04 15:00"),
]


def read(cells: list[str], name: str = "time") -> list[float]:
    """Seconds from the first of these cells."""
    moments = Moments(name, Numbers())
    found = [moments.read(cell) for cell in cells]
    return [moment - found[0] for moment in found]


def across(zone: str, change: str, step_s: int, form: str) -> list[str]:
    """Ten rows before a change of the clock and ten after it, as the wall shows them."""
    at = datetime.datetime.fromisoformat(f"{change}+00:00")
    moments = (at + datetime.timedelta(seconds=step_s * n) for n in range(-10, 10))
    return [moment.astimezone(zoneinfo.ZoneInfo(zone)).strftime(form) for moment in moments]


@pytest.mark.parametrize(("zone", "change"), CHANGES)
@pytest.mark.parametrize("step_s", [1, 10, 30])
def test_with_the_zone_every_change_of_the_clock_is_even(zone: str, change: str, step_s: int) -> None:
    assert read(across(zone, change, step_s, "%Y-%m-%d %H:%M:%S%z")) == [step_s * n for n in range(20)]


@pytest.mark.parametrize(("zone", "change"), CHANGES)
@pytest.mark.parametrize("step_s", [1, 10, 30])
@pytest.mark.parametrize(
    "form", ["%Y-%m-%d %H:%M:%S", "%H:%M:%S", "%d.%m.%Y %H:%M:%S", "%Y-%m-%dT%H:%M:%S.500"]
)
def test_without_the_zone_a_change_of_the_clock_is_asked_about(
    zone: str, change: str, step_s: int, form: str
) -> None:
    moments, before_s = Moments("time", Numbers()), float("-inf")
    with pytest.raises(ValueError, match="zone|does not come after"):
        for cell in across(zone, change, step_s, form):
            moment_s = moments.read(cell)
            if moment_s <= before_s:
                raise ValueError(moments.backwards(cell))
            before_s = moment_s


def test_an_hour_without_rows_by_day_or_of_another_length_is_a_hole() -> None:
    assert read(["14:00:00", "14:00:01", "15:00:02"])[-1] == 3602
    assert read(["02:00:00", "02:00:01", "03:05:00"])[-1] == 3900
    assert read(["02:00:00", "02:05:00", "03:10:00"])[-1] == 4200


@pytest.mark.parametrize("zone", ["Z", "z", " UTC", " GMT", "+00:00", " +0000", "+00", "-00:00"])
def test_the_zone_may_be_written_otherwise(zone: str) -> None:
    assert read([f"2026-03-31 14:05:09{zone}", "2026-03-31T16:05:10+0200"]) == [0, 1]


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (["2026-03-31 14:05:09 CEST"], "CEST is no zone that is known"),
        (["2026-03-31 14:05:09+99:99"], "there is no zone"),
        (["2026-03-31 14:05:09+15:00"], "there is no zone"),
        (["2026-03-31 14:05:09+01:60"], "there is no zone"),
        (["2026-03-31 14:05:09", "2026-03-31 14:05:10Z"], "is not written as the times before"),
        (["13/04/2026 01:00:00", "04/14/2026 01:00:00"], "another order than before"),
        (["11:59:58 AM", "12:00:00"], "others have not"),
        (["11:59:58", "12:00:00 PM"], "others have not"),
        (["13:00:00 PM"], "no time of 12 hours"),
        (["24:00:00"], "no time of a day"),
        (["2026-02-30 01:00:00"], "no such day"),
    ],
)
def test_what_is_not_clear_is_refused(cells: list[str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read(cells)
