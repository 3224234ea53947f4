"""`grade`: grade the cases of a file with the code that runs on the wearable."""

import json
from pathlib import Path
from typing import Annotated

import typer
from crs_core.errors import CoreError

from host_agent.errors import ConfigError
from host_agent.ui.grade_json import grade_file


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(grade)


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
