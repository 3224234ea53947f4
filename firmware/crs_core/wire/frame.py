"""Serial frames: 0x7E, stuffed (payload, CRC-32 little-endian), 0x7E, in the manner of RFC 1662 octet stuffing.

`encode(payload, to_device)` -> bytes for the port.
`Decoder(max_payload).feed(data)` -> list of `("frame", payload)` and `("text", bytes)` in order of arrival. Bytes
outside frames (the board's REPL, a traceback) are text. The decoder keeps at most one candidate frame of bounded size
and never raises. It counts what it drops. `flush()` gives up a half-received candidate.
"""

import binascii
import struct

from crs_core.compat import const
from crs_core.errors import LocalError

FLAG = b"\x7e"
ESCAPE = b"\x7d"
_FLIP = const(0x20)
_CRC_BYTES = const(4)
OVERHEAD_BYTES = const(6)  # two flags and the CRC; stuffing adds one byte per byte at worst
TEXT_TAIL_BYTES = const(
    512
)  # of a spoiled candidate that reads as text, at most these last bytes are returned

# No frame to the device contains a byte below 0x20: 0x03 is Ctrl-C there and belongs to mpremote.
_to_device_table: list[
    bytes
] = []  # made at first use: only hosts send in this direction, and a board's heap is small
_UNFLIP = bytes([b ^ _FLIP for b in range(256)])
_TEXT_CONTROLS = b"\t\n\r\x1b"


def _make_table() -> list[bytes]:
    for b in range(256):
        escaped = b < 0x20 or b in (0x7D, 0x7E)
        _to_device_table.append(bytes([0x7D, b ^ _FLIP]) if escaped else bytes([b]))
    return _to_device_table


def encode(payload: bytes, to_device: bool) -> bytes:
    """Frame `payload` (1 byte or more) for one direction; LocalError when it is empty."""
    if not payload:
        raise LocalError("an empty payload cannot be framed")
    content = payload + struct.pack("<I", binascii.crc32(payload))
    if to_device:
        table = _to_device_table or _make_table()
        stuffed = b"".join([table[b] for b in content])
    else:
        stuffed = content.replace(b"\x7d", b"\x7d\x5d").replace(b"\x7e", b"\x7d\x5e")
    return FLAG + stuffed + FLAG


def _unstuff(candidate: bytes) -> bytes | None:
    """Undo the escapes; None when an escape stands before a flag or another escape."""
    pieces = candidate.split(ESCAPE)
    if len(pieces) == 1:
        return candidate
    whole = [pieces[0]]
    for piece in pieces[1:]:
        if not piece:
            return None
        whole.append(_UNFLIP[piece[0] : piece[0] + 1])
        whole.append(piece[1:])
    return b"".join(whole)


def _reads_as_text(piece: bytes) -> bool:
    # ASCII only: the rest of a sealed message is full of other bytes.
    for b in piece:
        if b > 0x7E or (b < 0x20 and b not in _TEXT_CONTROLS):
            return False
    return True


class Decoder:
    """Finds frames of at most `max_payload` bytes in a byte stream; counts bad_crc, bad_escape, oversize, too_short,
    text_bytes. A flag that ends a spoiled candidate opens the next one, so one lost byte costs one frame."""

    def __init__(self, max_payload: int) -> None:
        self._max_payload = max_payload
        self._max_candidate = 2 * (max_payload + _CRC_BYTES)
        self._candidate = bytearray()
        self._inside = False  # a flag was seen and no whole frame since
        self._spoiled = False  # inside, and already counted as oversize
        self.bad_crc = 0
        self.bad_escape = 0
        self.oversize = 0
        self.too_short = 0
        self.text_bytes = 0

    def counters(self) -> dict[str, int]:
        """The counts by name."""
        return {
            "bad_crc": self.bad_crc,
            "bad_escape": self.bad_escape,
            "oversize": self.oversize,
            "too_short": self.too_short,
            "text_bytes": self.text_bytes,
        }

    def feed(self, data: bytes) -> list[tuple[str, bytes]]:
        """Take the next bytes from the line, however they are cut; return what became whole."""
        found: list[tuple[str, bytes]] = []
        start = 0
        while True:
            flag_at = data.find(FLAG, start)
            piece = data[start:] if flag_at < 0 else data[start:flag_at]
            if piece:
                self._take(bytes(piece), found)
            if flag_at < 0:
                return found
            self._end_candidate(found)
            start = flag_at + 1

    def flush(self) -> list[tuple[str, bytes]]:
        """Forget a half-received candidate (link gone, or quiet for long); return its text if it reads as text."""
        found: list[tuple[str, bytes]] = []
        if self._candidate:
            self._surface(bytes(self._candidate), found)
        self._candidate = bytearray()
        self._inside = False
        self._spoiled = False
        return found

    def _take(self, piece: bytes, found: list[tuple[str, bytes]]) -> None:
        if not self._inside:
            self.text_bytes += len(piece)
            found.append(("text", piece))
            return
        self._candidate.extend(piece)
        if not self._spoiled and len(self._candidate) > self._max_candidate:
            self.oversize += 1
            self._spoiled = True
            self._surface(bytes(self._candidate[: self._max_candidate]), found)
            self._candidate = self._candidate[self._max_candidate :]
        if self._spoiled:
            self._pass_lines(found)

    def _pass_lines(self, found: list[tuple[str, bytes]]) -> None:
        """A board that died inside a frame may go on writing text without a flag: return its lines."""
        waiting = bytes(self._candidate)
        start = 0
        while True:
            end = waiting.find(b"\n", start, start + TEXT_TAIL_BYTES) + 1
            if not end:
                end = start + TEXT_TAIL_BYTES
                if end > len(waiting):
                    break
            self._surface(waiting[start:end], found)
            start = end
        self._candidate = bytearray(waiting[start:])

    def _end_candidate(self, found: list[tuple[str, bytes]]) -> None:
        if not self._inside:
            self._inside = True
            return
        if not self._candidate:
            self._spoiled = False
            return  # a second flag in a row
        candidate = bytes(self._candidate)
        self._candidate = bytearray()
        if self._spoiled:
            self._spoiled = False
            self._surface(candidate, found)
            return
        content = _unstuff(candidate)
        if content is None:
            self.bad_escape += 1
        elif len(content) <= _CRC_BYTES:
            self.too_short += 1
        elif len(content) - _CRC_BYTES > self._max_payload:
            self.oversize += 1
        else:
            payload = content[:-_CRC_BYTES]
            if binascii.crc32(payload) == struct.unpack("<I", content[-_CRC_BYTES:])[0]:
                self._inside = False
                found.append(("frame", payload))
                return
            self.bad_crc += 1
        self._surface(candidate, found)

    def _surface(self, spoiled: bytes, found: list[tuple[str, bytes]]) -> None:
        tail = spoiled[-TEXT_TAIL_BYTES:]
        if _reads_as_text(tail):
            self.text_bytes += len(tail)
            found.append(("text", tail))
