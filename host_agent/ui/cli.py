"""`cytowatch`: the command. Each command group is a module; this one puts them together and turns errors into exits."""

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from host_agent.errors import HostAgentError
from host_agent.ui import (
    cmd_config,
    cmd_doctor,
    cmd_enrol,
    cmd_export,
    cmd_history,
    cmd_patient,
    cmd_run,
    cmd_status,
    exits,
)
from host_agent.ui.output import fail
from host_agent.words import NOTICE


class _Group(TyperGroup):
    """Says what this is before anything else."""

    def get_help(self, ctx: typer.Context) -> str:  # type: ignore[override]
        """The notice is the very first line."""
        return f"{NOTICE}\n\n{super().get_help(ctx)}"


_EPILOG = "Exit codes: " + "; ".join(f"{code} {meaning}" for code, meaning in exits.MEANINGS.items()) + "."

app = typer.Typer(
    cls=_Group,
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="The bedside agent of a wearable that watches for cytokine release syndrome.",
    epilog=_EPILOG,
)
for _module in (cmd_run, cmd_status, cmd_enrol, cmd_patient, cmd_history, cmd_export, cmd_config, cmd_doctor):
    _module.register(app)


def main(arguments: list[str] | None = None) -> Any:
    """Entry point: never a traceback for what a person can mend, and a documented exit code."""
    try:
        return app(args=arguments, standalone_mode=True)
    except HostAgentError as error:
        try:
            fail(error)
        except typer.Exit as done:
            sys.exit(done.exit_code)
    except KeyboardInterrupt:
        sys.exit(exits.INTERRUPTED)
    except BrokenPipeError:  # `cytowatch history | head`
        sys.stderr.close()
        sys.exit(exits.DONE)


if __name__ == "__main__":
    main()
