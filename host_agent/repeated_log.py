"""A fault that repeats is logged once, then counted and logged again at growing pauses: one place for the whole log."""

import logging
import re
import time
from collections import OrderedDict
from collections.abc import Callable

_FIRST_PAUSE_S = 60.0
_LONGEST_PAUSE_S = 3600.0
_KINDS_MAX = 500
_NUMBER = re.compile(r"\b\d+(\.\d+)?\b")


class _Fault:
    """One warning or error: when it was logged last, how often it came since, and how long it is not logged again."""

    def __init__(self, now_s: float) -> None:
        self.logged_s = self.seen_s = now_s
        self.pause_s = _FIRST_PAUSE_S
        self.left_out = 0


class RepeatedFaults(logging.Filter):
    """For a handler. Two texts that differ in numbers alone are one fault; what is below WARNING always passes."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._faults: OrderedDict[tuple[str, int, str], _Fault] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log it; what was left out since the last time is counted in its text."""
        if record.levelno < logging.WARNING:
            return True
        text = record.getMessage()
        kind = (record.name, record.levelno, _NUMBER.sub("#", text))
        now_s = self._monotonic()
        fault = self._faults.get(kind)
        # After a whole pause without it, it is a new fault.
        if fault is None or now_s - fault.seen_s > fault.pause_s:
            if fault is not None and fault.left_out:
                _say(record, text, fault.left_out)
            self._faults[kind] = _Fault(now_s)
            if len(self._faults) > _KINDS_MAX:
                self._faults.popitem(last=False)
            return True
        self._faults.move_to_end(kind)
        fault.seen_s = now_s
        if now_s - fault.logged_s < fault.pause_s:
            fault.left_out += 1
            return False
        _say(record, text, fault.left_out)
        fault.logged_s, fault.left_out = now_s, 0
        fault.pause_s = min(fault.pause_s * 2, _LONGEST_PAUSE_S)
        # Its traceback was logged the first time.
        record.exc_info = record.exc_text = None
        return True


def _say(record: logging.LogRecord, text: str, left_out: int) -> None:
    record.msg, record.args = f"{text} ({left_out} more times since it was logged last)", ()
