"""The --config option and where a configuration is found."""

from pathlib import Path
from typing import Annotated

import typer

from host_agent.config.model import Config, load_config
from host_agent.paths import Paths
from host_agent.plain_file import kind_of

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="Use this configuration instead of config.toml in the state folder."
    ),
]


def find_config(paths: Paths, given: Path | None) -> Config:
    """The file named, else config.toml of the state folder, else the defaults."""
    if given is not None:
        return load_config(given, typed=True)
    return load_config(paths.config) if kind_of(paths.config) else Config()
