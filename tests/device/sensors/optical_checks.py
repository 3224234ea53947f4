"""The optical probe over time: every sample, every hole, restarts and rests; runs on both runtimes."""

from crs_core.units import PPG_VALID
from crs_device.health import PPG_LOST_SAMPLES, PPG_OVERFLOW, SENSOR_RESTART, Health
from crs_device.sensors import max3010x
from crs_device.sensors.bus import Bus
from crs_device.sensors.max3010x import Max3010x
from crs_device.sensors.optical import GAP_BUS, GAP_OVERFLOW, GAP_STALL, Optical
from crs_device.signal.ppg import Ppg

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


class Optics:
    """A probe that was polled every 0.4 s for so long, its bench, its bus, and what the PPG chain was given."""

    def __init__(self, seconds: int = 0) -> None:
        self.bench = Bench()
        self.chip = self.bench.max30102
        self.wire = BreakingBus(self.bench.i2c)
        self.health = Health()
        self.ppg = CountingPpg()
        self.probe = Optical(Max3010x(Bus(self.wire)), self.ppg, self.health)
        self.run(seconds)
        self.ppg.order = ""

    def now_ms(self) -> int:
        return self.bench.now_us // 1000

    def rest(self) -> None:
        self.probe.rest(self.now_ms())

    def wake(self) -> None:
        self.probe.wake(self.now_ms())

    def is_well(self) -> bool:
        return self.probe.present and self.probe.fault == ""

    def is_gone(self) -> bool:
        return not self.probe.present and "no answer" in self.probe.fault

    def poll(self, after_ms: int):
        self.bench.pass_ms(after_ms)
        return self.probe.poll(self.now_ms())

    def run(self, seconds: int):
        """What the polls of so long said."""
        return [self.poll(400) for _ in range(seconds * 1000 // 400)]


def check_optical_feeds_every_sample() -> None:
    optics = Optics()
    assert set(optics.run(20)) == {None} and optics.ppg.gaps == 0 and optics.is_well()
    assert optics.ppg.samples == 490  # the first poll only starts the chip


def check_optical_overflow_is_told_after_the_samples() -> None:
    optics = Optics(4)
    reason, lost, span_ms = optics.poll(2000)
    assert reason == GAP_OVERFLOW and lost == optics.chip.lost == 18 and span_ms == 720
    counted = optics.health.value(PPG_OVERFLOW), optics.health.value(PPG_LOST_SAMPLES)
    assert optics.ppg.order == "sg" and counted == (1, 18)
    reason, lost, span_ms = optics.poll(60000)
    # beyond the counter's 31, by the clock
    assert lost == optics.chip.lost - 18 == 1468 and span_ms == 58720


def check_optical_broken_burst_is_told_before_the_samples() -> None:
    optics = Optics(4)
    optics.wire.after_bytes = 24
    assert optics.poll(400) is None
    assert optics.poll(400) == (GAP_BUS, 4, 160) and optics.ppg.order == "gs" and optics.probe.present


def check_optical_stuck_fifo_is_restarted_and_told() -> None:
    optics = Optics(4)
    optics.chip.stuck = True
    told = [gap for gap in optics.run(4) if gap]
    assert told and told[0][0] == GAP_STALL and told[0][1] >= 25
    assert (optics.probe.present, optics.probe.fault) == (False, "PPG sensor: no samples")
    assert optics.health.value(SENSOR_RESTART) >= 1
    optics.chip.stuck = False
    before = optics.ppg.samples
    optics.run(4)
    assert optics.ppg.samples > before + 50 and optics.is_well()


def check_optical_chip_reset_is_noticed() -> None:
    optics = Optics(4)
    optics.chip._power_on()
    told = [gap for gap in optics.run(6) if gap]
    assert told and optics.probe.present and optics.ppg.gaps and optics.chip.regs[0x09] == 0x03


def check_optical_lost_bus_is_absent_then_told_in_full() -> None:
    optics = Optics(4)
    optics.bench.i2c.fail(max3010x.ADDRESS)
    optics.run(10)
    assert optics.is_gone()
    optics.bench.i2c.heal(max3010x.ADDRESS)
    told = [gap for gap in optics.run(4) if gap]
    assert len(told) == 1 and told[0][0] == GAP_BUS and 250 <= told[0][1] <= 310 and optics.probe.present


def check_optical_never_there() -> None:
    optics = Optics()
    optics.bench.i2c.fail(max3010x.ADDRESS)
    answers = optics.run(10)
    assert set(answers) == {None} and optics.ppg.samples == 0 and not optics.probe.present
    assert 4 <= optics.health.value(SENSOR_RESTART) <= 5


def check_optical_rest_is_dark_silent_and_no_loss() -> None:
    optics = Optics(4)
    optics.rest()
    assert optics.probe.resting and optics.chip.regs[0x09] == 0x83
    before, samples = optics.bench.i2c.transactions, optics.ppg.samples
    assert set(optics.run(100)) == {None}
    assert (optics.bench.i2c.transactions, optics.ppg.samples, optics.probe.fault) == (before, samples, "")
    optics.wake()
    assert not optics.probe.resting and optics.chip.regs[0x09] == 0x03
    assert optics.chip.regs[0x0C] == max3010x.LED_CURRENT_DEFAULT
    assert set(optics.run(4)) == {None}
    assert (optics.ppg.samples, optics.ppg.gaps, optics.health.pairs()) == (samples + 100, 1, [])
    assert optics.probe.present


def check_optical_rest_that_took_the_set_up_is_started_afresh() -> None:
    optics = Optics(4)
    optics.rest()
    optics.chip._power_on()
    optics.bench.pass_ms(60000)
    optics.wake()
    assert not optics.probe.present and "set-up lost" in optics.probe.fault
    samples = optics.ppg.samples
    optics.run(4)
    assert optics.probe.present and optics.ppg.samples == samples + 90 and optics.chip.regs[0x0A] == 0x27


def check_optical_rest_does_not_hide_a_chip_that_is_gone() -> None:
    optics = Optics()
    optics.probe.rest(0)
    assert not optics.probe.resting  # never there
    optics.run(4)
    optics.bench.i2c.fail(max3010x.ADDRESS)
    optics.rest()
    assert not optics.probe.resting
    optics.run(4)
    assert optics.is_gone()
    optics.rest()
    assert not optics.probe.resting
    optics.bench.i2c.heal(max3010x.ADDRESS)
    optics.run(4)
    assert optics.probe.present


def check_optical_chip_gone_at_the_end_of_a_rest() -> None:
    optics = Optics(4)
    optics.rest()
    optics.bench.i2c.fail(max3010x.ADDRESS)
    optics.wake()
    assert not optics.probe.resting and optics.is_gone()
    optics.bench.i2c.heal(max3010x.ADDRESS)
    samples = optics.ppg.samples
    optics.run(4)
    assert optics.probe.present and optics.ppg.samples > samples


def drain_at_random(seed: int, longest_ms: int, breaks: bool):
    """20 minutes of polls at every delay: (converted, read, told as lost, times the counter stopped)."""
    optics = Optics()
    optics.probe.poll(0)
    told = stopped = 0
    broke = False
    state = seed
    while optics.bench.now_us < 1200 * 1000000:
        state = (state * 1103515245 + 12345) & 0x3FFFFFFF
        kind, number = state >> 8 & 15, state >> 12
        delay_ms = {0: longest_ms, 1: 1300 + number % 900}.get(kind, 40 + number % 600)
        # two in a row can take a second, and the chip is then rightly started afresh
        breaks_now = breaks and kind == 2 and not broke
        if breaks_now:
            optics.wire.after_bytes = number % 200
        broke = breaks_now
        before = optics.chip.lost
        gap = optics.poll(delay_ms)
        told += gap[1] if gap else 0
        stopped += optics.chip.lost - before >= 31
    optics.wire.after_bytes = -1
    for _ in range(2):  # what the last break cost is only known after the next burst
        gap = optics.poll(400)
        told += gap[1] if gap else 0
    assert told == optics.health.value(PPG_LOST_SAMPLES), (told, optics.health.value(PPG_LOST_SAMPLES))
    assert optics.chip.over_reads == 0 and optics.health.value(SENSOR_RESTART) == 0 and optics.chip.lost > 300
    return optics.bench.now_us // 40000, optics.ppg.samples, told, stopped


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
    converted, read, told, stopped = drain_at_random(7, 9000, False)
    assert stopped > 9 and abs(read + told - converted) <= stopped


def check_a_burst_that_breaks_off_in_an_overrun_joins_nothing() -> None:
    optics = Optics(4)
    optics.wire.after_bytes = 60
    assert optics.poll(2000) is None  # 32 wait, 18 are lost behind them
    before = optics.ppg.samples
    assert optics.poll(400) == (GAP_BUS, 60, 2400)
    assert optics.ppg.order == "g" and optics.ppg.samples == before
    assert optics.poll(400) is None and optics.ppg.samples == before + 10


class HaltingBus(BreakingBus):
    """Lets time pass before a look at the pointers and before a burst: as a program that stands still.

    `halts` are (ms before the look, ms before the burst) of the next drains.
    """

    def __init__(self, bench) -> None:
        BreakingBus.__init__(self, bench.i2c)
        self._bench = bench
        self._before_burst_ms = 0
        self.halts: list[tuple[int, int]] = []

    def readfrom_mem_into(self, address: int, register: int, buffer) -> None:
        """As the bus does, later."""
        if register == 0 and self.halts:
            before_look_ms, self._before_burst_ms = self.halts.pop(0)
            self._bench.pass_ms(before_look_ms)
        elif register == 7:
            self._bench.pass_ms(self._before_burst_ms)
            self._before_burst_ms = 0
        BreakingBus.readfrom_mem_into(self, address, register, buffer)


def pulse_after(halts, hr_bpm: int) -> list:
    """Every value of the 15 s after such halts, of a finger that was measured for 8 s."""
    bench = Bench()
    bench.wearer.hr_bpm = hr_bpm
    wire = HaltingBus(bench)

    def now() -> int:
        return bench.now_us // 1000

    probe = Optical(Max3010x(Bus(wire)), Ppg(), Health(), now=now)
    found = []
    for polls in (22, 45):
        for _ in range(polls):
            second = now() // 1000
            bench.pass_ms(360)
            probe.poll(now())
            if now() // 1000 != second:
                found.append(probe.vitals(now()))
        if polls == 22:
            wire.halts = list(halts)
            found = []
    return [values for values in found if values[3] == PPG_VALID]


def check_optical_no_standstill_joins_two_pieces_of_light() -> None:
    """Wherever a program stands still, what was lost meanwhile is a hole, and no beat reaches across it."""
    for hr_bpm in (45, 74):
        for halt_ms in (700, 1000, 1310, 1490, 1700, 2450, 3100, 400700):
            for halts in (
                ((0, halt_ms),), ((halt_ms, halt_ms),), ((0, halt_ms), (0, halt_ms)), ((0, halt_ms), (halt_ms, 0)),
                ((0, halt_ms), (0, 0), (0, 900), (1200, 0)), ((1280, halt_ms), (0, 0), (0, 1210)),
            ):  # fmt: skip
                found = pulse_after(halts, hr_bpm)
                assert len(found) >= 6, (hr_bpm, halts, found)
                for values in found:
                    assert abs(values[1] - hr_bpm) <= 4 and abs(values[0] - 970) <= 15, (
                        hr_bpm,
                        halts,
                        values,
                    )


def check_optical_samples_of_a_full_fifo_are_kept_when_nobody_stood_still() -> None:
    optics = Optics(4)
    optics.probe._now = optics.now_ms
    before = optics.ppg.samples
    assert optics.poll(2000)[0] == GAP_OVERFLOW and optics.ppg.samples == before + 32


def check_optical_behind_a_full_fifo_is_a_hole_and_the_clock_is_measured_anew() -> None:
    """What came between the look at its counters and the burst is in no count."""
    optics = Optics(4)
    before = optics.ppg.samples
    assert optics.poll(1280) is None and optics.ppg.samples == before + 32
    assert optics.ppg.order == "sg" and optics.probe.clock._since_ms == -1


def check_optical_a_fifo_that_was_full_unseen_is_told_as_lost() -> None:
    bench = Bench()
    wire = HaltingBus(bench)
    ppg = CountingPpg()
    probe = Optical(Max3010x(Bus(wire)), ppg, Health(), now=lambda: bench.now_us // 1000)
    for _ in range(10):
        bench.pass_ms(360)
        probe.poll(bench.now_us // 1000)
    wire.halts = [(0, 5000)]
    bench.pass_ms(360)
    assert probe.poll(bench.now_us // 1000) is None
    bench.pass_ms(360)
    reason, lost, span_ms = probe.poll(bench.now_us // 1000)
    assert (
        reason == GAP_BUS
        and bench.max30102.lost <= lost + 32
        and span_ms == lost * 40
        and ppg.order[-1] == "g"
    )
