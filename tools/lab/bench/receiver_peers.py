"""A real peer for each kind of receiver on loopback, and the table of the configuration that leads to it.

Every peer takes all that it gets. One that is not installed here raises MissingError with what brings it.
"""

import contextlib
import importlib.util
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tools.rig import desktop, fhir_peer
from tools.rig.free_port import free_port
from tools.rig.mosquitto import MISSING, mosquitto, mosquitto_path
from tools.rig.quiet_server import OneAtATimeServer, serving

_MAIL = """
import asyncio
from aiosmtpd.smtp import SMTP
class Takes:
    async def handle_DATA(self, *_): return "250 taken"
async def main():
    await asyncio.get_running_loop().create_server(lambda: SMTP(Takes(), hostname="mail.test"), "127.0.0.1", PORT)
    print("ready", flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


class MissingError(Exception):
    """This peer is not installed here; the text says what brings it."""


def _taken(request: Any) -> tuple[int, str]:
    request.rfile.read(int(request.headers["Content-Length"]))
    return 200, ""


@contextlib.contextmanager
def _http(folder: Path) -> Iterator[str]:
    with serving(OneAtATimeServer(0, _taken)) as port:
        yield f"http://127.0.0.1:{port}/"


@contextlib.contextmanager
def webhook(folder: Path) -> Iterator[str]:
    """An HTTP server."""
    with _http(folder) as url:
        yield f'[[webhook]]\nname = "bench"\nurl = "{url}"\nsecret_file = "{_secret(folder, "0" * 16)}"\n'


@contextlib.contextmanager
def mail(folder: Path) -> Iterator[str]:
    """An SMTP server (aiosmtpd) in a process of its own."""
    port = free_port()
    command = [sys.executable, "-c", _MAIL.replace("PORT", str(port))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        try:
            assert server.stdout is not None
            server.stdout.readline()
            yield (
                f'[[mail]]\nname = "bench"\nserver = "127.0.0.1"\nport = {port}\nsecurity = "none"\n'
                'sender = "a@example.org"\nrecipients = ["b@example.org"]\n'
            )
        finally:
            server.kill()


@contextlib.contextmanager
def mqtt(folder: Path) -> Iterator[str]:
    """A broker (mosquitto)."""
    if mosquitto_path() is None:
        raise MissingError(MISSING)
    port = free_port()
    with mosquitto(folder, port):
        yield (
            f'[[mqtt]]\nname = "bench"\nhost = "127.0.0.1"\nport = {port}\ntls = false\nallow_no_subscriber = true\n'
        )


@contextlib.contextmanager
def fhir(folder: Path) -> Iterator[str]:
    """The FHIR router under Node."""
    if not fhir_peer.is_here():
        raise MissingError(fhir_peer.MISSING)
    with fhir_peer.fhir_server() as address:
        yield (
            f'[[fhir]]\nname = "bench"\nurl = "{address}"\npatient_system = "https://example.org/patients"\n'
        )


@contextlib.contextmanager
def apprise(folder: Path) -> Iterator[str]:
    """An HTTP server, by the helper process of Apprise."""
    if importlib.util.find_spec("apprise") is None:
        raise MissingError("no Apprise here; `pip install 'cytowatch[apprise]'` brings it")
    with _http(folder) as url:
        address = url.replace("http://", "json://")
        yield f'[[apprise]]\nname = "bench"\nurl_file = "{_secret(folder, address)}"\n'


@contextlib.contextmanager
def screen(folder: Path) -> Iterator[str]:
    """A session bus with dunst, which shows notes."""
    if not desktop.has_desktop():
        raise MissingError(desktop.MISSING)
    with desktop.desktop() as (address, _):
        yield f'[[desktop]]\nname = "bench"\nbus = "{address}"\n'


@contextlib.contextmanager
def syslog(folder: Path) -> Iterator[str]:
    """A log server that listens and keeps nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as log:
        log.bind(("127.0.0.1", 0))
        yield f'[[syslog]]\nname = "bench"\naddress = "udp://127.0.0.1:{log.getsockname()[1]}"\n'


def _secret(folder: Path, text: str) -> Path:
    path = folder / "secret"
    path.write_text(text + "\n")
    path.chmod(0o600)
    return path


PEERS: dict[str, Callable[[Path], contextlib.AbstractContextManager[str]]] = {
    "webhook": webhook, "mail": mail, "mqtt": mqtt, "fhir": fhir, "apprise": apprise, "desktop": screen,
    "syslog": syslog,
}  # fmt: skip
