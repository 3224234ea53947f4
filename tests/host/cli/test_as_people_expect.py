"""The command line does what people are used to: version, -h, completion, colour, pager, watch, words in any case."""

import json
import os
import shutil
import subprocess
import threading
from importlib.metadata import version

import pytest
import typer

from host_agent.cli.main import COMMANDS, build_app
from host_agent.errors import ConfigError
from host_agent.terminal import exits
from host_agent.terminal.colour import coloured
from host_agent.terminal.progress import working
from host_agent.terminal.watching import redraw_until_ctrl_c
from host_agent.terminal.words import chosen, offering
from tests.host.cli.at_terminal import AtTerminal
from tests.host.cli.people_cli import COMMAND, run, run_process
from tools.rig.contact_plan import PLAN_TOML


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def stored(one_patient):
    """The state folder of P-1 with many alarms."""
    for number in range(60):
        one_patient.rows.alarm(1, 2 * (number % 2 == 0), ago_ms=(100 - number) * 60_000)
    one_patient.rows.alarm(4, 3, ago_ms=60_000)
    one_patient.store.close()
    (one_patient.home / "c.db").rename(one_patient.home / "cytowatch.db")
    return one_patient.home


def test_the_version_needs_no_command_and_no_store(home):
    done = run_process(home, "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"cytowatch {version('cytowatch')}\n", "")
    assert not home.exists()


def paths_of(command, path=()):
    yield path
    for name in getattr(command, "commands", {}):
        yield from paths_of(command.commands[name], (*path, name))


EVERY = list(paths_of(typer.main.get_command(build_app())))


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_help_is_whole_on_eighty_columns(home, path):
    narrow, wide, short = (
        run(home, *path, option, COLUMNS=columns)
        for option, columns in (("--help", "80"), ("--help", "400"), ("-h", "80"))
    )
    assert narrow.returncode == 0 and narrow.stdout == short.stdout
    assert [line for line in narrow.stdout.splitlines() if len(line) > 80] == []
    assert set(narrow.stdout.split()) >= set(wide.stdout.split())


# What bash does when somebody types and presses Tab: it calls the function of the script and shows COMPREPLY.
TAB = """
_tab() {{
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
    _cytowatch_completion {command}; echo "${{COMPREPLY[@]}}"
}}
eval "$({command} --show-completion)"
{lines}
"""


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash here")
def test_bash_completes_commands_options_and_words_and_opens_no_store(home, tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "cytowatch").symlink_to(COMMAND)
    typed = {
        ("sta",): ["status"],
        ("rest",): ["restore"],
        ("alarm", ""): ["list", "accept", "silence"],
        ("history", "--ki"): ["--kind"],
        ("history", "--kind", "re"): ["readings", "restarts"],
        ("context", "set", "oxy"): ["oxygen="],
        ("sign", "grade", "--scale", "AST"): ["ASTCT"],
        ("report", "su"): ["summary"],
        ("nonsense", ""): [],
    }
    lines = "\n".join("_tab cytowatch " + " ".join(f"'{word}'" for word in words) for words in typed)
    done = subprocess.run(
        ["bash", "--norc", "-c", TAB.format(command="cytowatch", lines=lines)], capture_output=True, text=True,
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "CYTOWATCH_HOME": str(home)}, check=False,
    )  # fmt: skip
    found = [line.split() for line in done.stdout.splitlines()]
    assert found[:-1] == list(typed.values())[:-1], done.stderr
    assert not home.exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_its_script_and_each_answer_on_one_line(home, shell):
    environment = {"_CYTOWATCH_COMPLETE": f"source_{shell}"}
    assert "cytowatch" in run_process(home, **environment).stdout
    environment = {
        "_CYTOWATCH_COMPLETE": f"complete_{shell}", "COMP_WORDS": "cytowatch ", "COMP_CWORD": "1",
        "_TYPER_COMPLETE_ARGS": "cytowatch ", "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }  # fmt: skip
    done = run_process(home, **environment)
    assert done.returncode == 0 and not done.stderr
    assert len(done.stdout.splitlines()) == len(COMMANDS)
    assert all(name in done.stdout for name in COMMANDS)


def test_completion_loads_one_command_or_none(tree):
    shown = (
        "import sys; from host_agent.cli.main import build_app, _loaded; build_app(_loaded([]));"
        "print([name for name in sys.modules if name.startswith('host_agent.cli.')])"
    )
    for words, loaded in (("cytowatch st", []), ("cytowatch status --", ["host_agent.cli.status"])):
        line = words.split()
        environment = {
            "_CYTOWATCH_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(line) - 1),
        }
        code = f"import os; os.environ.update({environment!r}); {shown}"
        assert tree.run("-c", code).stdout == f"{['host_agent.cli.main', *loaded]}\n"


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["statsu"], "Did you mean 'status'?"),
        (["alarm", "lits"], "Did you mean 'list'?"),
        (["status", "--jsno"], "--json"),
        (["history", "--kind", "reading"], "Did you mean readings?"),
        (["export", "--format", "jsn"], "Did you mean jsonl?"),
        (["account", "add", "x", "--role", "nurze"], "Did you mean nurse?"),
        (["context", "set", "oxygne=face_mask"], "Did you mean oxygen=face_mask?"),
        (["context", "set", "oxygen=facemask"], "Did you mean oxygen=face_mask?"),
        (["context", "withdraw", "oxygne"], "Did you mean oxygen?"),
        (["policy", "test", "--event", "FEVR"], "Did you mean FEVER?"),
    ],
)
def test_what_was_meant_is_said(home, arguments, meant):
    done = run(home, *arguments)
    assert done.returncode == exits.USAGE and meant in " ".join(done.stderr.split())


