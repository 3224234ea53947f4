"""The chip's wire to the air (tools/ble_air/codes.py): frames over a unix socket, events as interrupts.

A thread waits for the air and schedules them: they run between bytecodes of the main program, as an interrupt of a port
does, and never while the flash stalls the chip.
"""

import _thread
import errno
import io
import micropython
import select
import socket
import struct
import time
from collections import deque

_NEVER_READY = 3

stalled = [0]  # the flash holds the chip up
simulated_time = None  # the module, when a conductor owns the time; else a thread waits for the air


class _Wake(io.IOBase):
    """Registered with asyncio's poll so that it is no deaf sleep: an interrupt ends WFE on hardware, too."""

    def ioctl(self, request, _argument):
        return 0 if request == _NEVER_READY else -1


class Wire:
    """A subclass has `_event(operation, number, body)` and `_gone()`."""

    def __init__(self):
        self._socket = None
        self._later = deque((), 500)
        self._busy = False
        self._scheduled = False
        self._last_id = 0

    def _open(self, path):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.connect(struct.pack("<H", socket.AF_UNIX) + path.encode())
        self._socket = s
        self._poll = select.poll()
        self._poll.register(s, select.POLLIN)
        self._scheduled = False
        if simulated_time is not None:
            simulated_time.arrivals = self._arrived
            return
        _thread.start_new_thread(self._wait, (s,))
        try:
            import asyncio.core

            asyncio.core._io_queue.poller.register(_Wake(), select.POLLIN)
        except (ImportError, AttributeError):
            pass

    def _wait(self, s):
        poll = select.poll()
        poll.register(s, select.POLLIN)
        while self._socket is s:
            try:
                if poll.poll(200) and not (self._scheduled or self._busy or stalled[0]):
                    self._scheduled = True
                    micropython.schedule(self._serve, None)
                else:
                    time.sleep_us(300)
            except RuntimeError:  # the scheduler is full
                self._scheduled = False
                time.sleep_ms(1)
            except OSError:
                return

    def _arrived(self):
        """The chip's turn has come again: take what the air has sent, as an interrupt would.

        Allocates nothing where nothing came: how often this is asked depends on others.
        """
        if (
            self._socket is not None
            and not (self._busy or stalled[0])
            and (self._later or self._has_arrived())
        ):
            self._serve(None)

    def _has_arrived(self):
        for _ in self._poll.ipoll(0):
            return True
        return False

    def _send(self, operation, number, body):
        if simulated_time is not None:
            simulated_time.spoke()
        self._socket.write(struct.pack("<HBB", len(body), operation, number) + body)

    def _receive(self):
        while simulated_time is not None and not self._has_arrived():
            simulated_time.await_arrival()
        head = self._socket.read(4)
        if not head:  # the air is gone
            self._socket = None
            raise OSError(errno.ENODEV)
        length, operation, number = struct.unpack("<HBB", head)
        return operation, number, self._socket.read(length) if length else b""

    def _ask(self, operation, body=b""):
        self._last_id = self._last_id % 255 + 1
        number = self._last_id
        was_busy, self._busy = self._busy, True
        try:
            self._send(operation, number, body)
            while True:
                frame = self._receive()
                if frame[0] == 0 and frame[1] == number:
                    break
                self._later.append(frame)
        finally:
            self._busy = was_busy
        if self._later and not was_busy:
            try:
                micropython.schedule(self._serve, None)
            except RuntimeError:
                pass
        if frame[2][0]:
            raise OSError(frame[2][0])
        return frame[2][1:]

    def _serve(self, _):
        self._scheduled = False
        if self._busy or self._socket is None:
            return
        self._busy = True
        try:
            while self._socket is not None and (self._later or self._has_arrived()):
                self._event(*(self._later.popleft() if self._later else self._receive()))
        except OSError:
            self._gone()
        finally:
            self._busy = False
