"""Where the agent's log goes: to `cytowatch.log` in the state folder and to the standard error of `cytowatch run`.

Monitoring never waits for a log and never ends with one: a terminal that was closed, or that Ctrl-S holds, a full pipe
and a full disk lose lines of the log and nothing else. Every line is cleaned here, whoever wrote it.
"""

import contextlib
import json
import logging
import os
import queue
import sys
import threading
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from host_agent.fault_log import RepeatFilter
from host_agent.plain_file import open_plain
from host_agent.printable import ERRORS, printable
from host_agent.text import iso_utc

_FILE_BYTES = 2_000_000
_FILES = 4
_WAITING_LINES = 1000
_CLOSE_S = 2.0
_NOISY = ("httpcore2", "httpx2", "asyncio", "bleak")


class CleanFormatter(logging.Formatter):
    """One record is one line, with a traceback below it; nothing in it reaches a terminal as a command."""

    def format(self, record: logging.LogRecord) -> str:
        """The finished text."""
        lines = super().format(record).split("\n")
        # only the parts of a traceback begin lines of their own, and those are led by blanks
        return "\n".join(("" if at == 0 else "  ") + printable(line, "\t") for at, line in enumerate(lines))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 the name that logging calls
        """The message on one line."""
        record.message = printable(record.message)
        return super().formatMessage(record)


class JsonFormatter(logging.Formatter):
    """One record is one line: a JSON object in ASCII, with the same keys for ever."""

    def format(self, record: logging.LogRecord) -> str:
        """`time` in UTC, `level`, `source` (the part that says it), `text`, and `trace` of an error."""
        fields: dict[str, Any] = {
            "time": iso_utc(round(record.created * 1000)), "level": record.levelname.lower(), "source": record.name,
            "text": printable(record.getMessage()),
        }  # fmt: skip
        if record.exc_info:
            fields["trace"] = [
                printable(line, "\t") for line in self.formatException(record.exc_info).split("\n")
            ]
        return json.dumps(fields)


class Background(logging.Handler):
    """Writes by `target` in a thread of its own. Lines beyond a thousand that wait are lost."""

    def __init__(self, target: logging.Handler) -> None:
        super().__init__()
        self._target = target
        target.lock = (
            None  # this thread alone writes; the end of the process must not wait for a write that hangs
        )
        self._waiting: queue.Queue[logging.LogRecord | None] = queue.Queue(_WAITING_LINES)
        self._thread = threading.Thread(target=self._work, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Never waits and never raises."""
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(record)

    def close(self) -> None:
        """Write what waits, unless its target takes nothing."""
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(None)
        self._thread.join(_CLOSE_S)
        super().close()

    def _work(self) -> None:
        while (record := self._waiting.get()) is not None:
            with contextlib.suppress(Exception):
                self._target.handle(record)


class _StandardError(logging.Handler):
    """Writes to the descriptor itself: a write that hangs must not hold a lock that the end of the process needs."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line; an error is left to `Background`."""
        encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
        data = (self.format(record) + "\n").encode(encoding, ERRORS)
        while data:
            data = data[os.write(2, data) :]


class _PrivateFile(RotatingFileHandler):
    """Each of its files is readable by this user alone, and none is a link that somebody made. One that was deleted or
    moved away is begun anew with the next line."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line into the file that has this name now."""
        gone = self.stream
        if gone is not None and not self._is_in_place(gone.fileno()):
            self.stream = None
            with contextlib.suppress(OSError):
                gone.close()
        super().emit(record)

    def _is_in_place(self, number: int) -> bool:
        try:
            return os.path.samestat(Path(self.baseFilename).lstat(), os.fstat(number))
        except OSError:
            return False

    def _open(self) -> Any:
        return open(
            self.baseFilename, self.mode, encoding=self.encoding, errors=self.errors,
            opener=lambda path, flags: open_plain(Path(path), flags | os.O_NOFOLLOW),
        )  # fmt: skip


def start_log(path: Path, level: str, form: str = "text") -> None:
    """Send all logging of this process to the file and to standard error. A file that cannot be written is left out.

    `form` is text, for people, or json.
    """
    logging.raiseExceptions = False
    formatter = JsonFormatter() if form == "json" else CleanFormatter("%(asctime)s %(levelname)s %(message)s")
    targets: list[logging.Handler] = [_StandardError()]
    left_out = ""
    try:
        targets.append(
            _PrivateFile(path, maxBytes=_FILE_BYTES, backupCount=_FILES - 1, encoding="utf-8", errors=ERRORS)
        )
    except OSError as error:
        left_out = error.strerror or str(error)
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    repeats = RepeatFilter()
    for target in targets:
        target.setFormatter(formatter)
        background = Background(target)
        background.addFilter(repeats)
        root.addHandler(background)
    root.setLevel(level.upper())
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)
    if left_out:
        root.warning("nothing is written to the log %s: %s", path, left_out)
