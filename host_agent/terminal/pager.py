"""Long answers on a terminal, a screen at a time: by $PAGER, or else `less`. Never in a pipe or with --no-pager."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from host_agent.printable import ERRORS

NoPagerOption = Annotated[
    bool, typer.Option("--no-pager", help="Print everything at once, also on a terminal.")
]
_LESS = "FRX"  # ends by itself when all fits, shows colours, leaves the text on the screen


def page_through(lines: Sequence[str]) -> bool:
    """Show clean lines with the pager; False: there is none, or they fit on the screen."""
    if len(lines) < shutil.get_terminal_size().lines:
        return False
    try:
        command = shlex.split(os.environ.get("PAGER", "")) or ["less"]
        found = shutil.which(command[0])
        if found is None:
            return False
        with subprocess.Popen(  # noqa: S603 the person's own pager
            [found, *command[1:]], stdin=subprocess.PIPE, text=True, encoding=sys.stdout.encoding, errors=ERRORS,
            env={"LESS": _LESS, **os.environ},
        ) as pager:  # fmt: skip
            _feed(pager, lines)
    except (OSError, ValueError):
        return False
    return True


def _feed(pager: "subprocess.Popen[str]", lines: Sequence[str]) -> None:
    """Whoever leaves the pager early has read enough; Ctrl-C belongs to the pager as long as it runs."""
    assert pager.stdin is not None
    try:
        pager.stdin.write("".join(f"{line}\n" for line in lines))
        pager.stdin.close()
    except (BrokenPipeError, KeyboardInterrupt):
        pass
    while True:
        try:
            pager.wait()
            return
        except KeyboardInterrupt:
            continue
