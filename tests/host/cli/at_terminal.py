"""A person at a terminal: a real process on a pseudo-terminal, whose text is waited for and which is typed to."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios

from tests.host.cli.people_cli import COMMAND

_HANGS_S = 60.0  # a command that waits for something else than the test thinks


class AtTerminal:
    """One command; `shown` is all that it wrote. Every wait ends when the text is there or the command has ended."""

    def __init__(self, home, *arguments, width=200, height=40, **environment):
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        bare = {
            name: value
            for name, value in os.environ.items()
            if name not in ("COLUMNS", "LINES", "NO_COLOR", "PAGER", "LESS")
            and not name.startswith("CYTOWATCH_")
        }
        self.shown = ""
        self.process = subprocess.Popen(
            [COMMAND, *arguments], stdin=slave, stdout=slave, stderr=slave, preexec_fn=_own_terminal,
            env={**bare, "CYTOWATCH_HOME": str(home), "TERM": "xterm-256color", "TZ": "UTC", **environment},
        )  # fmt: skip
        os.close(slave)

    def wait_for(self, text, times=1):
        """Read until `text` was shown so often; AssertionError when the command ends before."""
        while self.shown.count(text) < times:
            piece = self._read()
            assert piece, f"{text!r} never came: {self.shown}"

    def answer(self, question, typed):
        """Type a line once a question is there; what came before it is not looked at again."""
        self.wait_for(question)
        self.shown = self.shown[self.shown.index(question) + len(question) :]
        self.type(f"{typed}\n")

    def type(self, keys):
        os.write(self._master, keys.encode())

    def ctrl_c(self):
        self.type("\x03")

    def end(self):
        """(exit code, everything that is shown after the last answer)."""
        while self._read():
            pass
        os.close(self._master)
        return self.process.wait(), self.shown

    def _read(self):
        piece = b""
        ready, _, _ = select.select([self._master], [], [], _HANGS_S)
        if not ready:
            self.process.kill()
        assert ready, f"neither a word nor an end: {self.shown}"
        with contextlib.suppress(OSError):
            piece = os.read(self._master, 65536)
        self.shown += piece.decode(errors="replace").replace("\r\n", "\n")
        return piece


def _own_terminal():
    """A session of its own on this terminal, so that Ctrl-C reaches it; SIGINT may be ignored by who runs the tests."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
