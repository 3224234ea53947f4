"""`cytowatch`: puts the command modules together and turns errors into exit codes."""

import importlib
import os
import shlex
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from host_agent import NOTICE
from host_agent.errors import ConfigError, HalfRegistered, HostAgentError
from host_agent.terminal import exits
from host_agent.terminal.output import fail
from host_agent.terminal.streams import clean_streams
from host_agent.version import program_version

# In the order in which --help shows them. A command is the file of its name beside this one, and one line here.
COMMANDS = (
    "run",
    "service",
    "release",
    "page",
    "status",
    "scan",
    "pair",
    "devices",
    "enrol",
    "hosts",
    "patient",
    "phones",
    "pause",
    "alarm",
    "account",
    "context",
    "sign",
    "audit",
    "rules",
    "history",
    "report",
    "export",
    "grade",
    "config",
    "policy",
    "receivers",
    "deliveries",
    "test-alarm",
    "test-sound",
    "backup",
    "restore",
    "verify",
    "doctor",
)
# Root options that end the command line by themselves: no command is loaded for them.
_ALONE = ("--version", "--install-completion", "--show-completion")
_COMPLETING = "_CYTOWATCH_COMPLETE"  # set by the script of a shell that asks what may follow
_TRACEBACK_VARIABLE = "CYTOWATCH_TRACEBACK"
_EPILOG = "Exit codes: " + "; ".join(f"{code} {meaning}" for code, meaning in exits.MEANINGS.items()) + "."


class _Group(TyperGroup):
    """Says what this is before anything else, and lists commands in the order of COMMANDS."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        _tell_whole_sentences(self)

    def get_help(self, ctx: typer.Context) -> str:  # type: ignore[override]
        """The notice is the very first line."""
        return f"{NOTICE}\n\n{super().get_help(ctx)}"

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """As a person meets them."""
        return [name for name in COMMANDS if name in self.commands]


def _tell_whole_sentences(group: TyperGroup) -> None:
    """The list of commands shows the first sentence of each; without this a narrow terminal shows half of it."""
    for command in group.commands.values():
        if isinstance(command, TyperGroup):
            _tell_whole_sentences(command)
        paragraph = " ".join((command.help or "").split("\n\n")[0].split())
        command.short_help = command.short_help or paragraph.partition(". ")[0].removesuffix(".") + "."


def build_app(command: str | None = None) -> typer.Typer:
    """The command line with every command, or with only the one that was typed: `status` must answer at once.

    A command that is "" is none: every command has its name and its first line, and no file of one is loaded.
    Raises HalfRegistered where a command or scale is half registered, or where the file of a command does not load.
    """
    _compare_files_with_lines()
    app = typer.Typer(
        cls=_Group,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        help="The bedside agent of a wearable that watches for cytokine release syndrome.",
        epilog=_EPILOG,
    )
    app.callback()(_root)
    for name in [command] if command in COMMANDS else COMMANDS:
        if command == "":
            app.command(name, help=_first_line(name))(_named_alone)
        else:
            _add(app, str(name))
    _compare_scales_with_lines()
    return app


def _compare_files_with_lines() -> None:
    stems = {path.stem for path in Path(__file__).parent.glob("*.py")} - {"__init__", "main"}
    files = {stem.replace("_", "-") for stem in stems}
    for name in sorted(files - set(COMMANDS)):
        raise HalfRegistered(
            f"The command {name} has a file in host_agent/cli and no line in COMMANDS.",
            f'Add "{name}" to COMMANDS in host_agent/cli/main.py.',
        )
    for name in sorted(set(COMMANDS) - files):
        raise HalfRegistered(
            f"The command {name} has a line in COMMANDS and no file.", f"Add host_agent/cli/{name}.py."
        )
    if len(set(COMMANDS)) < len(COMMANDS):
        twice = next(name for name in COMMANDS if COMMANDS.count(name) > 1)
        raise HalfRegistered(
            f"The command {twice} has two lines in COMMANDS.", "Delete one in host_agent/cli/main.py."
        )


def _compare_scales_with_lines() -> None:
    """A wearable's code never lists a folder, so the host looks for a scale's file that no line loaded."""
    package = "crs_core.grade.scales"
    if package not in sys.modules:
        return
    for folder in sys.modules[package].__path__:
        for path in sorted(Path(folder).glob("*.py")):
            if path.stem != "__init__" and f"{package}.{path.stem}" not in sys.modules:
                raise HalfRegistered(
                    f"The scale {path.stem} has a file in firmware/crs_core/grade/scales and no line in _FILES.",
                    f'Add "{path.stem}" to _FILES in the __init__.py beside it.',
                )


def _add(app: typer.Typer, name: str) -> None:
    """A module holds the command under its own name: a function, or a Typer with commands below it."""
    try:
        word = name.replace("-", "_")
        module = importlib.import_module(f"host_agent.cli.{word}")
        command = getattr(module, word, None)
    except HostAgentError:
        raise
    except (
        Exception
    ) as error:  # whatever is wrong in a file that this command needs is named, without a traceback
        raise HalfRegistered(
            f"The command {name} cannot be loaded: {type(error).__name__}: {error}.",
            f"For the whole traceback: python -c 'import host_agent.cli.{name}'.",
        ) from error
    if isinstance(command, typer.Typer) or (callable(command) and not isinstance(command, type)):
        has_help = command.info.help if isinstance(command, typer.Typer) else command.__doc__
        if not isinstance(has_help, str) or not has_help.strip():
            raise HalfRegistered(
                f"The command {name} has no help text.",
                f"Write the docstring of its function, or the help of its typer.Typer, in host_agent/cli/{name}.py.",
            )
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=name)
    elif callable(command) and not isinstance(command, type):
        app.command(name, cls=getattr(module, "COMMAND_CLASS", None))(command)
    else:
        raise HalfRegistered(
            f"host_agent/cli/{name}.py holds no command: nothing in it is called {name}.",
            f"Name its function, or its typer.Typer, {name}.",
        )


def _first_line(name: str) -> str:
    """What the file of a command says about itself, read and not run."""
    with (Path(__file__).parent / f"{name.replace('-', '_')}.py").open(encoding="utf-8") as file:
        return file.readline().strip().strip('"').partition(": ")[2].rstrip(".") + "."


def _named_alone() -> None:
    """Stands for a command whose file is not loaded."""


def _version(wanted: bool) -> None:
    if wanted:
        print(f"cytowatch {program_version()}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Keeps `cytowatch COMMAND` a command of a group even when one command is loaded."""


