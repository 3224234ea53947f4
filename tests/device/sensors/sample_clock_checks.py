"""A light sensor whose clock runs off its rate: measured, put right, or told as a fault; runs on both runtimes."""

from crs_core.units import PPG_VALID
from crs_device.sensors.sample_clock import SampleClock

from tests.device.sensors.worn_finger import Worn, right


def _clock_after(permille: int, minutes: int, late_ms) -> SampleClock:
    """A clock that counted a chip at `permille` of its rate; drain `n` at `now_ms` came `late_ms(n, now_ms)` late."""
    clock = SampleClock()
    now_ms = seen = burst = 0
    while now_ms < minutes * 60_000:
        after_ms = now_ms + late_ms(burst, now_ms)
        total = after_ms * permille // 40_000
        clock.count(total - seen, now_ms)
        seen = total
        now_ms = after_ms + 360
        burst += 1
    return clock


def check_a_clock_within_its_tolerance_is_measured_and_the_rate_put_right() -> None:
    for permille in (975, 1000, 1025):
        worn = Worn(rate_permille=permille)
        worn.bench.wearer.hr_bpm = 150.0
        worn.run(260)
        assert abs(worn.probe.clock.permille - permille) <= 2, (permille, worn.probe.clock.permille)
        for _, hr, _, state in worn.run(60):
            assert state == PPG_VALID and abs(hr - 150) <= 2, (permille, hr)
        assert worn.gaps == [] and worn.probe.present and worn.health.take_faults() == []


def check_a_clock_out_of_tolerance_gives_no_heart_rate_and_is_one_fault() -> None:
    for permille in (950, 1050):
        worn = Worn(rate_permille=permille)
        worn.run(400)
        for spo2, hr, _, state in worn.run(10):
            assert hr is None and state == PPG_VALID and abs(spo2 - 970) <= 15
        faults = worn.health.take_faults()
        assert len(faults) == 1 and "no heart rate" in faults[0][3], faults


def check_drains_that_are_held_up_do_not_change_the_rate() -> None:
    """Time is taken, then the program is held up for up to 3 s, then the FIFO is drained (busy, at speed 60)."""
    for permille in (975, 1000, 1025):
        for first_ms in (0, 2900):
            dice = [1]

            def late_ms(burst, now_ms, first_ms=first_ms, dice=dice):
                dice[0] = (dice[0] * 1103515245 + 12345) & 0x3FFFFFFF
                if burst == 0:
                    return first_ms
                return dice[0] >> 8 & 2047 if dice[0] & 0x70000000 == 0 else 0

            clock = _clock_after(permille, 8, late_ms)
            assert abs(clock.permille - permille) <= 3, (permille, first_ms, clock.permille)


def check_a_program_that_is_late_for_minutes_is_no_error_of_the_clock() -> None:
    """Late at the start, or for every other 40, 60 or 100 s, by 2 to 8 s: a busy machine at sixty times real time."""
    for span_ms, late_ms, dice in (
        (25_000, 5000, [0]),
        (40_000, 2000, [1]),
        (60_000, 4000, [2]),
        (100_000, 3000, [3]),
    ):

        def busy(burst, now_ms, span_ms=span_ms, late_ms=late_ms, dice=dice):
            if not dice[0]:
                return late_ms if now_ms < span_ms else 0
            dice[0] = (dice[0] * 1103515245 + 12345) & 0x3FFFFFFF
            return late_ms + (dice[0] >> 8) % late_ms if now_ms // span_ms % 2 else 0

        for minutes in range(1, 12):
            clock = _clock_after(1000, minutes, busy)
            assert clock.corrected(74) == 74, (span_ms, minutes, clock.permille)


def check_one_estimate_that_disagrees_leaves_what_is_known() -> None:
    def late_once(burst, now_ms):
        return 4800 if 300_000 <= now_ms < 330_000 else 0

    for minutes in range(5, 12):
        assert abs(_clock_after(1020, minutes, late_once).permille - 1020) <= 2


def check_a_chip_far_off_its_rate_is_a_fault() -> None:
    worn = Worn(rate_permille=700)
    found_s = 0
    while worn.probe.present or found_s < 2:
        worn.run(1)
        found_s += 1
        assert found_s < 150
    assert found_s > 60 and "of its rate" in worn.probe.fault
    worn.bench.max30102.rate_permille = 1000
    worn.run(170)
    assert right(worn.run(10)) and worn.probe.present