@pytest.mark.parametrize("typed", ["face_mask", "Face_Mask", "FACE-MASK", "face mask", " face_mask "])
def test_a_word_is_taken_in_any_case(typed):
    words = ("room_air", "face_mask", "ASTCT")
    assert chosen(typed, words, "--x") == "face_mask"
    assert chosen("astct", words, "--x") == "ASTCT"
    assert offering(words)("FA") == ["face_mask"]
    with pytest.raises(ConfigError, match="--x: expected one of room_air"):
        chosen("", words, "--x")


@pytest.mark.parametrize(
    "arguments",
    [["history", "--kind", "ALARMS"], ["export", "--kind", "Grades", "--format", "JSONL"],
     ["context", "set", "Oxygen=Face-Mask", "Seizure=NONE", "motor_weakness=Yes", "vasopressors=NOREPINEPHRINE"],
     ["sign", "grade", "--scale", "astct", "--grade", "2"], ["pause", "--why", "Charging"],
     ["policy", "test", "--event", "fever=high"]],
    ids=" ".join,
)  # fmt: skip
def test_words_in_any_case_are_no_wrong_use(stored, arguments):
    assert run(stored, *arguments).returncode != exits.USAGE


CASE = '{"a": {"temperature_cc": 3850, "site": "oral", "age_months": 600}}'


def test_json_asks_for_the_answer_everywhere_and_its_old_meaning_works_with_a_note(home, tmp_path):
    file = tmp_path / "cases.json"
    file.write_text(CASE)
    text, answer = run(home, "grade", str(file)), run(home, "grade", str(file), "--json")
    assert text.stdout.startswith("Research prototype") and "a" in json.loads(answer.stdout)
    assert text.stderr == answer.stderr == ""
    for old in (["--json", str(file)], [f"--json={file}"]):
        done = run(home, "grade", *old)
        assert done.stdout == answer.stdout and done.returncode == 0
        assert "cytowatch grade" in done.stderr and done.stderr.startswith(
            "note: --json named the input file before."
        )
    done = run(home, "grade", "--json", str(file), "--text")
    assert done.stdout == text.stdout
    file.write_text('[{"at_ms": 0, "inputs": {"temperature_cc": 3850, "site": "oral"}}]')
    answer = run(home, "grade", "--course", str(file), "--json")
    old = run(home, "grade", "--sequence", str(file))
    assert old.stdout == answer.stdout and "--course" in old.stderr
    assert (
        run(home, "grade").returncode == run(home, "grade", str(file), "--course", str(file)).returncode == 2
    )


def test_every_json_option_is_a_flag():
    def options(command):
        yield from command.params
        for one in getattr(command, "commands", {}).values():
            yield from options(one)

    found = [one for one in options(typer.main.get_command(build_app())) if "--json" in one.opts]
    assert len(found) > 20 and all(one.is_flag for one in found)


