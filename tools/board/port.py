"""One board on one port, reached with the stock mpremote command: copy, run, restart."""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from host_agent.control.socket import call_now
from host_agent.errors import HostAgentError
from host_agent.link.ownership import find_owner, last_user
from host_agent.paths import Paths, default_paths
from host_agent.terminal.guarding import Guard, beside_agent, through_agent

BIN = Path(sys.executable).parent
# mpremote has no deadline of its own on a pty: a board that never answers would block it for ever.
COMMAND_TIMEOUT_S = 120.0
WAKE_TIMEOUT_S = 15.0
WAKE_TRIES = 4
RELEASE_S = 600.0
NOBODY = Guard()


class PortError(Exception):
    """The board could not be reached or refused; the message says what to do."""


class BoardPort:
    """mpremote on one port. Each call is one process, so the port is free between calls."""

    def __init__(self, port: str, timeout_s: float = COMMAND_TIMEOUT_S) -> None:
        # mpremote reads a pty five times faster by its device name than by a link to it.
        exists = os.path.exists(port)  # noqa: PTH110 Path.exists raises on a name that is too long
        self.port = os.path.realpath(port) if exists else port
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


def add_guard_options(parser: argparse.ArgumentParser) -> None:
    """The options of somebody who stands for the work while a HIGH alarm stands; under a terminal the tool asks."""
    guard = parser.add_argument_group("while a HIGH alarm stands about a patient of this laptop")
    guard.add_argument("--account", metavar="NAME", help="account that stands for it")
    guard.add_argument(
        "--passphrase-file", metavar="FILE", type=Path, help="file whose first line is its passphrase"
    )
    guard.add_argument("--reason", metavar="TEXT", help="why; it is kept and sent to every receiver")
    guard.add_argument(
        "--patient", metavar="PSEUDONYM", action="append", help="the patient's pseudonym, as you type it"
    )


def guard_of(options: argparse.Namespace) -> Guard:
    """What the options of `add_guard_options` say."""
    return Guard(options.account, options.passphrase_file, options.reason, options.patient)


@contextlib.contextmanager
def released(port: str, guard: Guard = NOBODY) -> Iterator[None]:
    """Ask the agent that owns `port` to release it for this block.

    While a HIGH alarm stands about the patient, somebody must stand for it (`guard`, or the answers on a terminal).
    When no agent owns the port, nobody knows whose wearable is on it: then every patient of this laptop counts, and of
    the state folder whose agent used the port last.
    PortError when that is refused, or when the agent refuses.
    """
    owner = find_owner(port)
    # Who released the port earlier also takes it back.
    is_lent_here = owner is not None and owner.released_until_utc_ms is None
    try:
        if owner is None:
            last = last_user(port)
            # also when CYTOWATCH_HOME means another folder now
            for home in {default_paths().home, *((Path(last.home),) if last else ())}:
                beside_agent(Paths(home), "release", guard)
        elif is_lent_here:
            through_agent(
                Paths(Path(owner.home)), "release", "release", guard, port=owner.port, seconds=RELEASE_S
            )
        else:  # it was lent before an alarm stood
            beside_agent(Paths(Path(owner.home)), "release", guard)
    except HostAgentError as error:
        whose = f"the agent with pid {owner.pid} uses this port and did not release it: " if owner else ""
        raise PortError(f"{port}: {whose}{error} {error.advice}") from error
    try:
        yield
    finally:
        if owner is not None and is_lent_here:
            with contextlib.suppress(HostAgentError):
                call_now(Paths(Path(owner.home)).socket, "retake", port=owner.port)
