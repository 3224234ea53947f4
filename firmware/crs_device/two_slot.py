"""A small file that survives a power cut while it is replaced: two slots, the newer valid one counts.

Each slot (`path.0`, `path.1`) is generation u32, length u16, payload, CRC-32 of all before, little-endian. `store`
writes the slot that does not hold the current payload, so the current one is untouched until the new one is whole.
"""

import struct
from binascii import crc32

from crs_core.compat import const

PAYLOAD_MAX = const(4096)


class TwoSlot:
    """One payload of at most 4096 bytes, kept in two files."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._slot = 1  # slot of the current payload; the first store goes to 0
        self._known = False
        self.generation = 0  # 0: nothing stored yet; also counts how often it was stored
        self.damaged = False  # a slot exists that cannot be read

    def _read(self, slot: int) -> tuple[int, bytes] | None:
        data = b""
        for last_try in (False, True):
            try:
                with open("%s.%d" % (self._path, slot), "rb") as f:
                    size = f.seek(0, 2)  # a read of more would take all of that from the heap first
                    f.seek(0)
                    data = f.read(min(size, PAYLOAD_MAX + 11))
                break
            except OSError as error:
                if error.args[0] == 2:  # ENOENT: a slot never written is no damage
                    return None
                if last_try:
                    self.damaged = True
                    return None
        if len(data) >= 10:
            generation, size = struct.unpack_from("<IH", data, 0)
            if size == len(data) - 10 and generation:
                if crc32(memoryview(data)[:-4]) == struct.unpack_from("<I", data, size + 6)[0]:
                    return generation, data[6:-4]
        self.damaged = True
        return None

    def load(self) -> bytes | None:
        """The current payload; None when no slot is readable (`damaged`: unreadable, not just never written)."""
        self.damaged = False
        found = None
        self.generation = 0
        self._slot = 1
        for slot in (0, 1):
            read = self._read(slot)
            if read is not None and read[0] > self.generation:
                self._slot = slot
                self.generation, found = read
        self._known = True
        return found

    def store(self, payload: bytes) -> None:
        """Make `payload` the current one; when this returns it survives a cut. OSError: the old one still counts."""
        if not self._known:
            self.load()
        if len(payload) > PAYLOAD_MAX:
            raise ValueError("payload longer than a slot")
        slot = 1 - self._slot
        data = struct.pack("<IH", self.generation + 1, len(payload)) + payload
        self._known = False  # after a failed write the slots are read again before the next one
        with open("%s.%d" % (self._path, slot), "wb") as f:
            f.write(data + struct.pack("<I", crc32(data)))
        self._slot = slot
        self.generation += 1
        self._known = True
