"""A real HTTP/1.1 receiver on loopback that can answer anything, hang, drip, cut or redirect."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Reply:
    """How one request is answered."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay_s: float = 0.0
    hang: bool = False  # take the request and never answer
    cut: bool = False  # take the request and close the connection without an answer
    drip_s: float = 0.0  # after the head, send one byte of body per this many seconds, for ever
    garbage: bytes = b""  # these bytes instead of an HTTP answer


@dataclass(frozen=True)
class Received:
    """One request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at_s: float


class FakeReceiver:
    """`async with FakeReceiver() as hook:` then `hook.url`; `replies` are used up in order, then `default`.

    `answer` decides on each request instead of `default`; with `tls` it speaks HTTPS.
    """

    def __init__(
        self,
        default: Reply | None = None,
        *,
        answer: Callable[[Received], Reply] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.default = default or Reply()
        self.answer = answer
        self._tls = tls
        self.replies: list[Reply] = []
        self.received: list[Received] = []
        self.connections = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task] = set()
        self._arrived = asyncio.Event()
        self.port = 0

    async def __aenter__(self) -> "FakeReceiver":
        await self.start()
        return self

    async def __aexit__(self, *exc) -> None:
        await self.stop()

    async def start(self, port: int = 0) -> None:
        """Listen; `port` 0 takes a free one (kept for a later restart in `self.port`)."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the listener and every connection."""
        if self._server:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        for task in list(self._tasks):
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task
        self._server = None

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}/hook"

    async def wait_for(self, count: int, timeout_s: float = 30.0) -> list[Received]:
        """Return once `count` requests came in; fails with what did."""
        try:
            async with asyncio.timeout(timeout_s):
                while len(self.received) < count:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            keys = [r.headers.get("idempotency-key") for r in self.received]
            raise AssertionError(
                f"{len(self.received)} of {count} requests within {timeout_s} s: {keys}"
            ) from None
        return self.received

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _one(self, reader, writer) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = head.split("\r\n")
        method, path, _ = lines[0].split(" ", 2)
        headers = {
            k.strip().lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:] if line)
        }
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        now_s = asyncio.get_running_loop().time()
        self.received.append(Received(method, path, headers, body, now_s))
        self._arrived.set()
        reply = self.replies.pop(0) if self.replies else self.default
        if self.answer:
            reply = self.answer(self.received[-1])
        if reply.hang:
            await asyncio.Event().wait()
        if reply.cut:
            return False
        if reply.delay_s:
            await asyncio.sleep(reply.delay_s)
        if reply.garbage:
            writer.write(reply.garbage)
            await writer.drain()
            return False
        length = "" if reply.drip_s else f"Content-Length: {len(reply.body)}\r\n"
        extra = "".join(f"{k}: {v}\r\n" for k, v in reply.headers.items())
        writer.write(f"HTTP/1.1 {reply.status} Said\r\n{length}{extra}\r\n".encode() + reply.body)
        await writer.drain()
        while reply.drip_s:
            await asyncio.sleep(reply.drip_s)
            writer.write(b".")
            await writer.drain()
        return True
