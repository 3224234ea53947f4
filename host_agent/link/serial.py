"""A serial port as an asyncio transport, on pyserial's file descriptor (POSIX: ttys, USB CDC, ptys, links to them).

Exclusive (pyserial takes a `flock` before it touches any setting): a second program gets its own "in use" error and
does not disturb the session. DTR and RTS are set before the port opens, so that no board resets.
"""

import asyncio
import contextlib
import errno
import os
import termios
from collections import deque
from collections.abc import Callable
from typing import Any

import serial

from host_agent.errors import PortBusy, PortDenied, PortMissing, TransportLost

BAUD = 115200
WRITE_PROGRESS_S = 2.0  # a wearable that takes no byte for this long has stopped reading
_READ_CHUNK_BYTES = 65536
_BUFFER_HIGH_BYTES = 262144  # reading pauses here; then the kernel's buffer fills, and the wearable waits
_BUFFER_LOW_BYTES = 65536


class SerialTransport:
    """One open port. Make it with `open_serial`, inside the event loop that uses it."""

    def __init__(self, port: serial.Serial, name: str, write_progress_s: float = WRITE_PROGRESS_S) -> None:
        self._port = port
        self._fd: int = port.fileno()
        self._name = name
        self.carrier: Any = None
        self._write_progress_s = write_progress_s
        self._loop = asyncio.get_running_loop()
        self._chunks: deque[bytes] = deque()
        self._buffered = 0
        self._arrived = asyncio.Event()
        self._lost: TransportLost | None = None
        self._closed = False
        self._reading = False
        self._write_lock = asyncio.Lock()
        self._resume_reading()

    @property
    def name(self) -> str:
        """The path by which the port was opened."""
        return self._name

    @property
    def fragment_bytes(self) -> None:
        """None: the port is a stream of bytes."""
        return

    async def read(self) -> bytes:
        """All bytes that have arrived, at least one. Bytes that came before a loss are still returned."""
        while not self._chunks:
            if self._lost is not None:
                raise self._lost
            self._arrived.clear()
            await self._arrived.wait()
        data = b"".join(self._chunks)
        self._chunks.clear()
        self._buffered = 0
        self._resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        """Write everything; TransportLost when the port makes no progress for `write_progress_s` real seconds."""
        async with self._write_lock:
            view = memoryview(data)
            while view:
                if self._lost is not None:
                    raise self._lost
                try:
                    written = os.write(self._fd, view)
                except BlockingIOError:
                    written = 0
                except OSError as error:
                    raise self._lose(f"{self._name}: {error.strerror}") from error
                if written:
                    view = view[written:]
                else:
                    await self._wait_writable()

    def close(self) -> None:
        """Close the port; a waiting read or write raises TransportLost."""
        if self._closed:
            return
        self._lose(f"{self._name} was closed")
        self._closed = True
        # unread output must not delay the close
        with contextlib.suppress(OSError, termios.error):
            termios.tcflush(self._fd, termios.TCOFLUSH)
        with contextlib.suppress(OSError):
            self._port.close()

    async def _wait_writable(self) -> None:
        ready: asyncio.Future[None] = self._loop.create_future()

        def on_writable() -> None:
            if not ready.done():
                ready.set_result(None)

        self._loop.add_writer(self._fd, on_writable)
        try:
            async with asyncio.timeout(self._write_progress_s):
                await ready
        except TimeoutError:
            raise self._lose(
                f"{self._name} took no byte for {self._write_progress_s:g} s: the wearable stopped reading"
            ) from None
        finally:
            if not self._closed:
                self._loop.remove_writer(self._fd)

    def _resume_reading(self) -> None:
        if not self._reading and self._lost is None and self._buffered <= _BUFFER_LOW_BYTES:
            self._loop.add_reader(self._fd, self._on_readable)
            self._reading = True

    def _pause_reading(self) -> None:
        if self._reading:
            self._loop.remove_reader(self._fd)
            self._reading = False

    def _on_readable(self) -> None:
        try:
            data = os.read(self._fd, _READ_CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError as error:  # EIO: the other end of a pty closed, or the device was pulled
            self._lose(f"{self._name} vanished ({error.strerror})")
            return
        if not data:
            self._lose(f"{self._name} hung up")
            return
        self._chunks.append(data)
        self._buffered += len(data)
        if self._buffered >= _BUFFER_HIGH_BYTES:
            self._pause_reading()
        self._arrived.set()

    def _lose(self, why: str) -> TransportLost:
        if self._lost is None:
            self._lost = TransportLost(why)
            self._pause_reading()
            self._loop.remove_writer(self._fd)
            self._arrived.set()
        return self._lost


async def open_serial(name: str, write_progress_s: float = WRITE_PROGRESS_S) -> SerialTransport:
    """Open a port (a path, or a symlink to one) exclusively; PortMissing, PortBusy or PortDenied say why not."""
    port: Any = serial.Serial(None, BAUD, timeout=0, write_timeout=0, exclusive=True)
    port.port = name
    port.dtr = True  # ESP32-S3's USB and most bridges: both on means "run", a change means "reset"
    port.rts = True
    try:
        # opening can wait for a modem line or a slow driver: never on the event loop
        await _in_thread(port.open, port.close)
    except serial.SerialException as error:
        raise _open_error(name, error) from error
    try:
        _set_up_tty(port.fileno())
    except (OSError, termios.error) as error:
        port.close()
        raise PortMissing(f"{name} vanished while it was opened ({error})") from error
    return SerialTransport(port, name, write_progress_s)


async def _in_thread(work: Callable[[], None], undo: Callable[[], None]) -> None:
    """Run blocking `work`; when the caller is cancelled meanwhile, `undo` it once it is done."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(lambda done: undo() if done.exception() is None else None)
        raise


def _set_up_tty(fd: int) -> None:
    """VMIN 1: an idle port says EAGAIN, so zero bytes can only mean a hang-up. No HUPCL: closing resets no board."""
    attributes = termios.tcgetattr(fd)
    attributes[2] &= ~termios.HUPCL
    attributes[6][termios.VMIN] = 1
    attributes[6][termios.VTIME] = 0
    termios.tcsetattr(fd, termios.TCSANOW, attributes)


def _open_error(name: str, error: serial.SerialException) -> PortMissing | PortBusy | PortDenied:
    number = error.errno
    if number is None and "lock" in str(error).lower():  # pyserial hides the errno of its flock
        number = errno.EAGAIN
    if number in (errno.EBUSY, errno.EAGAIN):
        return PortBusy(f"{name} is in use by another program")
    if number in (errno.EACCES, errno.EPERM):
        return PortDenied(f"this user may not open {name}")
    if number == errno.ENOTTY or (number is None and isinstance(error.__context__, termios.error)):
        return PortMissing(f"{name} is no serial port")
    return PortMissing(f"{name} cannot be opened: {os.strerror(number) if number else error}")
