"""The wearable's radio as seen from the board: which stack it has, and the air that it is on."""

import contextlib
import hashlib
import select
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROFILES = ("nimble", "btstack")
_START_S = 20.0
_STOP_S = 5.0
_ROOT = Path(__file__).resolve().parents[2]


class AirError(Exception):
    """The air did not start; the message says what it printed."""


class Radio:
    """`profile` is one of PROFILES; `chip_path` the socket of an air that runs, None: start one (see tools/ble_air).

    `hci` names the transport by which a host joins an air started here; "" for somebody else's.
    """

    def __init__(self, profile: str, chip_path: Path | None, chip_id: str) -> None:
        self.profile = profile
        digest = hashlib.sha256(b"address" + chip_id.encode()).digest()
        # a static random address has its two highest bits set (Core specification, volume 6, part B, 1.3.2.1)
        self.address = ":".join(f"{byte:02X}" for byte in (digest[0] | 0xC0, *digest[1:6]))
        self.hci = ""
        self._process: subprocess.Popen[str] | None = None
        self._folder: str | None = None
        self._chip_path = chip_path or self._start()

    def environment(self) -> dict[str, str]:
        """Variables that tell the chip which radio it has."""
        return {"VW_BLE": self.profile, "VW_AIR": str(self._chip_path), "VW_BLE_ADDRESS": self.address}

    def _start(self) -> Path:
        self._folder = tempfile.mkdtemp(prefix="air-")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.ble_air", self._folder],
            cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], _START_S)
        words = self._process.stdout.readline().split() if ready else []
        if words[:1] != ["READY"]:
            self.close()
            raise AirError(f"the simulated air did not start within {_START_S:g} s")
        self.hci = words[1]
        return Path(self._folder) / "chip"

    def close(self) -> None:
        """End an air that was started here."""
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_S)
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    stream.close()
            self._process = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
