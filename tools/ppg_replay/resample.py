"""Bring samples of any rate to the chain's 25 Hz, as the sensor does: each output is a mean over its 40 ms.

Below 25 Hz there is nothing to average: straight lines between the middles of the samples. A lost sample makes every
output that it would have had a part in a lost one.
"""

from collections.abc import Iterable, Iterator

from tools.ppg_replay.samples import Sample

OUT_HZ = 25
RATE_MIN_HZ = 10.0  # a pulse of 250 a minute needs 8.4
RATE_MAX_HZ = 10000.0
_TINY = 1e-9


def resampled(samples: Iterable[Sample], rate_hz: float) -> Iterator[Sample]:
    """Whole outputs only: what is left at the end and fills no 40 ms is dropped. Counts are whole numbers."""
    make = _averaged if rate_hz >= OUT_HZ else _interpolated
    for sample in make(samples, rate_hz / OUT_HZ):
        # the sensor's average drops the fraction; the tiny part keeps 5 fifths of 7 at 7
        yield None if sample is None else tuple(int(value + 1e-6) for value in sample)


def _averaged(samples: Iterable[Sample], step: float) -> Iterator[Sample]:
    """Means over `step` input samples, of which the first and last may have a part."""
    sums: list[float] = []
    is_lost = False
    due = step  # where the output that is being made ends, in input samples
    for index, sample in enumerate(samples):
        at = float(index)
        while at < index + 1 - _TINY:
            end = min(due, index + 1.0)
            if sample is None:
                is_lost = True
            elif not is_lost:
                part = (end - at) / step
                sums = [
                    total + part * value
                    for total, value in zip(sums or [0.0] * len(sample), sample, strict=True)
                ]
            at = end
            if at >= due - _TINY:
                yield None if is_lost else tuple(sums)
                sums, is_lost = [], False
                due += step


def _interpolated(samples: Iterable[Sample], step: float) -> Iterator[Sample]:
    """Values at the middles of the outputs; before the first middle of an input stands its value."""
    before: Sample = None
    wanted = 0.0  # the middle of the next output, in input samples after the middle of the first input
    made = 0
    index = -1
    for index, sample in enumerate(samples):
        if index == 0:
            before = sample
        while wanted <= index + _TINY:
            yield _between(before, sample, wanted - (index - 1)) if wanted > index - 1 + _TINY else before
            made += 1
            wanted = max(0.0, (made + 0.5) * step - 0.5)
        before = sample
    while (made + 1) * step <= index + 1 + _TINY:  # after the last middle
        yield before
        made += 1


def _between(before: Sample, after: Sample, part: float) -> Sample:
    if part >= 1 - _TINY:
        return after
    if before is None or after is None:
        return None
    return tuple(a + (b - a) * part for a, b in zip(before, after, strict=True))
