"""The keys of all enrolled wearables, read anew each time, so that an enrolment counts at once."""

import logging
from collections.abc import Mapping
from pathlib import Path

from host_agent.keys import keyfile
from host_agent.keys.keyfile import DeviceKey

_LOG = logging.getLogger(__name__)


class EnrolledKeys:
    """Call it for the keys. `errors` are sentences about key files that cannot be used, as of the last call."""

    def __init__(self, folder: Path) -> None:
        self.errors: list[str] = []
        self._folder = folder

    def __call__(self) -> Mapping[bytes, DeviceKey]:
        """Device id → key. A file that cannot be used is left out, and logged once."""
        found, errors = keyfile.load_all(self._folder)
        texts = [f"{error} {error.advice}" for error in errors]
        if texts != self.errors:
            self.errors = texts
            for text in texts:
                _LOG.error("key file left out: %s", text)
        return found
