"""A laptop whose disk is full, a real one: told at once, nothing acknowledged, nothing lost once there is room.

The agent runs in a mount namespace of its own with its state folder on a small tmpfs.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.rig.bedside import Bedside
from tools.rig.image import CUSTODIAN
from tools.rig.journal_check import acked_seq, compare
from tools.rig.laptop import Laptop, LaptopError
from tools.rig.micropython import ROOT
from tools.rig.waiting import pass_s, until

SPEED = 60
NAMESPACE = ("unshare", "--map-root-user", "--mount")


def needs_namespaces() -> None:
    """Skip where this user may not make a mount namespace; the store's own tests fill the database everywhere."""
    probe = "mount -t tmpfs tmpfs /mnt"
    if subprocess.run([*NAMESPACE, "sh", "-c", probe], capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a tmpfs in a namespace")


class CrampedLaptop(Laptop):
    """Its state folder is a tmpfs of 6 MB, seen only by its own processes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, CUSTODIAN)
        script = (
            'cp -r "$CYTOWATCH_HOME" "$0" && mount -t tmpfs -o size=6m tmpfs "$CYTOWATCH_HOME" && '
            'cp -r "$0/." "$CYTOWATCH_HOME" && chmod 700 "$CYTOWATCH_HOME" && exec "$@"'
        )
        self.agent_wrapper = [*NAMESPACE, "sh", "-c", script, f"{folder}.saved"]

    def start(self, port: str = "", speed: float = 1) -> None:
        """As Laptop.start; from now on every command runs beside the agent, on the same tmpfs."""
        super().start(port, speed)
        self.wrapper = self._enter()

    def _enter(self) -> list[str]:
        assert self.agent is not None
        return ["nsenter", "-t", str(self.agent.pid), "-U", "-m", "--preserve-credentials"]

    def copied(self, folder: Path) -> Path:
        """A copy of the store outside; nothing may be writing."""
        folder.mkdir(exist_ok=True)
        names = [self.database, f"{self.database}-wal"]
        subprocess.run([*self._enter(), "cp", *names, str(folder)], check=True, capture_output=True)
        return folder / self.database.name

    def cursor(self) -> int:
        """Everything up to this sequence is stored, read beside the agent."""
        code = (
            "import pathlib, sys\nfrom host_agent.store import contents, db\n"
            "print(contents.totals(db.open_read_only(pathlib.Path(sys.argv[1]))).cursor)\n"
        )
        done = subprocess.run(
            [*self._enter(), sys.executable, "-c", code, str(self.database)],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return int(done.stdout)

    @property
    def inside(self) -> Path:
        """The state folder as the agent sees it."""
        assert self.agent is not None
        return Path(f"/proc/{self.agent.pid}/root{self.home}")

    def says(self) -> dict[str, object]:
        """`status --json`; empty until the agent answers."""
        try:
            found: dict[str, object] = self.ask("status")
        except (LaptopError, ValueError):
            return {}
        return found if found.get("agent_running") else {}

    def synced(self) -> bool:
        """Whether everything is committed and the store takes it."""
        said = self.says()
        devices = said.get("devices") or []
        return bool(devices) and devices[0]["caught_up"] and said["agent"]["store_error"] is None  # type: ignore[index]


def fill(folder: Path) -> Path:
    """Use up every byte of the disk."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return filler


@pytest.mark.real_time
def test_a_full_disk_is_told_acknowledges_nothing_and_loses_nothing(tmp_path: Path) -> None:
    needs_namespaces()
    with Bedside(tmp_path, speed=SPEED, binding_id=None) as bedside:
        laptop = CrampedLaptop(tmp_path / "cramped")
        bedside.laptops.append(laptop)
        laptop.start(bedside.port, SPEED)
        until(laptop.synced, 25, "sync")
        filler = fill(laptop.inside)
        said = until(
            lambda: (said := laptop.says()) and said["agent"]["store_error"] and said, 25, "the fault"
        )
        assert "disk is full" in said["agent"]["store_error"]
        stored = laptop.cursor()
        assert "cannot store: " in laptop.cytowatch("status").stdout
        doctor = laptop.cytowatch("doctor", check=False)
        assert doctor.returncode == 1 and "disk is full" in doctor.stdout
        assert "Free disk space" in doctor.stdout
        pass_s(4)  # minutes of the wearable's time, in which its mark goes to flash several times
        assert laptop.cursor() == stored
        assert acked_seq(bedside.image) <= stored, "nothing is acknowledged that is not stored"
        filler.unlink()
        until(lambda: laptop.synced() and laptop.cursor() > stored, 40, "sync with room again")
        bedside.wearable.kill()
        assert compare(bedside.image, laptop.copied(tmp_path / "copy")) == laptop.cursor()
        alarms = laptop.ask("history", "--kind", "host_alarms")["rows"]
        assert [(row["name"], bool(row["ended_at"])) for row in alarms if row["name"] == "STORE_FAULT"] == [
            ("STORE_FAULT", True)
        ]
