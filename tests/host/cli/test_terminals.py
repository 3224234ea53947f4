"""Any terminal, pipe or file at the end of a command: nothing crashes, nothing commands it, nothing is cut in half."""

import contextlib
import errno
import fcntl
import io
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from host_agent.printable import ERRORS, LINE_BREAKS, printable
from host_agent.terminal import exits
from host_agent.terminal.output import say, show
from host_agent.terminal.streams import CleanStream, clean_streams, fitted
from tests.host.cli.people_cli import COMMAND, run

HOSTILE = [
    "\x1b]0;pwn\x07",
    "\x1b[2J",
    "\r",
    "\b",
    "\x9b31m",
    "\x7f",
    "\0",
    "\u202e",
    "\u2066",
    "\u200b",
    "\u2028",
]
HOSTILE += ["\udcff"]  # a byte that is no text


@pytest.fixture
def home(tmp_path):
    """A store with readings and the records of nobody."""
    return tmp_path / "home"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_that_is_printed_commands_a_terminal(monkeypatch, hostile):
    out, error = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", error)
    with clean_streams():
        print(f"a{hostile}b\nc")
        say(f"a{hostile}b\nforged: all is well")
        show({}, [f"a{hostile}b\nforged: all is well"], as_json=False)
    for text in (out.getvalue(), error.getvalue()):
        assert hostile not in text and f"\\u{ord(hostile[0]):04x}" in text
        assert not any(line.startswith("forged") for line in text.splitlines())


@pytest.mark.parametrize("hostile", HOSTILE[:-1])
def test_a_json_document_means_the_same_after_it_was_cleaned(monkeypatch, hostile):
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    with clean_streams():
        show({"text": f"a{hostile}b °C 🌡"}, [], as_json=True)
    assert json.loads(out.getvalue()) == {"text": f"a{hostile}b °C 🌡"}


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "utf-16", "utf-8"])
def test_a_terminal_that_lacks_a_sign_gets_a_plain_one(encoding):
    raw = io.BytesIO()
    under = io.TextIOWrapper(raw, encoding=encoding, errors=ERRORS)
    CleanStream(under).write("38.64 °C → ≥ 38.0 … “x” 🌡")
    under.flush()
    text = raw.getvalue().decode(encoding)
    plain = text.replace("°", "deg ").replace("≥", ">=").replace("→", "->").replace("…", "...")
    assert plain.replace("“", '"').replace("”", '"').startswith('38.64 deg C -> >= 38.0 ... "x" ')


def test_the_longest_texts_cost_no_more_than_their_length():
    assert printable("x" * 1_000_000 + "\n", LINE_BREAKS) == "x" * 1_000_000 + "\n"


