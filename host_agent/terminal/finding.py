"""One finding of `doctor`."""

from typing import NamedTuple

INFO, WARNING, PROBLEM = "info", "warning", "problem"


class Finding(NamedTuple):
    """One line of the report."""

    level: str
    about: str
    text: str
    advice: str
