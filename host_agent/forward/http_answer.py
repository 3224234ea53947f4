"""One request within one deadline, and what its status says. What a 2xx says is judged by the form of the receiver."""

import asyncio
import json
import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import httpx2

from host_agent.forward.delivery import Outcome, Rejected, RetryAfter

# Statuses that speak about these bytes; every other refusal (key, path, overload) may be mended at the receiver,
# so the event waits for that instead of being given up.
_ABOUT_THE_BODY = (400, 413, 415, 422)
# A second event now would meet the same.
_ABOUT_ALL = (401, 403, 404, 405, 407, 408, 429, 501, 502, 503, 504, 505, 507, 511)
# Of those, the ones that no event can cause: the others may come from a gateway that one body trips up.
_SURELY_ABOUT_ALL = (401, 407, 408, 429, 503)
# How much of an answer is read to judge it and to keep the connection; a receiver that sends more misbehaves.
_READ_BYTES = 65_536
_WISH_MAX_S = 1e9


class Request(NamedTuple):
    """What is sent where."""

    url: str
    headers: dict[str, str]
    body: bytes
    method: str = "POST"


class Answer(NamedTuple):
    """What came back. `is_whole`: all of its body is in `body`."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_whole: bool

    @property
    def text(self) -> str:
        """Its body as text, without blanks around it."""
        return self.body.decode(errors="replace").strip()

    @property
    def table(self) -> dict[str, Any]:
        """Its body as a JSON object; empty when it is none."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


async def post(client: httpx2.AsyncClient, request: Request, timeout_s: float) -> Answer | RetryAfter:
    """Ask once within timeout_s in all: the client's own limits are per operation, so a drip-feed would pass them.

    Once the status is there, a body that never ends or a cut makes the answer incomplete and not lost.
    """
    status: int | None = None
    headers: Mapping[str, str] = {}
    body = bytearray()
    is_whole = False
    try:
        async with (
            asyncio.timeout(timeout_s),
            client.stream(
                request.method, request.url, content=request.body, headers=request.headers
            ) as answer,
        ):
            status, headers = answer.status_code, answer.headers
            is_whole = await _read(answer, body)
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError) as error:
        return RetryAfter(f"not reached: {str(error) or 'no connection in time'}", was_reached=False)
    except (TimeoutError, httpx2.TimeoutException):
        if status is None:
            return RetryAfter(f"no answer within {timeout_s:g} s")
    except httpx2.HTTPError as error:
        if status is None:
            return RetryAfter(
                f"not reached: {str(error) or f'the connection broke ({type(error).__name__})'}"
            )
    return Answer(status, headers, bytes(body), is_whole and "content-encoding" not in headers)


async def _read(answer: httpx2.Response, into: bytearray) -> bool:
    async for chunk in answer.aiter_raw():
        into += chunk
        if len(into) > _READ_BYTES:
            del into[_READ_BYTES:]
            return False
    return True


def refusal(answer: Answer, why: str, now_s: float) -> Outcome | None:
    """What a status other than 2xx means; None for a 2xx. `why` is what the receiver says of it, or empty."""
    status, said = answer.status, f" ({why})" if why else ""
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        place = answer.headers.get("Location", "elsewhere")[:200]
        return RetryAfter(f"HTTP {status}: redirect to {place} not followed; put the final address in `url`")
    if status in _ABOUT_THE_BODY:
        return Rejected(f"HTTP {status}: the receiver refuses this event{said}")
    after_s = _retry_after_s(answer, now_s)
    is_about_all = status in _ABOUT_ALL
    is_sure = status in _SURELY_ABOUT_ALL or (not is_about_all and status < 500)
    return RetryAfter(f"HTTP {status}{said}", after_s, whole_target=is_about_all, is_sure=is_sure)


def _retry_after_s(answer: Answer, now_s: float) -> float | None:
    """The header, or the number of seconds in the body, where Discord puts it."""
    wish = retry_after_s(answer.headers.get("Retry-After"), now_s)
    in_body = answer.table.get("retry_after") if answer.status == 429 else None
    if wish is None and isinstance(in_body, int | float) and not isinstance(in_body, bool):
        asked_s = min(in_body, _WISH_MAX_S)
        return None if math.isnan(asked_s) else max(0.0, asked_s)
    return wish


def retry_after_s(value: str | None, now_s: float) -> float | None:
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
