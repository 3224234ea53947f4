"""The chip's standard streams: text is cooked by the board, `.buffer` passes bytes as they are. Runs on MicroPython.

Everything leaves through one terminal, so order is kept. Bytes of `.buffer` stand between two marks that the
supervisor knows and takes away; what stands outside is text, and its newlines become CR LF as on a real port.
"""

import io
import sys

_MP_STREAM_POLL_FILENO = 10
_PIECE = 512
wrote = None  # simulated time: called when something has left through the port
_out = sys.stdout


class RawOut(io.IOBase):
    """`sys.stdout.buffer`: bytes leave unchanged."""

    def __init__(self, mark: bytes) -> None:
        self._open = mark + b"<"
        self._close = mark + b">"
        self._raw = _out.buffer

    def write(self, buf, *limits) -> int:
        """Write all of `buf`, or `write(buf, count)`, or `write(buf, start, count)`; blocks as a port does."""
        view = memoryview(buf)
        if limits:
            start = limits[0] if len(limits) > 1 else 0
            view = view[start : start + limits[-1]]
        count = len(view)
        for start in range(0, count, _PIECE):
            self._raw.write(self._open + bytes(view[start : start + _PIECE]) + self._close)
        if wrote is not None:
            wrote()
        return count

    def flush(self) -> None:
        """Nothing is held back."""

    def fileno(self) -> int:
        """The descriptor of the terminal, for select.poll."""
        return 1

    def ioctl(self, request: int, arg: int) -> int:
        """Let select.poll look at the terminal."""
        return 1 if request == _MP_STREAM_POLL_FILENO else 0


class TextOut(io.IOBase):
    """`sys.stdout`: text, with `.buffer` for bytes."""

    def __init__(self, mark: bytes) -> None:
        self.buffer = RawOut(mark)

    def write(self, text) -> int:
        """Write text; the board turns \\n into \\r\\n."""
        if wrote is not None:
            wrote()
        return _out.write(text)

    def flush(self) -> None:
        """Nothing is held back."""

    def fileno(self) -> int:
        """The descriptor of the terminal, for select.poll."""
        return 1

    def ioctl(self, request: int, arg: int) -> int:
        """Let select.poll look at the terminal."""
        return 1 if request == _MP_STREAM_POLL_FILENO else 0


class ModuleCopy:
    """A built-in module with some names replaced; built-in modules themselves cannot be changed."""


def copy_of(module, **replaced):
    """Return an object with all names of `module`, and those in `replaced` instead of its own."""
    copy = ModuleCopy()
    for name in dir(module):
        if not name.startswith("__") or name == "__name__":
            setattr(copy, name, getattr(module, name))
    for name, value in replaced.items():
        setattr(copy, name, value)
    return copy
