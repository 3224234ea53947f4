"""What every command prints and how it ends: text for people, or one JSON document with --json; errors on stderr."""

import json
import sys
from collections.abc import Iterable
from typing import Any, NoReturn

import typer

from host_agent.control.socket import AgentNotRunning
from host_agent.errors import ConfigError, HostAgentError
from host_agent.terminal import exits


def show(data: Any, lines: Iterable[str], *, as_json: bool) -> None:
    """Print `data` as JSON, or the lines."""
    if as_json:
        print(json.dumps(data, ensure_ascii=False, indent=2))
    else:
        for line in lines:
            print(line)


def fail(error: HostAgentError) -> int:
    """Print the error and its advice on stderr; returns the exit code that belongs to it."""
    print(f"error: {error}\n  {error.advice}", file=sys.stderr)
    if isinstance(error, AgentNotRunning):
        return exits.NOT_RUNNING
    return exits.USAGE if isinstance(error, ConfigError) else exits.FAILED


def nothing(text: str, data: Any, *, as_json: bool) -> NoReturn:
    """Say that there is no data (the JSON form still is a document) and leave with its exit code."""
    show(data, [], as_json=as_json)
    print(text, file=sys.stderr)
    raise typer.Exit(exits.NO_DATA)
