"""A command is one file and one line: a toy command in a copy of the tree is found everywhere."""

import pytest

FILE, MAIN = "host_agent/cli/greet.py", "host_agent/cli/main.py"
LINE = ('    "doctor",\n', '    "doctor",\n    "greet",\n')
GREET = '''
"""`greet`: a toy."""

from typing import Annotated

import typer


def greet(name: Annotated[str, typer.Option("--name", metavar="NAME", help="Whom to greet.")] = "all") -> None:
    """Greet somebody."""
    print(f"hello {name}")
'''


def test_a_command_is_found_in_help_on_the_page_and_running(tree):
    tree.write(FILE, GREET)
    tree.replace(MAIN, *LINE)
    assert "  greet       Greet somebody.\n" in tree.cytowatch("--help").stdout
    page = tree.page("host_agent/COMMANDS.md")
    assert (
        "## `cytowatch greet`\n\nGreet somebody.\n" in page and "| `--name NAME` | Whom to greet. |" in page
    )
    assert tree.cytowatch("greet", "--name", "you").stdout == "hello you\n"


@pytest.mark.parametrize(
    "text, line, expected",
    [
        (GREET, None, 'The command greet has a file in host_agent/cli and no line in COMMANDS.\n  Add "greet"'),
        (None, LINE, "The command greet has a line in COMMANDS and no file.\n  Add host_agent/cli/greet.py."),
        (GREET.replace("def greet", "def hello"), LINE, "greet.py holds no command: nothing in it is called greet."),
        ("class greet:\n    pass\n", LINE, "greet.py holds no command: nothing in it is called greet."),
        ("import toys", LINE, "The command greet cannot be loaded: ModuleNotFoundError: No module named 'toys'."),
        ("greet = (", LINE, "greet cannot be loaded: SyntaxError: '(' was never closed (greet.py, line 1)."),
        (GREET.replace('"""Greet somebody."""', ""), LINE, "The command greet has no help text."),
        ("import typer\ngreet = typer.Typer()", LINE, "The command greet has no help text."),
        (GREET, (LINE[0], LINE[1] + '    "greet",\n'), "The command greet has two lines in COMMANDS."),
    ],
    ids=["no line", "no file", "no function", "class", "no import", "syntax", "no help", "no help of group", "twice"],
)  # fmt: skip
def test_a_command_of_which_a_part_is_missing_stops_the_start_with_its_name(tree, text, line, expected):
    if text is not None:
        tree.write(FILE, text)
    if line:
        tree.replace(MAIN, *line)
    done = tree.cytowatch("--help")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ") and expected in done.stderr


def test_only_the_module_of_the_typed_command_is_loaded(tree):
    shown = (
        "import sys; from host_agent.cli.main import build_app; build_app('status');"
        "print([name for name in sys.modules if name.startswith('host_agent.cli.')])"
    )
    done = tree.run("-c", shown)
    assert done.stdout == "['host_agent.cli.main', 'host_agent.cli.status']\n", done.stderr


SCALES = "firmware/crs_core/grade/scales"
SCALE_LINE = ('    "icans",\n', '    "icans",\n    "toy",\n')


@pytest.mark.parametrize(
    "text, line, expected",
    [
        ("", None, "The scale toy has a file in firmware/crs_core/grade/scales and no line in _FILES."),
        (None, SCALE_LINE, "scale file toy cannot be loaded: No module named 'crs_core.grade.scales.toy'"),
        ("import toys", SCALE_LINE, "scale file toy cannot be loaded: No module named 'toys'"),
        ("SCALE = 3", SCALE_LINE, "scale file toy: PAPER is missing"),
        ("from crs_core.grade.scales.icans import *", SCALE_LINE, "scale ICANS: there are two of this name"),
    ],
    ids=["no line", "no file", "no import", "no paper", "twice"],
)
def test_a_scale_of_which_a_part_is_missing_stops_the_start_with_its_name(tree, text, line, expected):
    if text is not None:
        tree.write(f"{SCALES}/toy.py", text)
    if line:
        tree.replace(f"{SCALES}/__init__.py", *line)
    done = tree.cytowatch("status")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ") and expected in done.stderr
