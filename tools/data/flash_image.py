"""The bytes of a flash image at one instant, also while a virtual wearable writes to it.

A plain read takes a while, and what the wearable writes meanwhile is seen in part: such a copy was never on the flash,
and LittleFS may call it corrupt. Two reads in a row that are equal show what was there at the instant between them:
at worst in the middle of one write, as after a power cut, and LittleFS reads that.
"""

import contextlib
import fcntl
from pathlib import Path

READS_MAX = 1000  # a read takes a millisecond, and a wearable writes a few times a second


class RestlessImageError(Exception):
    """The image changed during every read; the message says what to do."""


def at_one_instant(path: Path) -> bytes:
    """Return what the image held at one instant; OSError, or RestlessImageError when it never comes to rest."""
    before = path.read_bytes()
    for _ in range(READS_MAX):
        now = path.read_bytes()
        if now == before:
            return now
        before = now
    raise RestlessImageError(
        f"{path}: changed during each of {READS_MAX} reads. Stop the wearable that writes it, then try again."
    )


def is_in_use(path: Path) -> bool:
    """Whether a virtual wearable runs on this image now."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
