"""Terminals: the one that the host opens and the one that the chip believes to be its port."""

import os
import pty
import select
import termios
import tty


def _raw(fd: int, interruptible: bool) -> None:
    tty.setraw(fd)
    settings = termios.tcgetattr(fd)
    off = os.fpathconf(fd, "PC_VDISABLE").to_bytes(1, "little")
    for key in (
        termios.VQUIT,
        termios.VSUSP,
        termios.VSTART,
        termios.VSTOP,
        termios.VLNEXT,
        termios.VDISCARD,
    ):
        settings[6][key] = off
    settings[6][termios.VINTR] = b"\x03"
    settings[3] |= termios.NOFLSH  # Ctrl-C must not throw away what the chip has already sent
    if interruptible:
        settings[3] |= termios.ISIG
    termios.tcsetattr(fd, termios.TCSANOW, settings)


def open_chip_side() -> tuple[int, int]:
    """Return (our end, the chip's end); Ctrl-C becomes an interrupt only once the chip asks for it."""
    ours, chips = pty.openpty()
    _raw(chips, interruptible=False)
    os.set_blocking(ours, False)
    return ours, chips


def is_interruptible(chip_end: int) -> bool:
    """Whether a Ctrl-C now would interrupt a running program (at the prompt it is a character)."""
    return bool(termios.tcgetattr(chip_end)[3] & termios.ISIG)


class HostPort:
    """The port that READY names. Open or not, it keeps its name; what the chip says to nobody is dropped."""

    def __init__(self) -> None:
        self.fd, host_end = pty.openpty()
        _raw(host_end, interruptible=False)
        self.name = os.ttyname(host_end)
        os.close(host_end)  # so that the hang-up state tells whether a host has it open
        os.set_blocking(self.fd, False)
        self._poll = select.poll()
        self._poll.register(self.fd, select.POLLIN)

    def state(self) -> tuple[bool, bool]:
        """Return (a host has the port open, bytes from a host wait)."""
        events = dict(self._poll.poll(0)).get(self.fd, 0)
        return not events & select.POLLHUP, bool(events & select.POLLIN)

    def close(self) -> None:
        """The port vanishes, as when the cable is pulled."""
        os.close(self.fd)
