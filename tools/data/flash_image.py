"""The files of a flash image at one instant, also while a virtual wearable writes to it.

A plain read takes a while, and what the wearable writes meanwhile is seen in part: such a copy was never on the flash,
and LittleFS may call it corrupt. Two reads in a row that are equal show what was there at the instant between them:
at worst in the middle of one write, as after a power cut, and LittleFS reads that.
"""

import contextlib
import fcntl
from pathlib import Path

from littlefs import LittleFS
from littlefs.context import UserContext

SECTOR = 4096
# MicroPython's cache. It keeps files of up to an eighth of a sector among the metadata; a reader with a smaller cache
# than the writer's takes such a file for corrupt once it is longer than that cache.
CACHE = 4 * 256
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


def mounted(image: bytes) -> LittleFS:
    """Mount a copy of an image, so that its bytes cannot change; LittleFSError when no file system is there."""
    content = bytearray(image[: len(image) // SECTOR * SECTOR])
    context = UserContext(len(content))
    context.buffer = content
    files = LittleFS(
        context=context,
        mount=False,
        block_size=SECTOR,
        block_count=0,
        read_size=256,
        prog_size=256,
        cache_size=CACHE,
    )
    files.mount()
    return files
