"""The laptop's agent in the guest: the real `cytowatch run` with the radio as its only link."""

import os
import subprocess
from pathlib import Path
from typing import Any

from host_agent.control import socket as control
from host_agent.errors import HostAgentError
from host_agent.keys import keyfile
from host_agent.paths import Paths
from tools.rig.bedside import Bedside
from tools.rig.image import CUSTODIAN, DEVICE_ID

KEY = keyfile.DeviceKey(DEVICE_ID, CUSTODIAN.key_id, CUSTODIAN.key, CUSTODIAN.role, CUSTODIAN.name)
_CONFIG = """\
[serial]
scan_usb = false
[ble]
enabled = true
"""


class Laptop(Bedside):
    """A bedside laptop that is enrolled as custodian; nothing of it runs before `start_on_radio`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (folder / "config.toml").write_text(_CONFIG)
        keyfile.save(Paths(folder).ensure().keys, KEY)

    def start_on_radio(self, speed: float) -> None:
        """Start the agent; its log goes to `log`."""
        with self.log.open("ab") as log:
            self.agent = subprocess.Popen(
                [self._command, "run", "--speed", f"{speed:g}"],
                env={**os.environ, "CYTOWATCH_HOME": str(self.home)}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def status(self) -> dict[str, Any]:
        """What the running agent says now; empty when it does not answer."""
        try:
            return control.call_now(Paths(self.home).socket, "status", timeout_s=10)
        except (HostAgentError, OSError):
            return {}

    def link(self) -> dict[str, Any]:
        """The radio link: `state`, `reason`, `code`, `advice`; empty before there is one."""
        ports = self.status().get("ports") or [{}]
        return dict(ports[0])

    def is_open(self) -> bool:
        """Whether the link is in session."""
        return self.link().get("state") == "open"

    def has_caught_up(self) -> bool:
        """Whether everything that the wearable has numbered is stored."""
        devices = self.status().get("devices") or []
        return self.is_open() and bool(devices) and all(device["caught_up"] for device in devices)
