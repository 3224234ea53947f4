"""What every command prints and how it ends: text for people, or one JSON document with --json; errors on stderr."""

import json
import sys
from collections.abc import Iterable
from typing import Any, NoReturn

import typer

from host_agent.control.socket import AgentNotRunning
from host_agent.errors import ConfigError, HostAgentError
from host_agent.printable import printable
from host_agent.terminal import exits
from host_agent.terminal.streams import fitted, is_utf8


def show(data: Any, lines: Iterable[str], *, as_json: bool) -> None:
    """Print `data` as JSON, or the lines."""
    if as_json:
        print(json.dumps(data, ensure_ascii=not is_utf8(sys.stdout), indent=2))
        return
    for line in fitted(map(printable, lines), sys.stdout):
        print(line)


def say(*lines: str) -> None:
    """Print lines about the command itself, on standard error."""
    for line in fitted(map(printable, lines), sys.stderr):
        print(line, file=sys.stderr)


def fail(error: HostAgentError) -> int:
    """Print the error and its advice on stderr; returns the exit code that belongs to it."""
    say(*f"error: {error}".split("\n"), f"  {error.advice}")
    if isinstance(error, AgentNotRunning):
        return exits.NOT_RUNNING
    return exits.USAGE if isinstance(error, ConfigError) else exits.FAILED


def nothing(text: str, data: Any, *, as_json: bool) -> NoReturn:
    """Say that there is no data (the JSON form still is a document) and leave with its exit code."""
    show(data, [], as_json=as_json)
    say(*text.split("\n"))
    raise typer.Exit(exits.NO_DATA)
