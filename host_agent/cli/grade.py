"""`grade`: grade the cases of a file, or a patient's course, on every scale."""

from pathlib import Path
from typing import Annotated, Any

import typer
from crs_core.errors import CoreError
from typer.core import TyperCommand

from host_agent.errors import ConfigError
from host_agent.terminal.grade_lines import course_lines, grade_lines
from host_agent.terminal.options import JsonOption
from host_agent.terminal.output import say, show
from host_agent.views.grade_json import grade_file, grade_sequence

_BEFORE = "--json named the input file before. It now asks for a JSON answer, and the file stands by itself:"


class COMMAND_CLASS(TyperCommand):  # noqa: N801 main.py looks for this name
    """Takes `--json FILE` and `--json=FILE` as earlier versions did, and says how it is written now."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """The arguments in the form of today."""
        today: list[str] = []
        for at, one in enumerate(args):
            name, equals, file = one.partition("=")
            if name == "--json" and equals:
                today += ["--json", file]
            else:
                today.append(one)
                file = args[at + 1] if one == "--json" and at + 1 < len(args) else ""
            if name == "--json" and file and not file.startswith("-"):
                say(f"note: {_BEFORE} cytowatch grade {file} --json")
        return super().parse_args(ctx, today)


def grade(
    file: Annotated[
        Path | None, typer.Argument(metavar="[CASES]", show_default=False, help="JSON file of cases.")
    ] = None,
    course: Annotated[
        Path | None,
        typer.Option(
            "--course",
            metavar="FILE",
            help="JSON list of {at_ms, inputs} of one patient in time order. The answer has one entry for each step.",
        ),
    ] = None,
    as_json: JsonOption = False,
    sequence: Annotated[
        Path | None,
        typer.Option(
            "--sequence", metavar="FILE", hidden=True, help="Earlier name of --course, with a JSON answer."
        ),
    ] = None,
    as_text: Annotated[bool, typer.Option("--text", hidden=True, help="Text, as without --json.")] = False,
) -> None:
    """Grade cases, or one patient's course, on every scale. Nothing is stored.

    Give one file. A case holds keys of the grader's vocabulary (firmware/crs_core/grade/vocabulary.py). In a course
    a key replaces its earlier value, `null` withdraws it, and its age counts from the step that set it. Between two
    steps the alarm conditions are checked for every second. A wearable itself grades by ASTCT alone.
    """
    if sequence is not None:
        say(
            "note: --sequence is called --course now. It answers in JSON as before; --course does so with --json."
        )
        as_json = not as_text
    elif as_text:
        say("note: an answer in text needs no --text any more.")
        as_json = False
    course = course or sequence
    if (file is None) == (course is None):
        raise ConfigError(
            "One file is needed.",
            "Write cytowatch grade CASES.json, or --course FILE for one patient's course.",
        )
    try:
        answers: Any
        if course is not None:
            answers = grade_sequence(course)
            show(answers, course_lines(answers), as_json=as_json)
        elif file is not None:
            answers = grade_file(file)
            show(answers, grade_lines(answers), as_json=as_json)
    except CoreError as error:
        raise ConfigError(str(error.args[0]), "Correct the file. No case was graded.") from None
