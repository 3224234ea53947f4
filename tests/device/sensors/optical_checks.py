"""The optical probe over time: every sample, every hole, restarts and rests; runs on both runtimes."""

from crs_device.health import PPG_LOST_SAMPLES, PPG_OVERFLOW, SENSOR_RESTART, Health
from crs_device.sensors import max3010x
from crs_device.sensors.bus import Bus
from crs_device.sensors.max3010x import Max3010x
from crs_device.sensors.optical import GAP_BUS, GAP_OVERFLOW, GAP_STALL, Optical

from tests.device.sensors.driver_checks import BreakingBus
from tools.virtual_wearable.models.bench import Bench


class CountingPpg:
    """Remembers what it was given."""

    def __init__(self) -> None:
        self.samples = 0
        self.gaps = 0
        self.order = ""

    def push(self, red, infrared, n: int) -> None:
        """Count samples."""
        self.samples += n
        self.order += "s"

    def gap(self, span_ms: int = 0) -> None:
        """Count holes."""
        self.gaps += 1
        self.order += "g"


def run(bench, part, seconds: int, step_ms: int = 1000):
    """Poll `part` on the bench's time for so long."""
    answers = []
    for _ in range(seconds * 1000 // step_ms):
        bench.pass_ms(step_ms)
        answers.append(part.poll(bench.now_us // 1000))
    return answers


def optical(bench, health=None, i2c=None):
    """An optical probe on the bench, and what its PPG chain was given."""
    ppg = CountingPpg()
    return Optical(Max3010x(Bus(i2c or bench.i2c)), ppg, health), ppg


def check_optical_feeds_every_sample() -> None:
    bench = Bench()
    probe, ppg = optical(bench)
    answers = run(bench, probe, 20, 400)
    assert set(answers) == {None} and ppg.gaps == 0
    assert ppg.samples == 490 and probe.present and probe.fault == ""  # the first poll only starts the chip


def check_optical_overflow_is_told_after_the_samples() -> None:
    bench = Bench()
    health = Health()
    probe, ppg = optical(bench, health)
    run(bench, probe, 4, 400)
    ppg.order = ""
    bench.pass_ms(2000)
    reason, lost, span_ms = probe.poll(bench.now_us // 1000)
    assert reason == GAP_OVERFLOW and lost == bench.max30102.lost == 18 and span_ms == 720
    assert ppg.order == "sg" and health.value(PPG_OVERFLOW) == 1 and health.value(PPG_LOST_SAMPLES) == 18
    bench.pass_ms(60000)
    reason, lost, span_ms = probe.poll(bench.now_us // 1000)
    # beyond the counter's 31, by the clock
    assert lost == bench.max30102.lost - 18 == 1468 and span_ms == 58720


def check_optical_broken_burst_is_told_before_the_samples() -> None:
    bench = Bench()
    wire = BreakingBus(bench.i2c)
    probe, ppg = optical(bench, None, wire)
    run(bench, probe, 4, 400)
    ppg.order = ""
    wire.after_bytes = 24
    bench.pass_ms(400)
    assert probe.poll(bench.now_us // 1000) is None
    bench.pass_ms(400)
    assert probe.poll(bench.now_us // 1000) == (GAP_BUS, 4, 160) and ppg.order == "gs" and probe.present


def check_optical_stuck_fifo_is_restarted_and_told() -> None:
    bench = Bench()
    health = Health()
    probe, ppg = optical(bench, health)
    run(bench, probe, 4, 400)
    bench.max30102.stuck = True
    told = [gap for gap in run(bench, probe, 4, 400) if gap]
    assert told and told[0][0] == GAP_STALL and told[0][1] >= 25
    assert not probe.present and probe.fault == "PPG sensor: no samples" and health.value(SENSOR_RESTART) >= 1
    bench.max30102.stuck = False
    before = ppg.samples
    run(bench, probe, 4, 400)
    assert ppg.samples > before + 50 and probe.present and probe.fault == ""


def check_optical_chip_reset_is_noticed() -> None:
    bench = Bench()
    probe, ppg = optical(bench)
    run(bench, probe, 4, 400)
    bench.max30102._power_on()
    told = [gap for gap in run(bench, probe, 6, 400) if gap]
    assert told and probe.present and ppg.gaps and bench.max30102.regs[0x09] == 0x03


def check_optical_lost_bus_is_absent_then_told_in_full() -> None:
    bench = Bench()
    probe, _ = optical(bench)
    run(bench, probe, 4, 400)
    bench.i2c.fail(max3010x.ADDRESS)
    run(bench, probe, 10, 400)
    assert not probe.present and "no answer" in probe.fault
    bench.i2c.heal(max3010x.ADDRESS)
    told = [gap for gap in run(bench, probe, 4, 400) if gap]
    assert len(told) == 1 and told[0][0] == GAP_BUS and 250 <= told[0][1] <= 310 and probe.present


def check_optical_never_there() -> None:
    bench = Bench()
    health = Health()
    bench.i2c.fail(max3010x.ADDRESS)
    probe, ppg = optical(bench, health)
    answers = run(bench, probe, 10, 400)
    assert set(answers) == {None} and ppg.samples == 0 and not probe.present
    assert 4 <= health.value(SENSOR_RESTART) <= 5


def check_optical_rest_is_dark_silent_and_no_loss() -> None:
    bench = Bench()
    health = Health()
    probe, ppg = optical(bench, health)
    run(bench, probe, 4, 400)
    probe.rest(bench.now_us // 1000)
    assert probe.resting and bench.max30102.regs[0x09] == 0x83
    before, samples = bench.i2c.transactions, ppg.samples
    assert set(run(bench, probe, 100, 400)) == {None}
    assert bench.i2c.transactions == before and ppg.samples == samples and probe.fault == ""
    probe.wake(bench.now_us // 1000)
    assert not probe.resting and bench.max30102.regs[0x09] == 0x03
    assert bench.max30102.regs[0x0C] == max3010x.LED_CURRENT_DEFAULT
    assert set(run(bench, probe, 4, 400)) == {None}
    assert ppg.samples == samples + 100 and ppg.gaps == 1 and probe.present and health.pairs() == []


def check_optical_rest_that_took_the_set_up_is_started_afresh() -> None:
    bench = Bench()
    probe, ppg = optical(bench)
    run(bench, probe, 4, 400)
    probe.rest(bench.now_us // 1000)
    bench.max30102._power_on()
    bench.pass_ms(60000)
    probe.wake(bench.now_us // 1000)
    assert not probe.present and "set-up lost" in probe.fault
    samples = ppg.samples
    run(bench, probe, 4, 400)
    assert probe.present and ppg.samples == samples + 90 and bench.max30102.regs[0x0A] == 0x27


def check_optical_rest_does_not_hide_a_chip_that_is_gone() -> None:
    bench = Bench()
    probe, _ = optical(bench)
    probe.rest(0)
    assert not probe.resting  # never there
    run(bench, probe, 4, 400)
    bench.i2c.fail(max3010x.ADDRESS)
    probe.rest(bench.now_us // 1000)
    assert not probe.resting
    run(bench, probe, 4, 400)
    assert not probe.present and "no answer" in probe.fault
    probe.rest(bench.now_us // 1000)
    assert not probe.resting
    bench.i2c.heal(max3010x.ADDRESS)
    run(bench, probe, 4, 400)
    assert probe.present


def check_optical_chip_gone_at_the_end_of_a_rest() -> None:
    bench = Bench()
    probe, ppg = optical(bench)
    run(bench, probe, 4, 400)
    probe.rest(bench.now_us // 1000)
    bench.i2c.fail(max3010x.ADDRESS)
    probe.wake(bench.now_us // 1000)
    assert not probe.resting and not probe.present and "no answer" in probe.fault
    bench.i2c.heal(max3010x.ADDRESS)
    samples = ppg.samples
    run(bench, probe, 4, 400)
    assert probe.present and ppg.samples > samples


def drain_at_random(seed: int, longest_ms: int, breaks: bool):
    """20 minutes of polls at every delay: (converted, read, told as lost, times the counter stopped)."""
    bench = Bench()
    health = Health()
    wire = BreakingBus(bench.i2c)
    probe, ppg = optical(bench, health, wire)
    probe.poll(0)
    told = stopped = 0
    broke = False
    state = seed
    while bench.now_us < 1200 * 1000000:
        state = (state * 1103515245 + 12345) & 0x3FFFFFFF
        kind, number = state >> 8 & 15, state >> 12
        if kind == 0:
            bench.pass_ms(longest_ms)
        elif kind == 1:
            bench.pass_ms(1300 + number % 900)
        else:
            bench.pass_ms(40 + number % 600)
        # two in a row can take a second, and the chip is then rightly started afresh
        breaks_now = breaks and kind == 2 and not broke
        if breaks_now:
            wire.after_bytes = number % 200
        broke = breaks_now
        before = bench.max30102.lost
        gap = probe.poll(bench.now_us // 1000)
        told += gap[1] if gap else 0
        stopped += bench.max30102.lost - before >= 31
    wire.after_bytes = -1
    for _ in range(2):  # what the last break cost is only known after the next burst
        bench.pass_ms(400)
        gap = probe.poll(bench.now_us // 1000)
        told += gap[1] if gap else 0
    assert told == health.value(PPG_LOST_SAMPLES), (told, health.value(PPG_LOST_SAMPLES))
    assert bench.max30102.over_reads == 0 and health.value(SENSOR_RESTART) == 0 and bench.max30102.lost > 300
    return bench.now_us // 40000, ppg.samples, told, stopped


def check_every_sample_is_read_or_counted_whatever_the_delay_of_polls() -> None:
    for seed in (1, 2):
        converted, read, told, _ = drain_at_random(seed, 2400, False)
        assert read + told == converted, (seed, read, told, converted)
        assert read > converted * 8 // 10


def check_every_sample_is_read_or_counted_when_bursts_break_off_too() -> None:
    for seed in (4, 5):
        converted, read, told, _ = drain_at_random(seed, 1800, True)
        assert read + told == converted, (seed, read, told, converted)


def check_beyond_the_counter_the_clock_tells_to_one_sample_each_time() -> None:
    for seed in (7,):
        converted, read, told, stopped = drain_at_random(seed, 9000, False)
        assert stopped > 9 and abs(read + told - converted) <= stopped


def check_a_burst_that_breaks_off_in_an_overrun_joins_nothing() -> None:
    bench = Bench()
    wire = BreakingBus(bench.i2c)
    probe, ppg = optical(bench, None, wire)
    run(bench, probe, 4, 400)
    ppg.order = ""
    wire.after_bytes = 60
    bench.pass_ms(2000)  # 32 wait, 18 are lost behind them
    assert probe.poll(bench.now_us // 1000) is None
    before = ppg.samples
    bench.pass_ms(400)
    assert probe.poll(bench.now_us // 1000) == (GAP_BUS, 60, 2400)
    assert ppg.order == "g" and ppg.samples == before
    bench.pass_ms(400)
    assert probe.poll(bench.now_us // 1000) is None and ppg.samples == before + 10
