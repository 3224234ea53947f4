"""Turn the board's lines into rows of the recording: 25 a second, a blank one for each missing sample."""

from typing import TextIO

PERIOD_MS = 40


class BoardLineError(Exception):
    """A line from the board that is not one of on_board.py; the message quotes it."""


class Rows:
    """Writes `t_s,red,ir` as lines come, at most `limit` rows, lost samples included.

    `samples`, `lost` and `light_changes` count; `ended` is true once the board is done. A simulated board is marked in
    a fourth column, so that nobody mistakes its recording for a person's.
    """

    def __init__(self, out: TextIO, limit: int) -> None:
        self._out = out
        self._limit = limit
        self._t0_ms: int | None = None
        self._hole = False
        self.samples = self.lost = self.light_changes = 0
        self.simulated: bool | None = None
        self.ended = False
        self.fault = ""

    def take(self, line: str) -> None:
        """Take one line of on_board.py; BoardLineError for any other line."""
        kind, _, rest = line.strip().partition(" ")
        try:
            if kind == "S":
                self._burst([int(word) for word in rest.split()])
            elif kind == "G":
                self._hole = True
                self.light_changes += self._t0_ms is not None and int(rest) == 0
            elif kind == "F":
                self.fault = rest
            elif kind == "B":
                self.simulated = rest == "1"
                self._out.write("t_s,red,ir,simulated\n" if self.simulated else "t_s,red,ir\n")
            elif kind == "E":
                self.ended = True
            elif kind:
                raise ValueError(kind)
        except ValueError:
            raise BoardLineError(f"the board said {line.strip()[:80]!r}") from None

    def _burst(self, numbers: list[int]) -> None:
        if len(numbers) < 3 or len(numbers) % 2 == 0 or self.simulated is None:
            raise ValueError("burst")
        now_ms, counts = numbers[0], numbers[1:]
        n = len(counts) // 2
        if self._t0_ms is None:
            self._t0_ms = now_ms - n * PERIOD_MS
        elif self._hole:
            # The board's clock gives the length of a hole; the board may count fewer lost samples than there were.
            missing = round((now_ms - self._t0_ms) / PERIOD_MS) - n - self.samples - self.lost
            for _ in range(max(1, missing)):
                self._row(None)
        self._hole = False
        self.fault = ""
        for i in range(n):
            self._row((counts[2 * i], counts[2 * i + 1]))
        self._out.flush()

    def _row(self, counts: tuple[int, int] | None) -> None:
        at = self.samples + self.lost
        if at >= self._limit:
            return
        red, infrared = ("", "") if counts is None else (str(counts[0]), str(counts[1]))
        self._out.write(f"{at * PERIOD_MS / 1000:.2f},{red},{infrared}{',1' if self.simulated else ''}\n")
        if counts is None:
            self.lost += 1
        else:
            self.samples += 1
