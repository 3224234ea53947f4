"""The conversation with a mail server up to the encryption, for `cytowatch receivers test`."""

import asyncio
import re
import socket

from host_agent.forward.endpoint import NotReachedError
from host_agent.forward.message import one_line

_LONGEST = 120


def own_name() -> str:
    """The name that this computer says in EHLO, without asking a name server."""
    return re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname()).strip(".-") or "localhost"


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The conversation up to STARTTLS, for `receivers test`."""
    await _expect(reader, "220")
    writer.write(f"EHLO {own_name()}\r\n".encode())
    if "STARTTLS" not in (await _expect(reader, "250")).upper():
        raise NotReachedError("the mail server offers no STARTTLS: set security = tls, or repair the server")
    writer.write(b"STARTTLS\r\n")
    await _expect(reader, "220")


async def _expect(reader: asyncio.StreamReader, code: str) -> str:
    lines: list[str] = []
    while True:
        line = (await reader.readline()).decode("latin-1")
        if not line or len(lines) > 100:
            raise NotReachedError("the mail server closed the connection")
        lines.append(line.strip())
        if line[3:4] != "-":
            break
    if not lines[-1].startswith(code):
        raise NotReachedError(f"the mail server says: {one_line(lines[-1], _LONGEST)}")
    return " ".join(lines)
