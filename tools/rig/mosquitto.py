"""A real MQTT broker on loopback for a test: mosquitto, with the configuration that the test gives."""

import contextlib
import getpass
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

MISSING = "no mosquitto here; `apt-get install mosquitto` brings it"
_START_S = 10.0


def mosquitto_path() -> str | None:
    """The program, or None; a system's own programs are often not on the path of a user."""
    return shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin") or shutil.which(
        "mosquitto"
    )


@contextlib.contextmanager
def mosquitto(
    folder: Path, port: int, *lines: str, anonymous: bool = True
) -> Iterator[subprocess.Popen[bytes]]:
    """A broker on 127.0.0.1:`port` until the block ends; `lines` are added to its configuration."""
    program = mosquitto_path()
    if program is None:
        raise FileNotFoundError(MISSING)
    config = folder / "mosquitto.conf"
    own = (
        f"user {getpass.getuser()}",
        f"listener {port} 127.0.0.1",
        f"allow_anonymous {str(anonymous).lower()}",
    )
    config.write_text("\n".join((*own, *lines)) + "\n")
    with (folder / "mosquitto.log").open("ab") as log:
        broker = subprocess.Popen([program, "-c", str(config)], stdout=log, stderr=log)
    try:
        _wait(broker, port, folder / "mosquitto.log")
        yield broker
    finally:
        broker.kill()
        broker.wait()


def _wait(broker: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until_s = time.monotonic() + _START_S
    while time.monotonic() < until_s and broker.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"mosquitto did not start:\n{log.read_text()}")
