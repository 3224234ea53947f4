"""The product as a person runs it: a virtual wearable and bedside laptops, all real processes, for whole-system tests.

with Ward(tmp_path) as ward:                 # ready image, no flashing; the wearable's clock 60 times as fast
    ward.laptop.start(ward.port, speed=60)   # the real `cytowatch run`, enrolled as custodian
    ward.until(lambda: ward.laptop.caught_up())
"""

import sqlite3
from pathlib import Path
from typing import Any, Self

from crs_core import block, records
from crs_core.keys import Key

from host_agent.control import socket as control
from host_agent.errors import HostAgentError
from host_agent.keys import keyfile
from host_agent.paths import Paths
from tools.rig.bedside import Bedside
from tools.rig.image import CUSTODIAN, DEVICE_ID, build_image
from tools.rig.journal_check import flash_blocks
from tools.rig.wearable import ROOT, VirtualWearable, wait_until

SCENARIO = ROOT / "tools/virtual_wearable/scenarios/steady_afebrile.toml"


class Laptop(Bedside):
    """A bedside laptop with a state folder of its own; `key` None: not enrolled."""

    def __init__(self, folder: Path, key: Key | None = CUSTODIAN) -> None:
        super().__init__(folder)
        paths = Paths(folder).ensure()
        (folder / "config.toml").write_text("[serial]\nscan_usb = false\n[ble]\nenabled = false\n")
        if key is not None:
            keyfile.save(paths.keys, keyfile.DeviceKey(DEVICE_ID, key.key_id, key.key, key.role, key.name))

    def status(self) -> dict[str, Any]:
        """What the running agent says now; empty when it does not answer."""
        try:
            return control.call_now(Paths(self.home).socket, "status", timeout_s=3)
        except (HostAgentError, OSError):
            return {}

    def link(self) -> dict[str, Any]:
        """The agent's one port."""
        ports = self.status().get("ports") or [{}]
        return dict(ports[0])

    def caught_up(self) -> bool:
        """Whether everything the wearable has numbered is committed here."""
        devices = self.status().get("devices") or []
        return bool(devices) and all(device["caught_up"] for device in devices)

    def query(self, sql: str, *parameters: Any) -> list[Any]:
        """Rows of the store; nothing before there is one."""
        if not self.database.exists():
            return []
        try:
            with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as store:
                return store.execute(sql, parameters).fetchall()
        except sqlite3.OperationalError:  # it is being made
            return []

    def readings(self) -> int:
        """How many readings are stored."""
        rows = self.query("SELECT count(*) FROM readings")
        return int(rows[0][0]) if rows else 0

    def cursor(self) -> int:
        """Everything up to this sequence is stored."""
        rows = self.query("SELECT max(cursor) FROM journals")
        return int(rows[0][0] or 0) if rows else 0


class Ward:
    """One wearable on an image that is ready to run, and the custodian's laptop. Ends everything it started."""

    def __init__(
        self, folder: Path, *options: str, speed: int = 60, scenario: Path = SCENARIO, image: bool = True, **built: Any
    ) -> None:  # fmt: skip
        """`built` goes to build_image; `image` False: blank flash."""
        self.folder = folder
        if image:
            build_image(folder / "flash.img", **built)
        self.wearable = VirtualWearable(folder, "--scenario", str(scenario), *options, speed=speed)
        self.laptops: list[Laptop] = []
        self.laptop = self.add_laptop("bedside")

    def add_laptop(self, name: str, key: Key | None = CUSTODIAN) -> Laptop:
        """One more home directory."""
        laptop = Laptop(self.folder / name, key)
        self.laptops.append(laptop)
        return laptop

    @property
    def port(self) -> str:
        """The link to the port, which is the same after the wearable was started again."""
        return str(self.wearable.link)

    @property
    def image(self) -> Path:
        """The flash."""
        return self.wearable.image

    def __enter__(self) -> Self:
        self.wearable.start()
        return self

    def __exit__(self, *_: object) -> None:
        for laptop in self.laptops:
            laptop.stop()
        self.wearable.stop()

    def until(self, condition: Any, timeout_s: float = 20, what: str = "") -> Any:
        """Wait until `condition()` is true; its value. Fails with the agents' logs."""
        try:
            return wait_until(condition, timeout_s, what or "a condition", poll_s=0.05)
        except Exception as error:
            logs = [laptop.log.read_text()[-1500:] for laptop in self.laptops if laptop.log.exists()]
            raise AssertionError(
                f"{error}\n{self.wearable.log.read_text()[-500:]}\n" + "\n".join(logs)
            ) from None


def on_flash(image: Path) -> dict[int, Any]:
    """{sequence: (boot, Reading or Event)} of an image; fails when a sequence stands for two contents."""
    journal_id, blocks = flash_blocks(image)
    found: dict[int, Any] = {}
    for first_seq, data in sorted(blocks.items()):
        header, rows = block.decode(data, journal_id)
        assert rows is not None, f"block {first_seq} is of an unknown kind"
        for offset, row in enumerate(rows):
            assert first_seq + offset not in found, f"sequence {first_seq + offset} stands for two contents"
            found[first_seq + offset] = (header.boot, row)
    return found


def boots(found: dict[int, Any]) -> list[tuple[int, int, records.Boot]]:
    """(boot, t_ms, BOOT record) in order."""
    return [
        (boot, row.t_ms, records.decode(row.type, row.payload))
        for _, (boot, row) in sorted(found.items())
        if isinstance(row, block.Event) and row.type == records.BOOT
    ]
