"""Numbers as people and their programs write them; what can be read in two ways is refused, never guessed."""

import math
import re

from tools.data.table.problems import quoted

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
# "36." is refused: it is how a cell looks that was cut off
_WITH_COMMA = re.compile(r"([+-]?)([0-9]*),([0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
MISSING_WORDS = frozenset({"nan", "na", "n/a", "null", "none", "-", "--", "---"})


class Numbers:
    """Reads the numbers of one file. It has one decimal sign, comma or point, which its first number shows."""

    def __init__(self) -> None:
        self._sign = ""

    def read(self, cell: str) -> float:
        """The number in a cell without blanks around it; ValueError with the reason, also for inf and nan."""
        if _NUMBER.fullmatch(cell):
            if "." in cell:
                self._decimal(".", cell)
            value = float(cell)
            if not math.isfinite(value):
                raise ValueError(f"{quoted(cell)} is too large")
            return value
        cell = cell.replace("\N{MINUS SIGN}", "-")
        comma = _WITH_COMMA.fullmatch(cell)
        if comma:
            # 1,234 is a thousand somewhere and a little more than one elsewhere; 0,234 and 37,5 are clear.
            clear = len(comma[3]) != 3 or len(comma[2]) > 3 or comma[2] in ("", "0")
            if not clear and self._sign != ",":
                raise ValueError(
                    f"{quoted(cell)} can be read in two ways. Write a decimal point, and no sign between thousands"
                )
            self._decimal(",", cell)
            return self.read_plain(cell.replace(",", "."))
        return self.read_plain(cell)

    def read_plain(self, cell: str) -> float:
        """A number with a decimal point, whatever the file's sign is."""
        if not _NUMBER.fullmatch(cell):
            raise ValueError(f"{quoted(cell)} is not a number")
        return float(cell)

    def _decimal(self, sign: str, cell: str) -> None:
        if self._sign and self._sign != sign:
            raise ValueError(
                f"{quoted(cell)}: the file has decimal commas and decimal points. Use one of them throughout"
            )
        self._sign = sign
