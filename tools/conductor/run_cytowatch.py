"""`cytowatch` in simulated time: `python -m tools.conductor.run_cytowatch SOCKET NAME [OPTIONS] COMMAND ...`.

SOCKET is the conductor's, NAME what it calls this process. The agent and each command are participants alike.
--hci HCI: a radio on the simulated air. --kill-at N: the process is killed, without a word, at the Nth edge: before or
after a piece of work that its event loop gave to a thread, such as a transaction. So a kill at one commit has a number.
--with MODULE:FUNCTION[:TEXT]: a function that changes the loaded program before it runs, such as a sabotage.
"""

import importlib
import itertools
import os
import signal
import sys
from collections.abc import Callable
from types import SimpleNamespace

from tools.conductor.event_loop import use_turns
from tools.conductor.opened_ports import use_ports
from tools.conductor.process import take_part
from tools.conductor.process_random import process_number
from tools.conductor.turns import Turns


def _killer(turns: Turns, edge: int) -> Callable[[], None]:
    edges = itertools.count(1)

    def at_edge() -> None:
        if next(edges) == edge:
            turns.end()
            os.kill(os.getpid(), signal.SIGKILL)

    return at_edge


def main() -> None:
    """Hand the rest of the command line to cytowatch."""
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    path, name, *arguments = sys.argv[1:]
    turns = take_part(path, name)
    options = {"--hci": "", "--kill-at": "0"}
    changes: list[str] = []
    while arguments[:1] and arguments[0] in {*options, "--with"}:
        option, value, *arguments = arguments
        if option == "--with":
            changes.append(value)
        else:
            options[option] = value

    # the program is loaded under its new clock
    from host_agent import laptop
    from host_agent.cli.main import main as cytowatch
    from host_agent.link import serial
    from host_agent.sync import nonce

    ports = use_ports(serial, turns)
    use_turns(turns, ports, _killer(turns, int(options["--kill-at"])))
    # a loudspeaker, a battery and a lid are in real time alone
    laptop.this_laptop = lambda sound, clock=None: laptop.NO_LAPTOP
    nonce.os = SimpleNamespace(**{**vars(os), "getpid": lambda: process_number(turns)})  # type: ignore[attr-defined,assignment]
    if hci := options["--hci"]:
        from tools.ble_air.run_cytowatch import use_air

        use_air(hci, process_number(turns))
    for change in changes:
        module, function, *text = change.split(":", 2)
        getattr(importlib.import_module(module), function)(*text)
    cytowatch(arguments)


if __name__ == "__main__":
    main()
