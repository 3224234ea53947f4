"""Light that blood cannot give: no value and a reason, whatever was done to the samples; on both runtimes."""

import csv
import gzip
import itertools
import math
import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from crs_core.units import PPG_MOTION, PPG_SATURATED, PPG_SETTLING, PPG_SWAPPED, PPG_VALID
from crs_device.signal.ppg import LIGHT_ALIKE, LIGHT_EXCHANGED, LIGHT_UPSIDE_DOWN, Ppg

from tests.device.signal.score import Answer, answers
from tools.data.ppg_generator import Burst, Subject, constant, samples
from tools.lab.bench.ppg_recordings import bidmc, mixedsignals, resampled, two_channels
from tools.rig.micropython import ROOT, run_micropython

Samples = list[tuple[int, int]]
Bumps = tuple[tuple[float, float, float], ...]
FULL_SCALE = 262143
SUBJECTS = (
    Subject(),
    Subject(hr_bpm=constant(140), spo2_pct=constant(90), pi_pct=constant(2)),
    Subject(hr_bpm=constant(50), spo2_pct=constant(94), pi_pct=constant(0.3)),
    Subject(hr_bpm=constant(210), pi_pct=constant(0.5)),
    Subject(hr_bpm=constant(34), pi_pct=constant(1)),
)
IMPOSSIBLE: dict[str, Callable[[Samples], Samples]] = {
    "counted down from full scale": lambda light: [(FULL_SCALE - r, FULL_SCALE - i) for r, i in light],
    "an absorption at a low level": lambda light: [(150000 - r, 170000 - i) for r, i in light],
    "mirrored at its own level": lambda light: [(200000 - r, 240000 - i) for r, i in light],
    "mirrored and larger": lambda light: [(130000 - (r - 100000) * 2, 130000 - (i - 120000) * 2) for r, i in light],
    "red mirrored": lambda light: [(200000 - r, i) for r, i in light],
    "infrared mirrored": lambda light: [(r, 240000 - i) for r, i in light],
    "red twice": lambda light: [(r, r) for r, _ in light],
    "infrared twice": lambda light: [(i, i) for _, i in light],
    "infrared and an offset": lambda light: [(i - 20000, i) for _, i in light],
    "red stands still": lambda light: [(100000, i) for _, i in light],
    "infrared stands still": lambda light: [(r, 120000) for r, _ in light],
    "without its steady part": lambda light: [(max(0, r - 100000), max(0, i - 120000)) for r, i in light],
    "infrared at full scale": lambda light: [(r, FULL_SCALE) for r, _ in light],
    "full scale in every second sample": lambda light: [
        (r, FULL_SCALE if n % 2 else i) for n, (r, i) in enumerate(light)
    ],
    "red three samples late": lambda light: [
        (late, i) for (late, _), (_, i) in zip(light, light[3:], strict=False)
    ],
}  # fmt: skip


def lights(subject: Subject, seconds: float = 40, seed: int = 1) -> Samples:
    """Samples of a subject."""
    return list(samples(subject, seconds, seed))


def without_value(found: list[Answer]) -> bool:
    """Whether no answer has any value beside a perfusion index."""
    return all(answer[1:3] == (None, None) and answer[4] != PPG_VALID for answer in found)


@pytest.mark.parametrize("way", IMPOSSIBLE)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_no_value_from_light_that_blood_cannot_give(way: str, subject: Subject) -> None:
    assert without_value(answers(IMPOSSIBLE[way](lights(subject))))


@pytest.mark.parametrize("ir_only", [False, True])
def test_a_pulse_upside_down_is_named(ir_only: bool) -> None:
    ppg = Ppg(ir_only=ir_only)
    found = answers(IMPOSSIBLE["counted down from full scale"](lights(Subject())), ppg)
    assert without_value(found) and {answer[4] for answer in found[8:]} == {PPG_SWAPPED}
    assert ppg.wrong_light == LIGHT_UPSIDE_DOWN


