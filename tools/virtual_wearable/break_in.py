"""Ctrl-C for a running program, without hurting the interpreter.

The unix interpreter raises KeyboardInterrupt straight out of its signal handler, wherever it happens to be: inside its
allocator or in the middle of LittleFS that ruins it. A chip looks for Ctrl-C only between bytecodes, and its LittleFS
calls no Python. So the process is stopped, looked at, and gets the signal only where a chip would have taken it: in the
bytecode loop or in a wait, and not when LittleFS has called our flash driver. Nor while an import asks a file
system written in Python: there it would be swallowed, as it is on a chip, and mpremote says it only once.
"""

import ctypes
import os
import signal
import struct
import time
from enum import Enum
from pathlib import Path
from typing import Protocol

from tools.virtual_wearable.interpreter_code import interpreter_code

_STOP_S = 0.05
_STACK_BYTES = 2560  # LittleFS calls the driver, which is at most four calls deep of 320 bytes each
_STALE_S = 1.5  # no flash operation lasts longer: what then still looks delicate is an old word on the stack
# x86-64 system calls in which a program waits: poll, select and their kin; read of 0 and write of 1; the flash driver
# uses none of these. It does sleep (an erase) and receive (a question to the board).
_POLLS = (7, 23, 232, 270, 271)
_READ, _WRITE = 0, 1
_SLEEPS = (35, 230, 45)
_SYS_TGKILL = 234


class Outcome(Enum):
    """What came of an attempt."""

    DONE = "interrupted"
    BUSY = "not at this moment: try again"
    PROMPT = "no program runs; Ctrl-C is a character"


class Breaker(Protocol):
    """How a Ctrl-C reaches the program on the chip."""

    def begin(self) -> None:
        """A new Ctrl-C has come."""

    def attempt(self) -> Outcome:
        """Try to interrupt now."""


class BreakIn:
    """Interrupts the main thread of one interpreter process."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._proc = Path(f"/proc/{pid}")
        self._libc = ctypes.CDLL(None)
        self._base: int | None = None
        self._since = time.monotonic()

    def begin(self) -> None:
        """A new Ctrl-C has come."""
        self._since = time.monotonic()

    def attempt(self) -> Outcome:
        """Stop the process, look where it is, and signal it if that is a good place."""
        try:
            os.kill(self._pid, signal.SIGSTOP)
            try:
                return self._look_and_signal()
            finally:
                os.kill(self._pid, signal.SIGCONT)
        except (ProcessLookupError, FileNotFoundError):
            return Outcome.PROMPT

    def _look_and_signal(self) -> Outcome:
        deadline = time.monotonic() + _STOP_S
        while self._status("State")[:1] not in ("T", "Z"):
            if time.monotonic() > deadline:
                return Outcome.BUSY
            time.sleep(0)
        if not int(self._status("SigCgt"), 16) >> (signal.SIGINT - 1) & 1:
            return Outcome.PROMPT
        if not self._is_good_place():
            return Outcome.BUSY
        # the main thread, never a timer's
        self._libc.syscall(_SYS_TGKILL, self._pid, self._pid, signal.SIGINT)
        return Outcome.DONE

    def _is_good_place(self) -> bool:
        words = (self._proc / "syscall").read_text().split()
        if words[0] == "running":
            return False
        number, stack, counter = int(words[0]), int(words[-2], 16), int(words[-1], 16)
        if number in _POLLS:
            return True
        if number in (_READ, _WRITE):
            return int(words[1], 16) == number
        start, end = interpreter_code().loop
        in_loop = number == -1 and start <= counter - self._library_base() < end
        return (in_loop or number in _SLEEPS) and not self._is_delicate(stack)

    def _is_delicate(self, stack: int) -> bool:
        """Whether a return address into delicate code lies near the end of the main thread's stack."""
        if time.monotonic() - self._since > _STALE_S:
            return False
        base = self._library_base()
        fd = os.open(self._proc / "mem", os.O_RDONLY)
        try:
            data = os.pread(fd, _STACK_BYTES, stack & ~7)
        finally:
            os.close(fd)
        words = [word - base for (word,) in struct.iter_unpack("<Q", data[: len(data) & ~7])]
        return any(start <= word < end for word in words for start, end in interpreter_code().delicate)

    def _library_base(self) -> int:
        if self._base is None:
            path = interpreter_code().path
            for line in (self._proc / "maps").read_text().splitlines():
                fields = line.split()
                if line.endswith(Path(path).name) and int(fields[2], 16) == 0:
                    self._base = int(fields[0].partition("-")[0], 16)
                    break
            else:
                raise FileNotFoundError(path)
        return self._base

    def _status(self, name: str) -> str:
        """One line of the kernel's view of the process."""
        for line in (self._proc / "status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return line.partition(":")[2].strip()
        return "0"
