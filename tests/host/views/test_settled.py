"""What the wearable says now comes before what is stored: alarms and a grade whose records are still to come."""

import pytest
from crs_core import codes, units

from host_agent.text import local_time
from host_agent.views.state import read_state
from tests.host.people.people_world import HOUR_MS, MIN_MS, PeopleWorld
from tests.host.people.wearable_rows import WearableRows

WORN = units.make_status(units.SITE_AXILLA, units.TEMP_VALID, units.PPG_VALID, units.WEAR_WORN)


@pytest.fixture
def world(tmp_path):
    made = PeopleWorld(tmp_path)
    made.rows = WearableRows(made)
    made.rows.started(5 * HOUR_MS)
    made.rows.reading(ago_ms=MIN_MS)
    yield made
    made.store.close()


def shown(world, *, link="open", age_s=1.0, status=WORN, alarms=(), lower=0, upper=4, battery=None, **change):
    """The wearable of P-1 as a screen gets it while the agent says this of it."""
    live = {
        "temp_cc": 3870, "spo2_tenths": 874, "hr_bpm": 99, "pi_hundredths": 150, "status": status, "fever": 3,
        "lower": lower, "upper": upper, "alarms": [list(pair) for pair in alarms],
    }  # fmt: skip
    device_id = (b"\x01" * 8).hex()
    answer = {
        "device_id": device_id, "link": {"state": link}, "live": live, "live_text": "", "caught_up": True,
        "live_utc_ms": world.now_ms, "live_age_s": age_s, "stored_age_s": 60, "battery": battery,
        "battery_age_s": 1.0, "maintenance": False, **change,
    }  # fmt: skip
    data = world.store.read_now(lambda tx: read_state(tx, {}, world.now_ms, {"devices": [answer]}))
    return next(one for one in data["devices"] if one["device_id"] == device_id)


def test_an_alarm_without_a_record_yet_is_shown_with_the_value_of_now(world):
    (alarm,) = shown(world, alarms=[(codes.HYPOXAEMIA, 3)])["alarms"]
    assert ": oxygen low: 87.4 %. Look at the patient now. Care team" in alarm["text"]
    assert alarm["sound"] == "sounding, nobody has accepted it" and alarm["priority"] == "HIGH"


def test_an_alarm_has_one_text_before_and_after_its_record(world):
    world.rows.write("UPDATE devices SET settings = 'unit=F\n' WHERE id = 1")
    (alarm,) = shown(world, alarms=[(codes.FEVER, 2)])["alarms"]
    assert "P-1 (a wearable without a name): fever: 101.6 °F (38.7 °C), armpit sensor." in alarm["text"]


def test_an_alarm_that_rose_is_shown_at_its_priority_of_now_first(world):
    world.rows.alarm(codes.HYPOXAEMIA, 2, ago_ms=MIN_MS)
    alarms = shown(world, alarms=[(codes.HYPOXAEMIA, 3)])["alarms"]
    assert [one["priority"] for one in alarms] == ["HIGH", "MEDIUM"]
    assert len(shown(world, alarms=[(codes.HYPOXAEMIA, 2)])["alarms"]) == 1


@pytest.mark.parametrize("change", [{"link": "lost"}, {"age_s": 26.0}, {"maintenance": True}])
def test_old_live_values_add_nothing(world, change):
    device = shown(world, alarms=[(codes.HYPOXAEMIA, 3)], **change)
    assert device["alarms"] == [] and not device["shows_live"]


def test_a_stored_alarm_that_the_wearable_no_longer_raises_stays_and_says_so(world):
    world.rows.alarm(codes.FEVER, 2, ago_ms=MIN_MS)
    (alarm,) = shown(world)["alarms"]
    assert alarm["sound"] == "the wearable does not raise it now; the record of its end is still to come"


def test_the_grade_of_now_takes_the_place_of_an_old_or_a_lower_one(world):
    world.rows.grade(codes.FEVER_MET, ago_ms=3 * HOUR_MS)
    stored = shown(world, lower=0, upper=4)["grade"]
    assert stored["since"] is not None and "no criterion met at" in stored["text"]
    now = shown(world, lower=3, upper=4)["grade"]
    assert (
        now["since"] is None and now["text"] == "CRS (ASTCT 2019): at least 3, could be up to 4. Not signed."
    )
    assert shown(world, lower=None, upper=None)["grade"]["text"].startswith(
        "CRS (ASTCT 2019): not gradable at "
    )


def test_a_grade_of_another_half_day_has_its_date(world):
    world.rows.grade(codes.FEVER_NOT_MET, ago_ms=26 * HOUR_MS)
    at_ms = world.now_ms - 26 * HOUR_MS
    assert (
        f" at {local_time(at_ms, with_date=True, with_seconds=False)} "
        in shown(world, link="lost")["grade"]["text"]
    )


def test_a_low_battery_is_said_once_and_no_percentage_contradicts_it(world):
    full = {"percent": 80, "hours_left": 9, "charging": False, "heard_utc_ms": world.now_ms}
    assert shown(world, battery=full)["battery_text"] == "about 80 %, about 9 h left at this rate"
    low = shown(world, battery=full, status=WORN | units.STATUS_LOW_BATTERY)
    assert low["battery_text"] == "low: charge the wearable"
    said = shown(world, battery={**full, "percent": None}, alarms=[(codes.LOW_BATTERY, 1)])
    assert said["battery_text"] == "low: charge the wearable"
    assert shown(world, battery={**full, "percent": 8, "charging": True}, alarms=[(codes.LOW_BATTERY, 1)])[
        "battery_text"
    ] == ("low, about 8 %, charging: leave it on the charger")


def test_a_step_of_the_clock_changes_no_age_of_live_values(world):
    world.now_ms -= HOUR_MS
    assert shown(world, age_s=2.0, live_utc_ms=world.now_ms + HOUR_MS)["state"]["word"] == "measuring"
    world.now_ms += 2 * HOUR_MS
    assert shown(world, age_s=2.0, live_utc_ms=world.now_ms - HOUR_MS)["state"]["word"] == "measuring"
    assert shown(world, age_s=None, live_utc_ms=world.now_ms + HOUR_MS)["state"]["word"] == "measuring", (
        "never below 0"
    )


def test_a_wearable_whose_answer_cannot_be_read_hides_no_other(world):
    device = shown(world, battery={"percent": 1})
    assert device["broken"] == "KeyError: 'heard_utc_ms'" and device["state"]["word"] == "not_understood"
