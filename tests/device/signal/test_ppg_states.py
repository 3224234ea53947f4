"""No value, and which reason: contact, holes, saturation, swapped or dead lights, silence of the sensor."""

import math
import random
from array import array

import pytest
from crs_core.calibration import BUILT_IN
from crs_core.spo2_curve import AN6845, spo2_tenths
from crs_core.units import (
    PPG_ABSENT,
    PPG_LOW_PERFUSION,
    PPG_NO_CONTACT,
    PPG_NO_PULSE,
    PPG_SATURATED,
    PPG_SETTLING,
    PPG_STALE,
    PPG_SWAPPED,
    PPG_VALID,
)
from crs_device.signal.ppg import Ppg
from crs_device.signal.window import WINDOW

from tests.device.signal.score import answers
from tools.data.ppg_generator import Burst, Subject, constant, ramp, samples
from tools.data.ppg_wave import ratio_of

AN6409 = BUILT_IN[2][0]


def push(ppg: Ppg, stream: list[tuple[int, int]]) -> None:
    """All of it, ten at a time."""
    for start in range(0, len(stream), 10):
        part = stream[start : start + 10]
        ppg.push(array("i", [a for a, _ in part]), array("i", [b for _, b in part]), len(part))


def in_seconds(stream: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """25 samples each."""
    return [stream[start : start + 25] for start in range(0, len(stream), 25)]


def fed(seconds: float = 8, **subject: object) -> Ppg:
    """A Ppg that has seen so much of a subject."""
    ppg = Ppg()
    push(ppg, list(samples(Subject(**subject), seconds)))  # type: ignore[arg-type]
    return ppg


def test_nothing_ever_came() -> None:
    ppg = Ppg()
    assert ppg.vitals(60000) == (None, None, None, PPG_ABSENT) and ppg.contact is None
    ppg.push(array("i"), array("i"), 0)
    assert ppg.vitals(60000)[3] == PPG_ABSENT


def test_open_air() -> None:
    ppg = fed(contact=lambda _t: False)
    assert ppg.vitals(0) == (None, None, None, PPG_NO_CONTACT) and ppg.contact is False


def test_lifted_finger_ends_values_at_once() -> None:
    out = answers(samples(Subject(contact=lambda t: t < 10.4), 14))
    assert out[9][4] == PPG_VALID and [a[4] for a in out[10:]] == [PPG_NO_CONTACT] * 4
    assert all(a[1:4] == (None, None, None) for a in out[10:])


def test_settling_then_valid() -> None:
    states = [a[4] for a in answers(samples(Subject(), 8))]
    assert states[:3] == [PPG_SETTLING] * 3 and set(states[4:]) == {PPG_VALID}


def test_sensor_that_falls_silent_is_stale() -> None:
    ppg = fed()
    assert ppg.vitals(10000)[3] == PPG_VALID and ppg.vitals(12999)[3] == PPG_VALID
    assert ppg.vitals(13000) == (None, None, None, PPG_STALE) and ppg.contact is None


def test_a_hole_starts_the_window_over() -> None:
    ppg = fed()
    assert ppg.vitals(0)[3] == PPG_VALID
    ppg.gap()
    assert ppg.vitals(1000) == (None, None, None, PPG_SETTLING)
    push(ppg, list(samples(Subject(), 3)))
    assert ppg.vitals(4000)[3] == PPG_SETTLING
    push(ppg, list(samples(Subject(), 5)))
    assert ppg.vitals(9000)[3] == PPG_VALID


def test_full_scale_is_saturated_even_for_one_sample() -> None:
    stream = list(samples(Subject(), 8))
    stream[150] = (stream[150][0], 262143)
    ppg = Ppg()
    push(ppg, stream[:160])
    assert ppg.vitals(0)[3] in (PPG_SATURATED, PPG_SETTLING)
    ppg = Ppg()
    push(ppg, [(262143, 262143)] * 200)
    assert ppg.vitals(0) == (None, None, None, PPG_SATURATED)
    ppg = fed(red_level=263000)
    assert ppg.vitals(0)[3] == PPG_SATURATED


def test_zeros_are_no_contact() -> None:
    ppg = Ppg()
    push(ppg, [(0, 0)] * 200)
    assert ppg.vitals(0)[3] == PPG_NO_CONTACT


def test_constant_level_is_no_pulse() -> None:
    ppg = Ppg()
    push(ppg, [(100000, 120000)] * 200)
    assert ppg.vitals(0) == (None, None, 0, PPG_NO_PULSE)


def test_dead_red_light_is_absent() -> None:
    ppg = Ppg()
    push(ppg, [(300, infrared) for _, infrared in samples(Subject(), 8)])
    assert ppg.vitals(0) == (None, None, None, PPG_ABSENT)


def test_pulse_in_one_colour_only_is_no_value() -> None:
    for keep in (0, 1):
        ppg = Ppg()
        flat = list(samples(Subject(pi_pct=constant(0)), 20))
        live = list(samples(Subject(), 20))
        push(ppg, [(b[0], a[1]) if keep else (a[0], b[1]) for a, b in zip(live, flat, strict=True)])
        assert ppg.vitals(0)[0] is None and ppg.vitals(0)[1] is None


def test_weak_pulse_says_low_perfusion_with_its_size() -> None:
    spo2, rate, pi, state = fed(20, pi_pct=constant(0.05)).vitals(0)
    assert (spo2, rate, state) == (None, None, PPG_LOW_PERFUSION) and pi is not None and 3 <= pi <= 8


def test_lost_pulse_is_told() -> None:
    out = answers(samples(Subject(pi_pct=lambda t: 1.0 if t < 20 else 0.0, spo2_pct=constant(86)), 40))
    assert out[18][1] is not None and abs(out[18][1] - 860) <= 10
    told = [a[0] for a in out if a[4] == PPG_NO_PULSE]
    assert told and told[0] <= 27 and told == [float(t) for t in range(int(told[0]), 41)]
    assert all(a[1] is None or abs(a[1] - 860) <= 30 for a in out)


@pytest.mark.parametrize("spo2_pct", [95, 97, 99])
def test_swapped_lights_are_named_not_believed(spo2_pct: float) -> None:
    out = answers(samples(Subject(swapped=True, spo2_pct=constant(spo2_pct)), 30))
    assert {a[4] for a in out if a[0] >= 5} == {PPG_SWAPPED}
    assert all(a[1:4] == (None, None, None) for a in out)


def test_deep_desaturation_after_a_plausible_value_is_never_called_swapped() -> None:
    out = answers(samples(Subject(spo2_pct=ramp(96, 52, 10, 60)), 70))
    assert PPG_SWAPPED not in {a[4] for a in out} and out[-1][1] is not None and out[-1][1] <= 550


def test_beyond_the_curve_the_limit_is_told() -> None:
    out = answers(samples(Subject(spo2_pct=ramp(96, 40, 10, 60)), 70))
    assert out[-1][1] == 500
    out = answers(samples(Subject(spo2_pct=constant(102)), 20))
    assert out[-1][1] == 1000


@pytest.mark.parametrize("r_milli", range(300, 2400, 37))
def test_curve_in_integers_is_the_curve(r_milli: int) -> None:
    r = r_milli / 1000
    assert abs(spo2_tenths(AN6845, r_milli) - 10 * (1.5958 * r * r - 34.6597 * r + 112.6899)) <= 0.51
    assert abs(spo2_tenths(AN6409, r_milli) - 10 * (104 - 17 * r)) <= 0.51


def test_curve_inverse() -> None:
    for spo2_pct in range(70, 101):
        assert abs(spo2_tenths(AN6845, round(1000 * ratio_of(spo2_pct))) - 10 * spo2_pct) <= 1


def test_other_curve_is_used() -> None:
    ppg = Ppg(AN6409)
    push(ppg, list(samples(Subject(spo2_pct=constant(90)), 12)))
    spo2 = ppg.vitals(0)[0]
    assert spo2 is not None and abs(spo2 - 10 * (104 - 17 * ratio_of(90))) <= 5


def test_each_answer_is_the_median_of_three_windows() -> None:
    ppg, ratios = Ppg(), []
    stream = list(samples(Subject(spo2_pct=lambda t: 97.0 if t < 14 else 82.0), 24))
    for second in range(24):
        push(ppg, stream[second * 25 : second * 25 + 25])
        if second < 4:
            continue
        ratios.append(ppg._window.judge(ppg._position, min(ppg._count, WINDOW))[1])
        ppg.vitals(second * 1000)
        if second >= 6 and 0 not in ratios[-3:]:
            assert ppg.ratio_milli == sorted(ratios[-3:])[1]
    assert len({r // 100 for r in ratios}) >= 3  # the step was really passed through


def test_soft_onset_does_not_delay_the_first_value() -> None:
    rise = [0.2, 0.6, 0.68, 0.76, 0.84, 0.92]
    stream = [
        (round(a * part), round(b * part))
        for (a, b), part in zip(samples(Subject(), 12), rise + [1.0] * 294, strict=True)
    ]
    first = next(a for a in answers(stream) if a[4] == PPG_VALID)
    assert first[0] <= 5 and first[1] is not None and abs(first[1] - 970) <= 10


def test_new_grip_starts_over() -> None:
    before, after = list(samples(Subject(), 10)), list(samples(Subject(infrared_level=80000), 10))
    out = answers(before + after)
    assert out[9][4] == PPG_VALID
    assert [a[4] for a in out[10:13]] == [PPG_SETTLING] * 3 and out[14][4] == PPG_VALID


def test_regular_movement_within_the_noise_is_no_pulse() -> None:
    out = answers(samples(Subject(pi_pct=constant(0.025), noise_counts=1, breathing=0, drift=0), 30))
    assert {a[4] for a in out if a[0] >= 5} == {PPG_NO_PULSE}


def test_without_red_light_there_is_a_rate_and_never_a_saturation() -> None:
    ppg = Ppg(ir_only=True)
    push(ppg, [(0, infrared) for _, infrared in samples(Subject(), 12)])
    spo2, rate, pi, state = ppg.vitals(0)
    assert (spo2, state) == (None, PPG_VALID)
    assert rate is not None and abs(rate - 75) <= 2 and pi is not None and 80 <= pi <= 120


def test_a_lamp_or_swinging_is_no_pulse() -> None:
    """The same counts in both channels, as ambient light does; and the same part of the level, as movement does."""
    for hz in (0.8, 1.3, 2.1, 3.3, 6.0):
        for red_part in (1.0, 100 / 120):
            wave = [300 * math.sin(2 * math.pi * hz * i / 25) for i in range(750)]
            noise = random.Random(3)
            stream = [
                (round(100000 + red_part * x + noise.gauss(0, 7)), round(120000 + x + noise.gauss(0, 7)))
                for x in wave
            ]
            for answer in answers(stream):
                assert answer[1] is None and answer[2] is None, (hz, answer)


def test_values_from_before_a_movement_say_that_they_are_a_second_old() -> None:
    ppg = Ppg()
    ages = set()
    burst = (Burst(20, 26),)
    for i, part in enumerate(in_seconds(list(samples(Subject(motion=0.03, bursts=burst), 40)))):
        push(ppg, part)
        state = ppg.vitals(i * 1000)[3]
        assert ppg.behind_ms in (0, 1000)
        assert state == PPG_VALID or not ppg.behind_ms
        ages.add(ppg.behind_ms)
    assert ages == {0, 1000}