def _loaded(given: list[str]) -> str | None:
    """Which command must be loaded for what was typed; None: every one."""
    if _COMPLETING in os.environ:
        return next((one for one in _before_the_cursor() if one in COMMANDS), "")
    if not given:
        return None
    return "" if given[0].partition("=")[0] in _ALONE else given[0]


def _before_the_cursor() -> list[str]:
    """The whole words that a shell's script hands over, without the one that is being typed."""
    line = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS", "")
    try:
        words = shlex.split(line)
    except ValueError:  # a quote that is open yet
        words = line.split()
    if "COMP_CWORD" in os.environ and os.environ["COMP_CWORD"].isdigit():
        return words[1 : int(os.environ["COMP_CWORD"])]
    return words[1:] if line.endswith((" ", "\n")) else words[1:-1]


def main(arguments: list[str] | None = None) -> Any:
    """Entry point: never a traceback for what a person can mend, and a documented exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    with clean_streams():
        code = _run(given)
        sys.stdout.flush()
        sys.exit(code)


def _run(given: list[str]) -> int:
    if _COMPLETING in os.environ:
        os.environ["COLUMNS"] = "10000"  # what a shell is offered stays on one line each
    try:
        build_app(_loaded(given))(args=given, standalone_mode=True, prog_name="cytowatch")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else exits.DONE if end.code is None else exits.FAILED
    except HostAgentError as error:
        return fail(error)
    except KeyboardInterrupt:
        return exits.INTERRUPTED
    except Exception as error:
        return fail(_unforeseen(error))
    return exits.DONE


def _unforeseen(error: Exception) -> HostAgentError:
    """Words for what no part of the program answered: the computer said no, or the program has a fault."""
    if os.environ.get(_TRACEBACK_VARIABLE):
        traceback.print_exception(error)
    if isinstance(error, FileNotFoundError) and error.filename is None:  # what os.getcwd says
        return ConfigError(
            "The folder in which you type this does not exist any more.", "Go to another folder: cd"
        )
    if isinstance(error, OSError):
        return HostAgentError(
            f"{error.filename or 'The system'}: {error.strerror or error}.",
            "Free disk space if the disk is full, and check that this user may use the file.",
        )
    if isinstance(error, UnicodeError):
        return ConfigError(
            "Something that was typed or read is not valid text in this terminal's encoding.",
            "Use plain letters, or set LANG to a UTF-8 locale such as C.UTF-8.",
        )
    return HostAgentError(
        f"This is a bug: {type(error).__name__}: {error}.",
        "Report it with the command that you typed and with what it prints after"
        f" `export {_TRACEBACK_VARIABLE}=1`. The agent goes on.",
    )


if __name__ == "__main__":
    main()
