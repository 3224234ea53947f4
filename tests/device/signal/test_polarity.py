"""What a window says about which way up its light is: slope and depth of a beat, each at the edge of every rule."""

import pytest
from crs_core.units import PPG_VALID
from crs_device.signal import light
from crs_device.signal.ppg import Ppg
from crs_device.signal.window import Window

from tests.device.signal.score import Answer, answers
from tools.data.ppg_generator import OUT_HZ, Subject, constant, samples

# (samples of a beat, perfusion in hundredths of a percent) of the last window of a quiet subject
BEATS = {
    (27, 49): (54.4, 0.50, 6),
    (27, 50): (54.4, 0.51, 6),
    (28, 49): (52.2, 0.50, 7),
    (28, 50): (52.2, 0.51, 7),
    (29, 49): (52.2, 0.50, 6),
}
# breathing may be the larger part of the second and the last: there the depth may only contradict
BOTH_COUNT = ((27, 49), (27, 50), (28, 50))
SLOPE_COUNTS = ((28, 49), (29, 49))


@pytest.fixture
def polarity_of(monkeypatch: pytest.MonkeyPatch):
    def judged(beat: tuple[int, int], upstroke: int, depth: int) -> int:
        hr_bpm, pi_pct, seconds = BEATS[beat]
        lags, windows = [], []
        judge = Window.judge
        monkeypatch.setattr(Window, "judge", lambda *of: windows.append(judge(*of)) or windows[-1])
        monkeypatch.setattr(light, "upstroke", lambda *window: upstroke)
        monkeypatch.setattr(light, "depth", lambda *window: lags.append(window[-1]) or depth)
        subject = Subject(
            hr_bpm=constant(hr_bpm), pi_pct=constant(pi_pct), noise_counts=1, breathing=0, drift=0
        )
        ppg = Ppg()
        answers(list(samples(subject, 9))[: seconds * OUT_HZ], ppg)
        assert (lags[-1], windows[-1][2]) == beat, "the subject has another beat than the case means"
        return ppg._window.polarity

    return judged


@pytest.mark.parametrize("beat", BOTH_COUNT)
@pytest.mark.parametrize(
    ("upstroke", "depth", "both"),
    [(899, 1500, 1348), (2000, 500, 1000), (500, 3000, 1500), (9000, 1000, 8000), (1000, 9000, 8000)],
)
def test_slope_and_depth_count_alike(polarity_of, beat, upstroke, depth, both):
    assert polarity_of(beat, upstroke, depth) == both


@pytest.mark.parametrize("beat", SLOPE_COUNTS)
@pytest.mark.parametrize(
    ("upstroke", "depth", "found"),
    [
        (901, 1500, 901),
        (2000, 500, 2000),
        (9000, 1000, 8000),
        (899, 1499, 899),
        (500, 1499, 500),
        (899, 1500, 900),
        (500, 1500, 900),
        (500, 9000, 900),
    ],
)
def test_of_a_slow_weak_pulse_the_slope_decides_and_the_depth_may_only_contradict(
    polarity_of, beat, upstroke, depth, found
):
    assert polarity_of(beat, upstroke, depth) == found


def mirrored(hr_bpm: float, pi_pct: float) -> list[Answer]:
    subject = Subject(hr_bpm=constant(hr_bpm), pi_pct=constant(pi_pct))
    return answers([(200000 - red, 240000 - infrared) for red, infrared in samples(subject, 30)])


@pytest.mark.parametrize("hr_bpm", [34, 40, 50, 60, 75])
@pytest.mark.parametrize("pi_pct", [0.2, 0.7, 1.5])
def test_a_mirrored_pulse_has_no_value_however_slow(hr_bpm, pi_pct):
    assert PPG_VALID not in {answer[4] for answer in mirrored(hr_bpm, pi_pct)}
