"""The button of a message at an ntfy server: it posts the code of the message to a second topic, which is read here.

The topic is read as a stream of JSON lines, and from where it ended when the connection breaks. How old a reply is says
the clock of the server, which stamps all of them. What was pressed minutes ago accepts nothing: who pressed it may be
called away by now, and the next reminder has a button of its own.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import httpx2

from host_agent.forward.replies import Replies

_LOG = logging.getLogger(__name__)
LATEST_S, AHEAD_S = 120, 60
TOO_OLD = "Nothing was accepted. The button was pressed too long ago. Use the newest message, or call."
FROM_AHEAD = (
    "Nothing was accepted. The reply has a time that is ahead of its own server. Press again, or call."
)
_SILENT_S = 100.0  # the server sends a sign of life every 45 s
_LINE_BYTES = 16_384
_FIRST_S, _MAX_S = 1.0, 60.0
_LAST_S = 4_102_444_800  # the year 2100


class NtfyReplies:
    """Reads one topic. `client()` makes an HTTP client with the certificates and the proxy of the receiver."""

    def __init__(
        self, name: str, url: str, headers: Mapping[str, str], client: Callable[[], httpx2.AsyncClient]
    ) -> None:
        """`url` is the address of the topic."""
        self._name, self._url, self._headers, self._client = name, url, dict(headers), client
        self._since = f"{LATEST_S}s"  # what was pressed while no agent ran
        self._server_ahead_s = 0.0
        self._is_open = False

    async def run(self, replies: Replies) -> None:
        """Give what is posted there to `replies`, until cancelled; whatever breaks is logged and tried again."""
        pause_s, told = _FIRST_S, ""
        while True:
            self._is_open = False
            why = await self._read(replies)
            pause_s = _FIRST_S if self._is_open else min(2 * pause_s, _MAX_S)
            if self._is_open:
                told = ""  # servers and proxies end long connections; nothing is missed
            elif why != told:
                _LOG.warning(
                    "target %s: nobody can accept by a button of ntfy until it is read again: %s",
                    self._name,
                    why,
                )
                told = why
            await asyncio.sleep(pause_s)

    async def _read(self, replies: Replies) -> str:
        """Until the connection ends; why it did."""
        loop = asyncio.get_running_loop()
        try:
            async with (
                self._client() as client,
                client.stream(
                    "GET", f"{self._url}/json?since={quote(self._since)}", headers=self._headers,
                    timeout=httpx2.Timeout(10.0, read=_SILENT_S),
                ) as answer,
            ):  # fmt: skip
                if answer.status_code != 200:
                    return f"HTTP {answer.status_code}"
                kept = bytearray()
                async for chunk in answer.aiter_bytes():
                    *lines, rest = (bytes(kept) + chunk).split(b"\n")
                    for line in lines:
                        self._line(line, replies, loop.time())
                    # a line that never ends is no line of this server
                    kept = bytearray(rest[: _LINE_BYTES + 1])
                return "the server ended it"
        except httpx2.HTTPError as error:
            return str(error) or type(error).__name__

    def _line(self, line: bytes, replies: Replies, now_s: float) -> None:
        event = _table(line)
        stamp = event.get("time")
        if type(stamp) is not int or not 0 <= stamp < _LAST_S:
            return
        if event.get("event") == "open":
            self._server_ahead_s, self._is_open = stamp - now_s, True
        elif event.get("event") == "message" and isinstance(event.get("message"), str) and self._is_open:
            if isinstance(event.get("id"), str):
                self._since = event["id"][:64]
            age_s = now_s + self._server_ahead_s - stamp
            why = TOO_OLD if age_s > LATEST_S else FROM_AHEAD if age_s < -AHEAD_S else ""
            replies.put(event["message"].encode(errors="replace"), why=why)


def _table(line: bytes) -> dict[str, Any]:
    """A line as a table, empty when it is none."""
    if len(line) > _LINE_BYTES:
        return {}
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
