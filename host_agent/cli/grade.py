"""`grade`: grade the cases of a file, or a patient's course, on every scale."""

from pathlib import Path
from typing import Annotated

import typer
from crs_core.errors import CoreError

from host_agent.errors import ConfigError
from host_agent.terminal.grade_lines import course_lines, grade_lines
from host_agent.terminal.output import show
from host_agent.views.grade_json import grade_file, grade_sequence


def grade(
    file: Annotated[
        Path | None,
        typer.Option(
            "--json", metavar="FILE", help="JSON file of cases. The answer is JSON on standard output."
        ),
    ] = None,
    sequence: Annotated[
        Path | None,
        typer.Option(
            "--sequence",
            metavar="FILE",
            help="JSON list of {at_ms, inputs} of one patient in time order. The answer has one entry for each step.",
        ),
    ] = None,
    as_text: Annotated[
        bool, typer.Option("--text", help="Answer in text for people instead of JSON.")
    ] = False,
) -> None:
    """Grade cases, or one patient's course, on every scale. Nothing is stored.

    Give one file. A case holds keys of the grader's vocabulary (firmware/crs_core/grade/vocabulary.py). In a course
    a key replaces its earlier value, `null` withdraws it, and its age counts from the step that set it. Between two
    steps the alarm conditions are checked for every second. A wearable itself grades by ASTCT alone.
    """
    if (file is None) == (sequence is None):
        raise ConfigError(
            "One file is needed.", "Give --json FILE for cases, or --sequence FILE for one patient's course."
        )
    try:
        if sequence is not None:
            steps = grade_sequence(sequence)
            show(steps, course_lines(steps), as_json=not as_text)
        elif file is not None:
            answers = grade_file(file)
            show(answers, grade_lines(answers), as_json=not as_text)
    except CoreError as error:
        raise ConfigError(str(error.args[0]), "Correct the file. No case was graded.") from None
