"""Tells the service manager that started this process how it is: the datagrams of systemd's sd_notify(3).

Without NOTIFY_SOCKET in the environment nothing is sent. The variables are taken out of the environment, so that no
process that is started from here speaks for this one.
"""

import contextlib
import os
import socket
from collections.abc import MutableMapping


class ServiceManager:
    """`feed_every_s` is how often it must be fed, None: it does not watch this process."""

    def __init__(self, environ: MutableMapping[str, str] | None = None, pid: int | None = None) -> None:
        environ = os.environ if environ is None else environ
        self._address = environ.pop("NOTIFY_SOCKET", "")
        watched, limit = environ.pop("WATCHDOG_PID", ""), environ.pop("WATCHDOG_USEC", "")
        mine = str(os.getpid() if pid is None else pid)
        self.feed_every_s: float | None = None
        if self._address and watched in ("", mine) and limit.isdigit() and int(limit):
            self.feed_every_s = int(limit) / 3_000_000  # two may be late

    def ready(self, what: str) -> None:
        """It monitors from now on; `what` is shown by the manager's status."""
        self._send(f"READY=1\nSTATUS={_line(what)}")

    def feed(self) -> None:
        """It works."""
        self._send("WATCHDOG=1")

    def stopping(self, why: str) -> None:
        """It ends in order."""
        self._send(f"STOPPING=1\nSTATUS={_line(why)}")

    def stuck(self, what: str) -> None:
        """It is not fed, and why."""
        self._send(f"STATUS={_line(what)}")

    def _send(self, text: str) -> None:
        """Never waits and never fails: a manager that does not listen must not harm monitoring."""
        if not self._address or not hasattr(socket, "AF_UNIX"):
            return
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
            link.setblocking(False)
            link.sendto(text.encode(), address)


def _line(text: str) -> str:
    return " ".join(text.split())