def test_one_light_twice_is_named_and_infrared_alone_may_be() -> None:
    ppg = Ppg()
    found = answers(IMPOSSIBLE["infrared twice"](lights(Subject())), ppg)
    assert {answer[4] for answer in found[6:]} == {PPG_SWAPPED} and ppg.wrong_light == LIGHT_ALIKE
    found = answers(IMPOSSIBLE["infrared twice"](lights(Subject())), Ppg(ir_only=True))
    assert {answer[4] for answer in found[6:]} == {PPG_VALID}


def test_exchanged_lights_are_named() -> None:
    ppg = Ppg()
    assert without_value(answers(lights(Subject(swapped=True)), ppg)) and ppg.wrong_light == LIGHT_EXCHANGED


def test_a_sign_that_flips_ends_the_values_until_it_flips_back() -> None:
    light = lights(Subject(), 90)
    flipped = [(200000 - r, 240000 - i) if 750 <= n < 1500 else (r, i) for n, (r, i) in enumerate(light)]
    found = answers(flipped)
    assert without_value([answer for answer in found if 33 <= answer[0] <= 60])
    for span in (range(6, 30), range(70, 90)):
        assert {found[t - 1][4] for t in span} == {PPG_VALID}
    assert all(abs(answer[1] - 970) <= 10 for answer in found if answer[1] is not None)


@pytest.mark.parametrize(("low", "high"), [(0, 119700), (119300, FULL_SCALE), (119200, 119900)])
def test_a_wave_that_is_cut_off_below_full_scale_gives_no_wrong_value(low: int, high: int) -> None:
    limits = [(min(max(r, low - 20000), high - 20000), min(max(i, low), high)) for r, i in lights(Subject())]
    found = answers(limits)
    assert all(answer[1] is None or abs(answer[1] - 970) <= 10 for answer in found)
    assert PPG_SATURATED in {answer[4] for answer in found} or without_value(found)


