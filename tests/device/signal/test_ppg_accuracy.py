"""How right the PPG chain is on generated fingers, and how silent where there is nothing to read."""

import pytest
from crs_core.units import PPG_LOW_PERFUSION, PPG_MOTION, PPG_NO_PULSE, PPG_VALID

from tests.device.signal.score import answers, score
from tools.data.ppg_generator import Burst, Subject, constant, ramp, samples

BURSTS = (Burst(8, 12), Burst(20, 26), Burst(34, 38), Burst(46, 54))


@pytest.mark.parametrize("hr_bpm", [30, 35, 40, 50, 60, 75, 90, 110, 130, 150, 180, 200, 220])
def test_heart_rate_from_30_to_220(hr_bpm: float) -> None:
    result = score([Subject(hr_bpm=constant(hr_bpm))], first_seed=int(hr_bpm))
    assert result.share == 1.0 and result.hr_mae <= 1.3 and result.hr_worst <= 5 and result.spo2_arms <= 0.3


@pytest.mark.parametrize("spo2_pct", [70, 75, 80, 85, 90, 95, 97, 99.5])
def test_saturation_from_70_to_100(spo2_pct: float) -> None:
    result = score([Subject(spo2_pct=constant(spo2_pct), hr_bpm=constant(80))], first_seed=int(spo2_pct))
    assert result.share == 1.0 and result.spo2_arms <= 0.3 and result.spo2_worst <= 1.0


@pytest.mark.parametrize("spo2_pct", [70, 80, 88, 92, 97])
def test_perfusion_of_0_2_percent_is_enough(spo2_pct: float) -> None:
    subject = Subject(spo2_pct=constant(spo2_pct), pi_pct=constant(0.2))
    result = score([subject], first_seed=int(spo2_pct))
    assert result.share >= 0.95
    assert result.hr_mae <= 1.0 and result.spo2_arms <= 1.0 and result.spo2_worst <= 4


@pytest.mark.parametrize("pi_pct", [0.2, 0.5, 1.0, 3.0, 10.0, 20.0])
def test_perfusion_index_is_what_was_put_in(pi_pct: float) -> None:
    result = score([Subject(pi_pct=constant(pi_pct))])
    assert result.share >= 0.95 and abs(result.pi_mean_pct - pi_pct) <= 0.12 * pi_pct + 0.02


@pytest.mark.parametrize("subject", [
    Subject(pi_pct=constant(0)),
    Subject(pi_pct=constant(0), noise_counts=0),
    Subject(pi_pct=constant(0), noise_counts=80),
    Subject(pi_pct=constant(0), breathing_hz=0.15, breathing=0.004),
    Subject(pi_pct=constant(0), breathing_hz=0.33, breathing=0.004),
    Subject(pi_pct=constant(0), breathing_hz=0.4, breathing=0.002),
    Subject(pi_pct=constant(0), infrared_level=30000, red_level=25000),
    Subject(pi_pct=constant(0), infrared_level=220000, red_level=200000),
])  # fmt: skip
def test_worn_without_a_pulse_gives_no_value_and_says_so(subject: Subject) -> None:
    for seed in range(3):
        for t_s, spo2, rate, pi, state in answers(samples(subject, 60, seed)):
            assert spo2 is None and rate is None
            if t_s >= 5:
                assert (pi, state) == (0, PPG_NO_PULSE), (t_s, state)


@pytest.mark.parametrize("breathing_hz", [0.5, 0.6, 0.75, 0.85])
@pytest.mark.parametrize("breathing", [0.001, 0.004])
def test_fast_breathing_alone_is_no_pulse(breathing_hz: float, breathing: float) -> None:
    subject = Subject(pi_pct=constant(0), breathing_hz=breathing_hz, breathing=breathing)
    for answer in answers(samples(subject, 60)):
        assert answer[1] is None and answer[2] is None
        assert answer[0] < 5 or answer[4] in (PPG_MOTION, PPG_NO_PULSE, PPG_LOW_PERFUSION)


@pytest.mark.parametrize("hr_bpm", [70, 120])
@pytest.mark.parametrize("pi_pct", [0.2, 0.5, 1.0])
@pytest.mark.parametrize("breathing_hz", [0.33, 0.5, 0.6])
def test_fast_breathing_never_passes_for_the_heart(hr_bpm: float, pi_pct: float, breathing_hz: float) -> None:
    subject = Subject(hr_bpm=constant(hr_bpm), pi_pct=constant(pi_pct), breathing_hz=breathing_hz)
    result = score([subject], first_seed=7)
    assert result.hr_worst <= 5 and result.spo2_worst <= 4
    if breathing_hz < 0.5 or pi_pct == 1.0:
        assert result.share >= 0.8


@pytest.mark.parametrize(
    ("motion", "share", "arms"), [(0.003, 0.8, 1.0), (0.01, 0.45, 1.0), (0.03, 0.35, 2.5)]
)
def test_movement_costs_values_not_truth(motion: float, share: float, arms: float) -> None:
    result = score([Subject(motion=motion, bursts=BURSTS)] * 6)
    assert result.share >= share and result.spo2_arms <= arms and result.hr_mae <= 1.5


def test_low_saturation_is_not_dragged_by_movement() -> None:
    subject = Subject(motion=0.01, bursts=BURSTS, spo2_pct=constant(88), hr_bpm=constant(105))
    result = score([subject] * 6)
    assert result.spo2_arms <= 1.5 and result.share >= 0.45


@pytest.mark.parametrize("on_s", [0.0, 3.0, 3.3, 3.62, 3.96])
def test_first_value_within_five_seconds_of_contact(on_s: float) -> None:
    for seed, hr_bpm in ((1, 50), (2, 75), (3, 140)):
        subject = Subject(contact=lambda t_s: t_s >= on_s, hr_bpm=constant(hr_bpm))
        answer = next(a for a in answers(samples(subject, 12, seed)) if a[4] == PPG_VALID)
        assert answer[0] - on_s <= 5.0 and answer[2] is not None and abs(answer[2] - hr_bpm) <= 3


def test_nothing_is_said_before_contact_lasts() -> None:
    subject = Subject(contact=lambda t_s: t_s >= 5)
    assert all(a[1] is None and a[2] is None for a in answers(samples(subject, 8)))


@pytest.mark.parametrize("seed", range(4))
def test_falling_saturation_is_told_within_five_seconds(seed: int) -> None:
    subject = Subject(spo2_pct=ramp(97, 85, 20, 30))
    crossed_s = 20 + 10 * 7 / 12
    told = next(a[0] for a in answers(samples(subject, 50, seed)) if a[1] is not None and a[1] < 900)
    assert told - crossed_s <= 5.0


def test_rising_heart_rate_is_followed() -> None:
    subject = Subject(hr_bpm=ramp(70, 120, 20, 23))
    after = [a for a in answers(samples(subject, 50)) if a[0] >= 23]
    settled = next(a[0] for a in after if a[2] is not None and abs(a[2] - 120) <= 5)
    assert settled - 23 <= 5 and all(a[2] is None or abs(a[2] - 120) <= 5 for a in after if a[0] >= settled)
