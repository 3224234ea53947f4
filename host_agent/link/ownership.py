"""Which agent owns which port: one file per port in a private folder of this user, locked while the owner runs.

The lock decides, because it ends with the process. The JSON in the file is for people: `cytowatch doctor` shows the
agent, its process id and the release command from it. Other programs such as mpremote are kept out by a lock on the
port itself.
"""

import contextlib
import fcntl
import hashlib
import json
import os
from pathlib import Path
from typing import IO, Any, NamedTuple

from host_agent.errors import PortBusy
from host_agent.paths import StateFolderError, ports_folder
from host_agent.plain_file import open_plain


class Owner(NamedTuple):
    """Who uses a port. When `released_until_utc_ms` is set, the owner has released the port until then."""

    port: str
    pid: int
    home: str
    since_utc_ms: int
    released_until_utc_ms: int | None

    @property
    def release_command(self) -> str:
        """The command that frees the port for another program."""
        return f"cytowatch release {self.port} --for 5m"


class Claim:
    """One port claimed by this process, from `claim` to `drop`."""

    def __init__(self, file: IO[str] | None, owner: Owner) -> None:
        """`file` is None where nothing can be written: then only the lock on the port itself protects it."""
        self._file = file
        self.owner = owner
        self._write()

    def mark_released(self, until_utc_ms: int | None) -> None:
        """Write into the file that the port is released until then; None: this process uses it again."""
        self.owner = self.owner._replace(released_until_utc_ms=until_utc_ms)
        self._write()

    def drop(self) -> None:
        """End the claim; safe to call twice."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()

    def _write(self) -> None:
        if self._file is None or self._file.closed:
            return
        with contextlib.suppress(OSError):  # a full disk hides the owner from people and stops no link
            self._file.seek(0)
            self._file.truncate()
            json.dump(self.owner._asdict(), self._file)
            self._file.flush()


def claim(port: str, home: str, utc_ms: int, folder: Path | None = None) -> Claim:
    """Claim a port for this process; PortBusy names the living owner."""
    me = Owner(port, os.getpid(), home, utc_ms, None)
    try:
        file = os.fdopen(open_plain(_record_path(port, folder), os.O_RDWR | os.O_CREAT | os.O_APPEND), "a+")
    except (OSError, StateFolderError):
        return Claim(None, me)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        owner = _parse(file)
        file.close()
        if owner is None:
            raise PortBusy(f"Another agent is taking {port}") from None
        raise PortBusy(
            f"The agent with process id {owner.pid} (state folder {owner.home}) uses {port}",
            f"Stop that agent, or release the port: `{owner.release_command}`.",
        ) from None
    return Claim(file, me)


def find_owner(port: str, folder: Path | None = None) -> Owner | None:
    """The living agent that claims this port, by any of the port's names; None when there is none."""
    try:
        return _living(_record_path(port, folder))
    except StateFolderError:
        return None


def last_user(port: str, folder: Path | None = None) -> Owner | None:
    """The agent that used this port last, whether it runs or not; None when none is known.

    A pseudo-terminal that is younger than the note is another one: the system gives its name again.
    """
    try:
        path = _record_path(port, folder)
        with os.fdopen(open_plain(path)) as file:
            last = _parse(file)
        real = os.path.realpath(port)
        is_another = real.startswith("/dev/pts/") and Path(real).stat().st_ctime > path.stat().st_mtime
    except (OSError, StateFolderError):
        return None
    return None if is_another else last


def owners(folder: Path | None = None) -> list[Owner]:
    """Every port claimed by a living agent of this user."""
    try:
        records = sorted(_records(folder).glob("*.json"))
    except StateFolderError:  # a user without any folder runs no agent
        return []
    found = (_living(path) for path in records)
    return [owner for owner in found if owner is not None]


def _living(path: Path) -> Owner | None:
    try:
        file = os.fdopen(open_plain(path))
    except OSError:
        return None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return _parse(file)  # locked, so its owner runs
        return None


def _parse(file: IO[str]) -> Owner | None:
    file.seek(0)
    try:
        data: dict[str, Any] = json.load(file)
        return Owner(**{name: data[name] for name in Owner._fields})
    except (ValueError, KeyError, TypeError):
        return None  # its owner is writing it now


def _records(folder: Path | None) -> Path:
    if folder is None:
        return ports_folder()
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _record_path(port: str, folder: Path | None) -> Path:
    # a symlink and its target are one port
    real = os.path.realpath(port)
    digest = hashlib.sha256(os.fsencode(real)).hexdigest()[:16]
    return _records(folder) / f"{digest}.json"