@pytest.mark.parametrize("width", [20, 40, 79, 80, 200])
def test_a_line_is_broken_between_words_and_goes_on_below_its_text(monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    line = "  grade     SIMULATED. CRS (ASTCT 2019): no criterion met at 07:10 on what was measured, could be up to 4."
    lines = list(fitted([line], Terminal()))
    assert [word for one in lines for word in one.split()] == line.split()
    assert all(len(one) <= max(width, 20) for one in lines)
    if width >= 40:
        assert all(one.startswith(" " * 12) for one in lines[1:])


def test_a_long_word_stays_whole_and_a_file_gets_the_line_as_it_is(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    word = "/home/ward/" + "x" * 60
    assert word in "\n".join(fitted([f"see {word} now"], Terminal())).split()
    assert list(fitted(["x " * 100], io.StringIO())) == ["x " * 100]


@pytest.mark.parametrize("code", [errno.EPIPE, errno.EIO])
def test_a_reader_that_goes_away_ends_the_command_quietly_and_is_no_fault_of_the_store(tmp_path, code):
    class Gone(io.StringIO):
        def write(self, text):
            raise OSError(code, "gone")

        def fileno(self):
            return os.open(os.devnull, os.O_RDONLY)

    stream = CleanStream(Gone())
    before, sys.stdout = sys.stdout, stream
    try:
        with pytest.raises(SystemExit) as end:
            print("x")
    finally:
        sys.stdout = before
    assert end.value.code == exits.OUTPUT_CLOSED


COMMANDS = [["--help"], ["rules", "show"], ["export", "--help"], ["status", "--json"], ["doctor"]]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_pipe_without_a_reader_and_a_full_disk_are_answered(home, arguments):
    home.mkdir(mode=0o700)
    environment = {**os.environ, "CYTOWATCH_HOME": str(home)}

    def ended(stdout, **how):
        done = subprocess.run(
            [COMMAND, *arguments], stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, text=True,
            env=environment, check=False, **how,
        )  # fmt: skip
        return done.returncode, done.stderr

    with Path("/dev/null").open("w") as nowhere:
        usual = ended(nowhere)
    reader, writer = os.pipe()
    os.close(reader)
    code, error = ended(writer)
    os.close(writer)
    assert code in (exits.OUTPUT_CLOSED, usual[0]) and "Traceback" not in error and "database" not in error
    assert error in ("", usual[1])
    with Path("/dev/full").open("w") as full:
        code, error = ended(full)
    if code != usual[0]:
        assert code == exits.FAILED and "could not be written" in error and "Traceback" not in error
    assert ended(None, preexec_fn=lambda: os.close(1))[0] == usual[0]


def on_terminal(home, width, *arguments, **environment):
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    clean = {
        name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")
    }
    running = subprocess.Popen(
        [COMMAND, *arguments], stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, start_new_session=True,
        env={**clean, "CYTOWATCH_HOME": str(home), "TERM": "xterm-256color", **environment},
    )  # fmt: skip
    os.close(slave)
    shown = b""
    with contextlib.suppress(OSError):
        while piece := os.read(master, 65536):
            shown += piece
    os.close(master)
    running.wait()
    return shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("arguments", COMMANDS[:3], ids=" ".join)
@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1", "TERM": "dumb"}], ids=["colour", "plain"])
def test_a_screen_of_sixty_columns_shows_every_word_whole_and_no_code(home, arguments, environment):
    narrow, wide = (on_terminal(home, width, *arguments, **environment) for width in (60, 400))
    assert "\x1b" not in narrow + wide and "..." not in narrow.replace("[ARGS]...", "")
    assert set(narrow.split()) <= set(wide.split())


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"},
     {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
    ids=["ascii", "latin-1", "C", "plain C"],
)  # fmt: skip
def test_every_encoding_gets_every_command(home, environment):
    for arguments in (
        ["rules", "show"],
        ["context", "keys"],
        ["config", "--example"],
        ["export", "--kind", "§"],
    ):
        done = subprocess.run(
            [COMMAND, *arguments], capture_output=True, stdin=subprocess.DEVNULL, check=False,
            env={**os.environ, "CYTOWATCH_HOME": str(home), **environment},
        )  # fmt: skip
        assert b"Traceback" not in done.stderr and done.returncode in (0, exits.USAGE), done.stderr
        assert b"UTF-8 locale" not in done.stderr


def test_a_fault_of_the_program_is_one_sentence_and_the_traceback_is_for_engineers(home):
    done = run(home, "status", CYTOWATCH_HOME="/dev/null/x")
    assert (
        done.returncode == exits.FAILED and "cannot be read" in done.stderr and "Traceback" not in done.stderr
    )


def test_an_error_of_several_lines_is_printed_as_lines(tmp_path):
    (tmp_path / "c.toml").write_text("[agent]\nlog_level = 3\nnonsense = 1\n")
    done = run(tmp_path / "home", "config", "--check", str(tmp_path / "c.toml"))
    assert len(done.stderr.splitlines()) == 4 and "\\u000a" not in done.stderr
