"""A new sensor is its driver file and one name in `drivers.py`; a driver that lacks something costs nothing else."""

import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from crs_device.health import Health
from crs_device.sensors.optical import Optical
from crs_device.sensors.thermometer import Thermometer
from crs_device.signal.ppg import Ppg

from tools.board import build_firmware
from tools.rig.micropython import FIRMWARE, ROOT, run_micropython

# An 8-bit thermometer at an address of its own: register 0 names the part, register 1 is the temperature in °C.
TOY = """
class ToyThermometer:
    def __init__(self, bus):
        self._bus = bus
        self.code = 0

    def identify(self):
        if self._bus.read_u8(0x4F, 0) != 0x70:
            raise OSError("not a toy thermometer")
        return 0x70

    def start(self):
        self.identify()

    def read_cc(self):
        self.code = self._bus.read_u8(0x4F, 1)
        return self.code * 100

DRIVER = ToyThermometer
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the firmware with the toy's driver in place."""
    copy = tmp_path / "firmware"
    shutil.copytree(FIRMWARE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    add(copy, TOY)
    return copy


def add(tree: Path, driver: str, kind: str = "THERMOMETERS", name: str = "toy") -> None:
    """What sensors/README.md asks of who adds a sensor: the driver's file, and its name in the list."""
    sensors = tree / "crs_device/sensors"
    (sensors / f"{name}.py").write_text(driver)
    drivers = sensors / "drivers.py"
    listed = drivers.read_text()
    assert f"{kind} = (" in listed
    drivers.write_text(listed.replace(f"{kind} = (", f'{kind} = ("{name}", '))


def on_board(tree: Path, addresses: str) -> dict:
    """The answers of tests/micropython/new_driver.py, run on the firmware of `tree`."""
    script = ROOT / "tests/micropython/new_driver.py"
    done = run_micropython(script, addresses, env={"MICROPYPATH": f"{tree}:{ROOT}:.frozen"})
    assert done.returncode == 0, done.stdout + done.stderr
    answers: dict = json.loads(done.stdout)
    return answers


def test_a_new_thermometer_is_two_files_and_found_everywhere(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = {
        path.relative_to(tree).as_posix()
        for path in tree.rglob("*.py")
        if not (FIRMWARE / (name := path.relative_to(tree))).exists()
        or path.read_bytes() != (FIRMWARE / name).read_bytes()
    }
    assert changed == {"crs_device/sensors/toy.py", "crs_device/sensors/drivers.py"}
    answers = on_board(tree, "toy")
    assert answers["vitals"][0] == 3700 and answers["thermometer_fault"] == ""
    assert answers["self_test"]["thermometer"] == {"pass": True, "chip": "ToyThermometer"}
    assert answers["faults"] == []
    monkeypatch.setenv("CW_BOARD_FIRMWARE", str(tree))
    assert "crs_device/sensors/toy.mpy" in build_firmware.compile_application("pico2_w", None)


def test_the_thermometers_there_are_are_still_found(tree: Path) -> None:
    answers = on_board(tree, "tmp117")
    assert answers["self_test"]["thermometer"] == {"pass": True, "chip": "Tmp117"}
    assert answers["loaded"] == ["max3010x", "tmp117"], "code of a chip that is not there stays in the heap"


@pytest.mark.parametrize(
    ("driver", "detail"),
    [
        (TOY.replace("def read_cc", "def read"), "driver toy lacks read_cc"),
        (TOY.replace("self.code = 0", ""), "driver toy lacks code"),
        (TOY.replace("DRIVER =", "driver ="), "driver toy lacks DRIVER"),
        (TOY.replace("def identify", "def who").replace("def start", "def begin"), "driver toy lacks identify, start"),
        ("import missing_part\n", "driver toy: no module named 'missing_part'"),
        ("1 / 0\n", "driver toy: divide by zero"),
    ],
)  # fmt: skip
def test_a_half_registered_driver_is_named_and_everything_else_goes_on(
    tree: Path, driver: str, detail: str
) -> None:
    (tree / "crs_device/sensors/toy.py").write_text(driver)
    answers = on_board(tree, "tmp117 toy")
    assert answers["faults"] == [[2, 9, 1, detail]], "SUBSYSTEM_TEMP, FAULT_MISSING, once"
    assert answers["self_test"]["thermometer"] == {"pass": True, "chip": "Tmp117"}
    assert answers["vitals"][0] is not None and answers["is_optical_present"]


def test_a_half_registered_optical_driver_costs_neither_sensor(tree: Path) -> None:
    add(
        tree,
        "class Toy:\n    def __init__(self, bus, is_swapped=False):\n        pass\n\nDRIVER = Toy\n",
        "OPTICAL",
        "glow",
    )
    answers = on_board(tree, "tmp117")
    assert [fault[:3] for fault in answers["faults"]] == [[1, 9, 1]]
    assert answers["faults"][0][3].startswith("driver glow lacks identify, start, set_light")
    assert answers["vitals"][0] is not None and answers["is_optical_present"]


def test_a_heap_that_is_full_while_a_driver_loads_costs_neither_a_write_nor_the_other_sensor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object) -> None:
        raise MemoryError("memory allocation failed")

    health = Health()
    optical = Optical(None, Ppg(), health, bus=object())
    thermometer = Thermometer(None, health, object())
    monkeypatch.setitem(
        sys.modules, "crs_device.sensors.drivers", SimpleNamespace(optical=full, thermometer=full)
    )
    assert optical.poll(0) is None and not optical.present
    assert thermometer.poll(0) is False and thermometer.fault


def test_a_driver_whose_file_is_missing_is_named(tree: Path) -> None:
    (tree / "crs_device/sensors/toy.py").unlink()
    answers = on_board(tree, "tmp117")
    assert answers["faults"][0][3].startswith("driver toy: no module named")
    assert answers["vitals"][0] is not None
