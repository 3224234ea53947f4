"""One board on one port, reached with the stock mpremote command: copy, run, restart."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from host_agent.link.ownership import find_owner

BIN = Path(sys.executable).parent
COMMAND_TIMEOUT_S = (
    120.0  # mpremote has no deadline of its own on a pty: a board that never answers blocks for ever
)
WAKE_TIMEOUT_S = 15.0
WAKE_TRIES = 4
RELEASE_FOR = "10m"


class PortError(Exception):
    """The board could not be reached or refused; the message says what to do."""


class BoardPort:
    """mpremote against one port. Each call is one process, so nothing holds the port between calls."""

    def __init__(self, port: str, timeout_s: float = COMMAND_TIMEOUT_S) -> None:
        # mpremote reads a pty five times faster when it is named by its device, not by a link to it
        self.port = os.path.realpath(port) if Path(port).exists() else port
        self._timeout_s = timeout_s
        self._awake = False

    def _wake(self) -> None:
        """Bring the board to its REPL; a Ctrl-C that meets a board in the middle of its start may be lost."""
        for _ in range(WAKE_TRIES):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._mpremote("exec", "pass", timeout_s=WAKE_TIMEOUT_S)
                self._awake = True
                return
        raise PortError(
            f"{self.port}: no answer in {WAKE_TRIES} tries. Is a board attached, and does it run MicroPython? "
            "Press its reset button and try again."
        )

    def _run(self, *commands: str) -> str:
        if not self._awake:
            self._wake()
        try:
            return self._mpremote(*commands, timeout_s=self._timeout_s)
        except subprocess.TimeoutExpired:
            raise PortError(
                f"{self.port}: no answer within {self._timeout_s:.0f} s in the middle of the work. "
                "Press the board's reset button and try again."
            ) from None

    def _mpremote(self, *commands: str, timeout_s: float) -> str:
        done = subprocess.run(
            [str(BIN / "mpremote"), "connect", self.port, *commands],
            capture_output=True, text=True, timeout=timeout_s, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if done.returncode:
            said = (done.stderr + done.stdout).strip().splitlines()
            raise PortError(f"{self.port}: mpremote: {said[-1] if said else 'failed without a word'}")
        return done.stdout

    def execute(self, code: str) -> str:
        """Run MicroPython `code` on the board from a fresh interpreter; return what it printed."""
        return self._run("exec", code)

    def run_script(self, code: str) -> str:
        """As `execute`, but the code never stands in a command line: it may hold a key."""
        with tempfile.NamedTemporaryFile("w", suffix=".py") as script:  # made with mode 0600
            script.write(code)
            script.flush()
            return self._run("run", script.name)

    def copy(self, files: dict[str, bytes]) -> None:
        """Write each file to its absolute path on the board; folders must exist."""
        if not files:
            return
        with tempfile.TemporaryDirectory() as folder:
            commands: list[str] = []
            for number, (path, content) in enumerate(files.items()):
                local = Path(folder) / str(number)
                local.write_bytes(content)
                commands += ["fs", "cp", "-f", str(local), f":{path}", "+"]
            self._run(*commands[:-1])

    def restart(self) -> None:
        """Reset the board, so that boot.py and main.py run."""
        self._run("reset")
        self._awake = False


@contextlib.contextmanager
def released(port: str) -> Iterator[None]:
    """Have the agent that owns `port`, of whatever state folder, lend it for the time of this block.

    Without an agent nothing is asked. PortError when the agent does not let go: working on would meet a port in use.
    """
    owner = find_owner(port)
    if (
        owner is None or owner.released_until_utc_ms is not None
    ):  # lent already: whoever lent it takes it back
        yield
        return
    cytowatch = str(BIN / "cytowatch")
    environment = {**os.environ, "CYTOWATCH_HOME": owner.home}
    asked = subprocess.run(
        [cytowatch, "release", owner.port, "--for", RELEASE_FOR],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    if asked.returncode:
        raise PortError(
            f"{port}: in use by the agent with pid {owner.pid}, which does not release it: {asked.stderr.strip()}. "
            f"Try: {owner.release_command}"
        )
    try:
        yield
    finally:
        subprocess.run(
            [cytowatch, "release", owner.port, "--back"], capture_output=True, check=False, env=environment
        )
