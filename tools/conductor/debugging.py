"""Whether somebody debugs: then a turn may take as long as a person thinks."""

import bdb
import sys
from pathlib import Path


def is_debugged() -> bool:
    """Whether a debugger holds this process, from outside or in Python."""
    trace = sys.gettrace()
    if "pydevd" in sys.modules or isinstance(getattr(trace, "__self__", None), bdb.Bdb):
        return True
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return False
    return any(line.startswith("TracerPid:") and line.split()[1] != "0" for line in status.splitlines())
