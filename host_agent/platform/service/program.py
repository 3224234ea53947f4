"""What a service starts, and a service as its manager wants it: a file, and the commands that take it in."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from host_agent.errors import ConfigError


class Program(NamedTuple):
    """`command` are whole words, `environment` is what the agent must have of this shell."""

    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()


class Service(NamedTuple):
    """`take_in` after the file was written, `start`, `stop` and `forget` are commands; `ask` says how it is.

    `survives` says in a sentence what it outlives, `limits` what it does not do or what was not tried.
    """

    kind: str
    file: Path
    text: str
    encoding: str
    take_in: tuple[tuple[str, ...], ...]
    start: tuple[str, ...]
    stop: tuple[str, ...]
    forget: tuple[tuple[str, ...], ...]
    ask: tuple[str, ...]
    survives: str
    limits: str = ""


def this_program(config: Path | None, environ: Mapping[str, str] = os.environ) -> Program:
    """`cytowatch run` of this installation, on the state folder of this shell; ConfigError for a text no file takes."""
    beside = Path(sys.executable).parent / "cytowatch"
    found = beside if os.access(beside, os.X_OK) else shutil.which("cytowatch", path=environ.get("PATH"))
    words = (str(found),) if found else (sys.executable, "-m", "host_agent.cli.main")
    options = ("--config", str(config.absolute())) if config is not None else ()
    home = environ.get("CYTOWATCH_HOME", "")
    kept = (("CYTOWATCH_HOME", str(Path(home).expanduser().absolute())),) if home else ()
    program = Program((*words, "run", *options), kept)
    for text in (*program.command, *(value for _, value in kept)):
        if not text.isprintable():
            raise ConfigError(f"A service cannot name {text!r}: it has characters that nobody can read.",
                              "Rename that file or folder.")  # fmt: skip
    return program