@pytest.mark.parametrize(("gain", "step"), [(0.2, 1), (0.25, 1), (0.5, 1), (1, 1), (2, 1), (1, 16), (2, 64)])
def test_another_gain_or_a_coarser_converter_gives_the_same_value(gain: float, step: int) -> None:
    for subject in SUBJECTS:
        light = [(int(r * gain) // step * step, int(i * gain) // step * step) for r, i in lights(subject)]
        found = [answer for answer in answers(light) if answer[0] >= 8]
        truth = subject.spo2_pct(0) * 10
        assert sum(answer[4] == PPG_VALID for answer in found) >= 0.9 * len(found)
        assert all(answer[1] is None or abs(answer[1] - truth) <= 20 for answer in found)


def test_no_window_of_a_true_pulse_is_lost_to_its_polarity() -> None:
    for hr_bpm, pi_pct in itertools.product((30, 40, 60, 100, 160, 220, 245), (0.2, 1, 6)):
        found = answers(lights(Subject(hr_bpm=constant(hr_bpm), pi_pct=constant(pi_pct)), 60))
        assert PPG_SWAPPED not in {answer[4] for answer in found}, (hr_bpm, pi_pct)
    moved = Subject(motion=0.03, bursts=(Burst(8, 55),))
    assert PPG_SWAPPED not in {answer[4] for seed in range(6) for answer in answers(lights(moved, 60, seed))}


# bumps of a beat: height, seconds after it begins, width
ROUND = ((1.0, 0.20, 0.09),)
DICROTIC = ((1.0, 0.13, 0.055), (0.15, 0.27, 0.06), (0.75, 0.45, 0.09))


def finger(bumps: Bumps, hr_bpm: float, pi_pct: float, seconds: int, seed: int = 1) -> Samples:
    """The light of a finger whose beat has another shape than the generator's."""
    chance = random.Random(seed)
    beat_s = 60 / hr_bpm
    pace = min(1.15, max(0.6, math.sqrt(beat_s / 0.8)))

    def absorbed(t_s: float) -> float:
        since = [t_s % beat_s + back * beat_s for back in range(3)]
        return sum(h * math.exp(-(((s / pace - at) / w) ** 2) / 2) for s in since for h, at, w in bumps)

    found = []
    for n in range(seconds * 25):
        t_s = n / 25
        steady = 1 + 0.002 * math.sin(2 * math.pi * 0.25 * t_s) + 0.003 * math.sin(2 * math.pi * t_s / 45)
        depth = pi_pct / 100 * absorbed(t_s)
        red, infrared = (level * (steady - d) for level, d in ((100000, 0.45 * depth), (120000, depth)))
        found.append((int(red + chance.gauss(0, 8)), int(infrared + chance.gauss(0, 8))))
    return found


def share_valid(found: list[Answer], from_s: float) -> float:
    """Share of the answers after `from_s` that have a value."""
    after = [answer for answer in found if answer[0] > from_s]
    return sum(answer[4] == PPG_VALID for answer in after) / len(after)


@pytest.mark.parametrize("hr_bpm", [165, 180, 200])
def test_a_wide_vessel_s_second_wave_at_a_high_rate_is_not_upside_down(hr_bpm: int) -> None:
    """Vessels are wide in fever: the second wave of a beat then leads into the next one."""
    found = answers(finger(ROUND, 90, 1, 20) + finger(DICROTIC, hr_bpm, 1, 60))
    assert share_valid(found, 26) >= 0.95
    assert all(abs(answer[2] - hr_bpm) <= 3 for answer in found if answer[0] > 26 and answer[2])


@pytest.mark.parametrize(("hr_bpm", "pi_pct"), [(45, 0.15), (45, 0.3), (52, 0.2), (52, 0.3)])
def test_a_slow_weak_round_pulse_is_kept_although_it_falls_no_steeper_than_it_rises(
    hr_bpm: int, pi_pct: float
) -> None:
    found = [answers(finger(ROUND, hr_bpm, pi_pct, 60, seed)) for seed in range(4)]
    assert min(share_valid(one, 6) for one in found) >= 0.8
    assert PPG_SWAPPED not in {answer[4] for one in found for answer in one}


def test_a_recorded_slow_weak_pulse_behind_a_high_pass_is_kept(data_dir: Path) -> None:
    """A sensor with a high-pass of its own: light rises steeper than it falls, but dips far deeper than it stands."""
    with gzip.open(data_dir / "ppg-heartpy" / "data2.csv.gz", "rt") as f:
        values = [float(row[1]) for row in csv.reader(f) if row[1].isdigit()]
    wave = resampled(values, 100.0)  # 117 Hz played slower: 50 beats a minute
    found = answers(two_channels([0.01 * value / max(wave) for value in wave]))
    assert sum(answer[4] == PPG_VALID for answer in found) >= 55
    assert PPG_SWAPPED not in {answer[4] for answer in found}


def test_recordings_of_people_mirrored_give_no_value(data_dir: Path) -> None:
    for load in (bidmc, mixedsignals):
        true = load(data_dir).samples
        assert PPG_SWAPPED not in {answer[4] for answer in answers(true)}
        assert without_value(answers([(200000 - r, 240000 - i) for r, i in true]))


def test_both_runtimes_refuse_alike(tmp_path: Path) -> None:
    seen = set()
    for way, change in IMPOSSIBLE.items():
        light = change(lights(SUBJECTS[0], 14))
        file = tmp_path / "light.bin"
        file.write_bytes(b"".join(struct.pack("<II", *pair) for pair in light))
        done = run_micropython(ROOT / "tools/rig/on_micropython/ppg_answers.py", str(file))
        assert done.returncode == 0, done.stderr
        ours = [str(answer[1:]) for answer in answers(light)]
        assert done.stdout.splitlines()[:-1] == ours, way
        seen |= {int(line.split()[-1].rstrip(")")) for line in ours}
    assert {PPG_SWAPPED, PPG_SATURATED, PPG_MOTION, PPG_SETTLING} <= seen
