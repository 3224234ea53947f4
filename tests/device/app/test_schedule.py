"""The light rests only while nothing goes on, looks neither like loss nor like a value, delays no alarm too much."""

import pytest
from crs_core import codes, settings
from crs_core.grade import rules
from crs_core.grade.rules_table import TABLE
from crs_core.units import PPG_NO_CONTACT, PPG_RESTING, PPG_SETTLING, PPG_VALID, ppg_state_of
from crs_device.measuring import schedule
from crs_device.measuring.schedule import CALM_AFTER_MS, FIRST_VALUE_MS, GAP_MS, SEEN_MS, STEP_MS, dark_ms
from crs_device.settings import provisioned

from tools.lab.bench.worst_times import allowed_ms, conditions, measured_ms, worst_ms
from tools.rig.on_micropython.worn_life import SETTLED_MS, WornLife

CALM_MS = SETTLED_MS + 60_000  # the schedule has gone its round
MINUTE_MS = 60_000
HIGH_S, MEDIUM_S = 90, 150
DELAYS = ("spo2_fast_ms", "spo2_slow_ms", "spo2_medium_ms", "pulse_lost_ms", "hr_delay_ms")


def slowest(name: str) -> rules.Rules:
    """This delay as long as may be signed."""
    return rules.with_limits(rules.DEFAULT, {row[0]: row[4] for row in TABLE if row[0] == name})


def calm(calm_after_ms: int = 0) -> WornLife:
    """A life whose light rests by turns."""
    life = WornLife(calm_after_ms)
    life.live_until(CALM_MS + calm_after_ms)
    assert life.dark_ms > 15_000
    return life


def until_dark(life: WornLife) -> None:
    """Live on to the next dark second."""
    for _ in range(60):
        life.live_until(life.now_ms + 1000)
        if life.sampling.optical.resting:
            return
    raise AssertionError("the light never rested")


def share_dark(life: WornLife, span_ms: int) -> float:
    """Share of the coming time in which the light is off."""
    before_ms = life.dark_ms
    life.live_until(life.now_ms + span_ms)
    return (life.dark_ms - before_ms) / span_ms


def test_without_the_schedule_the_light_never_rests() -> None:
    life = WornLife(None)
    life.live_until(CALM_MS)
    assert life.dark_ms == 0 and PPG_RESTING not in [state for _, state, _ in life.seen]


def test_a_restart_measures_for_half_an_hour_and_then_rests_most_of_the_time() -> None:
    life = WornLife(CALM_AFTER_MS)
    life.live_until(SETTLED_MS + CALM_AFTER_MS - 5_000)
    assert life.dark_ms == 0
    life.live_until(life.now_ms + MINUTE_MS)
    assert 0.6 < share_dark(life, 10 * MINUTE_MS) < 0.75


def test_a_rest_by_plan_is_neither_a_loss_nor_a_value() -> None:
    life = calm()
    life.live_until(life.now_ms + 20 * MINUTE_MS)
    dark = [(state, spo2) for _, state, spo2 in life.seen if state == PPG_RESTING]
    assert len(dark) > 700 and {spo2 for _, spo2 in dark} == {None} and life.alarms() == []
    assert life.log.gaps == [] and life.app.health.pairs() == []
    states = {ppg_state_of(reading.status) for reading in life.log.readings[12:]}
    assert states == {PPG_RESTING, PPG_SETTLING, PPG_VALID}
    for reading in life.log.readings:
        assert (reading.spo2_tenths is None) == (ppg_state_of(reading.status) != PPG_VALID)


