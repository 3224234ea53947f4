"""What the processes of a run leave for whoever looks into its failure: their logs, and what each flash image holds.

A wearable and a laptop name their files here when they start; a failed wait and a failed test show them.
"""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

from tools.data.journal_dump.__main__ import main as journal_dump

_LAST_WORDS = 1500  # characters
_SHOWN_LINES = 200

_images: dict[Path, Path | None] = {}  # log of a process -> the flash image that it runs on


def note(log: Path, image: Path | None = None) -> None:
    """A process that logs to `log` has started; `image` is its flash."""
    _images[log] = image


def forget() -> None:
    """Start anew, for the next test."""
    _images.clear()


def last_words() -> str:
    """The end of every log."""
    return "\n".join(f"{log}: ...{_text(log)[-_LAST_WORDS:]}" for log in _images)


def sections() -> Iterator[tuple[str, str]]:
    """(title, text) of every log and of every journal on flash, the last lines of each."""
    for log, image in _images.items():
        yield f"log {log}", _last_lines(_text(log))
        if image is not None and image.exists():
            yield f"journal of {image} (python -m tools.data.journal_dump {image})", _last_lines(_dump(image))


def _text(log: Path) -> str:
    try:
        return log.read_text(errors="replace")
    except OSError as error:
        return f"cannot be read: {error}"


def _last_lines(text: str) -> str:
    lines = text.splitlines()
    left_out = len(lines) - _SHOWN_LINES
    return "\n".join([f"({left_out} lines before)"] * (left_out > 0) + lines[-_SHOWN_LINES:])


def _dump(image: Path) -> str:
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            journal_dump([str(image)])
    except Exception as error:  # a wearable that still runs may be writing just now
        said.write(f"cannot be read: {error!r}")
    return said.getvalue()
