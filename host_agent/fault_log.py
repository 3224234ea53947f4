"""Writes a fault to the log once, then counts its repeats: a log that fills the disk hides what it should show.

    self._faults = FaultLog(logging.getLogger(__name__), clock)
    self._faults.tell("target ward", "target ward: connection refused")  # each second, for a whole day
    self._faults.over("target ward", "target ward: reached again")

This writes the first line, then after growing pauses one line with the number of repeats, and at the end a line with the
total. Each written fault has a written end, and a fault that comes and goes is not written more often than one that stays.
"""

import logging
import re
from dataclasses import dataclass, field

from host_agent.clock import Clock, RealClock
from host_agent.text import span_text

FIRST_PAUSE_S = 60.0
LONGEST_PAUSE_S = 3600.0
_FACTOR = 4.0
_TEXTS_PER_SUBJECT = 8
_SUBJECTS = 500
_NUMBERS = re.compile(r"0x[0-9a-fA-F]+|\d+")


@dataclass
class _Fault:
    """What was told of one subject. Times are seconds of the clock."""

    since_s: float
    last_s: float
    pause_s: float = FIRST_PAUSE_S
    written_s: float = 0.0
    count: int = 0
    unwritten: int = 0
    is_open: bool = False
    texts: set[str] = field(default_factory=set)


class FaultLog:
    """The faults of one part of the agent. A subject is what is at fault, such as a port or a receiver."""

    def __init__(self, log: logging.Logger, clock: Clock | None = None) -> None:
        self._log = log
        self._clock: Clock = clock or RealClock()
        self._faults: dict[str, _Fault] = {}

    def tell(
        self, subject: str, text: str, *, level: int = logging.ERROR, error: BaseException | None = None
    ) -> None:
        """The fault `text` of `subject` is there, or still there. `error`: its traceback goes with a written line.

        A text that differs only in its numbers is the same fault. A new text of the subject is written at once, unless
        the subject has told many.
        """
        now_s = self._clock.monotonic()
        fault = self._faults.get(subject)
        if fault is None or (not fault.is_open and now_s - fault.last_s > LONGEST_PAUSE_S):
            fault = self._begin(subject, now_s)
        fault.last_s = now_s
        fault.count += 1
        alike = _NUMBERS.sub("#", text)
        is_new = alike not in fault.texts and len(fault.texts) < _TEXTS_PER_SUBJECT
        if not is_new and now_s - fault.written_s < fault.pause_s:
            fault.unwritten += 1
            return
        if not is_new:
            fault.pause_s = min(fault.pause_s * _FACTOR, LONGEST_PAUSE_S)
        told = f" ({fault.unwritten} more since the last line)" if fault.unwritten else ""
        fault.texts.add(alike)
        fault.written_s, fault.unwritten, fault.is_open = now_s, 0, True
        self._log.log(level, "%s%s", text, told, exc_info=error)

    def over(self, subject: str, text: str = "") -> None:
        """The fault has ended. Does nothing when no fault of this subject was written since its last end."""
        fault = self._faults.get(subject)
        if fault is None or not fault.is_open:
            return
        fault.is_open = False
        lasted = span_text(self._clock.monotonic() - fault.since_s)
        self._log.info(
            "%s (faults: %d within %s)", text or f"{subject}: the fault is over", fault.count, lasted
        )

    def _begin(self, subject: str, now_s: float) -> _Fault:
        self._faults.pop(subject, None)
        while len(self._faults) >= _SUBJECTS:
            del self._faults[next(iter(self._faults))]
        self._faults[subject] = _Fault(now_s, now_s)
        return self._faults[subject]
