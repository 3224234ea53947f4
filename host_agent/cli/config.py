"""`config`: print, check or explain the configuration."""

import json
from pathlib import Path
from typing import Annotated

import typer

from host_agent.config.example import example
from host_agent.config.model import load_config
from host_agent.paths import default_paths
from host_agent.plain_file import kind_of
from host_agent.terminal.config_option import find_config
from host_agent.text import without_secrets


def config(
    print_example: Annotated[
        bool, typer.Option("--example", help="Print a complete configuration with comments.")
    ] = False,
    check: Annotated[
        Path | None,
        typer.Option("--check", metavar="FILE", help="Check a file, and check that its secrets can be read."),
    ] = None,
) -> None:
    """Show, check or explain the configuration. Secrets are never shown."""
    if print_example:
        print(example(), end="")
        return
    if check is not None:
        for receiver in load_config(check, typed=True).receivers:
            for problem in receiver.problems():
                raise problem
        print(f"{check}: every key is valid.")
        return
    paths = default_paths()
    source = str(paths.config) if kind_of(paths.config) else f"defaults (there is no {paths.config})"
    print(f"# in use: {source}")
    shown = json.dumps(find_config(paths, None).model_dump(mode="json"), indent=2, ensure_ascii=False)
    print(without_secrets(shown))
