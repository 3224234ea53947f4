"""Writes a recording, with its origin in comments."""

from collections.abc import Iterable, Sequence
from pathlib import Path

Row = tuple[float, float | None, float | None, float | None, float | None]
HEADER = "t_s,temp_c,spo2_pct,hr_bpm,pi_pct"


def _cell(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}".rstrip("0").rstrip(".")


def write_recording(path: Path, comments: Sequence[str], rows: Iterable[Row]) -> int:
    """Write rows (t_s, temp_c, spo2_pct, hr_bpm, pi_pct), None = blank; returns how many."""
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as out:
        for comment in comments:
            out.write(f"# {comment}\n")
        out.write(HEADER + "\n")
        for t_s, temp_c, spo2_pct, hr_bpm, pi_pct in rows:
            cells = (_cell(t_s, 3), _cell(temp_c, 2), _cell(spo2_pct, 1), _cell(hr_bpm, 1), _cell(pi_pct, 2))
            out.write(",".join(cells) + "\n")
            count += 1
    return count
