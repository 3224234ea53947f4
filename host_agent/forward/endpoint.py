"""Where a receiver connects to, and each step of the way there with its time: name, connection, proxy, certificate."""

import asyncio
import ipaddress
import os
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from host_agent.text import iso_utc

_UNKNOWN_AUTHORITY = (18, 19, 20, 21)  # of X509_V_ERR_*: nobody that is trusted signed it
_WARN_DAYS = 14
_LONGEST_HEAD = 16_384

Greeting = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Endpoint(NamedTuple):
    """`tls` None: nothing is encrypted. `greet` is what comes before the encryption on the plain connection."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    proxy: tuple[str, int] | None = None
    greet: Greeting | None = None


class Step(NamedTuple):
    """One step of the way: its name, whether it was done, how long it took, and what was found."""

    name: str
    is_done: bool
    seconds: float
    text: str


class NotReachedError(Exception):
    """A step failed; the text says why in plain words."""


async def walk(endpoint: Endpoint, timeout_s: float, now_ms: int) -> list[Step]:
    """The steps in their order; the first that fails is the last. Nothing but greetings is sent."""
    way = _Way(endpoint, now_ms)
    failed = ""
    try:
        async with asyncio.timeout(timeout_s):
            await way.go()
    except TimeoutError:
        failed = f"no answer within {timeout_s:g} s"
    except (OSError, NotReachedError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
        failed = _why(error, endpoint.host)
    finally:
        way.close()
    if failed:
        way.steps.append(Step(way.name, False, time.monotonic() - way.started_s, failed))
    return way.steps


class _Way:
    """The steps that were done, and the one that is tried."""

    def __init__(self, endpoint: Endpoint, now_ms: int) -> None:
        self.steps: list[Step] = []
        self.name = "DNS"
        self.started_s = time.monotonic()
        self._endpoint = endpoint
        self._now_ms = now_ms
        self._writer: asyncio.StreamWriter | None = None

    async def go(self) -> None:
        host, port = self._endpoint.proxy or (self._endpoint.host, self._endpoint.port)
        via = "the proxy " if self._endpoint.proxy else ""
        self._begin("DNS")
        self._end(f"{via}{host} is {', '.join(await _look_up(host, port))}")
        self._begin("TCP")
        reader, writer = await asyncio.open_connection(host, port, limit=_LONGEST_HEAD)
        self._writer = writer
        self._end(f"connected to {via}{writer.get_extra_info('peername')[0]} port {port}")
        # a request without encryption asks the proxy itself
        if self._endpoint.proxy and self._endpoint.tls:
            self._begin("proxy")
            await _ask_proxy(reader, writer, self._endpoint)
            self._end(f"it leads to {self._endpoint.host} port {self._endpoint.port}")
        if self._endpoint.greet:
            self._begin("greeting")
            await self._endpoint.greet(reader, writer)
            self._end("the server answers as expected")
        if self._endpoint.tls:
            self._begin("TLS")
            await writer.start_tls(self._endpoint.tls, server_hostname=self._endpoint.host)
            self._end(_certificate(writer, self._now_ms))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    def _begin(self, name: str) -> None:
        self.name, self.started_s = name, time.monotonic()

    def _end(self, text: str) -> None:
        self.steps.append(Step(self.name, True, time.monotonic() - self.started_s, text))


async def _look_up(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=1)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def _ask_proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, endpoint: Endpoint) -> None:
    to = f"[{endpoint.host}]:{endpoint.port}" if ":" in endpoint.host else f"{endpoint.host}:{endpoint.port}"
    writer.write(f"CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    words = head.split("\r\n")[0].split(" ", 2)
    if len(words) < 2 or not words[1].startswith("2"):
        raise NotReachedError(f"the proxy refuses to lead to {to}: {' '.join(words)[:100]}")


def _certificate(writer: asyncio.StreamWriter, now_ms: int) -> str:
    certificate = writer.get_extra_info("peercert") or {}
    version = str(writer.get_extra_info("ssl_object").version())
    if not certificate.get("notAfter"):
        return version
    end_s = ssl.cert_time_to_seconds(certificate["notAfter"])
    days = int(end_s - now_ms / 1000) // 86_400
    soon = ". Renew it now" if days < _WARN_DAYS else ""
    return f"{version}; the certificate is valid until {iso_utc(end_s * 1000)[:10]}, {days} days{soon}"


def _why(error: Exception, host: str) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            own = ". Name your own authority in ca_file" if error.verify_code in _UNKNOWN_AUTHORITY else ""
            return f"the certificate of {host} does not serve: {error.verify_message}{own}"
        case ssl.SSLError():
            return f"{host} does not speak TLS here: {error.reason or error}"
        case NotReachedError():
            return str(error)
        case EOFError():
            return "the connection was closed"
        case OSError():
            # asyncio puts the address into strerror; a fault of a name has a negative number and words of its own
            number = error.errno or 0
            known = os.strerror(number) if number > 0 else error.strerror or str(error)
            return known.rstrip(".").lower()
    return f"no sensible answer ({type(error).__name__})"


def is_loopback(host: str) -> bool:
    """Whether what is sent to `host` stays on this computer."""
    if host.lower() in ("localhost", "localhost."):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
