"""Feed samples to a Ppg as the application does, and hold its answers against the truth."""

import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass

from crs_core.units import PPG_VALID
from crs_device.signal.ppg import Ppg

from tools.data.ppg_generator import OUT_HZ, Subject, samples

LAG_S = 2.0  # the middle of a 4 s window

Answer = tuple[float, int | None, int | None, int | None, int]  # t_s, spo2_tenths, hr, pi, state


def answers(stream: Iterable[tuple[int, int]], ppg: Ppg | None = None, burst: int = 10) -> list[Answer]:
    """One answer a second; samples go in bursts that do not fall on whole seconds."""
    ppg = ppg or Ppg()
    red, infrared = array("i", [0] * 32), array("i", [0] * 32)
    out: list[Answer] = []
    held = 0
    for count, (a, b) in enumerate(stream, 1):
        red[held], infrared[held] = a, b
        held += 1
        if held == burst:
            ppg.push(red, infrared, held)
            held = 0
        if count % OUT_HZ == 0:
            out.append((count / OUT_HZ, *ppg.vitals(count * 1000 // OUT_HZ)))
    return out


@dataclass
class Score:
    """Of the valid answers: mean absolute heart rate error, SpO2 root mean square error, worst; and their share."""

    valid: int
    asked: int
    hr_mae: float
    hr_worst: float
    spo2_arms: float
    spo2_worst: float
    pi_mean_pct: float

    @property
    def share(self) -> float:
        """Valid answers among those asked for."""
        return self.valid / self.asked if self.asked else 0.0


def score(subjects: Iterable[Subject], seconds: float = 60, first_seed: int = 1) -> Score:
    """Run every subject with its own seed; answers of the first 5 s do not count."""
    hr, spo2, perfusion, asked = [], [], [], 0
    for seed, subject in enumerate(subjects, first_seed):
        for t_s, spo2_tenths, rate, pi, state in answers(samples(subject, seconds, seed)):
            if t_s < 5:
                continue
            asked += 1
            if state != PPG_VALID:
                continue
            assert spo2_tenths is not None and rate is not None and pi is not None
            hr.append(rate - subject.hr_bpm(t_s - LAG_S))
            spo2.append(spo2_tenths / 10 - subject.spo2_pct(t_s - LAG_S))
            perfusion.append(pi / 100)
    if not hr:
        return Score(0, asked, 0, 0, 0, 0, 0)
    return Score(
        len(hr), asked,
        sum(map(abs, hr)) / len(hr), max(map(abs, hr)),
        math.sqrt(sum(e * e for e in spo2) / len(spo2)), max(map(abs, spo2)),
        sum(perfusion) / len(perfusion),
    )  # fmt: skip
