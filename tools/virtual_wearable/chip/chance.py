"""Random bytes that come from a seed: the same in every run. Runs on MicroPython."""

import hashlib


class Chance:
    """The chip's random source, drawn from a seed: the same bytes in every run."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._drawn = 0

    def urandom(self, count: int) -> bytes:
        """As `os.urandom`."""
        out = b""
        while len(out) < count:
            self._drawn += 1
            out += hashlib.sha256(self._seed + self._drawn.to_bytes(8, "little")).digest()
        return out[:count]
