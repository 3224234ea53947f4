"""Make pairs from a raw recording and its reference: the firmware's own chain gives R, a search gives the lag.

The reference comes later or earlier than R, because it averages, sits at another place of the body and has its own
clock. The search finds the one lag for the whole recording that puts the pairs closest to a line.
"""

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from tools.board.calibrate.fit import deviation
from tools.board.calibrate.pairs import CalibrateError, Pair, read_value
from tools.data.ppg_replay.chain import LOST, Replay
from tools.data.ppg_replay.recording import Recording
from tools.data.ppg_replay.resample import OUT_HZ, to_25_hz
from tools.data.recording.spacing import wrong_unit
from tools.data.table.header import SPO2_PCT
from tools.data.table.moments import Moments, time_column
from tools.data.table.problems import TableError, quoted
from tools.data.table.reader import Table
from tools.data.table.text_lines import opened

FS_MAX_HZ = 1000.0
PAIR_EVERY_S = 5  # R is a median of three windows of 4 s: closer pairs are the same pair again
LAG_S = range(-30, 61)  # † reference behind R
LAG_PAIRS_MIN = 30  # seconds with both values that a lag needs
REFERENCE_PCT = (60.0, 100.0)
REFERENCE_STEP_S = 2.0  # † between values so close a straight line gives those of the whole seconds
ROWS_MAX = 1_000_000


class Measured(NamedTuple):
    """A pair every PAIR_EVERY_S, the lag of the reference, and whether the light was simulated."""

    pairs: list[Pair]
    lag_s: int
    simulated: bool


def pairs_of(raw: Path, fs_hz: float, reference: Path) -> Measured:
    """Pair a recording with its reference; CalibrateError or TableError names what is wrong."""
    if not OUT_HZ <= fs_hz <= FS_MAX_HZ:
        raise CalibrateError(f"--fs {fs_hz:g} must be {OUT_HZ} to {FS_MAX_HZ:g} samples a second")
    with opened(raw) as light:
        recording = Recording(light, raw, Fraction(str(fs_hz)))
        ratios = dict(ratio_each_second(recording, fs_hz))
    if len(ratios) < LAG_PAIRS_MIN:
        why = f"R was found in {len(ratios)} seconds only, at least {LAG_PAIRS_MIN} are needed"
        raise CalibrateError(f"{raw}: {why}")
    spo2 = read_reference(reference, recording)
    lag_s = find_lag(ratios, spo2)
    joined = _joined(ratios, spo2, lag_s)
    return Measured([pair for pair in joined if pair.line % PAIR_EVERY_S == 0], lag_s, recording.simulated)


def ratio_each_second(recording: Recording, fs_hz: float) -> Iterator[tuple[int, float]]:
    """(second, R) for each second in which the wearable would give a value."""
    replay = Replay(ir_only=False)
    second = 0
    for sample in to_25_hz(recording, Fraction(str(fs_hz))):
        if replay.take(*(sample or (LOST, LOST))) is None:
            continue
        second += 1
        if replay.ratio_milli:
            yield second, replay.ratio_milli / 1000


def read_reference(path: Path, recording: Recording) -> dict[int, float]:
    """{second of the recording: SpO2 in percent}; TableError names each bad line. A blank saturation is skipped.

    Times of day count from the recording's first one; a number of seconds counts from the recording's start, unless
    both files have the seconds of one clock.
    """
    found: list[tuple[float, float]] = []
    with opened(path) as raw:
        table = Table(raw, path)
        time_place, place = time_column(table), table.find(*SPO2_PCT)
        assert place is not None
        if time_place is None:
            raise TableError(f"{path}: line {table.header_line}: {table.missing('t_s')}")
        moments = Moments(table.header[time_place], table.numbers)
        for rows, cells in enumerate(table.rows()):
            if rows >= ROWS_MAX:
                raise TableError(f"{path}: more than {ROWS_MAX} rows. Cut it into parts")
            if not cells[place]:
                continue
            t_s = _time(table, moments, cells[time_place], found)
            spo2_pct = read_value(table, "spo2_pct", cells[place], REFERENCE_PCT)
            if t_s is not None:
                found.append((t_s, spo2_pct))
        table.problems.check()
    if moments.kind == "number":
        distances = [after[0] - before[0] for before, after in pairwise(found)]
        why = wrong_unit(distances, quoted(moments.name), moments.unit_s, table.comments)
        if why:
            raise TableError(f"{path}: {why}")
    start_s = _start_s(recording, moments, path)
    return _each_second([(t_s - start_s, pct) for t_s, pct in found])


def _time(table: Table, moments: Moments, cell: str, found: list[tuple[float, float]]) -> float | None:
    try:
        t_s = moments.read(cell)
        if moments.unit_s is None and moments.kind == "number":
            raise ValueError("the column of times does not name its unit. Call it t_s or t_ms")
        if found and t_s <= found[-1][0]:
            raise ValueError(moments.backwards(cell))
    except ValueError as error:
        table.problems.add(f"line {table.line}: t_s: {error}")
        return None
    return t_s


def _start_s(recording: Recording, moments: Moments, path: Path) -> float:
    """The recording's start in the reference's times."""
    if moments.kind not in ("", "number") and moments.kind != recording.kind:
        raise TableError(
            f"{path}: its times are written as {moments.kind}, those of the recording as"
            f" {recording.kind or 'none'}. Write both alike"
        )
    if recording.kind == moments.kind:
        return recording.start_s or 0.0
    return 0.0


def _each_second(found: list[tuple[float, float]]) -> dict[int, float]:
    """The value at each whole second: as it stands, or between two values at most REFERENCE_STEP_S apart."""
    spo2 = {int(t_s): pct for t_s, pct in found if t_s == int(t_s)}
    for (before_s, before), (after_s, after) in pairwise(found):
        if after_s - before_s > REFERENCE_STEP_S:
            continue
        for second in range(math.ceil(before_s), math.floor(after_s) + 1):
            share = (second - before_s) / (after_s - before_s)
            spo2.setdefault(second, before + (after - before) * share)
    return spo2


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
