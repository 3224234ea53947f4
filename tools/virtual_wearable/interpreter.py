"""The process that is the chip: `python interpreter.py MICROPYTHON-ARGUMENTS`, the pinned interpreter with one change.

A real board takes Ctrl-C in its receive interrupt, which only notes it; the exception comes at the next bytecode. The
unix build raises it out of its SIGINT handler instead, in the middle of a garbage collection if need be, and then
hangs or ends. So SIGUSR1 here runs the interpreter's own `mp_sched_keyboard_interrupt`, as a board's interrupt does.
"""

import ctypes
import importlib.util
import signal
import sys

from micropython_unix import main


def _note_ctrl_c_on_sigusr1() -> None:
    found = importlib.util.find_spec("micropython_run")
    if found is None or found.origin is None:
        raise ImportError("micropython_run is missing: install the extra 'tools' (make setup)")
    note = ctypes.cast(ctypes.CDLL(found.origin).mp_sched_keyboard_interrupt, ctypes.c_void_p)
    libc = ctypes.CDLL(None)
    libc.signal.argtypes = (ctypes.c_int, ctypes.c_void_p)
    libc.signal.restype = ctypes.c_void_p
    libc.signal(signal.SIGUSR1, note)
    libc.siginterrupt(signal.SIGUSR1, 1)  # a read that waits returns, so that the exception is not late


if __name__ == "__main__":
    _note_ctrl_c_on_sigusr1()
    sys.exit(main())
