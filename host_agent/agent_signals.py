"""What the agent does at each signal of the platform, so that none ends or suspends monitoring without a word.

Every signal is in one of these tables: what no other one names is in GOING_ON.
"""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable, Iterator
from functools import partial

_LOG = logging.getLogger(__name__)
_TO_STOP = "To stop it: kill %d"
# the agent stops in order and says why
ENDING: dict[int, str] = {
    signal.SIGINT: "Ctrl-C (SIGINT)",
    signal.SIGTERM: "SIGTERM: by kill, a service manager, logout or shutdown",
    signal.SIGQUIT: "Ctrl-\\ (SIGQUIT)",
    signal.SIGABRT: "SIGABRT: a service manager took it for stuck",
    signal.SIGXCPU: "SIGXCPU: the computer limits its time",
    signal.SIGSYS: "SIGSYS: the computer forbids it a call",
}
# a write to a terminal, pipe or file that failed says so itself; a handler would be called for ever
IGNORED = (signal.SIGTTIN, signal.SIGTTOU, signal.SIGPIPE, signal.SIGXFSZ)
# The system's own answer: it ends nothing, or no program can answer. After a fault of the program itself, which would
# only happen again, the next start, `status` and `doctor` say that it ended without a word.
LEFT = (
    signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH, signal.SIGKILL, signal.SIGSTOP,
    signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL,
)  # fmt: skip
_TEXTS: dict[int, str] = {
    signal.SIGHUP: "the terminal was closed; monitoring goes on.",
    signal.SIGTSTP: "Ctrl-Z does not suspend monitoring.",
}


def name_of(number: int) -> str:
    """`SIGUSR1`, or `SIGRTMIN+3` for a real-time signal that has no name of its own."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIGRTMIN+{number - signal.SIGRTMIN}" if hasattr(signal, "SIGRTMIN") else f"signal {number}"


# monitoring goes on, and the log says so
GOING_ON: dict[int, str] = {
    number: _TEXTS.get(number, f"{name_of(number)} means nothing here.")
    for number in sorted(signal.valid_signals())
    if number not in {*ENDING, *IGNORED, *LEFT}
}


def ignore_until_answered() -> None:
    """From now on nothing in GOING_ON or IGNORED ends this process; `run_agent` answers the first later."""
    for number in (*GOING_ON, *IGNORED):
        signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def answering(stop: Callable[[str], None]) -> Iterator[None]:
    """Meanwhile the running loop calls `stop` at a signal of ENDING, and tells those of GOING_ON in the log."""
    loop = asyncio.get_running_loop()
    handlers: dict[int, Callable[[], None]] = {
        number: partial(stop, f"stopped by {why}") for number, why in ENDING.items()
    }
    for number, why in GOING_ON.items():
        handlers[number] = partial(_LOG.warning, f"{why} {_TO_STOP}", os.getpid())
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)
