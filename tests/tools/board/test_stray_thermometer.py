"""A thermometer whose address pins are not at ground is found by its registers and named with its pins."""

from types import SimpleNamespace
from typing import Any

import pytest
from crs_device.sensors.bus import Bus

from tools.board import stray_thermometer
from tools.virtual_wearable.models.bench import Bench


def said(**on_bus: Any) -> str:
    """What the self-test says with these chips on the bus, by address, when the firmware's thermometer is missing."""
    bench = Bench()
    bench.i2c.devices = {0x57: bench.max30102} | {int(at[1:], 16): chip(bench) for at, chip in on_bus.items()}
    names = {"board": SimpleNamespace(i2c=bench.i2c), "bus": Bus(bench.i2c)}
    exec(stray_thermometer.ON_BOARD, names)  # as the board does
    return stray_thermometer.named(names["strays"]())  # type: ignore[operator]


def tmp117(bench: Bench) -> object:
    return bench.tmp117


def max30205(bench: Bench) -> object:
    return bench.max30205


class Other:
    """A chip that answers everything with zeros."""

    pointer = 0

    def read(self, count: int) -> bytes:
        return bytes(count)

    def write(self, data: bytes) -> None:
        pass


@pytest.mark.parametrize(("address", "pin"), [("x49", "V+"), ("x4a", "SDA"), ("x4b", "SCL")])
def test_a_tmp117_is_named_with_its_pin(address: str, pin: str) -> None:
    text = said(**{address: tmp117})
    assert (
        text == f"A TMP117 answers at 0{address}: its pin ADD0 is at {pin}. Connect ADD0 to ground for 0x48."
    )


@pytest.mark.parametrize("address", ["x40", "x49", "x4c", "x5f"])
def test_a_max30205_is_named_with_its_pins(address: str) -> None:
    assert said(**{address: max30205}).startswith(f"A MAX30205 answers at 0{address}: its pins A0, A1 and A2")


def test_nothing_else_is_taken_for_a_thermometer() -> None:
    assert said() == "No thermometer answers at another address. Check its wires: 3.3 V, ground, SDA, SCL."
    assert "What answers at 0x49 is no TMP117" in said(x49=lambda bench: Other())
    assert "A TMP117 answers at 0x4a" in said(x49=lambda bench: Other(), x4a=tmp117)


def test_a_chip_that_falls_silent_is_no_error() -> None:
    assert "What answers at 0x49, 0x50" in stray_thermometer.named("49 - - -;50 0117 - -")