def test_colour_is_for_a_terminal_alone_and_no_text_chooses_it(stored):
    red = "\x1b[1;31m"
    _, shown = AtTerminal(stored, "status").end()
    assert f"{red}URGENT" in shown and "\x1b[0m" in shown
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        _, shown = AtTerminal(stored, "status", **environment).end()
        assert "URGENT" in shown and "\x1b" not in shown
    assert "\x1b" not in run_process(stored, "status", TERM="xterm").stdout
    assert coloured("said by somebody: URGENT") == "said by somebody: URGENT"


def test_a_long_answer_is_paged_on_a_terminal_and_nowhere_else(stored, tmp_path):
    pager = tmp_path / "pager"
    pager.write_text("#!/bin/sh\necho PAGED; head -n 1 > /dev/null; exit 3\n")
    pager.chmod(0o755)
    for arguments in (("history",), ("context", "keys")):
        code, shown = AtTerminal(stored, *arguments, height=10, PAGER=f"{pager} -x").end()
        assert (code, shown) == (0, "PAGED\n")
        code, shown = AtTerminal(stored, *arguments, "--no-pager", height=10, PAGER=str(pager)).end()
        assert code == 0 and "PAGED" not in shown and len(shown.splitlines()) > 9
        code, shown = AtTerminal(stored, *arguments, height=400, PAGER=str(pager)).end()
        assert "PAGED" not in shown, "it fits on the screen"
        assert "PAGED" not in run_process(stored, *arguments, PAGER=str(pager)).stdout
        code, shown = AtTerminal(stored, *arguments, height=10, PAGER="no-such-pager 'x").end()
        assert code == 0 and len(shown.splitlines()) > 9
    code, shown = AtTerminal(stored, "history", "--json", height=10, PAGER=str(pager)).end()
    assert json.loads(shown)["rows"]


def test_a_watch_draws_again_and_ends_with_ctrl_c(stored):
    terminal = AtTerminal(stored, "status", "--watch", height=12)
    terminal.wait_for("Ctrl-C ends it.", times=2)
    terminal.ctrl_c()
    code, shown = terminal.end()
    assert code == 0 and "Traceback" not in shown and "more lines: cytowatch status." in shown
    assert shown.count("\x1b[H") >= 2 and "URGENT" in shown


def test_a_watch_goes_on_when_agent_and_store_come_and_go(stored, monkeypatch, capsys):
    from host_agent.cli import status
    from host_agent.terminal.streams import CleanStream, clean_streams

    database = stored / "cytowatch.db"
    monkeypatch.setenv("CYTOWATCH_HOME", str(stored))
    monkeypatch.setattr(CleanStream, "isatty", lambda self: True)
    seen = []

    def pause(_):
        seen.append(capsys.readouterr().out)
        if len(seen) == 1:
            database.rename(stored / "away.db")
        elif len(seen) == 2:
            database.write_bytes(b"no database" * 1000)
        elif len(seen) == 3:
            database.unlink()
            (stored / "away.db").rename(database)
        else:
            raise KeyboardInterrupt

    with clean_streams():
        redraw_until_ctrl_c(status._frame, pause)
    assert "P-1" in seen[0] and "No wearable is known here" in seen[1]
    assert "error:" in seen[2] and "P-1" in seen[3]


def test_a_watch_without_a_terminal_and_with_json_is_refused(stored):
    done = run_process(stored, "status", "--watch")
    assert done.returncode == exits.USAGE and "draws on a terminal" in done.stderr
    done = run(stored, "status", "--watch", "--json")
    assert done.returncode == exits.USAGE and "cannot be combined" in done.stderr


def test_work_that_lasts_is_told_and_short_work_is_not(capsys):
    told = threading.Event()

    def what():
        told.set()
        return "counting, 7 so far"

    with working(what, 0.001):
        told.wait()
    assert "counting, 7 so far ...\n" in capsys.readouterr().err
    with working(what, 3600.0):
        pass
    assert capsys.readouterr().err == ""


def test_looking_far_ahead_says_that_it_works(home, tmp_path, monkeypatch):
    (tmp_path / "c.toml").write_text(PLAN_TOML)
    monkeypatch.setattr("host_agent.cli.policy.working", lambda what: working(what, 0.0001))
    done = run(
        home, "policy", "test", "--event", "FEVER", "--for", "40d", "--config", str(tmp_path / "c.toml")
    )
    assert done.returncode == 0, done.stderr
    assert "looking ahead" in done.stderr
