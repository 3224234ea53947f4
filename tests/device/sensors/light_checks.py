"""Gain control, the weak light off the finger, sunlight, swapped lights, a chip that runs off its rate; both runtimes.

Each drives registers through the driver and the real chain, polled as the application polls.
"""

from crs_core.units import (
    PPG_LOW_PERFUSION,
    PPG_NO_CONTACT,
    PPG_NO_PULSE,
    PPG_SATURATED,
    PPG_SETTLING,
    PPG_SWAPPED,
    PPG_VALID,
)
from crs_device.health import PPG_AMBIENT, PPG_FULL_SCALE, PPG_LIGHT_CHANGE, PPG_SWAPPED_LIGHTS, Health
from crs_device.sensors.agc import LED_MAX, LED_MIN, WATCH_CURRENT, Agc
from crs_device.sensors.bus import Bus
from crs_device.sensors.max3010x import ADDRESS, Max3010x
from crs_device.sensors.optical import Optical
from crs_device.sensors.sample_clock import SampleClock
from crs_device.signal.ppg import Ppg

from tools.virtual_wearable.models.bench import Bench

POLL_MS = 360  # as crs_device/tasks.py


class Worn:
    """A bench with probe, chain and health; `answers` is one (spo2, hr, pi, state) a second."""

    def __init__(self, is_swapped: bool = False, **lights) -> None:
        self.bench = Bench()
        self.health = Health()
        self.gaps = []
        for name, value in lights.items():
            setattr(self.bench.max30102, name, value)
        self.probe = Optical(Max3010x(Bus(self.bench.i2c, self.health), is_swapped), Ppg(), self.health)
        self._next_poll_ms = 0
        self._next_ask_ms = 1000
        self.answers = []

    def run(self, seconds: int):
        """Let time pass in steps of 20 ms; the answers of that span."""
        first = len(self.answers)
        for _ in range(seconds * 50):
            self.bench.pass_ms(20)
            now_ms = self.bench.now_us // 1000
            if now_ms >= self._next_poll_ms:
                self._next_poll_ms = now_ms + POLL_MS
                gap = self.probe.poll(now_ms)
                if gap:
                    self.gaps.append(gap)
            if now_ms >= self._next_ask_ms:
                self._next_ask_ms += 1000
                self.answers.append(self.probe.vitals(now_ms))
        return self.answers[first:]

    def first_valid_s(self, seconds: int) -> int:
        """Seconds until the first value."""
        states = [answer[3] for answer in self.run(seconds)]
        assert PPG_VALID in states, states
        return states.index(PPG_VALID) + 1

    def registers(self):
        """(LED 1, LED 2, range) as the chip has them."""
        regs = self.bench.max30102.regs
        return regs[0x0C], regs[0x0D], regs[0x0A] >> 5


def right(answers) -> bool:
    """Every answer is the still wearer's."""
    return all(
        state == PPG_VALID and abs(spo2 - 970) <= 15 and abs(hr - 75) <= 2 for spo2, hr, _, state in answers
    )


def check_an_ordinary_finger_keeps_the_start_light() -> None:
    worn = Worn()
    assert worn.first_valid_s(8) <= 5
    assert right(worn.run(120))
    assert worn.registers() == (36, 36, 1) and worn.health.value(PPG_LIGHT_CHANGE) == 0 and worn.gaps == []


def check_every_skin_ends_with_values_and_the_light_rests() -> None:
    """Light that comes back from 1 % of full scale to four times what saturates, each colour by itself."""
    cases = (
        (0.0219, 0.0263),
        (0.05, 0.05),
        (0.2, 0.2),
        (2.5, 2.5),
        (8.0, 8.0),
        (0.1, 1.0),
        (1.0, 0.3),
        (2.5, 0.5),
    )
    for red_light, ir_light in cases:
        worn = Worn(red_light=red_light, ir_light=ir_light)
        assert worn.first_valid_s(15) <= 12, (red_light, ir_light)
        worn.run(5)
        before = worn.registers()
        changes = worn.health.value(PPG_LIGHT_CHANGE)
        assert 1 <= changes <= 4, (red_light, ir_light, changes)
        assert right(worn.run(60)), (red_light, ir_light, worn.answers[-3:])
        assert worn.registers() == before and worn.health.value(PPG_LIGHT_CHANGE) == changes
        for current in before[:2]:
            assert LED_MIN <= current <= LED_MAX
        assert worn.gaps == []  # a change is no loss of samples


def check_one_percent_of_full_scale_at_the_start_light() -> None:
    worn = Worn(red_light=0.0262, ir_light=0.0218)
    worn.run(2)
    assert worn.registers() == (LED_MAX, LED_MAX, 0)
    assert worn.first_valid_s(10) <= 8


def check_values_are_not_given_up_for_a_level_that_drifts() -> None:
    worn = Worn()
    worn.run(10)
    light = 1.0
    for _ in range(170):  # to 27 % of full scale: outside the band, far from dark
        light *= 0.997
        worn.bench.max30102.red_light = worn.bench.max30102.ir_light = light
        worn.run(1)
    assert right(worn.run(30)) and light < 0.61
    assert worn.registers() == (36, 36, 1) and worn.health.value(PPG_LIGHT_CHANGE) == 0


