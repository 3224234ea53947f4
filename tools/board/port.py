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
# mpremote has no deadline of its own on a pty: a board that never answers would block it for ever.
COMMAND_TIMEOUT_S = 120.0
WAKE_TIMEOUT_S = 15.0
WAKE_TRIES = 4
RELEASE_FOR = "10m"


class PortError(Exception):
    """The board could not be reached or refused; the message says what to do."""


class BoardPort:
    """mpremote on one port. Each call is one process, so the port is free between calls."""

    def __init__(self, port: str, timeout_s: float = COMMAND_TIMEOUT_S) -> None:
        # mpremote reads a pty five times faster by its device name than by a link to it.
        self.port = os.path.realpath(port) if Path(port).exists() else port
        self._timeout_s = timeout_s
        self._awake = False

    def _wake(self) -> None:
        """Bring the board to its REPL. It takes several tries, because a board that is starting may lose the Ctrl-C."""
        for _ in range(WAKE_TRIES):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._mpremote("exec", "pass", timeout_s=WAKE_TIMEOUT_S)
                self._awake = True
                return
        raise PortError(
            f"{self.port}: no answer in {WAKE_TRIES} tries. Check that a board with MicroPython is attached, "
            "press its reset button and try again."
        )

    def _run(self, *commands: str) -> str:
        if not self._awake:
            self._wake()
        try:
            return self._mpremote(*commands, timeout_s=self._timeout_s)
        except subprocess.TimeoutExpired:
            raise PortError(
                f"{self.port}: the board stopped answering for {self._timeout_s:.0f} s. "
                "Press its reset button and try again."
            ) from None

    def _mpremote(self, *commands: str, timeout_s: float) -> str:
        done = subprocess.run(
            [str(BIN / "mpremote"), "connect", self.port, *commands],
            capture_output=True, text=True, timeout=timeout_s, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if done.returncode:
            said = (done.stderr + done.stdout).strip().splitlines()
            raise PortError(f"{self.port}: mpremote: {said[-1] if said else 'failed without a message'}")
        return done.stdout

    def execute(self, code: str) -> str:
        """Run MicroPython `code` on the board from a fresh interpreter; return what it printed."""
        return self._run("exec", code)

    def run_script(self, code: str) -> str:
        """Like `execute`, but the code, which may contain a key, never appears on a command line."""
        with tempfile.NamedTemporaryFile("w", suffix=".py") as script:  # made with mode 0600
            script.write(code)
            script.flush()
            return self._run("run", script.name)

    def copy(self, files: dict[str, bytes]) -> None:
        """Write each file to its absolute path on the board; the folders must exist."""
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
    """Ask the agent that owns `port` to release it for this block; nothing is asked when no agent owns it.

    PortError when the agent refuses, because the port is then still in use.
    """
    owner = find_owner(port)
    # Who released the port earlier also takes it back.
    if owner is None or owner.released_until_utc_ms is not None:
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
            f"{port}: the agent with pid {owner.pid} uses this port and did not release it: {asked.stderr.strip()}. "
            f"Try: {owner.release_command}"
        )
    try:
        yield
    finally:
        back = [cytowatch, "release", owner.port, "--back"]
        subprocess.run(back, capture_output=True, check=False, env=environment)
