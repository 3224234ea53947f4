"""Tables of the host's reference pages, from the commands' own help and from the models of the configuration.

COMMANDS.md and CONFIGURATION.md of `host_agent/` take them in; `make docs` writes both anew.
"""

from collections.abc import Iterator
from typing import Any

import typer

from host_agent.cli.main import build_app
from host_agent.config.example import key_rows, sections
from host_agent.people import context_keys as entry_keys
from host_agent.terminal import exits


def commands() -> str:
    """A section for each command: what its help says, and a row for each argument and option."""
    return "\n".join(line for path, command in leaves() for line in _section(path, command))


def context_keys() -> str:
    """What each key of an entry takes."""
    rows = [
        (f"`{one.key}`", f"`{one.takes}`" if one.words else one.takes) for one in entry_keys.context_keys()
    ]
    return _table(("key", "takes"), rows)


def exit_codes() -> str:
    """What each exit code means."""
    return _table(("code", "meaning"), [(f"`{code}`", meaning) for code, meaning in exits.MEANINGS.items()])


def configuration() -> str:
    """A table of keys for each table of the configuration."""
    parts = []
    rows = key_rows()
    for name, model in sections():
        parts += [f"## `{name}`", "", " ".join((model.__doc__ or "").split()), ""]
        of_it = [row for row in rows if row[0].split(".")[0] == name]
        cells = [(f"`{path}`", takes, f"`{default}`", text) for path, takes, default, text in of_it]
        parts += [_table(("key", "takes", "default", "meaning"), cells)]
    return "\n".join(parts)


def leaves(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """(path, command) of every command that does something, in the order of --help."""
    command = command or typer.main.get_command(build_app())
    if not hasattr(command, "commands"):
        yield " ".join(path), command
        return
    for name in command.list_commands(None):
        yield from leaves(command.commands[name], (*path, name))


def _section(path: str, command: Any) -> Iterator[str]:
    yield f"## `cytowatch {path}`\n"
    yield f"{command.help.strip()}\n"
    rows = [(_names(parameter), parameter.help) for parameter in command.params if parameter.name != "help"]
    yield _table(("argument or option", "meaning"), rows) if rows else ""


def _names(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.metavar}`"
    value = f" {parameter.metavar}" if parameter.metavar else ""
    return ", ".join(f"`{name}{value}`" for name in parameter.opts)


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "".join(
        "|" + "|".join(f" {cell.replace('|', chr(92) + '|')} " for cell in line) + "|\n" for line in lines
    )
