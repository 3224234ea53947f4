"""How far apart the rows of a recording are: holes in an even recording, and times counted in another unit."""

from collections.abc import Sequence
from statistics import median

HOLE_ROWS = 2.5  # more than so many ordinary distances are missing rows
EVEN_SHARE = 0.8  # of the distances lie near the ordinary one
_NEAR = 0.1
_NEIGHBOURS = 4  # distances on each side: where the rate itself changes nothing is missing
_ROWS_MIN = 8
CLOSEST_S = 0.03  # no device tells its signs so often
# rows of a device that samples 25, 10, 8, 5 or 4 times a second, counted in milliseconds; charts have none of these
_MS_STEPS = (40.0, 100.0, 125.0, 200.0, 250.0)
_EXACT = 0.03


def even_step_s(distances: Sequence[float]) -> float | None:
    """The distance that most rows have from the row before; None when the rows are not evenly apart, or too few."""
    if len(distances) < _ROWS_MIN:
        return None
    step_s = median(distances)
    near = sum(abs(distance - step_s) <= _NEAR * step_s for distance in distances)
    return step_s if near >= EVEN_SHARE * len(distances) else None


def holes(distances: Sequence[float]) -> list[int]:
    """Places of the distances that hide missing rows."""
    if even_step_s(distances) is None:
        return []
    found = []
    for at, distance in enumerate(distances):
        sides = distances[max(0, at - _NEIGHBOURS) : at], distances[at + 1 : at + 1 + _NEIGHBOURS]
        if all(distance > HOLE_ROWS * median(side) for side in sides if side):
            found.append(at)
    return found


def wrong_unit(distances: Sequence[float], name: str, unit_s: float | None, comments: Sequence[str]) -> str:
    """Why numbers of the column `name` seem to count in another unit than `unit_s`, with what to change; or ""."""
    if not distances:
        return ""
    step_s = median(distances)
    if step_s < CLOSEST_S:
        return f"rows {step_s:.2g} s apart: {name} does not count seconds. Excel counts days: t_d"
    for ms in _MS_STEPS if unit_s == 1.0 else ():
        stated = f"step {ms:g} s"
        if even_step_s(distances) and abs(step_s / ms - 1) < _EXACT and stated not in comments:
            return (
                f"rows {step_s:g} s apart may be {1000 / ms:g} rows a second with {name} in milliseconds. Call it t_ms,"
                f" or write the line '# {stated}' on top when it counts seconds"
            )
    return ""
