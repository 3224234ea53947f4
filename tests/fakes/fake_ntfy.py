"""An ntfy server as its documentation describes it: publish as JSON or a plain body, and a topic as a stream of lines.

Real HTTP on loopback. `token`: who has it may do all; everybody else may only write to topics of `open_topics`.
"""

import asyncio
import contextlib
import json
from typing import Any


class FakeNtfy:
    """`async with FakeNtfy() as server:` then `server.url`; `topics` holds the messages, `ahead_s` moves its clock."""

    def __init__(self, token: str = "", open_topics: tuple[str, ...] = ()) -> None:
        self.topics: dict[str, list[dict[str, Any]]] = {}
        self.reads: list[str] = []  # the query of each reader
        self.now_s = 1_800_000_000
        self.garbage: list[bytes] = []  # sent to a reader after `open`
        self.port = 0
        self._token, self._open = token, open_topics
        self._changed = asyncio.Condition()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task] = set()

    async def __aenter__(self) -> "FakeNtfy":
        await self.start()
        return self

    async def __aexit__(self, *exc) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen, on the port of before after a stop."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """End every connection."""
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task

    async def press(self, action: dict[str, Any], ago_s: int = 0) -> None:
        """As the app does it when somebody presses the button of a message."""
        assert action["action"] == "http" and action["method"] == "POST"
        await self.publish(action["url"].rsplit("/", 1)[1], {"message": action["body"]}, ago_s)

    async def publish(self, topic: str, fields: dict[str, Any], ago_s: int = 0) -> dict[str, Any]:
        """Keep a message, and give it to who reads the topic."""
        async with self._changed:
            number = sum(map(len, self.topics.values()))
            message = {
                "id": f"m{number:04}",
                "time": self.now_s - ago_s,
                "event": "message",
                "topic": topic,
                **fields,
            }
            self.topics.setdefault(topic, []).append(message)
            self._changed.notify_all()
        return message

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, path, _ = head[0].split(" ", 2)
            headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in head[1:] if line)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            await self._answer(writer, method, path, headers, body)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, writer, method, path, headers, body) -> None:
        is_known = not self._token or headers.get("authorization") == f"Bearer {self._token}"
        if method == "GET":
            topic, _, query = path.strip("/").partition("/json?since=")
            self.reads.append(query)
            if is_known:
                await self._stream(writer, topic, query)
            else:
                await _say(writer, 403, {"code": 40301, "http": 403, "error": "forbidden"})
            return
        topic, fields = path.strip("/"), {"message": body.decode()}
        if not topic:  # published as JSON
            fields = json.loads(body)
            topic = fields.pop("topic")
        if not is_known and topic not in self._open:
            await _say(writer, 403, {"code": 40301, "http": 403, "error": "forbidden"})
            return
        await _say(writer, 200, await self.publish(topic, fields))

    async def _stream(self, writer, topic: str, since: str) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n\r\n")
        _line(writer, {"id": "open", "time": self.now_s, "event": "open", "topic": topic})
        for garbage in self.garbage:
            writer.write(garbage)
        at = self._begin(topic, since)
        while True:
            async with self._changed:
                messages = self.topics.get(topic, [])
                for message in messages[at:]:
                    _line(writer, message)
                at = len(messages)
                await writer.drain()
                await self._changed.wait()

    def _begin(self, topic: str, since: str) -> int:
        messages = self.topics.get(topic, [])
        ids = [one["id"] for one in messages]
        if since in ids:
            return ids.index(since) + 1
        if since.endswith("s") and since[:-1].isdigit():
            return next(
                (at for at, one in enumerate(messages) if one["time"] >= self.now_s - int(since[:-1])),
                len(ids),
            )
        assert since == "all", f"a since that ntfy does not know: {since}"
        return 0


def _line(writer, fields: dict[str, Any]) -> None:
    writer.write(json.dumps(fields).encode() + b"\n")


async def _say(writer, status: int, fields: dict[str, Any]) -> None:
    body = json.dumps(fields).encode()
    writer.write(
        f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
    )
    await writer.drain()