def check_a_level_near_full_scale_is_left_in_time_and_changes_keep_apart() -> None:
    worn = Worn()
    worn.run(10)
    changed_at = []
    light = 1.0
    for second in range(240):
        if second % 20 == 0:
            light *= 1.15
        worn.bench.max30102.red_light = worn.bench.max30102.ir_light = light
        before = worn.registers()
        worn.run(1)
        if worn.registers() != before:
            changed_at.append(second)
    assert 2 <= len(changed_at) <= 6
    for i in range(1, len(changed_at)):
        assert changed_at[i] - changed_at[i - 1] >= 5
    states = [answer[3] for answer in worn.answers[10:]]
    assert states.count(PPG_VALID) >= 160
    assert PPG_SATURATED not in states  # left before it was reached


def check_off_the_finger_red_is_dark_and_contact_is_told_soon() -> None:
    worn = Worn()
    worn.run(10)
    worn.bench.wearer.spo2_pct = None
    worn.run(3)
    states = {answer[3] for answer in worn.run(9)}
    assert states == {PPG_NO_CONTACT}
    assert worn.registers() == (0, WATCH_CURRENT, 1) and worn.probe.agc.watching
    answers = worn.run(600)
    assert {answer[3] for answer in answers} == {PPG_NO_CONTACT} and worn.probe.contact is False
    assert worn.probe.present and worn.probe.fault == "" and worn.gaps == []
    worn.bench.wearer.spo2_pct = 97.0
    worn.run(1)
    assert worn.registers() == (36, 36, 1)
    answers = worn.run(5)
    assert answers[-1][3] == PPG_VALID or answers[-2][3] == PPG_VALID
    assert all(answer[0] is None or right([answer]) for answer in answers)  # never from the weak light
    assert right(worn.run(30))


def check_weak_light_sees_the_darkest_finger() -> None:
    worn = Worn(red_light=0.0262, ir_light=0.0218)
    worn.bench.wearer.spo2_pct = None
    worn.run(20)
    assert worn.probe.agc.watching
    worn.bench.wearer.spo2_pct = 97.0
    worn.run(1)
    assert not worn.probe.agc.watching
    assert worn.first_valid_s(12) <= 8


