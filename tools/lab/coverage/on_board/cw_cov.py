"""Mark each statement number the first time it runs, in a file that outlives the process.

`CW_COV_FILE` names a file of one byte per number. Where it is not set, numbers are dropped.
"""

import builtins
import os


class _Marks:
    """One byte in memory and one in the file per statement; a statement costs one look-up once marked."""

    def __init__(self, path: str) -> None:
        self._seen = bytearray(os.stat(path)[6])
        self._file = open(path, "r+b")

    def mark(self, number: int) -> None:
        """Record that statement `number` ran."""
        if not self._seen[number]:
            self._seen[number] = 1
            self._file.seek(number)
            self._file.write(b"1")
            self._file.flush()


if not hasattr(builtins, "__cov__"):
    _path = os.getenv("CW_COV_FILE")
    builtins.__cov__ = _Marks(_path).mark if _path else (lambda number: None)
