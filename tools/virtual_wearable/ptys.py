"""Terminals: the one that the host opens and the one that the chip believes to be its port."""

import fcntl
import os
import pty
import select
import socket
import sys
import termios
import tty

_ROOM_BYTES = (
    212992  # about 80 pieces of 64 bytes with what the kernel counts around each: as much as a terminal holds
)


def open_chip_side() -> tuple[int, int]:
    """Return (our end, the chip's end), raw: Ctrl-C is no signal here, see ChipProcess.interrupt."""
    ours, chips = pty.openpty()
    tty.setraw(chips)
    os.set_blocking(ours, False)
    return ours, chips


def open_simulated_chip_side() -> tuple[int, int]:
    """The same as sockets: a terminal hands its bytes over a moment after they were written, a socket at once."""
    ours, chips = socket.socketpair()
    for end in (ours, chips):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ROOM_BYTES)
    ours.setblocking(False)
    return ours.detach(), chips.detach()


def unread(fd: int) -> int:
    """Bytes that wait to be read."""
    count = bytearray(4)
    fcntl.ioctl(fd, termios.FIONREAD, count)
    return int.from_bytes(count, sys.byteorder)


class HostPort:
    """The port that READY names. Open or not, it keeps its name; what the chip says to nobody is dropped.

    `given` and `taken` count bytes to and from hosts since it was made, `makings` how often that was.
    """

    makings = 0

    def __init__(self) -> None:
        self._make()

    def make_anew(self) -> None:
        """The cable is pulled: whoever has it open is cut off. The port has another name from now on."""
        before = self.fd
        self._make()
        os.close(before)

    def _make(self) -> None:
        self.makings += 1
        self.fd, host_end = pty.openpty()
        tty.setraw(host_end)
        self.name = os.ttyname(host_end)
        os.close(host_end)  # so that the hang-up state tells whether a host has it open
        os.set_blocking(self.fd, False)
        self.given = self.taken = 0
        self._poll = select.poll()
        self._poll.register(self.fd, select.POLLIN)

    def state(self) -> tuple[bool, bool]:
        """Return (a host has the port open, bytes from a host wait)."""
        events = dict(self._poll.poll(0)).get(self.fd, 0)
        return not events & select.POLLHUP, bool(events & select.POLLIN)

    def waiting(self) -> int:
        """Bytes from the host that can be read now."""
        return unread(self.fd)

    def read(self, most: int) -> bytes:
        """Bytes from the host; OSError when there are none."""
        data = os.read(self.fd, most)
        self.taken += len(data)
        return data

    def write(self, data: bytes) -> int:
        """Hand bytes to the host; how many it took."""
        count = os.write(self.fd, data)
        self.given += count
        return count

    def close(self) -> None:
        """The port vanishes, as when the cable is pulled."""
        os.close(self.fd)