def check_first_value_after_contact_is_soon_at_every_phase() -> None:
    for late_ms in range(0, 1000, 140):
        worn = Worn()
        worn.bench.wearer.spo2_pct = None
        worn.run(30)
        for _ in range(late_ms // 20):
            worn.bench.pass_ms(20)
        worn.probe.poll(worn.bench.now_us // 1000)
        worn.bench.wearer.spo2_pct = 97.0
        assert worn.first_valid_s(8) <= 6


def check_gain_falls_back_when_the_finger_leaves() -> None:
    worn = Worn(red_light=0.0262, ir_light=0.0218)
    assert worn.first_valid_s(12) <= 10
    assert worn.registers() == (LED_MAX, LED_MAX, 0)
    worn.bench.wearer.spo2_pct = None
    worn.run(1)
    assert worn.registers() == (36, 36, 1)
    assert {answer[3] for answer in worn.run(5)} == {PPG_NO_CONTACT}


def check_a_sheet_before_the_window_is_no_skin() -> None:
    worn = Worn(red_light=0.1, ir_light=0.1)  # 12 000 counts: the chain alone says no contact
    worn.bench.wearer.pi_pct = 0.0
    answers = worn.run(60)
    assert {answer[3] for answer in answers[6:]} == {PPG_NO_CONTACT}
    assert worn.probe.contact is False
    worn.bench.wearer.pi_pct = 1.5
    worn.run(6)
    assert right(worn.run(10)) and worn.probe.contact


def check_a_pulse_lost_on_dark_skin_is_told() -> None:
    worn = Worn(red_light=0.1, ir_light=0.1)
    assert worn.first_valid_s(12) <= 10
    worn.bench.wearer.pi_pct = 0.0
    worn.run(6)
    assert {answer[3] for answer in worn.run(60)} == {PPG_NO_PULSE}
    assert worn.probe.contact


def check_sunlight_is_saturated_counted_and_over_when_it_is_over() -> None:
    worn = Worn()
    worn.run(10)
    before = worn.registers()
    worn.bench.max30102.sunlight = True
    worn.run(1)
    assert {answer[3] for answer in worn.run(30)} == {PPG_SATURATED}
    assert worn.health.value(PPG_AMBIENT) > 80 and worn.health.value(PPG_FULL_SCALE) > 80
    assert worn.registers() == before  # less light of our own would not help
    worn.bench.max30102.sunlight = False
    worn.run(7)
    assert right(worn.run(30))


def check_sunlight_that_does_not_pin_the_counts_still_gives_no_value() -> None:
    worn = Worn()
    worn.run(10)
    chip = worn.bench.max30102
    for _ in range(10):
        chip.regs[0] |= 0x20  # ALC_OVF alone
        answers = worn.run(1)
    assert answers[0] == (None, None, None, PPG_SATURATED)
    assert right(worn.run(8)[6:])


def check_swapped_lights_are_told_and_the_setting_puts_them_right() -> None:
    worn = Worn(swapped=True)
    answers = worn.run(30)
    assert {answer[0] for answer in answers} == {None}
    assert answers[-1][3] == PPG_SWAPPED
    assert worn.health.value(PPG_SWAPPED_LIGHTS) == 1
    faults = worn.health.take_faults()
    assert len(faults) == 1 and faults[0][0] == 1 and "ppg_channels" in faults[0][3]
    worn = Worn(is_swapped=True, swapped=True)
    worn.run(6)
    assert right(worn.run(30)) and worn.health.value(PPG_SWAPPED_LIGHTS) == 0
    worn = Worn(is_swapped=True, swapped=True, red_light=0.1)
    worn.run(15)
    assert right(worn.run(10))
    assert worn.registers()[1] > worn.registers()[0]  # LED 2 is the red one here
    assert {answer[0] for answer in Worn(is_swapped=True).run(30)} == {
        None
    }  # the wrong setting is told as well


def check_a_clock_five_percent_off_is_measured_and_the_rate_put_right() -> None:
    for permille in (950, 1000, 1050):
        worn = Worn(rate_permille=permille)
        worn.bench.wearer.hr_bpm = 150.0
        worn.run(75)
        assert abs(worn.probe.clock.permille - permille) <= 2, (permille, worn.probe.clock.permille)
        for _, hr, _, state in worn.run(60):
            assert state == PPG_VALID and abs(hr - 150) <= 3, (permille, hr)
        worn.run(600)
        assert abs(worn.probe.clock.permille - permille) <= 2
        assert worn.gaps == [] and worn.probe.present


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


def check_data_of_all_zeros_and_all_ones() -> None:
    for value, state in ((0x00, PPG_NO_CONTACT), (0xFF, PPG_SATURATED)):
        worn = Worn()
        worn.run(10)
        worn.bench.max30102.data_fault = value
        worn.run(25)
        assert {answer[:1] + answer[3:] for answer in worn.run(30)} == {(None, state)}
        worn.bench.max30102.data_fault = None
        worn.run(14)
        assert right(worn.run(20)), (value, worn.answers[-1])


def check_another_part_is_named_and_the_right_one_goes_on() -> None:
    worn = Worn(part_id=0x11)
    worn.run(5)
    assert worn.probe.fault == "not a MAX3010x: part id 0x11, expected 0x15" and not worn.probe.present
    worn.bench.max30102.part_id = 0x15
    worn.run(8)
    assert right(worn.run(5)) and worn.probe.fault == ""


def check_bursts_that_break_off_are_counted_and_no_piece_is_joined() -> None:
    worn = Worn()
    worn.run(10)
    for _ in range(6):
        worn.bench.i2c.break_off(ADDRESS, 21)
        for spo2, hr, _, state in worn.run(10):
            assert state in (PPG_VALID, PPG_SETTLING), state
            assert spo2 is None or (abs(spo2 - 970) <= 15 and abs(hr - 75) <= 2)
    assert worn.gaps == [(1 + 1, 3, 120)] * 6  # GAP_BUS: three whole samples left the FIFO each time
    assert worn.health.value(4) == 18
    assert right(worn.run(10)[6:])


def check_light_that_cannot_be_set_is_set_later() -> None:
    worn = Worn()
    worn.run(3)
    store = worn.bench.max30102._store

    def refuse(reg, value):
        if reg in (0x0C, 0x0D):
            raise OSError(5)
        store(reg, value)

    worn.bench.max30102._store = refuse
    worn.bench.max30102.red_light = worn.bench.max30102.ir_light = 0.05
    answers = worn.run(10)
    assert answers[-1][0] is None
    worn.bench.max30102._store = store
    worn.run(8)
    assert right(worn.run(10)) and worn.registers()[0] > 36


def check_the_light_stays_within_limits_whatever_the_levels() -> None:
    for start in (1, 36, 255):
        agc = Agc(start, start)
        seed = 12345
        now_ms = 0
        for _ in range(3000):
            seed = (seed * 1103515245 + 12345) & 0x3FFFFFFF
            now_ms += POLL_MS
            red = (seed >> 4) % 262144
            infrared = (seed >> 9) % 262144 if seed & 1 else (seed >> 9) % 3000
            agc.step(red, infrared, seed & 2 != 0, now_ms)
            if agc.watching:
                assert (agc.red, agc.infrared, agc.range) == (0, WATCH_CURRENT, 1)
            else:
                assert LED_MIN <= agc.red <= LED_MAX and LED_MIN <= agc.infrared <= LED_MAX
                assert 0 <= agc.range <= 3


def check_low_perfusion_is_not_taken_for_a_sheet() -> None:
    worn = Worn(red_light=0.1, ir_light=0.1)
    worn.run(12)
    worn.bench.wearer.pi_pct = 0.03
    worn.run(8)
    assert worn.run(3)[-1][3] in (PPG_LOW_PERFUSION, PPG_NO_PULSE)
