"""Write each event into a log: of this computer, of its journal, or of a log server (RFC 5424).

A line holds no text of the event, no value and no phone number: a log is read by many and kept for long. It names the
patient by the pseudonym alone. No log says whether it wrote the line.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from host_agent.errors import ConfigError
from host_agent.forward.address import check_address
from host_agent.forward.delivery import Delivered, Delivery, Outcome, RetryAfter
from host_agent.forward.endpoint import Endpoint, is_loopback
from host_agent.forward.http_settings import tls_context
from host_agent.forward.message import Message, read_message
from host_agent.forward.receiver import Receiver
from host_agent.text import iso_utc

_PORTS = {"udp": 514, "tcp": 601, "tls": 6514}
_JOURNAL, _JOURNAL_SOCKET = "journald", "/run/systemd/journal/socket"
_FACILITIES = {"daemon": 3, "authpriv": 10, **{f"local{number}": 16 + number for number in range(8)}}
_SEVERITIES = {"HIGH": 1, "MEDIUM": 4, "LOW": 5}  # alert, warning, notice
_NOTICE = 5
_ODD = re.compile(r"[^A-Za-z0-9_.:+-]", re.ASCII)
_LONGEST_VALUE = 200
_LONGEST_MSGID = 32


class SyslogReceiver(Receiver):
    """A log that gets one line for each event, without values or text. Write one [[syslog]] table for each."""

    example: ClassVar[dict[str, Any]] = {"name": "log"}
    reaches = "nobody"
    files: ClassVar[tuple[str, ...]] = ("ca_file",)

    address: str = Field(
        default="/dev/log",
        description="Where the log is: a socket of this computer such as /dev/log; journald; or a server as"
        " udp://log.example.org:514, tcp:// or tls://.",
    )
    facility: Literal[
        "daemon", "authpriv", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"
    ] = Field(default="daemon", description="Which part of the log.")
    ca_file: str | None = Field(
        default=None,
        description="File with the certificates (PEM) that may sign for a tls:// server, instead of the public ones.",
    )
    allow_plain: bool = Field(
        default=False,
        description="Allow udp:// and tcp:// to another machine. Everyone there can then read it.",
    )

    @field_validator("address")
    @classmethod
    def _can_work(cls, address: str) -> str:
        if address == _JOURNAL or address.startswith((f"{_JOURNAL}:/", "/")):
            return address
        try:
            check_address(address, tuple(_PORTS))
        except ValueError as error:
            raise ValueError(f"/dev/log, journald, or a server: {error}") from None
        if urlsplit(address).path not in ("", "/"):
            raise ValueError("the name and port of a server alone, such as tls://log.example.org:6514")
        return address

    @model_validator(mode="after")
    def _is_encrypted(self) -> Self:
        parts = urlsplit(self.address)
        is_plain = parts.scheme in ("udp", "tcp") and not is_loopback(parts.hostname or "")
        if is_plain and not self.allow_plain:
            raise ValueError("tls:// (or allow_plain = true, when the network itself is protected)")
        return self

    def forwarder(self, utc_ms: Callable[[], int]) -> "Syslog":
        return Syslog(self, self.tls(), utc_ms)

    def tls(self) -> ssl.SSLContext | None:
        """Which certificates count; None when nothing is encrypted. ConfigError names a file that cannot serve."""
        if not self.address.startswith("tls://"):
            return None
        return tls_context(self.title, self.ca_file, None)

    def problems(self) -> Iterator[ConfigError]:
        yield from super().problems()
        try:
            self.tls()
        except ConfigError as error:
            yield error

    def endpoint(self) -> Endpoint | None:
        parts = urlsplit(self.address)
        if parts.scheme not in ("tcp", "tls"):
            return None
        return Endpoint(parts.hostname or "", parts.port or _PORTS[parts.scheme], self.tls())

    def proves(self) -> str:
        return "the line was given to the log; nothing proves that it was written, and nobody is called"

    def shown_address(self) -> str:
        return self.address


class Syslog:
    """One log."""

    def __init__(
        self, receiver: SyslogReceiver, tls: ssl.SSLContext | None, utc_ms: Callable[[], int]
    ) -> None:
        self.name = receiver.name
        self.accept_simulated = receiver.accept_simulated
        self._receiver = receiver
        self._tls = tls
        self._utc_ms = utc_ms

    async def send(self, delivery: Delivery) -> Outcome:
        """Give one line to the log within timeout_s in all."""
        address, message = self._receiver.address, read_message(delivery)
        priority = _FACILITIES[self._receiver.facility] * 8 + _severity(message)
        try:
            async with asyncio.timeout(self._receiver.timeout_s):
                if address.startswith("/"):
                    await _to_socket(address, f"<{priority}>cytowatch: {_line(message)}".encode())
                elif address.startswith(_JOURNAL):
                    await _to_socket(address.partition(":")[2] or _JOURNAL_SOCKET, _journal_entry(message))
                else:
                    await self._to_server(rfc5424(message, priority, self._utc_ms()))
        except TimeoutError:
            return RetryAfter(f"no log took it within {self._receiver.timeout_s:g} s")
        except OSError as error:
            return RetryAfter(f"the log is not reached: {error.strerror or error}")
        return Delivered("given to the log")

    async def close(self) -> None:
        """Nothing is kept open between lines."""

    async def _to_server(self, line: bytes) -> None:
        parts = urlsplit(self._receiver.address)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        if parts.scheme == "udp":
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                asyncio.DatagramProtocol, remote_addr=(host, port)
            )
            transport.sendto(line)
            transport.close()
            return
        _, writer = await asyncio.open_connection(host, port, ssl=self._tls)
        try:
            writer.write(b"%d " % len(line) + line)  # counted octets, RFC 5425 and RFC 6587
            await writer.drain()
        finally:
            writer.close()
        await writer.wait_closed()


def rfc5424(message: Message, priority: int, now_ms: int) -> bytes:
    """One line as log servers read it."""
    host = _ODD.sub("-", socket.gethostname())[:255] or "-"
    msgid = _ODD.sub("-", message.name)[:_LONGEST_MSGID] or "-"
    return f"<{priority}>1 {iso_utc(now_ms)} {host} cytowatch - {msgid} - {_line(message)}".encode()


def _journal_entry(message: Message) -> bytes:
    fields = {
        "MESSAGE": _line(message), "PRIORITY": str(_severity(message)), "SYSLOG_IDENTIFIER": "cytowatch",
        **{f"CYTOWATCH_{name.upper()}": value for name, value in _fields(message).items()},
    }  # fmt: skip
    return "".join(f"{name}={value}\n" for name, value in fields.items()).encode()


def _line(message: Message) -> str:
    return " ".join(f"{name}={value}" for name, value in _fields(message).items())


def _fields(message: Message) -> dict[str, str]:
    """What may stand in a log. A value is one word: nothing in it can make another field or another line."""
    device = message.event.get("device")
    wearable = device.get("id") if isinstance(device, dict) else ""
    values = {
        "priority": message.priority, "stage": message.stage, "name": message.name, "patient": message.patient,
        "wearable": wearable, "simulated": "yes" if message.simulated else "no",
        "occurred": message.occurred_at, "id": message.id, "key": message.key,
    }  # fmt: skip
    return {name: _ODD.sub("-", str(value or ""))[:_LONGEST_VALUE] or "-" for name, value in values.items()}


def _severity(message: Message) -> int:
    return _SEVERITIES.get(message.priority, 1) if message.rings and message.stage != "test" else _NOTICE


async def _to_socket(path: str, datagram: bytes) -> None:
    """Give one datagram to a local socket; OSError when nobody listens there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.setblocking(False)
        await asyncio.get_running_loop().sock_connect(log, path)
        await asyncio.get_running_loop().sock_sendall(log, datagram)
