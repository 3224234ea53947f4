"""A simulated air for one wearable in simulated time: a participant like the wearable itself, and started before it.

In real time the wearable starts its own (tools/virtual_wearable/radio.py).
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

from tools.conductor.conductor import Conductor
from tools.rig.micropython import ROOT
from tools.virtual_wearable.radio import AirError

NAME = "air"
_STOP_S = 10.0


class OwnAir:
    """Runs until `close`; AirError when it does not start.

    `chip_path` is for a wearable's `--air`, `hci` the transport by which a host joins.
    """

    def __init__(self, owner: Conductor, log: IO[str]) -> None:
        self._owner = owner
        self._folder = tempfile.mkdtemp(prefix="air-")  # a unix socket's path must be short
        self.chip_path = Path(self._folder, "chip")
        owner.expect(NAME)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.conductor.run_air", owner.path, NAME, self._folder],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        self.hci = self._process.stdout.readline().removeprefix("READY ").strip()
        if not self.hci:
            self.close()
            raise AirError("the simulated air did not start")

    def close(self) -> None:
        """End it, between two turns."""
        self._owner.forget(NAME)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process.kill()
        self._process.wait(_STOP_S)
        shutil.rmtree(self._folder, ignore_errors=True)
