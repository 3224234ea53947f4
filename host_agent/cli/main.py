"""`cytowatch`: puts the command modules together and turns errors into exit codes."""

import importlib
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from host_agent.errors import HostAgentError
from host_agent.terminal import exits
from host_agent.terminal.output import fail
from host_agent.text import NOTICE

# command → module. Only the module of the command that was typed is loaded: `status` must answer at once.
COMMANDS = {
    "run": "run",
    "release": "run",
    "status": "status",
    "scan": "ble",
    "pair": "ble",
    "devices": "enrol",
    "enrol": "enrol",
    "hosts": "enrol",
    "patient": "patient",
    "pause": "pause",
    "account": "account",
    "context": "context",
    "sign": "sign",
    "audit": "account",
    "rules": "rules",
    "history": "history",
    "report": "report",
    "export": "export",
    "grade": "grade",
    "config": "config",
    "backup": "store",
    "restore": "store",
    "verify": "store",
    "doctor": "doctor",
}
_EPILOG = "Exit codes: " + "; ".join(f"{code} {meaning}" for code, meaning in exits.MEANINGS.items()) + "."


class _Group(TyperGroup):
    """Says what this is before anything else, and lists commands in the order of COMMANDS."""

    def get_help(self, ctx: typer.Context) -> str:  # type: ignore[override]
        """The notice is the very first line."""
        return f"{NOTICE}\n\n{super().get_help(ctx)}"

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """As a person meets them."""
        return [name for name in COMMANDS if name in self.commands]


def build_app(command: str | None = None) -> typer.Typer:
    """The command line with every command, or with what is needed for one."""
    app = typer.Typer(
        cls=_Group,
        rich_markup_mode=None,
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        help="The bedside agent of a wearable that watches for cytokine release syndrome.",
        epilog=_EPILOG,
    )
    app.callback()(_nothing)
    modules = [COMMANDS[command]] if command in COMMANDS else dict.fromkeys(COMMANDS.values())
    for name in modules:
        importlib.import_module(f"host_agent.cli.{name}").register(app)
    return app


def _nothing() -> None:
    """Keeps `cytowatch COMMAND` a command of a group even when one command is loaded."""


def main(arguments: list[str] | None = None) -> Any:
    """Entry point: never a traceback for what a person can mend, and a documented exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        return build_app(given[0] if given else None)(args=given, standalone_mode=True)
    except HostAgentError as error:
        sys.exit(fail(error))
    except KeyboardInterrupt:
        sys.exit(exits.INTERRUPTED)
    except BrokenPipeError:  # `cytowatch history | head`
        sys.stderr.close()
        sys.exit(exits.DONE)


if __name__ == "__main__":
    main()
