"""The bedside laptop of a soak: the real agent under a clock that can be stepped and on a disk that can be full."""

import resource
import signal
import sys
from pathlib import Path

from tools.lab.soak import stepped_agent
from tools.rig.image import CUSTODIAN
from tools.rig.laptop import Laptop
from tools.rig.waiting import conductor, utc_s

_NO_LIMIT = resource.RLIM_INFINITY


class HarmedLaptop(Laptop):
    """Enrolled as custodian; everything done to its agent is done to the process itself."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, CUSTODIAN)
        self._clock = folder / "clock"
        self._began_ms = int(utc_s() * 1000)
        self.offset_ms = 0
        self.step_clock(0)
        self.agent_command = [sys.executable, "-m", "tools.lab.soak.stepped_agent", str(self._clock)]
        self.agent_options = ["--with", f"{stepped_agent.__name__}:install:{self._clock}"]

    def stop(self, how: int = signal.SIGTERM) -> int | None:
        """As Laptop.stop, also when the agent is suspended."""
        self.suspend(False)
        return super().stop(how)

    def suspend(self, is_suspended: bool = True) -> None:
        """The lid is closed, or opened again."""
        if owner := conductor():
            owner.suspend(self.agent_name, is_suspended)
        elif self.agent is not None:
            self.agent.send_signal(signal.SIGSTOP if is_suspended else signal.SIGCONT)

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
        if self.agent is None or ((owner := conductor()) and owner.is_here(self.agent_name)):
            return ""
        code = self.agent.wait() if owner else self.agent.poll()
        return "" if code is None else f"exit {code}: ...{self.log.read_text()[-600:]}"
