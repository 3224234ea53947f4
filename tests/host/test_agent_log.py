"""The log of a running agent: cleaned, private, bounded, and never a reason to wait or to end."""

import json
import logging
import os
import pty
import subprocess
import sys

import pytest

from host_agent.agent_log import CleanFormatter, _PrivateFile
from host_agent.fault_log import RepeatFilter
from tests.fakes.fake_clock import FakeClock

CHILD = """
import logging, os, sys
from pathlib import Path
from host_agent.agent_log import start_log
start_log(Path(sys.argv[1]), "info")
for at in range(int(sys.argv[2])):
    logging.getLogger("agent").info("line %d %s", at, "x" * 500)
Path(sys.argv[1]).with_suffix(".done").touch()
"""


def child(path, lines, **how):
    return subprocess.Popen([sys.executable, "-c", CHILD, str(path), str(lines)], **how)


@pytest.mark.parametrize("end", ["pipe", "terminal"])
def test_a_standard_error_that_takes_nothing_holds_nobody_up(tmp_path, end):
    """A full pipe to a pager, and a terminal in which somebody typed Ctrl-S."""
    reader, writer = os.pipe() if end == "pipe" else pty.openpty()
    running = child(tmp_path / "a.log", 5000, stderr=writer)
    assert running.wait(60) == 0, "it ended although nobody read a byte"
    assert (tmp_path / "a.done").exists() and "line 0 " in (tmp_path / "a.log").read_text()
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("end", ["pipe", "terminal"])
def test_a_standard_error_that_went_away_costs_its_lines_alone(tmp_path, end):
    reader, writer = os.pipe() if end == "pipe" else pty.openpty()
    os.close(reader)
    running = child(tmp_path / "a.log", 20, stderr=writer)
    assert running.wait(60) == 0
    assert "line 19 " in (tmp_path / "a.log").read_text()
    os.close(writer)


def test_a_closed_standard_error_and_a_log_that_cannot_be_written_end_nothing(tmp_path):
    (tmp_path / "a.log").symlink_to("/dev/full")
    running = child(tmp_path / "a.log", 20, preexec_fn=lambda: os.close(2))
    assert running.wait(60) == 0 and (tmp_path / "a.done").exists()


def test_the_file_is_private_and_bounded(tmp_path):
    old = os.umask(0)
    try:
        running = child(tmp_path / "a.log", 900, stderr=subprocess.DEVNULL)
        assert running.wait(60) == 0
        for _ in range(4):
            assert child(tmp_path / "a.log", 900, stderr=subprocess.DEVNULL).wait(60) == 0
    finally:
        os.umask(old)
    files = list(tmp_path.glob("a.log*"))
    assert 2 <= len(files) <= 4 and all(path.stat().st_mode & 0o777 == 0o600 for path in files)
    assert sum(path.stat().st_size for path in files) < 9_000_000


@pytest.mark.parametrize("how", ["deleted", "moved", "another file in its place", "a link in its place"])
def test_a_log_that_went_away_is_begun_anew(tmp_path, how):
    path = tmp_path / "a.log"
    target = _PrivateFile(path, maxBytes=10_000, backupCount=1, encoding="utf-8")
    target.handle(record("before"))
    if how == "moved":
        path.rename(tmp_path / "elsewhere")
    else:
        path.unlink()
    if how == "another file in its place":
        path.touch()
    if how == "a link in its place":
        path.symlink_to(tmp_path / "not mine")
        target.handle(record("lost"))
        path.unlink()
    target.handle(record("after"))
    target.close()
    assert path.read_text() == "after\n" and not (tmp_path / "not mine").exists()


def record(message, *args, error=None):
    exc_info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("a", logging.WARNING, "here.py", 7, message, args, exc_info)


@pytest.mark.parametrize(
    "hostile",
    [
        "\x1b]0;pwn\x07",
        "\x1b[2J",
        "\r",
        "\x9b31m",
        "\u202e",
        "\u2066",
        "\u200b",
        "\u2028",
        "\x7f",
        "\0",
        "\udc9b",
    ],
)
def test_nothing_in_a_line_commands_a_terminal(hostile):
    error = ValueError(f"a{hostile}b")
    for text in (
        CleanFormatter("%(message)s").format(record("ward: %s", f"a{hostile}b")),
        CleanFormatter("%(message)s").format(record("ward", error=error)),
    ):
        assert hostile not in text and f"\\u{ord(hostile[0]):04x}" in text


def test_a_line_break_forges_no_line():
    text = CleanFormatter("%(asctime)s %(message)s").format(
        record("ward: %s", "x\n2026-03-31 ERROR all is well")
    )
    assert "\n" not in text
    try:
        raise ValueError("x\n2026-03-31 ERROR all is well")
    except ValueError as error:
        lines = CleanFormatter("%(message)s").format(record("ward", error=error)).split("\n")
    assert all(line.startswith("  ") for line in lines[1:])


def test_every_part_that_repeats_itself_is_counted():
    clock = FakeClock()
    filtering = RepeatFilter(clock)
    kept = []
    for at in range(3600):
        one = record("ward: try %d failed", at)
        if filtering.filter(one):
            kept.append(one.getMessage())
        assert filtering.filter(one) == (one.getMessage() in kept), "two handlers agree"
        clock._now_s += 1
    assert kept[:2] == ["ward: try 0 failed", "ward: try 60 failed (59 more since the last line)"]
    assert len(kept) < 8


def test_the_fault_of_another_wearable_is_written_at_once():
    filtering = RepeatFilter(FakeClock())
    for number in range(50):
        assert filtering.filter(record("wearable %s is broken", f"c1770a7c8ed000{number:02d}a"))


def test_json_is_one_object_on_each_line_whatever_is_written(tmp_path):
    path = tmp_path / "a.log"
    script = (
        "import logging, sys\nfrom pathlib import Path\nfrom host_agent.agent_log import start_log\n"
        'start_log(Path(sys.argv[1]), "debug", "json")\nlog = logging.getLogger("host_agent.forward")\n'
        'log.info("two\\nlines \\x1b[31m \\u202e %s", \'"quoted" \\udcff\')\n'
        'log.warning("wrong arguments %d", "x")\n'
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    log.exception('it failed')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    lines = path.read_text(encoding="ascii").splitlines()
    assert done.stderr.splitlines() == lines
    said, failed = (json.loads(line) for line in lines)
    assert list(said) == ["time", "level", "source", "text"] and said["level"] == "info"
    assert said["source"] == "host_agent.forward" and said["time"].endswith("Z")
    assert said["text"] == '"quoted"'.join(["two\\u000alines \\u001b[31m \\u202e ", " \\udcff"])
    assert failed["text"] == "it failed" and failed["trace"][-1] == "ZeroDivisionError: division by zero"
