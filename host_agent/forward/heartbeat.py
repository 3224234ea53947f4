"""A sign of life to a watcher outside, which rings when none comes: nobody here can say that this laptop died.

A request to an address of the watcher, with one line of plain text and nothing about a patient. What watchers answer
with 200 to an address that they do not know is no success.
"""

from collections.abc import Callable
from typing import ClassVar, Literal
from urllib.parse import urlsplit, urlunsplit

import httpx2
from pydantic import Field

from host_agent.forward.delivery import Delivered, Delivery, Outcome, RetryAfter
from host_agent.forward.http_answer import Answer, Request, post, refusal
from host_agent.forward.http_settings import HttpPeer
from host_agent.forward.objection import objection_in

WATCHING = "The agent runs and watches."
_NOT_TAKEN = ("not found", "rate limited", "not exist", "unknown")  # as healthchecks.io says it, with 200


class HeartbeatSection(HttpPeer):
    """A watcher outside that rings when this laptop dies. Without an address there is none.

    While the agent truly watches it asks for this address every `every_s`: its checks run, its store takes writes, each
    bound wearable is heard or its silence is alarmed, and no alarm has reached nobody. Set the watcher to ring after
    three times that long.
    """

    kind: ClassVar[str] = "heartbeat"
    name: ClassVar[str] = "heartbeat"
    secrets: ClassVar[tuple[str, ...]] = ("token", "url")
    files: ClassVar[tuple[str, ...]] = ("ca_file",)
    may_be_off: ClassVar[bool] = True

    every_s: int = Field(
        default=60, ge=10, le=3600, description="Pause between two signs of life.",
        json_schema_extra={"unit": "s"},
    )  # fmt: skip
    method: Literal["GET", "POST"] = Field(
        default="GET", description="How the watcher wants to be asked; POST carries a line of text."
    )
    fail_suffix: str = Field(
        default="", pattern=r"^[A-Za-z0-9/._~-]{0,64}$",
        description="What makes the address one that rings at once, such as /fail at healthchecks.io. Asked when the"
        " agent stops while a patient is bound, and while it runs but does not watch. Without it, silence says so.",
    )  # fmt: skip
    timeout_s: float = Field(
        default=8.0, ge=0.1, le=10, description="Longest time for one sign of life.",
        json_schema_extra={"unit": "s"},
    )  # fmt: skip

    @property
    def title(self) -> str:
        return self.kind

    @property
    def is_on(self) -> bool:
        """Whether there is an address."""
        return self.url is not None or self.has_secret("url")

    def proves(self) -> str:
        return "the watcher took a sign of life; whether it rings without one, test by stopping the agent"

    def shown_address(self) -> str:
        if self.url is None:
            return super().shown_address()
        parts = urlsplit(self.url)  # whoever knows the rest can keep the watcher quiet
        return f"{parts.scheme}://{parts.netloc}/…"

    def forwarder(self, utc_ms: Callable[[], int]) -> "Heartbeat":
        return Heartbeat(self, self.address(), {**self.headers, **self.token_headers(self.token())}, utc_ms)


class Heartbeat:
    """The watcher. `send` is for `receivers test`: a sign of life like any other."""

    accept_simulated = True

    def __init__(
        self, keys: HeartbeatSection, url: str, headers: dict[str, str], utc_ms: Callable[[], int]
    ) -> None:
        self.name = keys.name
        self._keys, self._url, self._utc_ms = keys, url, utc_ms
        self._headers = {"User-Agent": "cytowatch", "Cache-Control": "no-cache", **headers}
        self._client: httpx2.AsyncClient = keys.client()

    async def send(self, delivery: Delivery) -> Outcome:
        """One sign of life."""
        return await self.ask(WATCHING)

    async def ask(self, text: str, *, fails: bool = False) -> Outcome:
        """Ask once within timeout_s; `fails`: at the address that rings, where there is one."""
        url = _with_suffix(self._url, self._keys.fail_suffix) if fails else self._url
        is_post = self._keys.method == "POST" or fails
        headers = {**self._headers, **({"Content-Type": "text/plain; charset=utf-8"} if is_post else {})}
        request = Request(url, headers, text.encode() if is_post else b"", "POST" if is_post else "GET")
        answer = await post(self._client, request, self._keys.timeout_s)
        return answer if isinstance(answer, RetryAfter) else self._judge(answer)

    async def close(self) -> None:
        """Close kept connections."""
        await self._client.aclose()

    def _judge(self, answer: Answer) -> Outcome:
        if refused := refusal(answer, "", self._utc_ms() / 1000):
            return refused
        said = answer.text.lower()
        phantom = next((words for words in _NOT_TAKEN if words in said[:200]), "")
        if why := objection_in(answer.text) or (f"it says {phantom}" if phantom else ""):
            return RetryAfter(f"HTTP {answer.status}, but it was not taken: {why}")
        return Delivered(f"HTTP {answer.status}")


def _with_suffix(url: str, suffix: str) -> str:
    """The suffix belongs to the path, before a query."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + suffix))
