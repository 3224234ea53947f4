"""Terminals: the one that the host opens and the one that the chip believes to be its port."""

import os
import pty
import select
import tty


def open_chip_side() -> tuple[int, int]:
    """Return (our end, the chip's end), raw: Ctrl-C is no signal here, see ChipProcess.interrupt."""
    ours, chips = pty.openpty()
    tty.setraw(chips)
    os.set_blocking(ours, False)
    return ours, chips


class HostPort:
    """The port that READY names. Open or not, it keeps its name; what the chip says to nobody is dropped."""

    def __init__(self) -> None:
        self.fd, host_end = pty.openpty()
        tty.setraw(host_end)
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
