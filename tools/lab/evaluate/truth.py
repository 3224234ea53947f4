"""The true fevers, hypoxaemia and life-threatening pattern of the simulated body.

A fever is a run of oral temperature at or above 38.00 °C that lasts 30 min or longer; a shorter run is true but brief.
An alarm is false when its claim was not true at any time within 10 min of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crs_core import codes

from tools.lab.evaluate.body import STEP_S, Body

FEVER_CC = 3800
FEVER_S = 30 * 60
NEAR_S = 10 * 60
LOW_S = 5 * 60  # a shorter time of true saturation below the limit is a dip
LOW_TENTHS = {codes.PRIORITY_MEDIUM: 920, codes.PRIORITY_HIGH: 900}
HOT_CC = 3900
FAST_BPM = 120

TRUE = "true"
BRIEF = "brief"
FALSE = "false"


@dataclass(frozen=True)
class Span:
    """From `start_s` up to but not including `end_s`."""

    start_s: int
    end_s: int

    @property
    def length_s(self) -> int:
        return self.end_s - self.start_s

    def is_near(self, start_s: int, end_s: int, near_s: int = NEAR_S) -> bool:
        """True when it and the other span come within `near_s` of each other."""
        return self.start_s <= end_s + near_s and start_s - near_s <= self.end_s


def spans(values: Sequence[int], test: Callable[[int], bool]) -> list[Span]:
    """Every run of values that pass the test, by step."""
    found: list[Span] = []
    start: int | None = None
    for i, one in enumerate(values):
        if test(one):
            start = i if start is None else start
        elif start is not None:
            found.append(Span(start * STEP_S, i * STEP_S))
            start = None
    if start is not None:
        found.append(Span(start * STEP_S, len(values) * STEP_S))
    return found


@dataclass
class Truth:
    """The runs of one body by kind."""

    fevers: list[Span]
    brief_fevers: list[Span]
    low: dict[int, list[Span]]  # priority of the claim: runs of true saturation below its limit
    pattern: list[Span]  # two of hot, low, fast


def of(body: Body) -> Truth:
    """Work out the truth of one body."""
    hot_runs = spans(body.oral_cc, lambda cc: cc >= FEVER_CC)
    two = [
        (cc >= HOT_CC) + (tenths < LOW_TENTHS[codes.PRIORITY_HIGH]) + (bpm > FAST_BPM)
        for cc, tenths, bpm in zip(body.oral_cc, body.spo2_tenths, body.hr_bpm, strict=True)
    ]
    return Truth(
        fevers=[one for one in hot_runs if one.length_s >= FEVER_S],
        brief_fevers=[one for one in hot_runs if one.length_s < FEVER_S],
        low={
            priority: spans(body.spo2_tenths, lambda tenths, limit=limit: tenths < limit)  # type: ignore[misc]
            for priority, limit in LOW_TENTHS.items()
        },
        pattern=spans(two, lambda count: count >= 2),
    )


def verdict(truth: Truth, alarm: int, priority: int, start_s: int) -> str:
    """TRUE, BRIEF or FALSE for an alarm that began at `start_s`, whenever it ended."""

    def near(found: list[Span]) -> bool:
        return any(one.is_near(start_s, start_s) for one in found)

    if alarm in (codes.FEVER, codes.POSSIBLE_FEVER, codes.MEASURE_BP):
        return TRUE if near(truth.fevers) else BRIEF if near(truth.brief_fevers) else FALSE
    if alarm == codes.HYPOXAEMIA:
        runs = truth.low[priority]
        long_runs = [one for one in runs if one.length_s >= LOW_S]
        return TRUE if near(long_runs) else BRIEF if near(runs) else FALSE
    if alarm == codes.LIFE_THREATENING:
        return TRUE if near(truth.pattern) else FALSE
    return FALSE  # no simulated patient loses the pulse
