"""The bedside laptop of a soak: the real agent under a clock that can be stepped and on a disk that can be full."""

import resource
import signal
import sys
import time
from pathlib import Path

from tools.lab.soak import stepped_agent
from tools.rig.image import CUSTODIAN
from tools.rig.laptop import Laptop

_NO_LIMIT = resource.RLIM_INFINITY


class HarmedLaptop(Laptop):
    """Enrolled as custodian; everything done to its agent is done to the process itself."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, CUSTODIAN)
        self._clock = folder / "clock"
        self._began_ms = time.time_ns() // 1_000_000
        self.offset_ms = 0
        self.step_clock(0)
        self.agent_command = [sys.executable, "-m", "tools.lab.soak.stepped_agent", str(self._clock)]

    def stop(self, how: int = signal.SIGTERM) -> int | None:
        """As Laptop.stop, also when the agent is suspended."""
        self.send(signal.SIGCONT)
        return super().stop(how)

    def send(self, number: int) -> None:
        """A signal to the agent, if there is one."""
        if self.agent is not None:
            self.agent.send_signal(number)

    def step_clock(self, by_ms: int) -> None:
        """The wall clock is wrong by so much more from now on."""
        self.offset_ms += by_ms
        stepped_agent.write(self._clock, self._began_ms, self.offset_ms)

    def limit_files(self, size: int | None) -> None:
        """From now on no file of the agent can be written beyond `size` bytes (None: without a limit again)."""
        if self.agent is not None and self.agent.poll() is None:
            soft = _NO_LIMIT if size is None else size
            resource.prlimit(self.agent.pid, resource.RLIMIT_FSIZE, (soft, _NO_LIMIT))

    def wal_size(self) -> int:
        """Bytes of what SQLite appends to."""
        wal = Path(f"{self.database}-wal")
        return wal.stat().st_size if wal.exists() else 0

    def ended_by_itself(self) -> str:
        """How the agent ended without being asked, with its last words; empty while it runs or was ended by us."""
        code = self.agent.poll() if self.agent is not None else None
        return "" if code is None else f"exit {code}: ...{self.log.read_text()[-600:]}"
