"""What every command prints and how it ends: text for people, or one JSON document with --json; errors on stderr."""

import json
import sys
from collections.abc import Iterable
from typing import Any, NoReturn, TextIO

import typer

from host_agent.control.socket import AgentNotRunning
from host_agent.errors import ConfigError, HostAgentError
from host_agent.printable import printable
from host_agent.terminal import exits
from host_agent.terminal.colour import colour_of, coloured, has_colour
from host_agent.terminal.pager import page_through
from host_agent.terminal.streams import CleanStream, fitted, is_utf8


def show(data: Any, lines: Iterable[str], *, as_json: bool, pages: bool = False) -> None:
    """Print `data` as JSON, or the lines; `pages`: a screen at a time on a terminal, when they are more than one."""
    if as_json:
        print(json.dumps(data, ensure_ascii=not is_utf8(sys.stdout), indent=2))
        return
    shown = fitted(map(printable, lines), sys.stdout)
    if pages and sys.stdout.isatty() and sys.stdin.isatty():
        kept = list(shown)
        if page_through([coloured(line) for line in kept] if has_colour(sys.stdout) else kept):
            return
        shown = iter(kept)
    _print(shown, sys.stdout)


def _print(lines: Iterable[str], stream: TextIO) -> None:
    """Clean lines, in colour where a person sees it."""
    if not isinstance(stream, CleanStream) or not has_colour(stream):
        for line in lines:
            print(line, file=stream)
        return
    for line in lines:
        stream.write_in(colour_of(line), line)


def say(*lines: str) -> None:
    """Print lines about the command itself, on standard error."""
    _print(fitted(map(printable, lines), sys.stderr), sys.stderr)


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
