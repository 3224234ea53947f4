"""A service's file on this computer: written, compared and deleted only while it is this program's own.

The first line of a file that this program wrote holds a hash of the rest. A file without that line is foreign, and one
whose rest differs was changed by somebody: both are left alone.
"""

import contextlib
import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from host_agent.errors import HostAgentError
from host_agent.platform.service.program import Service

_DEADLINE_S = 90.0
_MADE = "Made by `cytowatch service install`; change nothing here."
_LINE = re.compile(rf"{re.escape(_MADE)} sha256=([0-9a-f]{{64}})")


class ServiceError(HostAgentError):
    """A service cannot be installed, asked or removed; the message says why."""

    code = "service"
    default_advice = "See what is there: cytowatch service status"


class Standing(StrEnum):
    """What stands at the place of the file."""

    NONE = "none"
    CURRENT = "current"
    OLDER = "older"  # this program's own, for another installation, folder or version
    CHANGED = "changed"
    FOREIGN = "foreign"


class Answer(NamedTuple):
    """What a command of the manager said; `code` None: there is no such command, or it did not end in time."""

    code: int | None
    text: str


Run = Callable[[tuple[str, ...]], Answer]


def run_command(command: tuple[str, ...]) -> Answer:
    """Run it with a deadline, without a terminal."""
    try:
        done = subprocess.run(  # noqa: S603 (our own words)
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_DEADLINE_S, check=False,
            errors="replace",
        )  # fmt: skip
    except FileNotFoundError:
        return Answer(None, f"{command[0]} is not on this computer")
    except (OSError, subprocess.TimeoutExpired) as error:
        return Answer(None, f"{command[0]} does not answer ({type(error).__name__})")
    return Answer(done.returncode, (done.stdout + done.stderr).strip())


def marked_text(service: Service) -> str:
    """The text of the file, with the line that shows whose it is, as a comment of its language."""
    line = f"{_MADE} sha256={hashlib.sha256(service.text.encode()).hexdigest()}"
    if not service.text.startswith("<?xml"):
        return f"# {line}\n{service.text}"
    first, _, rest = service.text.partition("\n")
    return f"{first}\n<!-- {line} -->\n{rest}"


def standing(service: Service) -> Standing:
    """Whose file is there."""
    if service.file.is_symlink() or (service.file.exists() and not service.file.is_file()):
        return Standing.FOREIGN  # a link to /dev/null is how an administrator forbids a unit
    try:
        there = service.file.read_text(encoding=service.encoding)
    except (FileNotFoundError, NotADirectoryError):
        return Standing.NONE
    except (OSError, UnicodeError):
        return Standing.FOREIGN
    if there == marked_text(service):
        return Standing.CURRENT
    lines = there.split("\n")
    found = next((found for line in lines[:2] if (found := _LINE.search(line))), None)
    if found is None:
        return Standing.FOREIGN
    rest = "\n".join(line for line in lines if found[0] not in line)
    return Standing.OLDER if hashlib.sha256(rest.encode()).hexdigest() == found[1] else Standing.CHANGED


def demand_own(service: Service) -> Standing:
    """What stands there; ServiceError when it is not this program's own."""
    found = standing(service)
    if found == Standing.FOREIGN:
        raise ServiceError(f"{service.file} is not a service of this program.",
                           "Move it away or ask who made it, then give the command again.")  # fmt: skip
    if found == Standing.CHANGED:
        raise ServiceError(f"{service.file} was changed by hand since it was installed.",
                           "Keep what you need of it, delete the file, then give the command again.")  # fmt: skip
    return found


def install(service: Service, run: Run = run_command) -> tuple[bool, list[str]]:
    """Write the file when it is not there as it should be, take it in and start it.

    The answer is whether the file was written, and what did not work although the service runs. ServiceError says what
    stopped it; giving the command again goes on from there.
    """
    is_new = demand_own(service) != Standing.CURRENT
    if is_new:
        _write(service)
    problems = []
    for command in service.take_in:
        answer = run(command)
        if answer.code != 0 and command[0] == "loginctl":
            problems.append(
                f"It ends at logout until somebody types: sudo {' '.join(command)} ({answer.text})"
            )
        elif answer.code != 0:
            raise _failed(command, answer)
    if is_new or run(service.ask).text.find("ActiveState=active") < 0:
        answer = run(service.start)
        if answer.code != 0:
            raise _failed(service.start, answer)
    return is_new, problems


def remove(service: Service, run: Run = run_command) -> bool:
    """Stop it and delete its file; False when there was none. ServiceError leaves it as it is."""
    if demand_own(service) == Standing.NONE:
        return False
    answer = run(service.stop)
    if answer.code != 0:
        raise _failed(service.stop, answer)
    try:
        service.file.unlink()
    except OSError as error:
        raise ServiceError(
            f"{service.file} cannot be deleted ({error.strerror}).", "Give this user the right to."
        ) from None
    for command in service.forget:
        run(command)
    return True


def _failed(command: tuple[str, ...], answer: Answer) -> ServiceError:
    return ServiceError(f"`{' '.join(command)}` failed: {answer.text or f'exit code {answer.code}'}.",
                        "Mend what it says, then give the command again.")  # fmt: skip


def _write(service: Service) -> None:
    """All or nothing."""
    try:
        service.file.parent.mkdir(parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(dir=service.file.parent, prefix=".cytowatch-")
        try:
            with os.fdopen(number, "w", encoding=service.encoding, newline="") as file:
                file.write(marked_text(service))
            Path(name).chmod(0o644)
            Path(name).replace(service.file)
        finally:
            with contextlib.suppress(OSError):
                Path(name).unlink()
    except OSError as error:
        raise ServiceError(
            f"{service.file} cannot be written ({error.strerror}).",
            "For a system service, give the command as root: sudo cytowatch service install --system --as NAME",
        ) from None
