"""Thermometer over time, against the register models; runs on both runtimes."""

from math import exp

from crs_core.spo2_curve import AN6845
from crs_core.units import (
    TEMP_ABSENT,
    TEMP_ARTEFACT,
    TEMP_FLAT,
    TEMP_OFF_BODY,
    TEMP_OUT_OF_RANGE,
    TEMP_SETTLING,
    TEMP_STALE,
    TEMP_VALID,
)
from crs_device.health import SENSOR_RESTART, TEMP_FAIL, Health
from crs_device.sensors import tmp117
from crs_device.sensors.bus import Bus
from crs_device.sensors.settling import MIN_CONTACT_MS, Settling
from crs_device.sensors.thermometer import BARE_MS, FLAT_MS, Thermometer
from crs_device.sensors.tmp117 import Tmp117

from tools.virtual_wearable.models.bench import Bench


class ScriptedThermometer:
    """Gives the next value of a list at each reading; an OSError in the list is raised."""

    def __init__(self, values) -> None:
        self._values = list(values)
        self.code = 0
        self.starts = 0

    def start(self) -> None:
        """Count it."""
        self.starts += 1

    def read_cc(self):
        """The next; codes differ with the value and, so as not to be flat, with time."""
        value = self._values.pop(0)
        if isinstance(value, OSError):
            raise value
        if value is not None:
            self.code = value * 2 + len(self._values) % 2
        return value


def play(values):
    """States of a thermometer that sees one value a second."""
    thermometer = Thermometer(ScriptedThermometer(values))
    states = []
    for second in range(len(values)):
        thermometer.poll(second * 1000)
        states.append(thermometer.state(second * 1000))
    return thermometer, states


