"""The command as people type it: in this process, which is quick, or as a process of its own, which is real."""

import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

from host_agent.cli.main import main

COMMAND = str(Path(sys.executable).parent / "cytowatch")
WORDS = "a long passphrase"
PEOPLE = {
    "clinician-1": "clinician",
    "clinician-2": "clinician",
    "nurse-1": "nurse",
    "caregiver-1": "caregiver",
}
Done = subprocess.CompletedProcess[str]


def run(home: Path, *arguments: str, by: str | None = None, **env: str) -> Done:
    """`by` is the account that signs; its passphrase comes from the environment. There is no terminal."""
    out, err = io.StringIO(), io.StringIO()
    with _surroundings(home, by, env), redirect_stdout(out), redirect_stderr(err):
        try:
            main(list(arguments))
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
    return Done(arguments, code, out.getvalue(), err.getvalue())


def run_process(home: Path, *arguments: str, by: str | None = None, **env: str) -> Done:
    """The same by a real process: for what concerns processes, and beside an agent that runs in this one."""
    return subprocess.run(
        [COMMAND, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False,
        env={**os.environ, **_environment(home, by), **env},
    )  # fmt: skip


def _environment(home: Path, by: str | None) -> dict[str, str]:
    people = {"CYTOWATCH_PASSPHRASE": WORDS, "CYTOWATCH_NEW_PASSPHRASE": WORDS}
    return {
        "CYTOWATCH_HOME": str(home), "COLUMNS": "100", "TZ": "UTC", **people,
        **({"CYTOWATCH_ACCOUNT": by} if by else {}),
    }  # fmt: skip


@contextmanager
def _surroundings(home: Path, by: str | None, env: dict[str, str]) -> Iterator[None]:
    try:
        with (
            mock.patch.dict(os.environ, {**_environment(home, by), **env}),
            mock.patch.object(sys, "stdin", io.StringIO()),
        ):
            time.tzset()
            yield
    finally:
        time.tzset()
