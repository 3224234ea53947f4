"""An HTTP server on loopback that answers one POST at a time, and can say that nothing of it is on its way.

Under a conductor (tools/conductor) it works only when `quiet` is asked, in the order in which connections were made. So
a POST takes no simulated time, and of two that come at once the first is the same in each run.
"""

import contextlib
import os
import select
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tools.conductor.tcp_arrival import TcpArrivals

# (status, text); HANG_UP ends the connection without an answer, SILENT leaves it open without one
Answer = Callable[[BaseHTTPRequestHandler], tuple[int, str]]
HANG_UP, SILENT = 0, -1


class OneAtATimeServer(ThreadingHTTPServer):
    """`answer(request)` gives (status, text)."""

    def __init__(self, port: int, answer: Answer, address: str = "127.0.0.1") -> None:
        self._changed = threading.Condition()
        self._open: list[Any] = []  # connections, oldest first
        self._at_work: Any = None
        self._closing = threading.Event()
        self._arrivals: TcpArrivals | None = None  # None: nobody has asked for quiet yet
        super().__init__((address, port), _handler(answer))

    @property
    def origin(self) -> str:
        """Scheme, address and port."""
        return "http://{}:{}".format(*self.server_address[:2])

    def quiet(self) -> bool:
        """Whether there is no request, and every answer has arrived. The first request that waits may begin."""
        with self._changed:
            if self._arrivals is None:
                self._arrivals = TcpArrivals()
            if self._at_work is not None or _is_readable(self.socket):
                return False
            for connection in self._open:
                self._arrivals.note(connection.fileno())
                if _is_readable(connection):
                    self._at_work = connection
                    self._changed.notify_all()
                    return False
            return self._arrivals.has_arrived()

    def get_request(self) -> tuple[Any, Any]:
        """Accept a connection."""
        with self._changed:
            connection, address = super().get_request()
            self._open.append(connection)
            return connection, address

    def begin(self, connection: Any) -> None:
        """Wait until this connection has a request, and may read it."""
        select.select([connection], [], [])
        with self._changed:
            while self._at_work is not connection:
                if self._arrivals is None and self._at_work is None:
                    self._at_work = connection
                else:
                    self._changed.wait()

    def end(self, connection: Any, is_last: bool) -> None:
        """A request was answered; `is_last`: this connection is read no more."""
        with self._changed:
            if self._at_work is connection:
                self._at_work = None
            if is_last and connection in self._open:
                self._open.remove(connection)
            self._changed.notify_all()

    def stay_silent(self, connection: Any) -> None:
        """Leave a request without an answer until the server closes; whoever sent it gives up."""
        self.end(connection, is_last=True)
        self._closing.wait()

    def server_close(self) -> None:
        """Stop; connections end with their threads."""
        self._closing.set()
        super().server_close()
        with self._changed:
            if self._arrivals is not None:
                self._arrivals.close()


def own_address() -> str:
    """An address of this computer that no other process asks at: the system gives ports again, and an agent of another
    run would go on sending to the receiver that it once had there."""
    if sys.platform != "linux":  # elsewhere only 127.0.0.1 is there
        return "127.0.0.1"
    number = os.getpid() % (1 << 22)
    return f"127.{1 + (number >> 16)}.{number >> 8 & 255}.{number & 255 or 255}"


@contextlib.contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[int]:
    """The port on which the server answers until the block ends."""
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


def _is_readable(end: Any) -> bool:
    return bool(select.select([end], [], [], 0)[0])


def _handler(answer: Answer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        server: OneAtATimeServer

        def handle_one_request(self) -> None:
            self.server.begin(self.connection)
            try:
                super().handle_one_request()
            except ConnectionError:  # whoever asked is gone
                self.close_connection = True
            finally:
                self.server.end(self.connection, self.close_connection)

        def do_POST(self) -> None:
            status, text = answer(self)
            if status in (HANG_UP, SILENT):
                self.close_connection = True
                if status == SILENT:
                    self.server.stay_silent(self.connection)
                return
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet: on_event says what arrived."""

    return Handler