def test_the_first_value_comes_in_the_time_that_is_reckoned_with_at_every_pulse_that_a_value_is_given_for() -> (
    None
):
    for hr_bpm in (45.0, 75.0, 115.0):
        life = WornLife(0)
        life.wearer.hr_bpm = hr_bpm
        life.live_until(CALM_MS + 3 * MINUTE_MS)
        states = [state for t_ms, state, _ in life.seen if t_ms > CALM_MS]
        while PPG_RESTING in states:
            states = states[states.index(PPG_RESTING) :]
            lit = [at for at, state in enumerate(states) if state != PPG_RESTING]
            if not lit or PPG_VALID not in states:
                break
            # the light went on one step before the first second that is not dark
            assert (states.index(PPG_VALID) - lit[0] + 1) * 1000 <= FIRST_VALUE_MS
            states = states[states.index(PPG_VALID) :]


def test_after_a_rest_the_first_value_is_of_this_light_alone() -> None:
    life = calm()
    until_dark(life)
    life.wearer.spo2_pct = 86.0
    life.live_until(life.now_ms + dark_ms(rules.DEFAULT) + FIRST_VALUE_MS)
    states = [state for _, state, _ in life.seen]
    woken = len(states) - states[::-1].index(PPG_RESTING)
    assert states[woken : woken + 3] == [PPG_SETTLING] * 3  # nothing is left of the window before
    values = [spo2 for _, state, spo2 in life.seen[woken:] if state == PPG_VALID]
    assert values and max(values) < 875


@pytest.mark.parametrize(
    "change",
    [
        lambda life: setattr(life.wearer, "temp_c", 38.3),
        lambda life: setattr(life.wearer, "temp_c", None),
        lambda life: setattr(life.wearer, "hr_bpm", 130.0),
        lambda life: setattr(life.wearer, "spo2_pct", 93.3),
        lambda life: setattr(life.wearer, "spo2_pct", 90.0),
        lambda life: life.monitor.press(1),
        lambda life: life.monitor.press(2),
        lambda life: setattr(life.monitor, "is_bound", False),
        lambda life: setattr(life.monitor, "assessment", None),
    ],
    ids=[
        "fever", "probe off", "fast heart", "below 94", "low saturation", "pause", "call", "unbound",
        "ungraded",
    ],
)  # fmt: skip
def test_every_reason_ends_the_rest_and_keeps_the_light_on(change: object) -> None:
    life = calm(2 * MINUTE_MS)
    change(life)  # type: ignore[operator]
    life.live_until(life.now_ms + 45_000)  # it is seen after one dark time at most
    before_ms = life.dark_ms
    life.live_until(life.now_ms + 2 * MINUTE_MS - 45_000)
    assert life.dark_ms == before_ms


def test_a_button_wakes_at_the_next_second() -> None:
    life = calm(2 * MINUTE_MS)
    until_dark(life)
    life.monitor.press(2)
    life.live_until(life.now_ms + 2000)
    assert not life.sampling.optical.resting


def test_a_possible_fever_of_ten_minutes_delay_keeps_the_light_on_while_the_delay_runs() -> None:
    life = calm()
    life.wearer.temp_c = 37.7
    life.live_until(life.now_ms + 2 * MINUTE_MS)
    assert life.alarms() == [] and share_dark(life, 2 * MINUTE_MS) == 0


def test_after_the_reason_the_rest_begins_again_only_when_it_is_long_enough_ago() -> None:
    life = calm(2 * MINUTE_MS)
    life.monitor.press(1)
    life.live_until(life.now_ms + 2 * MINUTE_MS)
    before_ms = life.dark_ms
    life.live_until(life.now_ms + 30_000)
    assert life.dark_ms > before_ms


def test_without_a_value_there_is_no_rest() -> None:
    life = calm()
    until_dark(life)
    life.wearer.spo2_pct = None  # the strap came loose in the dark
    life.live_until(life.now_ms + 30_000)
    assert life.seen[-1][1] == PPG_NO_CONTACT and share_dark(life, 5 * MINUTE_MS) == 0
    assert "NO_DATA" in life.alarms()


