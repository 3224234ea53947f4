"""A command that draws its answer again and again on a terminal, until Ctrl-C."""

import shutil
import sys
import time
from collections.abc import Callable, Sequence

from host_agent.errors import ConfigError
from host_agent.printable import printable
from host_agent.terminal.colour import colour_of, has_colour
from host_agent.terminal.streams import CleanStream, fitted

_EACH_S = 2.0


def redraw_until_ctrl_c(
    frame: Callable[[], Sequence[str]], pause: Callable[[float], None] = time.sleep
) -> None:
    """Show what `frame` gives each 2 s; Ctrl-C returns. ConfigError where nobody looks on."""
    stream: object = sys.stdout
    if not isinstance(stream, CleanStream) or not stream.isatty():
        raise ConfigError(
            "--watch draws on a terminal, and there is none.", "Leave it out, or repeat the command yourself."
        )
    try:
        while True:
            lines = _on_screen(list(fitted(map(printable, frame()), sys.stdout)))
            is_coloured = has_colour(sys.stdout)
            stream.redraw((colour_of(line) if is_coloured else "", line) for line in lines)
            pause(_EACH_S)
    except KeyboardInterrupt:
        print()


def _on_screen(lines: list[str]) -> list[str]:
    """As many lines as the screen has; the last one says how many are left out, and how the watch ends."""
    room = max(shutil.get_terminal_size().lines - 2, 3)
    left = len(lines) - room
    end = "Drawn again each 2 s. Ctrl-C ends it."
    return [*lines[:room], f"{left} more lines: cytowatch status. {end}" if left > 0 else end]
