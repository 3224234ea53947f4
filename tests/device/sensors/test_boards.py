"""The wiring table, the board files and boot.py name the same pins."""

import ast
import re

import pytest

from tools.rig.micropython import FIRMWARE

COLUMNS = {"pico2_w": 0, "esp32s3": 1}
PORTS = {"pico2_w": "rp2", "esp32s3": "esp32"}
RESERVED = {"pico2_w": {23, 24, 25, 29}, "esp32s3": {0, 3, 19, 20, 45, 46, *range(26, 38)}}


def pins_of_file(board: str) -> dict[str, int]:
    """Upper-case names with small integers assigned at the top of a board file."""
    found = {}
    for node in ast.parse((FIRMWARE / f"boards/{board}.py").read_text()).body:
        if isinstance(node, ast.Assign):
            targets = node.targets[0]
            names = targets.elts if isinstance(targets, ast.Tuple) else [targets]
            values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            for name, value in zip(names, values, strict=True):
                if isinstance(name, ast.Name) and isinstance(value, ast.Constant):
                    found[name.id] = value.value
    return {
        k: v for k, v in found.items() if not k.startswith("_") and k not in ("I2C_BUS", "BATTERY_DIVIDER")
    }


def pins_of_table(board: str) -> dict[str, int]:
    """The column of a board in firmware/README.md."""
    rows = re.findall(
        r"^\| ([A-Z]+) \|[^|]*\| GPIO (\d+) \| GPIO (\d+) \|$", (FIRMWARE / "README.md").read_text(), re.M
    )
    return {row[0]: int(row[1 + COLUMNS[board]]) for row in rows}


@pytest.mark.parametrize("board", COLUMNS)
def test_table_says_what_the_file_does(board: str) -> None:
    pins = pins_of_file(board)
    assert len(pins) == 10 and pins == pins_of_table(board)


@pytest.mark.parametrize("board", COLUMNS)
def test_no_pin_twice_and_none_that_is_taken(board: str) -> None:
    pins = pins_of_file(board)
    assert len(set(pins.values())) == len(pins) and not RESERVED[board] & set(pins.values())


@pytest.mark.parametrize("board", COLUMNS)
def test_boot_drives_the_same_pins(board: str) -> None:
    text = (FIRMWARE / "boot.py").read_text()
    table = ast.literal_eval(re.search(r"_PINS = (\{.*?\})", text, re.S).group(1))  # type: ignore[union-attr]
    pins = pins_of_file(board)
    assert table[PORTS[board]] == tuple(pins[name] for name in ("BUTTON", "RED", "GREEN", "BLUE", "BUZZER"))


@pytest.mark.parametrize("board", COLUMNS)
def test_no_real_board_can_call_itself_simulated(board: str) -> None:
    assert "simulated" not in (FIRMWARE / f"boards/{board}.py").read_text()
    assert "\n    simulated = False" in (FIRMWARE / "boards/__init__.py").read_text()
