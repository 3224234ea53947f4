"""A bedside laptop as a person uses it: a state folder, the real `cytowatch` command, and an agent that runs.

laptop = Laptop(tmp_path / "bedside", CUSTODIAN)      # enrolled; without a key it is not
laptop.start(port, speed=60)
laptop.read(totals).readings
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from crs_core.keys import Key

from host_agent.control import socket as control
from host_agent.errors import HostAgentError, StoreError
from host_agent.keys import keyfile
from host_agent.paths import Paths
from host_agent.store import contents
from host_agent.store.db import Tx, open_read_only, store_errors
from host_agent.store.rows import StoredEvent
from tools.conductor.conductor import Conductor
from tools.conductor.errors import ConductorError
from tools.rig import evidence
from tools.rig.image import DEVICE_ID
from tools.rig.micropython import ROOT
from tools.rig.processes import popen
from tools.rig.stored import events_of_type
from tools.rig.waiting import STATE, conductor, patience_s, settle, until_async

NO_PAGE = "[page]\nenabled = false\n"  # many agents run at once, and all would want one port
CABLE_ONLY = f"[serial]\nscan_usb = false\n[ble]\nenabled = false\n{NO_PAGE}"
RADIO_TOO = f"[serial]\nscan_usb = false\n[ble]\nenabled = true\n{NO_PAGE}"
_STOP_S = 15.0
_ASK_S = 5.0
_COMMAND = "command"  # what a conductor calls one

T = TypeVar("T")


class LaptopError(Exception):
    """A `cytowatch` command failed, or the agent ended unasked; the message holds what it printed."""


def _on_air(hci: str) -> list[str]:
    return [sys.executable, "-m", "tools.ble_air.run_cytowatch", hci]


def device_key(key: Key, device_id: bytes = DEVICE_ID) -> keyfile.DeviceKey:
    """A key slot of a wearable as a host keeps it."""
    return keyfile.DeviceKey(device_id, key.key_id, key.key, key.role, key.name)


class Laptop:
    """One home of the agent in `folder`; every command runs as a person would type it."""

    def __init__(self, folder: Path, key: Key | None = None, config: str = CABLE_ONLY) -> None:
        self.home = folder
        self.paths = Paths(folder).ensure()
        self.log = folder / "agent.log"
        self.database = self.paths.database
        self.agent: subprocess.Popen[bytes] | None = None
        self.environment = {**os.environ, "CYTOWATCH_HOME": str(folder)}
        self.command = [str(Path(sys.executable).parent / "cytowatch")]
        self.agent_command = self.command  # what runs the agent: on a simulated radio, under another clock
        self.wrapper: list[str] = []  # a command that runs the commands, in a namespace
        self.agent_wrapper: list[str] = []  # the same for the agent
        self.agent_options: list[str] = []  # of tools.conductor.run_cytowatch, in simulated time
        self._hci = ""
        (folder / "config.toml").write_text(config)
        if key is not None:
            self.enrol(key)

    def use_radio(self, hci: str) -> None:
        """From now on the agent's Bluetooth is a radio on the simulated air behind this bumble transport."""
        self.agent_command = _on_air(hci)
        self._hci = hci

    def enrol(self, key: Key) -> None:
        """Keep a key of the wearable, as `cytowatch enrol` does."""
        keyfile.save(self.paths.keys, device_key(key))

    def cytowatch(
        self, *arguments: str, check: bool = True, timeout_s: float = 60, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run one command; raise LaptopError when `check` and its exit code is not 0."""
        with self._typed(arguments, environment) as process:
            try:
                if owner := conductor():
                    owner.until_gone(_COMMAND, timeout_s)
                out, err = process.communicate(timeout=patience_s(timeout_s))
            except BaseException:
                process.kill()
                raise
        done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
        if check and done.returncode:
            raise LaptopError(
                f"cytowatch {' '.join(arguments)}: exit {done.returncode}: {done.stderr or done.stdout}"
            )
        return done

    def _settle(self) -> None:
        """A signal meets the agent between its turns, and all that its end gives others to do is done.

        A run that has failed ends all the same.
        """
        with contextlib.suppress(ConductorError):
            settle()

    async def cytowatch_by_radio(
        self, hci: str, *arguments: str, timeout_s: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """As `cytowatch` without a check, with a radio on the air behind `hci`, which this event loop may serve."""
        with self._typed(arguments, {}, hci) as process:
            try:
                if owner := conductor():
                    await until_async(lambda: not owner.is_here(_COMMAND), timeout_s, " ".join(arguments))
                out, err = await asyncio.to_thread(process.communicate, timeout=timeout_s)
            except BaseException:
                process.kill()
                raise
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def _environment_now(self) -> dict[str, str]:
        """`environment`, with the place of the notes on ports as it is now: see `own_ports`."""
        return self.environment | {STATE: os.environ[STATE]} if STATE in os.environ else self.environment

    def _typed(
        self, arguments: tuple[str, ...], environment: dict[str, str], hci: str = ""
    ) -> subprocess.Popen[str]:
        if owner := conductor():
            command = self._participant(owner, _COMMAND, hci)
        else:
            command = _on_air(hci) if hci else self.command
        return popen(
            [*self.wrapper, *command, *arguments], env=self._environment_now() | environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip

    @property
    def agent_name(self) -> str:
        """What a conductor calls the agent of this laptop."""
        return f"agent of {self.home.name}"

    def _participant(self, owner: Conductor, name: str, hci: str) -> list[str]:
        """What runs cytowatch in simulated time."""
        owner.expect(name)
        runner = [sys.executable, "-m", "tools.conductor.run_cytowatch", owner.path, name]
        return [*runner, "--hci", hci] if hci else runner

    def ask(self, *arguments: str) -> Any:
        """Run one read command with --json and return what it says."""
        return json.loads(self.cytowatch(*arguments, "--json").stdout)

    def start(self, port: str = "", speed: float = 1, more_ports: Sequence[str] = ()) -> None:
        """Start the agent, its log in `log`; `port` "": what its configuration says."""
        evidence.note(self.log)
        command = self.agent_command
        if owner := conductor():
            command = [*self._participant(owner, self.agent_name, self._hci), *self.agent_options]
        ports = [word for one in (port, *more_ports) if one for word in ("--port", one)]
        with self.log.open("ab") as log:
            self.agent = popen(
                [*self.agent_wrapper, *command, "run", *ports, "--speed", f"{speed:g}"], cwd=ROOT,
                env=self._environment_now(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def stop(self, how: int = signal.SIGTERM) -> int | None:
        """End the agent by `how` and return its exit code."""
        if not self.agent:
            return None
        self._settle()
        self.agent.send_signal(how)
        if (owner := conductor()) and how != signal.SIGKILL:
            owner.until_gone(self.agent_name, _STOP_S)
        try:
            code = self.agent.wait(patience_s(_STOP_S))
        except subprocess.TimeoutExpired:
            self.agent.kill()
            code = self.agent.wait()
        self.agent = None
        self._settle()
        return code

    def check_ended_well(self) -> None:
        """After a run that failed: LaptopError when the agent is ending or has ended by itself."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            if self.agent:
                self.agent.wait(1)
        self.check_running()

    def check_running(self) -> None:
        """LaptopError when the agent has ended by itself."""
        code = self.agent.poll() if self.agent else None
        if code is not None:
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit {code}"
            raise LaptopError(f"the agent {how}; its last words:\n{self.log.read_text()[-800:]}")

    def status(self) -> dict[str, Any]:
        """What the running agent says now; empty when it does not answer."""
        try:
            return self.call("status")
        except (HostAgentError, OSError):
            return {}

    def call(self, do: str, **fields: Any) -> dict[str, Any]:
        """What the running agent answers on its control socket. HostAgentError, OSError."""
        try:
            return control.call_now(self.paths.socket, do, timeout_s=patience_s(_ASK_S), **fields)
        finally:
            settle()

    def devices(self) -> list[dict[str, Any]]:
        """The wearables that the running agent knows."""
        return list(self.status().get("devices") or [])

    def link(self) -> dict[str, Any]:
        """The agent's one link: `state`, `reason`, `code`, `advice`; empty before there is one."""
        return dict((self.status().get("ports") or [{}])[0])

    def caught_up(self) -> bool:
        """Whether everything that the wearables have numbered is committed here."""
        devices = self.devices()
        return bool(devices) and all(device["caught_up"] for device in devices)

    def read(self, what: Callable[[Tx], T]) -> T | None:
        """What a function of host_agent.store reads in the store; None before there is one."""
        if not self.database.exists():
            return None
        try:
            with store_errors(self.database), closing(open_read_only(self.database)) as tx:
                return what(tx)
        except StoreError:  # it is being made
            return None

    def totals(self) -> contents.Totals:
        """How much is stored; zeros before there is a store."""
        return self.read(contents.totals) or contents.Totals(*[0] * len(contents.Totals._fields))

    def readings(self) -> int:
        """How many readings are stored."""
        return self.totals().readings

    def cursor(self) -> int:
        """Everything up to this sequence is stored."""
        return self.totals().cursor

    def events(self, kind: int) -> list[StoredEvent]:
        """The stored events of one type, in order."""
        return self.read(lambda tx: events_of_type(tx, kind)) or []
