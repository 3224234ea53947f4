"""`grade`: grade the cases of a file, or a patient's course, with the code that runs on the wearable."""

import json
from pathlib import Path
from typing import Annotated

import typer
from crs_core.errors import CoreError

from host_agent.errors import ConfigError
from host_agent.ui.grade_json import grade_file, grade_sequence


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(grade)


def grade(
    file: Annotated[
        Path | None,
        typer.Option(
            "--json", metavar="FILE", help="JSON file of cases; the answer is JSON on standard output."
        ),
    ] = None,
    sequence: Annotated[
        Path | None,
        typer.Option(
            "--sequence",
            metavar="FILE",
            help="JSON list of {at_ms, inputs} of one patient in time order; the answer is a list, one entry a step.",
        ),
    ] = None,
) -> None:
    """Grade the cases of a file with the same code that runs on the wearable. Nothing is stored."""
    if (file is None) == (sequence is None):
        raise ConfigError(
            "One file is needed.", "Give --json FILE for cases, or --sequence FILE for one patient's course."
        )
    try:
        answer = grade_file(file) if file is not None else grade_sequence(sequence or "")
        print(json.dumps(answer, ensure_ascii=False, indent=2))
    except CoreError as error:
        raise ConfigError(str(error.args[0]), "Mend the file; no case was graded.") from None
