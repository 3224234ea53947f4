"""Deliver an event by HTTPS POST: signed, idempotent by key, delivered only on 2xx, redirects never followed."""

import asyncio
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

import httpx2
from pydantic import Field, field_validator, model_validator

from host_agent.forward.address import check_address
from host_agent.forward.delivery import Delivered, Delivery, Outcome, Rejected, RetryAfter
from host_agent.forward.receiver import Receiver
from host_agent.forward.secret import VariableName
from host_agent.forward.signature import HEADER, sign
from host_agent.text import without_secrets

_LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")
SCHEMA = "cytowatch.event/1"
# Statuses that speak about these bytes; every other refusal (key, path, overload) may be mended at the receiver,
# so the event waits for that instead of being given up.
_ABOUT_THE_BODY = (400, 413, 415, 422)
_ABOUT_ALL = (
    401,
    403,
    404,
    405,
    407,
    429,
    501,
    502,
    503,
    504,
    505,
    507,
    511,
)  # a second event now would meet the same
# How much of an answer is read to keep the connection; a receiver that sends more misbehaves.
_DRAIN_BYTES = 65_536


class WebhookReceiver(Receiver):
    """One receiver of events over HTTPS. Write one [[webhook]] table for each receiver."""

    example: ClassVar[dict[str, Any]] = {
        "name": "ward",
        "url": "https://alarms.example.org/cytowatch",
        "secret_file": "/etc/cytowatch/ward.secret",
    }
    secrets: ClassVar[tuple[str, ...]] = ("secret",)

    url: str = Field(description="Address that takes the POST. Redirects are refused.")
    secret_file: str | None = Field(
        default=None,
        description="File with the shared secret: its first line, at least 16 characters, readable by you alone."
        " A relative path counts from the folder of this configuration.",
    )
    secret_env: VariableName | None = Field(
        default=None,
        description="Environment variable with the shared secret. Set either secret_file or secret_env.",
    )
    allow_plain_http: bool = Field(
        default=False,
        description="Allow http:// to another machine. Everyone on the network can then read what is sent.",
    )

    @field_validator("url")
    @classmethod
    def _can_work(cls, url: str) -> str:
        check_address(url)
        try:
            httpx2.Request("POST", url)
        except (httpx2.InvalidURL, ValueError) as error:
            raise ValueError(f"an address that can be called; {without_secrets(str(error))}") from None
        return url

    @model_validator(mode="after")
    def _is_encrypted(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK_HOSTS and not self.allow_plain_http:
            raise ValueError("https:// (or allow_plain_http = true, when the network itself is protected)")
        return self

    def forwarder(self, utc_ms: Callable[[], int]) -> "Webhook":
        return Webhook(
            self.name, self.url, self.read_secret("secret"), timeout_s=self.timeout_s,
            accept_simulated=self.accept_simulated, utc_ms=utc_ms,
        )  # fmt: skip


class Webhook:
    """One receiver. `utc_ms` gives the time that is signed; the secret is held in memory only."""

    def __init__(
        self,
        name: str,
        url: str,
        secret: bytes,
        *,
        timeout_s: float,
        accept_simulated: bool,
        utc_ms: Callable[[], int],
    ) -> None:
        self.name = name
        self.accept_simulated = accept_simulated
        self._url = url
        self._secret = secret
        self._timeout_s = timeout_s
        self._utc_ms = utc_ms
        # trust_env off: a proxy or .netrc of the environment must not see patient events unasked
        # No cookie is kept: each one that a receiver sets would make every later request longer, until it is refused.
        self._client = httpx2.AsyncClient(
            follow_redirects=False,
            trust_env=False,
            timeout=httpx2.Timeout(timeout_s, connect=0.9 * timeout_s),
        )
        self._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))

    async def send(self, delivery: Delivery) -> Outcome:
        """POST once within timeout_s in all (httpx's own limits are per operation, so a drip-feed would pass them)."""
        sent_at_s = self._utc_ms() // 1000
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "cytowatch",
            "Idempotency-Key": delivery.event_key,
            HEADER: sign(self._secret, sent_at_s, delivery.body),
        }
        outcome: Outcome | None = None
        # A status line decides. What fails after it (a body that never ends, a cut) does not change the outcome.
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._client.stream("POST", self._url, content=delivery.body, headers=headers) as answer,
            ):
                outcome = self._judge(answer)
                await _drain(answer)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            return RetryAfter(f"not reached: {str(error) or 'no connection in time'}", was_reached=False)
        except (TimeoutError, httpx2.TimeoutException):
            return outcome or RetryAfter(f"no answer within {self._timeout_s:g} s")
        except httpx2.HTTPError as error:
            why = str(error) or f"the connection broke ({type(error).__name__})"
            return outcome or RetryAfter(f"not reached: {why}")
        return outcome

    async def close(self) -> None:
        """Close kept connections."""
        await self._client.aclose()

    def _judge(self, answer: httpx2.Response) -> Outcome:
        status = answer.status_code
        if 200 <= status < 300:
            return Delivered(f"HTTP {status}")
        if 300 <= status < 400:
            place = answer.headers.get("Location", "elsewhere")[:200]
            return RetryAfter(
                f"HTTP {status}: redirect to {place} not followed; put the final address in `url`"
            )
        if status in _ABOUT_THE_BODY:
            return Rejected(f"HTTP {status}: the receiver refuses this event")
        after_s = _retry_after_s(answer.headers.get("Retry-After"), self._utc_ms() / 1000)
        return RetryAfter(f"HTTP {status}", after_s, whole_target=status in _ABOUT_ALL)


async def _drain(answer: httpx2.Response) -> None:
    taken = 0
    async for chunk in answer.aiter_raw():
        taken += len(chunk)
        if taken > _DRAIN_BYTES:
            return


def _retry_after_s(value: str | None, now_s: float) -> float | None:
    """Seconds or an HTTP date (RFC 9110 §10.2.3); anything else counts as absent. The worker caps it."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now_s)
    except (ValueError, TypeError, OverflowError):
        return None
