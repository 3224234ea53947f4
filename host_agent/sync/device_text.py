"""Text from a wearable between frames: cleaned for the log, and searched for a Python prompt."""

from collections.abc import Callable

_LINE_MAX = 200  # characters of one log line
_LINES_PER_FEED = 20
_TAIL_BYTES = 64
# A prompt at the start of a line; the banner of the raw prompt; or the agent's own HELLO, echoed by a line editor. The
# echo is escaped as only this direction is: a wearable's HELLO that lost its flag has bytes below 0x20 there.
_PROMPTS = (b"\n>>> ", b"\r>>> ", b"raw REPL; CTRL-B", b"CWHL}")


class DeviceText:
    """Collects text across reads; `on_line` gets printable lines, cut to a length."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._tail = b"\n"
        self._line = b""

    def feed(self, data: bytes) -> bool:
        """Take in text; True when it contains a prompt, also one that two reads cut."""
        seen = self._tail + data
        self._tail = seen[-_TAIL_BYTES:]
        lines = (self._line + data).split(b"\n")
        self._line = lines.pop()[:_LINE_MAX]
        for line in lines[:_LINES_PER_FEED]:
            text = clean(line)
            if text:
                self._on_line(text)
        return any(prompt in seen for prompt in _PROMPTS)


def clean(raw: bytes) -> str:
    """One line as printable ASCII, other bytes as dots: control codes must not reach a terminal through the log."""
    text = raw.strip()[:_LINE_MAX].decode("ascii", "replace")
    return "".join(c if " " <= c <= "~" else "." for c in text)
