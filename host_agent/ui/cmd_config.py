"""`config` and `grade`: check or print a configuration; grade the cases of a file."""

import json
from pathlib import Path
from typing import Annotated

import typer
from crs_core.errors import CoreError

from host_agent.config import load_config
from host_agent.config_example import example
from host_agent.errors import ConfigError
from host_agent.forward.secret import read_secret
from host_agent.paths import default_paths
from host_agent.ui.cmd_run import find_config
from host_agent.ui.grade_json import grade_file


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(config)
    app.command()(grade)


def config(
    print_example: Annotated[
        bool, typer.Option("--example", help="Print a complete commented configuration.")
    ] = False,
    check: Annotated[
        Path | None,
        typer.Option("--check", metavar="FILE", help="Check a file, and that its secrets can be read."),
    ] = None,
) -> None:
    """Show, check or explain the configuration. Secrets are never shown."""
    if print_example:
        print(example(), end="")
        return
    if check is not None:
        for hook in load_config(check).webhook:
            read_secret(hook)
        print(f"{check}: every key is valid.")
        return
    paths = default_paths()
    source = str(paths.config) if paths.config.exists() else "defaults (there is no config.toml)"
    print(f"# in use: {source}")
    print(json.dumps(find_config(paths, None).model_dump(mode="json"), indent=2))


def grade(
    file: Annotated[
        Path,
        typer.Option(
            "--json", metavar="FILE", help="JSON file of cases; the answer is JSON on standard output."
        ),
    ],
) -> None:
    """Grade the cases of a file with the same code that runs on the wearable. Nothing is stored."""
    try:
        print(json.dumps(grade_file(file), ensure_ascii=False, indent=2))
    except CoreError as error:
        raise ConfigError(str(error.args[0]), "Mend the file; no case was graded.") from None
