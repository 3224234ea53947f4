"""The generator and the virtual wearable's sensor look at the same finger."""

import itertools
import subprocess
import sys
from dataclasses import replace

from crs_core.spo2_curve import AN6845, spo2_tenths

from tests.tools.virtual_wearable.ppg_checks import started, stream
from tools.data.ppg_generator import OUT_HZ, Burst, Subject, constant, samples
from tools.data.ppg_wave import PHASE_STEPS, PpgWave, ratio_of
from tools.rig.micropython import ROOT

SUBJECT = Subject(hr_bpm=constant(75.0), spo2_pct=constant(97.0), pi_pct=constant(1.5))


def test_the_virtual_sensor_puts_the_generators_samples_in_its_fifo() -> None:
    generated = list(samples(SUBJECT, 60, seed=1))
    bench = started()
    bench.max30102.wave.phase = 0.13436424411240122 * PHASE_STEPS  # where seed 1 of the generator begins
    sensed = stream(bench, 60)
    assert len(sensed) == len(generated) == 60 * OUT_HZ
    # Time is summed up in other steps, so that a conversion may fall on the next step of a table.
    pairs = zip(itertools.chain(*sensed), itertools.chain(*generated), strict=True)
    worst = max(abs(a - b) for a, b in pairs)
    assert worst <= 8, worst


def test_a_seed_is_one_recording_and_another_seed_another() -> None:
    moving = replace(SUBJECT, motion=0.02, bursts=(Burst(1, 4),))
    assert list(samples(moving, 5, 3)) == list(samples(moving, 5, 3)) != list(samples(moving, 5, 4))


def test_movement_is_in_its_burst_only() -> None:
    subjects = [replace(SUBJECT, motion=motion, bursts=(Burst(4, 8),)) for motion in (0.0, 0.02)]
    still, moving = (list(samples(subject, 12)) for subject in subjects)
    differ = [n / OUT_HZ for n, (a, b) in enumerate(zip(still, moving, strict=True)) if a != b]
    assert 4 <= differ[0] < 4.2 and 7.8 < differ[-1] < 8
    assert max(abs(a[1] - b[1]) for a, b in zip(still, moving, strict=True)) > 0.005 * 120000


def test_the_ratio_is_the_inverse_of_the_curve_in_use() -> None:
    for spo2_pct in range(65, 101):
        assert abs(spo2_tenths(AN6845, round(1000 * ratio_of(spo2_pct))) - 10 * spo2_pct) <= 1


def test_a_beat_takes_what_the_rate_says() -> None:
    wave = PpgWave(noise_counts=0.0, breathing=0.0, vasomotion=0.0)
    wave.see((97.0, 60.0, 5.0))
    infrared = [wave.advance(1, 0.01, 1.0, 1.0, 262143)[1] for _ in range(6000)]
    top = 120000 * 0.995
    beats = sum(a > top >= b for a, b in itertools.pairwise(infrared))
    assert 59 <= beats <= 61
    assert abs(max(infrared) - min(infrared) - 6000) < 60, "a perfusion of 5 % of the level"


def test_the_command_prints_a_recording() -> None:
    command = [sys.executable, "-m", "tools.data.ppg_generator", "--seconds", "2", "--spo2", "90"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    header, *rows = done.stdout.splitlines()
    assert header == "t_s,red,ir" and len(rows) == 50 and rows[-1].startswith("1.96,")
