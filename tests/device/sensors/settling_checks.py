"""Whether a course of temperatures counts: contact, settling, an open arm, a pause; runs on both runtimes."""

from math import exp

from crs_core.units import (
    TEMP_ARTEFACT,
    TEMP_OFF_BODY,
    TEMP_OUT_OF_RANGE,
    TEMP_SETTLING,
    TEMP_STALE,
    TEMP_VALID,
)
from crs_device.sensors.settling import MIN_CONTACT_MS, Settling
from crs_device.sensors.thermometer import BARE_MS, Thermometer

from tests.device.sensors.scripted_thermometer import ScriptedThermometer, play


def check_warming_below_a_fever_is_not_believed_until_still() -> None:
    warming = [3200 + 60 * second // 10 for second in range(90)]  # 32.0 to 37.3 °C, 0.36 °C a minute too fast
    _, states = play(warming + [3734] * 100)
    assert set(states[: len(warming)]) == {TEMP_SETTLING} and states[-1] == TEMP_VALID


def check_warming_above_a_fever_counts_after_minimum_contact() -> None:
    _, states = play([3700 + 3 * second for second in range(60)])
    first = MIN_CONTACT_MS // 1000
    assert set(states[:first]) == {TEMP_SETTLING} and set(states[first:]) == {TEMP_VALID}


def check_a_slow_fever_stays_valid() -> None:
    values = [3700] * 60 + [3700 + second // 8 for second in range(8 * 160)]  # 1.6 °C in 21 minutes
    _, states = play(values)
    assert set(states[50:]) == {TEMP_VALID}


def check_once_settled_a_rise_counts_and_a_fall_does_not() -> None:
    for step, state in ((1, TEMP_VALID), (-1, TEMP_ARTEFACT)):
        _, states = play([3700] * 60 + [3700 + step * second for second in range(40)])
        assert states[59] == TEMP_VALID and states[-1] == state


def approach_cc(body_cc: int, start_cc: int, tau_s: int, seconds: int):
    """A first-order probe put on a body, one value a second."""
    return [round(body_cc - (body_cc - start_cc) * exp(-second / tau_s)) for second in range(seconds)]


def check_the_first_value_that_counts_is_near_the_body() -> None:
    # from round numbers of 0.01 °C a slow course can be told no better: a quarter of a degree at 300 s
    for tau_s, within_cc in ((20, 2), (60, 6), (120, 12), (300, 25)):
        for body_cc in (3650, 3795):
            for start_cc in (2200, 3300):
                values = approach_cc(body_cc, start_cc, tau_s, 1700)
                _, states = play(values)
                first = states.index(TEMP_VALID)
                error_cc = values[first] - body_cc
                assert -within_cc <= error_cc <= 0, (tau_s, body_cc, start_cc, first, error_cc)


def check_a_probe_under_a_fever_never_settles_below_it() -> None:
    for tau_s in (20, 60, 120, 180):
        for body_cc in (3805, 3850, 3950):
            values = approach_cc(body_cc, 2600, tau_s, 1700)
            _, states = play(values)
            assert values[states.index(TEMP_VALID)] >= 3800, (tau_s, body_cc)


def check_an_open_arm_is_no_temperature_until_it_is_closed() -> None:
    fall = approach_cc(3560, 3710, 120, 600)
    values = [3710] * 200 + fall + approach_cc(3710, fall[-1], 120, 900)
    thermometer, states = play(values)
    seen = [values[second] for second in range(200, len(values)) if states[second] == TEMP_VALID]
    assert min(seen) >= 3710 - 30 and states[-1] == TEMP_VALID and set(states[240:800]) == {TEMP_ARTEFACT}
    assert thermometer.on_body(1000 * len(values)) is True


def check_half_an_open_arm_does_not_take_a_fever_back() -> None:
    fall = approach_cc(3760, 3815, 60, 400)
    _, states = play([3815] * 200 + fall + approach_cc(3795, fall[-1], 60, 600))
    assert set(states[300:]) == {TEMP_ARTEFACT}
    _, states = play([3815] * 200 + fall + approach_cc(3812, fall[-1], 60, 600))
    assert states[-1] == TEMP_VALID


def check_a_probe_that_stays_lower_for_half_an_hour_is_believed_again() -> None:
    _, states = play([3710] * 200 + approach_cc(3620, 3710, 60, 2600))
    first = 200 + states[300:].index(TEMP_VALID) + 100
    assert 200 + 1800 <= first <= 200 + 2400, first
    assert set(states[first:]) == {TEMP_VALID}


def check_a_fever_that_falls_as_fast_as_bodies_do_stays_valid() -> None:
    _, states = play([3950] * 200 + [3950 - second // 15 for second in range(2400)])  # 2.4 °C/h
    assert set(states[60:]) == {TEMP_VALID}


def check_a_strap_that_was_off_settles_anew_on_a_warm_probe() -> None:
    for skin, seconds, state in (
        (False, BARE_MS // 1000 + 1, TEMP_SETTLING),
        (False, BARE_MS // 1000 - 1, TEMP_VALID),
        (None, 200, TEMP_VALID),
        (True, 200, TEMP_VALID),
    ):
        thermometer = Thermometer(ScriptedThermometer([3700] * 500))
        for second in range(101 + seconds):
            thermometer.poll(second * 1000, skin if 100 <= second < 100 + seconds else True)
        assert thermometer.state(second * 1000) == state, (skin, seconds)


def check_settling_knows_nothing_before_three_spans_of_ten_seconds() -> None:
    settling = Settling()
    for _ in range(4):
        assert settling.judge(3700, 100000) == TEMP_SETTLING
        settling.add(37000)
    settling.add(37000)
    assert settling.judge(3700, 100000) == TEMP_VALID
    settling.restart()
    assert settling.judge(3700, 100000) == TEMP_SETTLING


def check_out_of_range_keeps_the_raw_value() -> None:
    for value in (4501, 499, -25600, 0, -1):
        thermometer, states = play([value] * 3)
        assert states[-1] == TEMP_OUT_OF_RANGE and thermometer.temp_cc == value
        assert thermometer.on_body(2000) is None


def check_room_is_off_body_with_hysteresis() -> None:
    _, states = play([3049, 3050, 3000, 2960, 2949, 3000])
    assert states == [
        TEMP_OFF_BODY, TEMP_SETTLING, TEMP_SETTLING, TEMP_SETTLING, TEMP_OFF_BODY, TEMP_OFF_BODY
    ]  # fmt: skip


def check_stale_with_age() -> None:
    thermometer, _ = play([3700] * 60 + [None] * 11)
    assert thermometer.state(69000) == TEMP_VALID
    assert thermometer.state(69001) == TEMP_STALE and thermometer.age_ms(69001) == 10001
    assert thermometer.temp_cc == 3700


def check_a_pause_with_the_same_value_after_it_is_no_removal() -> None:
    for after_cc, seconds, state in (
        (3700, 20, TEMP_VALID),
        (3760, 20, TEMP_VALID),  # a rise counts at once
        (3689, 20, TEMP_SETTLING),  # cooler: it was off, or is off
        (3700, 31, TEMP_SETTLING),  # too long to know
    ):
        _, states = play([3700] * 60 + [None] * seconds + [after_cc])
        assert states[-2] == TEMP_STALE and states[-1] == state, (after_cc, seconds, states[-1])


def check_a_pause_starts_contact_anew() -> None:
    thermometer = Thermometer(ScriptedThermometer([3700] * 90))
    for second in range(60):
        thermometer.poll(second * 1000)
    assert thermometer.state(59000) == TEMP_VALID
    thermometer.poll(120000)
    assert thermometer.state(120000) == TEMP_SETTLING
