"""Make pairs from a raw recording and its reference: the firmware's own chain gives R, a search gives the lag.

The reference comes later or earlier than R, because it averages, sits at another place of the body and has its own
clock. The search finds the one lag for the whole recording that puts the pairs closest to a line.
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from tools.board.calibrate.fit import deviation
from tools.board.calibrate.pairs import RAW_LIMITS, REFERENCE_LIMITS, CalibrateError, Pair, read_columns
from tools.data.ppg_replay.chain import LOST, Replay
from tools.data.ppg_replay.resample import OUT_HZ, to_25_hz

FS_MAX_HZ = 1000.0
PAIR_EVERY_S = 5  # R is a median of three windows of 4 s: closer pairs are the same pair again
LAG_S = range(-30, 61)  # † reference behind R
LAG_PAIRS_MIN = 30  # seconds with both values that a lag needs


def pairs_of(raw: Path, fs_hz: float, reference: Path) -> tuple[list[Pair], int]:
    """(a pair every PAIR_EVERY_S, lag in s); CalibrateError names what is wrong with the files or with the lag."""
    if not OUT_HZ <= fs_hz <= FS_MAX_HZ:
        raise CalibrateError(f"--fs {fs_hz:g} must be {OUT_HZ} to {FS_MAX_HZ:g} samples a second")
    light = [values for _, values in read_columns(raw, RAW_LIMITS)]
    ratios = dict(ratio_each_second(light, fs_hz))
    if len(ratios) < LAG_PAIRS_MIN:
        why = f"R was found in {len(ratios)} seconds only, at least {LAG_PAIRS_MIN} are needed"
        raise CalibrateError(f"{raw}: {why}")
    spo2 = {round(t_s): pct for _, (t_s, pct) in read_columns(reference, REFERENCE_LIMITS)}
    lag_s = find_lag(ratios, spo2)
    joined = _joined(ratios, spo2, lag_s)
    return [pair for pair in joined if pair.line % PAIR_EVERY_S == 0], lag_s


def ratio_each_second(light: list[tuple[float, ...]], fs_hz: float) -> Iterator[tuple[int, float]]:
    """(second, R) for each second in which the wearable would give a value, from (red, infrared) counts."""
    replay = Replay(ir_only=False)
    samples = to_25_hz(((red, infrared) for red, infrared in light), Fraction(str(fs_hz)))
    second = 0
    for sample in samples:
        if replay.take(*(sample or (LOST, LOST))) is None:
            continue
        second += 1
        if replay.ratio_milli:
            yield second, replay.ratio_milli / 1000


def find_lag(ratios: dict[int, float], spo2: dict[int, float]) -> int:
    """Seconds by which the reference comes behind R; CalibrateError when no lag is clearly best."""
    joined = {lag_s: _joined(ratios, spo2, lag_s) for lag_s in LAG_S}
    found = {lag_s: deviation(pairs) for lag_s, pairs in joined.items() if len(pairs) >= LAG_PAIRS_MIN}
    if not found:
        why = f"recording and reference share fewer than {LAG_PAIRS_MIN} s. Check that t_s counts from the same start."
        raise CalibrateError(why)
    best = min(found, key=lambda lag_s: found[lag_s])
    if best in (min(found), max(found)):
        raise CalibrateError(
            f"the reference fits best at the end of the search ({best:+d} s): its t_s does not count from the"
            " recording's start, or its saturation hardly changes"
        )
    return best


def _joined(ratios: dict[int, float], spo2: dict[int, float], lag_s: int) -> list[Pair]:
    return [Pair(s, ratio, spo2[s + lag_s]) for s, ratio in sorted(ratios.items()) if s + lag_s in spo2]
