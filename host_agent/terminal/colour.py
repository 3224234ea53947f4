"""Colour on a terminal, for lines that say everything in words too. Never in a pipe, with NO_COLOR, or on a dumb one.

A line has the colour of what it begins with, so that no text inside it can choose one.
"""

import os
from typing import TextIO

from host_agent.terminal.streams import END_OF_COLOUR

_BY_LEAD = {
    "URGENT": "\x1b[1;31m", "HIGH": "\x1b[1;31m", "error:": "\x1b[31m", "problem": "\x1b[31m",
    "ALARM": "\x1b[1;33m", "MEDIUM": "\x1b[1;33m", "warning": "\x1b[33m",
    "NOTICE": "\x1b[36m", "LOW": "\x1b[36m", "SIMULATED.": "\x1b[35m",
}  # fmt: skip


def has_colour(stream: TextIO) -> bool:
    """Whether a person sees colours there and wants them (https://no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb" and stream.isatty()


def colour_of(line: str) -> str:
    """The code that begins the colour of a line; "" for none. Simulated alarms have that of simulated data."""
    words = line.split(maxsplit=1)
    return _BY_LEAD.get(words[0], "") if words else ""


def coloured(line: str) -> str:
    """The line in its colour."""
    code = colour_of(line)
    return f"{code}{line}{END_OF_COLOUR}" if code else line
