"""What the agent tells of a battery: percent, hours by the fall that it saw, and nothing that it does not know."""

from host_agent.sync.battery import Battery, battery_text

MINUTE_MS = 60_000
T0 = 1_800_000_000_000


def fall(battery: Battery, voltages: list[int], minutes: int = 10, start_ms: int = T0) -> int:
    """One voltage each so many minutes; returns when the last was heard."""
    for i, mv in enumerate(voltages):
        battery.heard(start_ms + i * minutes * MINUTE_MS, mv, is_charging=False)
    return start_ms + (len(voltages) - 1) * minutes * MINUTE_MS


def test_hours_left_follow_the_fall_that_was_seen() -> None:
    battery = Battery()
    fall(battery, [4030 - 8 * i for i in range(13)])  # means of three: 89 % to 78 % in 100 min
    assert battery.percent is not None and 77 <= battery.percent <= 81
    assert battery.hours_left == 78 * 100 // 11 // 60 == 11


def test_hours_are_not_known_before_an_hour_nor_without_a_fall() -> None:
    battery = Battery()
    fall(battery, [4030 - 20 * i for i in range(6)])
    assert battery.hours_left is None
    still = Battery()
    fall(still, [3900] * 30)
    assert still.hours_left is None and battery_text(still.values()) == "about 71 %, hours left not known yet"


def test_charging_and_a_jump_of_voltage_begin_anew() -> None:
    battery = Battery()
    end_ms = fall(battery, [4030 - 8 * i for i in range(13)])
    battery.heard(end_ms + MINUTE_MS, 3960, is_charging=True)
    assert battery.hours_left is None and battery_text(battery.values()) == "about 81 %, charging"
    jumped = Battery()
    end_ms = fall(jumped, [3900 - 8 * i for i in range(13)])
    assert jumped.hours_left is not None
    jumped.heard(end_ms + MINUTE_MS, 4100, is_charging=False)
    assert jumped.hours_left is None


def test_a_board_without_a_measurement_is_unknown_and_never_empty() -> None:
    battery = Battery()
    battery.heard(T0, 0, is_charging=False)
    assert battery.values() == {"percent": None, "hours_left": None, "charging": False, "heard_utc_ms": T0}
    assert battery_text(battery.values()) == "not known, the wearable does not measure it"
    measured = Battery()
    fall(measured, [4030 - 8 * i for i in range(13)])
    measured.heard(T0 + 20 * 3_600_000, 0, is_charging=False)
    assert (measured.percent, measured.hours_left) == (None, None)


def test_a_clock_that_goes_back_or_hours_of_silence_leave_no_slope_of_before() -> None:
    battery = Battery()
    end_ms = fall(battery, [4030 - 8 * i for i in range(13)])
    battery.heard(end_ms - 5 * MINUTE_MS, 3930, is_charging=False)
    assert battery.hours_left is None
    late = Battery()
    end_ms = fall(late, [4030 - 8 * i for i in range(13)])
    late.heard(end_ms + 20 * 3_600_000, 3800, is_charging=False)
    assert late.hours_left is None


def test_nothing_was_heard() -> None:
    assert Battery().values() == {"percent": None, "hours_left": None, "charging": None, "heard_utc_ms": None}


def test_the_last_hour_is_told_as_such() -> None:
    battery = Battery()
    fall(battery, [3710 - 22 * i for i in range(13)])
    assert battery.hours_left == 0
    assert battery_text(battery.values()).endswith("less than an hour left at this rate")
