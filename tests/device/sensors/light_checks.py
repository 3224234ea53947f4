"""Gain control, the weak light off the finger, sunlight, swapped lights, bursts that break off; both runtimes.

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
from crs_device.health import PPG_AMBIENT, PPG_FULL_SCALE, PPG_LIGHT_CHANGE, PPG_SWAPPED_LIGHTS
from crs_device.sensors.agc import LED_MAX, LED_MIN, WATCH_CURRENT, Agc
from crs_device.sensors.max3010x import ADDRESS

from tests.device.sensors.worn_finger import POLL_MS, Worn, right


def check_an_ordinary_finger_keeps_the_start_light() -> None:
    worn = Worn()
    assert worn.first_valid_s(8) <= 5 and right(worn.run(120))
    assert worn.registers() == (36, 36, 1) and worn.health.value(PPG_LIGHT_CHANGE) == 0 and worn.gaps == []


def check_every_skin_ends_with_values_and_the_light_rests() -> None:
    """Light that comes back from 1 % of full scale to four times what saturates, each colour by itself."""
    for red_light, ir_light in (
        (0.0219, 0.0263), (0.05, 0.05), (0.2, 0.2), (2.5, 2.5), (8.0, 8.0), (0.1, 1.0), (1.0, 0.3), (2.5, 0.5),
    ):  # fmt: skip
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
    assert worn.registers() == (LED_MAX, LED_MAX, 0) and worn.first_valid_s(10) <= 8


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
    assert not worn.probe.agc.watching and worn.first_valid_s(12) <= 8


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
    assert worn.first_valid_s(12) <= 10 and worn.registers() == (LED_MAX, LED_MAX, 0)
    worn.bench.wearer.spo2_pct = None
    worn.run(1)
    assert worn.registers() == (36, 36, 1) and {answer[3] for answer in worn.run(5)} == {PPG_NO_CONTACT}


def check_a_sheet_before_the_window_is_no_skin() -> None:
    worn = Worn(red_light=0.1, ir_light=0.1)  # 12 000 counts: the chain alone says no contact
    worn.bench.wearer.pi_pct = 0.0
    answers = worn.run(60)
    assert {answer[3] for answer in answers[6:]} == {PPG_NO_CONTACT} and worn.probe.contact is False
    worn.bench.wearer.pi_pct = 1.5
    worn.run(6)
    assert right(worn.run(10)) and worn.probe.contact


def check_a_pulse_lost_on_dark_skin_is_told() -> None:
    worn = Worn(red_light=0.1, ir_light=0.1)
    assert worn.first_valid_s(12) <= 10
    worn.bench.wearer.pi_pct = 0.0
    worn.run(6)
    assert {answer[3] for answer in worn.run(60)} == {PPG_NO_PULSE} and worn.probe.contact


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
    assert answers[0] == (None, None, None, PPG_SATURATED) and right(worn.run(8)[6:])


def check_swapped_lights_are_told_and_the_setting_puts_them_right() -> None:
    worn = Worn(swapped=True)
    answers = worn.run(30)
    assert {answer[0] for answer in answers} == {None} and answers[-1][3] == PPG_SWAPPED
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
    # the wrong setting is told as well
    assert {answer[0] for answer in Worn(is_swapped=True).run(30)} == {None}


def check_a_light_that_blood_cannot_give_is_told_and_gives_no_value() -> None:
    for change, word in (
        (lambda red, infrared: (262143 - red, 262143 - infrared), "rises"),
        (lambda red, infrared: (infrared, infrared), "copy"),
    ):
        worn = Worn()
        wave = worn.bench.max30102.wave
        advance = wave.advance
        wave.advance = lambda *arguments, of=advance, to=change: to(*of(*arguments))
        answers = worn.run(60)
        assert {answer[:2] for answer in answers} == {(None, None)} and answers[-1][3] == PPG_SWAPPED
        faults = worn.health.take_faults()
        assert len(faults) == 1 and word in faults[0][3]
        wave.advance = advance
        worn.run(10)
        assert right(worn.run(20))


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
    assert worn.health.value(4) == 18 and right(worn.run(10)[6:])


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
