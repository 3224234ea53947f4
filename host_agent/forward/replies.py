"""What people send back over a receiver: the code of a message, by which they accept its alarm.

A reply is JSON: {"token": "the code", "by": "a name"}, and "key" when it shall count for that event alone. Whatever
else comes is answered in words, is counted, and harms nothing. Replies are taken one after the other.
"""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeGuard

from host_agent.forward.delivery import NotConnectedError, OnReply, Reply, ReplyAnswer
from host_agent.printable import printable

_LOG = logging.getLogger(__name__)
_BODY_BYTES, _CODE_CHARS, _NAME_CHARS, _KEY_CHARS = 1024, 64, 64, 128
_SHOWN_CHARS = 4  # of the code in an answer: who sent it knows it again, and who reads along cannot use it
_WAITING = 32
# A minute may bring so many that are refused. A code is too long to be guessed: this spares the store.
_REFUSED, _PER_S = 20, 60.0
_NOT_CODE = re.compile(r"[^A-Za-z0-9]")
_NOTHING = "Nothing was accepted."
USED = "used"  # why: the code accepted before
NOT_UNDERSTOOD = f'{_NOTHING} Send JSON with the code and your name: {{"token": "CODE", "by": "NAME"}}.'
KEPT = f"{_NOTHING} The reply was sent as one to be kept (retained). Send it again without that."
TOO_MANY = (
    f"{_NOTHING} Too many wrong codes came within a minute. Wait a minute, accept on the laptop, or call."
)
FAILED = f"{_NOTHING} The laptop cannot store it now. Send it again, accept on the laptop, or call."


class Replies:
    """The replies of one receiver: `put` each, and keep `run` running. Call both in one event loop."""

    def __init__(
        self,
        name: str,
        how: str,
        on_reply: OnReply,
        answer: Callable[[bytes], Awaitable[None]],
        now_s: Callable[[], float],
    ) -> None:
        """`answer` sends the JSON of an answer; NotConnectedError and TimeoutError from it are logged."""
        self._name, self._how = name, how
        self._on_reply, self._answer, self._now_s = on_reply, answer, now_s
        self._waiting: asyncio.Queue[tuple[bytes, str]] = asyncio.Queue(_WAITING)
        self._refused, self._since_s = 0, now_s()
        self._warned: set[str] = set()

    def put(self, body: bytes, is_kept: bool = False, *, why: str = "") -> None:
        """A reply came; `why` is the answer when it can accept nothing, whatever it says.

        While too many wait it is dropped without an answer: its sender asks again, or calls.
        """
        try:
            self._waiting.put_nowait((body[: _BODY_BYTES + 1], why or (KEPT if is_kept else "")))
        except asyncio.QueueFull:
            self._warn("too many replies at once; what cannot wait is dropped")

    async def run(self) -> None:
        """Take and answer what comes, until cancelled."""
        while True:
            body, why = await self._waiting.get()
            token, reply = read(body, self._how)
            answer = await self._taken(None if why else reply, why or NOT_UNDERSTOOD)
            said = {"token": token, "accepted": answer.accepted, "text": answer.text}
            said |= {"why": answer.why} if answer.why else {}
            try:
                await self._answer(json.dumps(said, separators=(",", ":")).encode())
            except (NotConnectedError, TimeoutError) as error:
                self._warn(f"a reply was not answered: {error}")

    async def _taken(self, reply: Reply | None, otherwise: str) -> ReplyAnswer:
        self._look_at_clock()
        if self._refused >= _REFUSED:
            self._warn("too many wrong replies within a minute; no more are looked at")
            return ReplyAnswer(False, TOO_MANY)
        try:
            answer = await self._on_reply(reply)
        except Exception as error:
            self._warn(f"a reply cannot be taken: {type(error).__name__}: {error}")
            return ReplyAnswer(False, FAILED)
        self._refused += not answer.accepted
        return answer if reply is not None else ReplyAnswer(False, otherwise)

    def _look_at_clock(self) -> None:
        if self._now_s() - self._since_s >= _PER_S:
            self._refused, self._since_s = 0, self._now_s()
            self._warned.clear()

    def _warn(self, why: str) -> None:
        """Once in a minute each: a flood of replies makes no flood in the log."""
        self._look_at_clock()
        if why not in self._warned:
            self._warned.add(why)
            _LOG.warning("target %s: %s", self._name, why)


def read(body: bytes, how: str) -> tuple[str, Reply | None]:
    """The start of the code, for the answer, and the reply; None: it cannot be understood. Never raises."""
    if len(body) > _BODY_BYTES:
        return "", None
    try:
        said: Any = json.loads(body)
    except (ValueError, RecursionError):
        return "", None
    if not isinstance(said, dict):
        return "", None
    token, by, key = said.get("token"), said.get("by", ""), said.get("key")
    if not _is_line(token, _CODE_CHARS):
        return "", None
    shown = _NOT_CODE.sub("", token[:_SHOWN_CHARS])
    if not _is_line(by, _NAME_CHARS) or not (key is None or _is_line(key, _KEY_CHARS)):
        return shown, None
    return shown, Reply(token, by.strip(), how, key)


def _is_line(value: object, most_chars: int) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) <= most_chars and printable(value) == value
