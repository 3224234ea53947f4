"""Types every command of `cytowatch` at a state folder, in this process, and counts tracebacks."""

import io
import os
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from host_agent.cli.main import COMMANDS, main
from host_agent.views.records import KINDS

_BUG = ("Traceback", "This is a bug")


class Typed(NamedTuple):
    """A command as it was typed, its exit code, and what it printed."""

    arguments: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def is_bug(self) -> bool:
        """Whether a person saw a traceback, or was told that this is a bug."""
        return any(word in self.out + self.err for word in _BUG)


def every_command(folder: Path) -> list[tuple[str, ...]]:
    """Each command at least once, with its forms that read the store; files are written to `folder`."""
    copy = str(folder / "copy.db")
    typed: list[tuple[str, ...]] = [
        ("status",), ("status", "--json"), ("devices",), ("devices", "--json"), ("doctor",), ("doctor", "--json"),
        ("report", "hours"), ("report", "hours", "--json", "--utc"),
        ("report", "summary", "--out", str(folder / "page.pdf")),
        ("report", "summary", "--last", "14d", "--json", "--out", str(folder / "page.pdf")),
        ("verify",), ("audit", "verify"),
        ("context", "show"), ("context", "history"), ("context", "keys"), ("account", "list"), ("rules", "show"),
        ("config",), ("hosts", "list"), ("export", "--every", "5m"), ("export", "--every", "1h", "--format", "jsonl"),
        ("history", "--last", "1h"), ("history", "--from", "2020-01-01", "--to", "2100-01-01"),
        ("release", "/dev/none"), ("patient", "end"), ("phones",), ("phones", "--emergency-number", "112"),
        ("alarm", "list"), ("alarm", "list", "--json"), ("alarm", "list", "--patient", "P-1", "--device", "fe"),
        ("alarm", "accept"), ("alarm", "accept", "--all"), ("alarm", "accept", "hypoxaemia", "--account", "nobody"),
        ("alarm", "silence", "1", "--for", "5m"), ("test-alarm",), ("test-alarm", "--wait", "1s", "--json"),
        ("test-sound", "--priority", "none"), ("service", "install", "--dry-run"), ("service", "status", "--json"),
        ("pause", "--for", "1m", "--why", "washing"), ("page", "--no-browser"),
        ("sign", "grade", "--scale", "ASTCT", "--grade", "2", "--account", "nobody"), ("scan", "--for", "1s"),
        ("pair",), ("grade", str(folder / "none.json"), "--json"), ("grade", "--json", str(folder / "none.json")),
        ("grade", "--course", str(folder / "none.json")), ("--version",), ("-h",), ("context", "enter"),
        ("status", "--watch"), ("history", "--no-pager", "--from", "yesterday 22:00"), ("history", "--to", "03:10"),
        ("enrol", str(folder / "none.enrol")),
        ("run", "--help"), ("deliveries", "list"), ("deliveries", "list", "--json"), ("deliveries", "retry", "--all"),
        ("receivers", "list"), ("receivers", "list", "--json"), ("receivers", "test", "--all"), ("receivers", "test"),
        ("backup", copy), ("restore", copy), ("policy", "test", "--event", "FEVER"),
        ("policy", "test", "--event", "LOW_BATTERY=LOW", "--json", "--over-after", "5m"),
        ("context", "show", "--device", "fe"), ("context", "show", "--json", "--device", "fe"),
        ("history", "--device", "fe"), ("report", "hours", "--device", "01"), ("verify", "--json"),
    ]  # fmt: skip
    typed += [("history", "--kind", kind, *form) for kind in KINDS for form in ((), ("--json",))]
    typed += [("export", "--kind", kind, "--format", form) for kind in KINDS for form in ("csv", "jsonl")]
    missing = set(COMMANDS) - {words[0] for words in typed}
    assert not missing, f"no line for {missing}: add one"
    return typed


def type_all(home: Path, folder: Path) -> Iterator[Typed]:
    """Type them one after the other."""
    for arguments in every_command(folder):
        yield type_one(home, arguments)


def type_one(home: Path, arguments: tuple[str, ...]) -> Typed:
    """One command; an exception that leaves it stands in `err` as a traceback would."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with (
        mock.patch.dict(os.environ, {"CYTOWATCH_HOME": str(home)}),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main(list(arguments))
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
        except Exception as error:
            err.write(f"Traceback: {type(error).__name__}: {error}")
            code = 1
    return Typed(arguments, code, out.getvalue(), err.getvalue())