def run(bench, part, seconds: int, step_ms: int = 1000):
    """Poll `part` on the bench's time for so long."""
    answers = []
    for _ in range(seconds * 1000 // step_ms):
        bench.pass_ms(step_ms)
        answers.append(part.poll(bench.now_us // 1000))
    return answers


def check_settles_after_minimum_contact() -> None:
    bench = Bench()
    thermometer = Thermometer(Tmp117(Bus(bench.i2c)))
    run(bench, thermometer, MIN_CONTACT_MS // 1000 - 2)
    assert thermometer.state(bench.now_us // 1000) == TEMP_SETTLING
    run(bench, thermometer, 10)  # two estimates must agree
    now_ms = bench.now_us // 1000
    assert thermometer.state(now_ms) == TEMP_VALID and 3695 <= thermometer.temp_cc <= 3705
    assert thermometer.age_ms(now_ms) <= 1000


def check_warming_probe_is_not_believed_until_still() -> None:
    bench = Bench()
    bench.wearer.temp_c = None
    bench.tmp117.probe_c = 27.0
    thermometer = Thermometer(Tmp117(Bus(bench.i2c)))
    run(bench, thermometer, 5)
    assert thermometer.state(bench.now_us // 1000) == TEMP_OFF_BODY
    assert thermometer.on_body(bench.now_us // 1000) is False
    bench.wearer.temp_c = 38.6
    for _ in range(200):
        run(bench, thermometer, 1)
        state = thermometer.state(bench.now_us // 1000)
        if state == TEMP_VALID:
            assert thermometer.temp_cc >= 3800, thermometer.temp_cc  # a fever already, though not settled
            return
        assert thermometer.temp_cc is not None  # the raw value is kept
    raise AssertionError("never settled")


def check_warming_below_a_fever_is_not_believed_until_still() -> None:
    warming = [3200 + 60 * second // 10 for second in range(90)]  # 32.0 to 37.3 °C, 0.36 °C a minute too fast
    _, states = play(warming + [3734] * 100)
    assert set(states[: len(warming)]) == {TEMP_SETTLING}
    assert states[-1] == TEMP_VALID


def check_warming_above_a_fever_counts_after_minimum_contact() -> None:
    _, states = play([3700 + 3 * second for second in range(60)])
    first = MIN_CONTACT_MS // 1000
    assert set(states[:first]) == {TEMP_SETTLING} and set(states[first:]) == {TEMP_VALID}


def check_taking_it_off_is_seen_within_ten_seconds() -> None:
    bench = Bench()
    thermometer = Thermometer(Tmp117(Bus(bench.i2c)))
    run(bench, thermometer, 60)
    assert thermometer.state(bench.now_us // 1000) == TEMP_VALID
    bench.wearer.temp_c = None
    run(bench, thermometer, 10)
    now_ms = bench.now_us // 1000
    assert thermometer.temp_cc > 3300  # still warm, yet not on a body
    assert thermometer.state(now_ms) == TEMP_OFF_BODY and thermometer.on_body(now_ms) is False
    for _ in range(100):
        run(bench, thermometer, 1)
        assert thermometer.state(bench.now_us // 1000) == TEMP_OFF_BODY
    bench.wearer.temp_c = 37.0
    run(bench, thermometer, 180)
    assert thermometer.state(bench.now_us // 1000) == TEMP_VALID


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
    assert min(seen) >= 3710 - 30 and states[-1] == TEMP_VALID
    assert set(states[240:800]) == {TEMP_ARTEFACT}
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


def check_flat_converter_is_not_believed() -> None:
    bench = Bench()
    thermometer = Thermometer(Tmp117(Bus(bench.i2c)))
    run(bench, thermometer, 60)
    bench.tmp117.stuck = True
    run(bench, thermometer, FLAT_MS // 1000 - 10)
    assert thermometer.state(bench.now_us // 1000) == TEMP_VALID
    run(bench, thermometer, 20)
    now_ms = bench.now_us // 1000
    assert thermometer.state(now_ms) == TEMP_FLAT and thermometer.on_body(now_ms) is None
    bench.tmp117.stuck = False
    run(bench, thermometer, 5)
    assert thermometer.state(bench.now_us // 1000) == TEMP_VALID


def check_live_converter_is_never_flat() -> None:
    bench = Bench()
    thermometer = Thermometer(Tmp117(Bus(bench.i2c)))
    run(bench, thermometer, 60)
    for _ in range(FLAT_MS // 1000 + 60):
        run(bench, thermometer, 1)
        assert thermometer.state(bench.now_us // 1000) == TEMP_VALID


def check_missing_chip_is_absent_and_comes_back() -> None:
    bench = Bench()
    health = Health()
    bench.i2c.fail(tmp117.ADDRESS)
    thermometer = Thermometer(Tmp117(Bus(bench.i2c)), health)
    run(bench, thermometer, 7)
    assert thermometer.state(bench.now_us // 1000) == TEMP_ABSENT and thermometer.temp_cc is None
    assert "no answer" in thermometer.fault
    assert (
        3 <= health.value(SENSOR_RESTART) <= 4 and health.value(TEMP_FAIL) == health.value(SENSOR_RESTART) + 1
    )
    bench.i2c.heal(tmp117.ADDRESS)
    run(bench, thermometer, 60)
    assert thermometer.state(bench.now_us // 1000) == TEMP_VALID and thermometer.fault == ""


def check_one_bus_fault_does_not_unsettle() -> None:
    bench = Bench()
    thermometer = Thermometer(Tmp117(Bus(bench.i2c)))
    run(bench, thermometer, 60)
    bench.i2c.fail(tmp117.ADDRESS, 3)
    run(bench, thermometer, 1)
    for _ in range(6):
        assert thermometer.state(bench.now_us // 1000) == TEMP_VALID
        run(bench, thermometer, 1)
    assert thermometer.age_ms(bench.now_us // 1000) <= 1000


def check_lasting_bus_fault_becomes_absent_with_age() -> None:
    bench = Bench()
    thermometer = Thermometer(Tmp117(Bus(bench.i2c)))
    run(bench, thermometer, 60)
    bench.i2c.fail(tmp117.ADDRESS)
    run(bench, thermometer, 12)
    now_ms = bench.now_us // 1000
    assert thermometer.state(now_ms) == TEMP_ABSENT
    assert thermometer.temp_cc is not None and thermometer.age_ms(now_ms) > 10000
    assert thermometer.on_body(now_ms) is None


def check_either_thermometer_is_taken_when_it_comes_and_its_faults_are_told() -> None:
    for name in ("tmp117", "max30205"):
        bench = Bench(thermometer=name)
        health = Health()
        bench.i2c.fail(tmp117.ADDRESS)
        thermometer = Thermometer(None, health, Bus(bench.i2c))
        run(bench, thermometer, 7)
        assert thermometer.state(bench.now_us // 1000) == TEMP_ABSENT and "no answer" in thermometer.fault
        bench.i2c.heal(tmp117.ADDRESS)
        run(bench, thermometer, 60)
        now_ms = bench.now_us // 1000
        assert thermometer.state(now_ms) == TEMP_VALID and thermometer.fault == "", name
        assert 3698 <= thermometer.temp_cc <= 3702 and thermometer.age_ms(now_ms) <= 1000
        part = bench.i2c.devices[tmp117.ADDRESS]
        part._power_on()  # a brown-out of the chip alone: the other power-on set-up is put right
        run(bench, thermometer, 5)
        assert thermometer.state(bench.now_us // 1000) == TEMP_VALID
        part.stuck = True
        run(bench, thermometer, FLAT_MS // 1000 + 10)
        assert thermometer.state(bench.now_us // 1000) == TEMP_FLAT, name
        part.stuck = False
        bench.i2c.fail(tmp117.ADDRESS)
        run(bench, thermometer, 12)
        assert thermometer.state(bench.now_us // 1000) == TEMP_ABSENT and health.value(TEMP_FAIL) > 3
        bench.i2c.heal(tmp117.ADDRESS)
        run(bench, thermometer, 60)
        assert thermometer.state(bench.now_us // 1000) == TEMP_VALID, name


def check_what_is_told_is_the_chips_own_code_and_nothing_added() -> None:
    from crs_device.measuring.sampling import Sampling

    for name, hundredths_per_code, code in (("tmp117", 100 / 128, 4779), ("max30205", 100 / 256, 9559)):
        bench = Bench(thermometer=name)
        sampling = Sampling(bench.i2c, {}, None, Health(), AN6845, 0)
        told = 0
        for second in range(1, 80):
            bench.pass_ms(1000)
            sampling.thermometer.poll(1000 * second - 500)  # starts the chip, or a conversion
            bench.pass_ms(100)
            bench.i2c.devices[tmp117.ADDRESS].live()
            bench.i2c.devices[tmp117.ADDRESS].regs[0] = code + second % 3
            bench.tmp117.regs[1] |= 0x2000
            vitals = sampling.measure(1000 * second)
            if second > 2:
                expected = (code + second % 3) * hundredths_per_code
                assert abs(vitals.temp_cc - expected) <= 0.5, (name, vitals.temp_cc, expected)
                told += 1
        assert told == 77


def check_a_bus_held_low_or_high_is_no_temperature() -> None:
    from tests.device.sensors.driver_checks import ConstantChip

    for name in ("tmp117", "max30205"):
        for value in (0x00, 0xFF):
            bench = Bench(thermometer=name)
            thermometer = Thermometer(None, None, Bus(bench.i2c))
            run(bench, thermometer, 60)
            assert thermometer.state(bench.now_us // 1000) == TEMP_VALID
            part = bench.i2c.devices[tmp117.ADDRESS]
            bench.i2c.devices[tmp117.ADDRESS] = ConstantChip(value)
            run(bench, thermometer, 12)
            assert thermometer.state(bench.now_us // 1000) == TEMP_ABSENT, (name, value)
            bench.i2c.devices[tmp117.ADDRESS] = part
            run(bench, thermometer, 60)
            assert thermometer.state(bench.now_us // 1000) == TEMP_VALID, (name, value)


def check_a_pause_starts_contact_anew() -> None:
    thermometer = Thermometer(ScriptedThermometer([3700] * 90))
    for second in range(60):
        thermometer.poll(second * 1000)
    assert thermometer.state(59000) == TEMP_VALID
    thermometer.poll(120000)
    assert thermometer.state(120000) == TEMP_SETTLING
