"""A light sensor whose clock runs off its rate: measured, put right, or told as a fault; runs on both runtimes."""

from crs_core.units import PPG_VALID
from crs_device.sensors.sample_clock import SampleClock

from tests.device.sensors.worn_finger import Worn, right


def check_a_clock_five_percent_off_is_measured_and_the_rate_put_right() -> None:
    for permille in (950, 1000, 1050):
        worn = Worn(rate_permille=permille)
        worn.bench.wearer.hr_bpm = 150.0
        worn.run(75)
        assert abs(worn.probe.clock.permille - permille) <= 2, (permille, worn.probe.clock.permille)
        for _, hr, _, state in worn.run(60):
            assert state == PPG_VALID and abs(hr - 150) <= 3, (permille, hr)
        worn.run(600)
        assert abs(worn.probe.clock.permille - permille) <= 2 and worn.gaps == [] and worn.probe.present


def check_drains_that_are_held_up_do_not_change_the_rate() -> None:
    """Time is taken, then the program is held up for up to 3 s, then the FIFO is drained (busy, at speed 60)."""
    for permille in (950, 1000, 1050):
        for first_ms in (0, 2900):
            clock = SampleClock()
            now_ms, seen, dice = 0, 0, 1
            for burst in range(1000):
                dice = (dice * 1103515245 + 12345) & 0x3FFFFFFF
                late_ms = first_ms if burst == 0 else dice >> 8 & 2047 if dice & 0x70000000 == 0 else 0
                after_ms = now_ms + late_ms
                total = after_ms * permille // 40000
                clock.count(total - seen, now_ms)
                seen = total
                now_ms = after_ms + 360
                assert now_ms < 60_000 or abs(clock.permille - permille) <= 3 or clock.permille == 1000
            assert abs(clock.permille - permille) <= 3, (permille, first_ms, clock.permille)


def check_a_chip_far_off_its_rate_is_a_fault() -> None:
    worn = Worn(rate_permille=700)
    worn.run(59)
    worn.run(4)
    assert "of its rate" in worn.probe.fault or not worn.probe.present
    worn.bench.max30102.rate_permille = 1000
    worn.run(70)
    assert right(worn.run(10)) and worn.probe.present
