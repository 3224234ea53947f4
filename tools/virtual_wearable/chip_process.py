"""The chip: one MicroPython process per life between resets."""

import ctypes
import fcntl
import os
import re
import signal
import sys
import termios
from pathlib import Path

from tools.virtual_wearable import ptys

PWRON_RESET, HARD_RESET, WDT_RESET, SOFT_RESET = 1, 2, 3, 5
_CHIP_DIR = Path(__file__).resolve().parent / "chip"
_PR_SET_PDEATHSIG = 1
_ADDR_NO_RANDOMIZE = 0x0040000
_SUFFIXES = {"": 1, "K": 1024, "M": 1024 * 1024}
# What the chip's own side (this folder's chip/) takes of the interpreter's heap, where a real chip has silicon and C:
# measured as heap in use before boot.py, less that of a bare interpreter and of the mounted file system.
CHIP_SIDE_BYTES = 30 * 1024
SIMULATED_TIME_BYTES = 12 * 1024  # the same of chip/simulated_time.py and simulated_tasks.py


def interpreter() -> Path:
    """The pinned `micropython` beside this Python."""
    path = Path(sys.executable).parent / "micropython"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: install the extra 'tools' (make setup)")
    return path


def word_scale(heap: str) -> int:
    """How many times as large an object of the interpreter is as on the chip, for a heap as `heap_bytes` takes it."""
    return 2 if "w" in heap else 1  # this is a 64-bit machine


def heap_bytes(heap: str) -> int:
    """Bytes for the interpreter, so that the firmware has `heap`: a number, "w" for 32-bit words, then K or M."""
    match = re.fullmatch(r"([1-9][0-9]*)(w?)([KM]?)", heap)
    if match is None:
        raise ValueError(f"heap {heap!r}: a number, then w for words, then K or M, as in 192wK")
    return int(match[1]) * word_scale(heap) * _SUFFIXES[match[3]] + CHIP_SIDE_BYTES


class ChipProcess:
    """A running chip: `ours` is our end of its terminal, `chips` its own end (kept to look at its state)."""

    def __init__(self, heap: str, environment: dict[str, str], simulated: bool = False) -> None:
        """`simulated`: a conductor owns the time, and nothing of this machine may show in a run."""
        self._simulated = simulated
        self.ours, self.chips = ptys.open_simulated_chip_side() if simulated else ptys.open_chip_side()
        argv = [
            sys.executable,
            str(interpreter()),
            "-X",
            f"heapsize={heap_bytes(heap) + (SIMULATED_TIME_BYTES if simulated else 0)}",
            "-i",
            str(_CHIP_DIR / "start.py"),
        ]
        env = {"PATH": os.environ.get("PATH", ""), "MICROPYPATH": ":.frozen", "VW_CHIP_DIR": str(_CHIP_DIR)}
        env["VW_WORD_SCALE"] = str(word_scale(heap))
        env["PYTHONHASHSEED"] = "0"  # the program that loads the interpreter is Python
        supervisor = os.getpid()
        libc = ctypes.CDLL(None) if sys.platform == "linux" else None
        self.pid = os.fork()
        if self.pid == 0:
            self._become(argv, env | environment, supervisor, libc)
        self.status: int | None = None

    def _become(
        self, argv: list[str], env: dict[str, str], supervisor: int, libc: ctypes.CDLL | None
    ) -> None:
        try:
            if libc is not None:
                libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != supervisor:
                os._exit(1)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            signal.set_wakeup_fd(-1)
            os.setsid()
            if not self._simulated:
                fcntl.ioctl(self.chips, termios.TIOCSCTTY, 0)
            elif libc is not None:
                libc.personality(_ADDR_NO_RANDOMIZE)  # the same addresses, so the collector frees the same
            for fd in (0, 1, 2):
                os.dup2(self.chips, fd)
            os.closerange(3, 256)
            os.execve(argv[0], argv, env)  # noqa: S606 no shell wanted
        finally:
            os._exit(127)

    def unread(self) -> int:
        """Bytes that lie in the terminal and the chip has not read."""
        return ptys.unread(self.chips)

    def processor_s(self) -> float:
        """Processor time that it has used, in seconds."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].split()
        except OSError:  # it has ended
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """Take the power away."""
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)

    def ended(self) -> bool:
        """Whether the process is gone; `status` then holds its wait status."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = status
        return self.status is not None

    def wait(self) -> int:
        """Wait until the process is gone; returns its wait status."""
        if self.status is None:
            self.status = os.waitpid(self.pid, 0)[1]
        return self.status

    def close(self) -> None:
        """Close the terminal."""
        os.close(self.ours)
        os.close(self.chips)
