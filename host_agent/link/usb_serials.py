"""USB serial numbers of boards that proved to be enrolled wearables: a board is found again at any port.

When the file cannot be read or written, only this convenience is lost.
"""

import json
import logging
import os
from pathlib import Path

from host_agent.plain_file import open_plain, read_plain

_LOG = logging.getLogger(__name__)
_MOST = 64


class Remembered:
    """The list in `path`, the newest last; beyond 64 the oldest is dropped."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.serials: list[str] = self._load()

    def add(self, usb_serial: str) -> None:
        """Remember one serial number; the file is replaced in one step."""
        if usb_serial in self.serials:
            return
        self.serials = [*self.serials, usb_serial][-_MOST:]
        fresh = self._path.with_suffix(".new")
        try:
            fresh.unlink(missing_ok=True)
            with os.fdopen(open_plain(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "w") as file:
                json.dump(self.serials, file)
            os.replace(fresh, self._path)  # noqa: PTH105 atomic on every system
        except OSError as error:
            _LOG.warning("%s: not written (%s)", self._path, error.strerror)

    def _load(self) -> list[str]:
        try:
            found = json.loads(read_plain(self._path))
        except (OSError, ValueError):
            return []
        return [item for item in found if isinstance(item, str)][-_MOST:] if isinstance(found, list) else []
