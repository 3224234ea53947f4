"""tools/board/selftest on the virtual wearable: a table and a JSON report, outputs really driven, faults named."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools.board.selftest import Report, run
from tools.rig.bedside import Bedside
from tools.rig.host import Host
from tools.rig.image import CUSTODIAN, DEVICE_ID

pytestmark = pytest.mark.wearable

PARTS = (
    "serial number", "interpreter", "heap", "i2c bus", "pulse oximeter", "thermometer", "flash", "battery", "button",
    "identity",
)  # fmt: skip


def selftest(bedside: Bedside, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tools.board.selftest", bedside.port, *options]
    quiet = subprocess.DEVNULL
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=False, stdin=quiet)


def test_table_report_and_outputs_of_a_sound_board(tmp_path: Path) -> None:
    with Bedside(tmp_path, speed=1) as bedside:
        tool = selftest(bedside, "--out", str(tmp_path / "report.json"))
        assert tool.returncode == 0, tool.stdout + tool.stderr
        report = json.loads((tmp_path / "report.json").read_text())
        assert report["passed"] is True
        found = {part["name"]: part for part in report["parts"]}
        assert set(PARTS) <= found.keys()
        assert report["serial_number"] == found["serial number"]["found"] != ""
        assert f"{report['serial_number']}: no part failed" in tool.stdout
        assert len(tool.stdout.splitlines()) == len(report["parts"]) + 1
        assert DEVICE_ID.hex() in found["identity"]["found"]
        for name in ("red light", "yellow light", "blue light", "buzzer", "vibration"):
            assert found[name]["passed"] is None, "driven, but nobody said whether it worked"
        log = [(entry["what"], entry["value"]) for entry in bedside.wearable.control("outputs")["log"]]
        assert {("buzzer", 520), ("vibration", 1), ("red", 1), ("green", 1), ("blue", 1)} <= set(log)
        host = Host(bedside.wearable.port, CUSTODIAN)
        host.open(15)
        host.close()


@pytest.mark.parametrize(
    ("address", "part", "other"),
    [(0x57, "pulse oximeter", "thermometer"), (0x48, "thermometer", "pulse oximeter")],
)
def test_a_missing_sensor_fails_its_own_line_and_exits_1(
    tmp_path: Path, address: int, part: str, other: str
) -> None:
    with Bedside(tmp_path, speed=1) as bedside:
        bedside.wearable.control("fault", what="nack", address=address)
        tool = selftest(bedside, "--no-outputs")
        lines = {line.split("  ")[0].strip(): line for line in tool.stdout.splitlines()}
        assert tool.returncode == 1
        assert "FAILED" in lines[part] and "FAILED" in lines["i2c bus"] and "passed" in lines[other]
        assert tool.stdout.splitlines()[-1].endswith("FAILED")
        assert ("No thermometer answers at another address" in lines[part]) == (part == "thermometer")


def test_an_unprovisioned_board_says_so_and_is_tested_all_the_same(tmp_path: Path) -> None:
    with Bedside(tmp_path, settings=None, keys=(), journal=False, speed=1) as bedside:
        report: Report = run(bedside.port, outputs=False)
        found = {part.name: part for part in report.parts}
        assert found["identity"].passed is False
        assert "not provisioned" in found["identity"].found
        assert found["thermometer"].passed
        assert found["link"].passed, found["link"].found
