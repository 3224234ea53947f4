"""Writes a recording, with its origin in comments; an empty one is never written."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from tools.data.table.new_file import new_file
from tools.data.table.problems import TableError

Row = tuple[float, float | None, float | None, float | None, float | None]
HEADER = "t_s,temp_c,spo2_pct,hr_bpm,pi_pct"


def _cell(value: float | None, digits: int) -> str:
    if value is None:
        return ""
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def write_recording(path: Path, source: Path, comments: Sequence[str], rows: Iterable[Row]) -> int:
    """Write rows (t_s, temp_c, spo2_pct, hr_bpm, pi_pct), None = blank; returns how many.

    TableError when no row has a value; the file that was there before stays as it was then.
    """
    count = valued = 0
    with new_file(path, source) as out:
        for comment in comments:
            out.write(f"# {comment}\n")
        out.write(HEADER + "\n")
        for t_s, temp_c, spo2_pct, hr_bpm, pi_pct in rows:
            cells = (_cell(t_s, 3), _cell(temp_c, 2), _cell(spo2_pct, 1), _cell(hr_bpm, 1), _cell(pi_pct, 2))
            out.write(",".join(cells) + "\n")
            count += 1
            valued += spo2_pct is not None or hr_bpm is not None
            valued += temp_c is not None
        if not valued:
            raise TableError(
                f"{source}: it gives no row with a temperature, an SpO2 in percent or a pulse, so nothing was written"
            )
    return count