def test_a_rest_that_goes_on_beyond_its_plan_is_a_loss() -> None:
    life = calm()
    until_dark(life)
    last_value_ms = max(t_ms for t_ms, state, _ in life.seen if state == PPG_VALID)
    life.app.schedule = None  # nobody turns the light on again
    at_ms = life.live_until(life.now_ms + 5 * MINUTE_MS, codes.NO_DATA, codes.PRIORITY_LOW)
    assert last_value_ms + 60_000 <= at_ms <= last_value_ms + 62_000
    life.live_until(life.now_ms + 31 * MINUTE_MS)
    assert (codes.NO_DATA, codes.PRIORITY_HIGH) in life.monitor.active


def test_a_chip_that_does_not_come_back_is_told_like_any_loss() -> None:
    life = calm()
    until_dark(life)
    last_value_ms = max(t_ms for t_ms, state, _ in life.seen if state == PPG_VALID)
    life.bench.max30102.stuck = True
    at_ms = life.live_until(life.now_ms + 5 * MINUTE_MS, codes.NO_DATA, codes.PRIORITY_LOW)
    assert last_value_ms + 60_000 <= at_ms <= last_value_ms + 62_000 and life.sampling.optical.fault


def test_a_chip_that_does_not_take_the_order_goes_on_measuring() -> None:
    life = WornLife(0)

    def refuse() -> None:
        raise OSError(5)

    life.live_until(1000)  # by then the chip was found
    life.sampling.optical._chip.sleep = refuse  # type: ignore[method-assign]
    life.live_until(CALM_MS)
    assert life.dark_ms == 0 and {state for t_ms, state, _ in life.seen if t_ms > 10_000} == {PPG_VALID}


def test_the_setting_takes_effect_at_once_in_either_direction() -> None:
    life = WornLife(None)
    needed = {"site": "axilla", "patient_call_number": "12345", "emergency_number": "112"}
    for measuring in ("continuous", "by_state"):
        provisioned.use_settings(life.app, settings.complete(needed | {"measuring": measuring}), 2)
        assert (life.app.schedule is not None) == (measuring == "by_state")
    life.app.schedule = schedule.Schedule(0)
    life.live_until(CALM_MS)
    until_dark(life)
    provisioned.use_settings(life.app, settings.complete(needed), 3)
    assert life.app.schedule is None and not life.sampling.optical.resting
    assert share_dark(life, MINUTE_MS) == 0


def test_slower_signed_rules_shorten_the_dark_down_to_none() -> None:
    stated = min(HIGH_S - 60, MEDIUM_S - 120) * 1000
    assert dark_ms(rules.DEFAULT) == stated - SEEN_MS - FIRST_VALUE_MS - GAP_MS - STEP_MS == 13_000
    for name, value in (("spo2_slow_ms", 65_000), ("hr_delay_ms", 65_000), ("spo2_medium_ms", 125_000)):
        assert dark_ms(rules.with_limits(rules.DEFAULT, {name: value})) == 8_000
        slow = rules.with_limits(rules.DEFAULT, {name: value + 9_000})
        assert dark_ms(slow) == 0
    life = WornLife(0, numbers=rules.with_limits(rules.DEFAULT, {"spo2_slow_ms": 79_000}))
    life.live_until(CALM_MS)
    assert life.dark_ms == 0


@pytest.mark.parametrize(
    "numbers", [rules.DEFAULT, *(slowest(name) for name in DELAYS)], ids=["default", *DELAYS]
)
def test_in_every_schedule_the_worst_time_is_within_what_is_stated(numbers: rules.Rules) -> None:
    for condition in conditions(numbers):
        worst = [worst_ms(condition, by_state, numbers) for by_state in (False, True)]
        assert worst[0] <= worst[1] <= allowed_ms(condition)


def test_no_measured_time_is_longer_than_the_one_that_is_worked_out() -> None:
    measured = measured_ms(3000)
    for condition in conditions(rules.DEFAULT):
        if condition.measured:
            lit_ms, turns_ms = (worst_ms(condition, by_state) for by_state in (False, True))
            assert measured["continuous", condition.measured][0] <= lit_ms
            # the dark time is really in it
            assert lit_ms < measured["by_state", condition.measured][0] <= turns_ms
