"""The bedside laptop of a demonstration: a state folder, the real `cytowatch` command, and a running agent."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
STOP_TIMEOUT_S = 15.0


class BedsideError(Exception):
    """A `cytowatch` command failed; the message holds what it printed."""


class Bedside:
    """One home of the agent in `folder`; every command runs as a person would type it."""

    def __init__(self, folder: Path) -> None:
        self.home = folder
        self.home.mkdir(parents=True, exist_ok=True)
        self.log = folder / "agent.log"
        self.database = folder / "cytowatch.db"
        self._environment = {**os.environ, "CYTOWATCH_HOME": str(folder)}
        self._command = str(Path(sys.executable).parent / "cytowatch")
        self.agent: subprocess.Popen[bytes] | None = None

    def cytowatch(
        self, *arguments: str, check: bool = True, timeout_s: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run one command; raise BedsideError when `check` and its exit code is not 0."""
        done = subprocess.run(
            [self._command, *arguments], env=self._environment, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=timeout_s, check=False,
        )  # fmt: skip
        if check and done.returncode:
            raise BedsideError(
                f"cytowatch {' '.join(arguments)}: exit {done.returncode}: {done.stderr or done.stdout}"
            )
        return done

    def ask(self, *arguments: str) -> Any:
        """Run one read command with --json and return what it says."""
        return json.loads(self.cytowatch(*arguments, "--json").stdout)

    def start(self, port: str, speed: float = 1, hci: str = "") -> None:
        """Start the agent, its log in `log`: on `port`, and by the radio of a simulated air when `hci` names it."""
        command = [sys.executable, "-m", "tools.ble_air.run_cytowatch", hci] if hci else [self._command]
        ports = ["--port", port] if port else []
        with self.log.open("ab") as log:
            self.agent = subprocess.Popen(
                [*command, "run", *ports, "--speed", f"{speed:g}"], cwd=ROOT,
                env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def stop(self, how: int = signal.SIGTERM) -> int | None:
        """End the agent by `how` and return its exit code."""
        if not self.agent:
            return None
        self.agent.send_signal(how)
        try:
            code = self.agent.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.agent.kill()
            code = self.agent.wait()
        self.agent = None
        return code
