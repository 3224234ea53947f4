"""Writes a fault to the log once, then counts its repeats: a log that fills the disk hides what it should show.

    self._faults = FaultLog(logging.getLogger(__name__), clock)
    self._faults.tell("target ward", "target ward: connection refused")  # each second, for a whole day
    self._faults.over("target ward", "target ward: reached again")

This writes the first line, then after growing pauses one line with the number of repeats, and at the end a line with
the total. Each written fault has a written end, and a fault that comes and goes is not written more often than one that
stays. RepeatFilter does the same for every line that the code at one place writes without a FaultLog.
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
_NUMBERS = re.compile(
    r"\b(?:0x[0-9a-fA-F]+|\d+)\b"
)  # a digit inside an id of a wearable makes it another wearable
_TEXTS_PER_LINE_OF_CODE = 200  # one line of code tells of many ports, receivers and wearables
_COUNTED = "repeats_are_counted"  # a mark on a record that RepeatFilter has seen, or that a FaultLog wrote


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

    def __init__(
        self, log: logging.Logger, clock: Clock | None = None, texts_per_subject: int = _TEXTS_PER_SUBJECT
    ) -> None:
        """`texts_per_subject`: so many different texts of one subject are written without a pause."""
        self._log = log
        self._clock: Clock = clock or RealClock()
        self._texts_max = texts_per_subject
        self._faults: dict[str, _Fault] = {}

    def tell(
        self, subject: str, text: str, *, level: int = logging.ERROR, error: BaseException | None = None
    ) -> None:
        """The fault `text` of `subject` is there, or still there. `error`: its traceback goes with a written line.

        A text that differs only in its numbers is the same fault. A new text of the subject is written at once, unless
        the subject has told many.
        """
        more = self.admit(subject, text)
        if more is not None:
            self._log.log(level, "%s%s", text, more, exc_info=error, extra={_COUNTED: True})

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

    def admit(self, subject: str, text: str) -> str | None:
        """Count this text; what to add to it when it is to be written now, None when it is only counted."""
        now_s = self._clock.monotonic()
        fault = self._faults.get(subject)
        if fault is None or (not fault.is_open and now_s - fault.last_s > LONGEST_PAUSE_S):
            fault = self._begin(subject, now_s)
        fault.last_s = now_s
        fault.count += 1
        alike = _NUMBERS.sub("#", text)
        is_new = alike not in fault.texts and len(fault.texts) < self._texts_max
        if not is_new and now_s - fault.written_s < fault.pause_s:
            fault.unwritten += 1
            return None
        if not is_new:
            fault.pause_s = min(fault.pause_s * _FACTOR, LONGEST_PAUSE_S)
        more = f" ({fault.unwritten} more since the last line)" if fault.unwritten else ""
        fault.texts.add(alike)
        fault.written_s, fault.unwritten, fault.is_open = now_s, 0, True
        return more

    def _begin(self, subject: str, now_s: float) -> _Fault:
        self._faults.pop(subject, None)
        while len(self._faults) >= _SUBJECTS:
            del self._faults[next(iter(self._faults))]
        self._faults[subject] = _Fault(now_s, now_s)
        return self._faults[subject]


class RepeatFilter(logging.Filter):
    """Lets a warning or an error through once, then counted, whichever part or library writes it.

    The subject is the line of code. One filter may stand before several handlers: a record is counted once.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__()
        self._faults = FaultLog(logging.getLogger(__name__), clock, _TEXTS_PER_LINE_OF_CODE)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written now; the number of its silent repeats is added to it."""
        seen = getattr(record, _COUNTED, None)
        if record.levelno < logging.WARNING or seen is not None:
            return seen is not False
        try:
            message = record.getMessage()
        except (
            TypeError,
            ValueError,
            KeyError,
        ):  # arguments that do not fit: the line is lost, the caller goes on
            return True
        more = self._faults.admit(f"{record.pathname}:{record.lineno}", message)
        record.msg, record.args = message + (more or ""), None
        setattr(record, _COUNTED, more is not None)
        return more is not None
