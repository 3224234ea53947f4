"""Which agent owns which port: a record per port in this user's runtime folder, locked while the owner lives.

The lock is the truth (it dies with the process); the JSON beside it is for people: `cytowatch doctor` names agent,
pid and the release command from it. mpremote and others are kept out by the lock on the port itself, not by this.
"""

import fcntl
import hashlib
import json
import os
from pathlib import Path
from typing import IO, Any, NamedTuple

from host_agent.errors import PortBusy
from host_agent.paths import runtime_dir


class Owner(NamedTuple):
    """Who holds a port. `released_until_utc_ms` set: the owner lent it out and takes it back then."""

    port: str
    pid: int
    home: str
    since_utc_ms: int
    released_until_utc_ms: int | None

    @property
    def release_command(self) -> str:
        """What frees the port for another program."""
        return f"cytowatch release {self.port} --for 5m"


class Claim:
    """One port claimed by this process, from `claim` to `drop`."""

    def __init__(self, file: IO[str], owner: Owner) -> None:
        self._file = file
        self.owner = owner
        self._write()

    def mark_released(self, until_utc_ms: int | None) -> None:
        """Say in the record that the port is lent until then (None: in use by us again)."""
        self.owner = self.owner._replace(released_until_utc_ms=until_utc_ms)
        self._write()

    def drop(self) -> None:
        """Give the claim up; safe to call twice."""
        self._file.close()

    def _write(self) -> None:
        if self._file.closed:
            return
        self._file.seek(0)
        self._file.truncate()
        json.dump(self.owner._asdict(), self._file)
        self._file.flush()


def claim(port: str, home: str, utc_ms: int, folder: Path | None = None) -> Claim:
    """Claim a port for this process; PortBusy names the living owner."""
    path = _record_path(port, folder)
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        owner = _parse(file)
        file.close()
        if owner is None:
            raise PortBusy(f"{port} is being claimed by another agent") from None
        raise PortBusy(
            f"{port} belongs to the agent with pid {owner.pid} (home {owner.home})",
            f"Stop that agent, or hand the port over: {owner.release_command}",
        ) from None
    return Claim(file, Owner(port, os.getpid(), home, utc_ms, None))


def find_owner(port: str, folder: Path | None = None) -> Owner | None:
    """The living agent that claims this port, by any of the port's names; None when there is none."""
    return _living(_record_path(port, folder))


def owners(folder: Path | None = None) -> list[Owner]:
    """Every port claimed by a living agent of this user."""
    found = (_living(path) for path in sorted(_records(folder).glob("*.json")))
    return [owner for owner in found if owner is not None]


def _living(path: Path) -> Owner | None:
    try:
        file = path.open()
    except FileNotFoundError:
        return None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return _parse(file)  # locked: its owner lives
        return None


def _parse(file: IO[str]) -> Owner | None:
    file.seek(0)
    try:
        data: dict[str, Any] = json.load(file)
        return Owner(**{name: data[name] for name in Owner._fields})
    except (ValueError, KeyError, TypeError):
        return None  # its owner is writing it this moment


def _records(folder: Path | None) -> Path:
    path = folder or runtime_dir() / "ports"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def _record_path(port: str, folder: Path | None) -> Path:
    # a symlink and its target are one port
    real = os.path.realpath(port)
    digest = hashlib.sha256(os.fsencode(real)).hexdigest()[:16]
    return _records(folder) / f"{digest}.json"
