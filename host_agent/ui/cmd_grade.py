"""`grade`: grade the cases of a file on every scale."""

from pathlib import Path
from typing import Annotated

import typer
from crs_core.errors import CoreError

from host_agent.errors import ConfigError
from host_agent.ui.grade_json import grade_file
from host_agent.ui.grade_text import grade_lines
from host_agent.ui.output import show


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
    as_text: Annotated[
        bool, typer.Option("--text", help="Answer in lines for people instead of JSON.")
    ] = False,
) -> None:
    """Grade the cases of a file on every scale with the shared core; a wearable has ASTCT alone. Nothing is stored."""
    try:
        answers = grade_file(file)
        show(answers, grade_lines(answers), as_json=not as_text)
    except CoreError as error:
        raise ConfigError(str(error.args[0]), "Mend the file; no case was graded.") from None
