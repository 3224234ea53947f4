"""Convert samples of any rate to the 25 a second that the chain expects; memory does not grow with the recording."""

from collections.abc import Iterable, Iterator
from fractions import Fraction

from tools.data.ppg_replay.recording import Sample

OUT_HZ = 25
MIN_HZ, MAX_HZ = 10, 1000
Count = tuple[int, int] | None  # (red, infrared); None: lost


def to_25_hz(samples: Iterable[Sample], rate_hz: Fraction) -> Iterator[Count]:
    """ceil(25 x duration) samples in whole counts.

    From a faster rate: the mean over each 40 ms, as the sensor's own averaging does. A sample across a border counts in
    proportion; the last mean is over the rest. From a slower rate: straight lines between neighbours, and the last
    value to the end. A result that needs a lost sample is lost, too.
    """
    yield from _averaged(samples, rate_hz) if rate_hz >= OUT_HZ else _interpolated(samples, rate_hz)


def _averaged(samples: Iterable[Sample], rate_hz: Fraction) -> Iterator[Count]:
    # Whole numbers only, so that no rate drifts: an input lasts `per_in`, an output `per_out`.
    per_out, per_in = (rate_hz / OUT_HZ).as_integer_ratio()
    red = infrared = 0.0
    room, lost = per_out, False
    for sample in samples:
        left = per_in
        while left:
            part = min(left, room)
            if sample is None:
                lost = True
            else:
                red += part * sample[0]
                infrared += part * sample[1]
            left -= part
            room -= part
            if not room:
                yield None if lost else (int(red / per_out), int(infrared / per_out))
                red = infrared = 0.0
                room, lost = per_out, False
    if room < per_out:
        taken = per_out - room
        yield None if lost else (int(red / taken), int(infrared / taken))


def _interpolated(samples: Iterable[Sample], rate_hz: Fraction) -> Iterator[Count]:
    step, per_in = (rate_hz / OUT_HZ).as_integer_ratio()
    before: Sample = None
    place = 0  # of the next output, counted from `before`; the next input is at `per_in`
    first = True
    for sample in samples:
        while not first and place < per_in:
            yield _between(before, sample, place / per_in) if place else _between(before, before, 0)
            place += step
        place -= 0 if first else per_in
        before, first = sample, False
    while not first and place < per_in:
        yield _between(before, before, 0)
        place += step


def _between(a: Sample, b: Sample, part: float) -> Count:
    if a is None or b is None:
        return None
    return (int(a[0] + (b[0] - a[0]) * part), int(a[1] + (b[1] - a[1]) * part))
