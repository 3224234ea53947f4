"""firmware/crs_device/README.md and the code say the same: settings, counters, files."""

import re
from pathlib import Path

from crs_core import counters, settings

FOLDER = Path(__file__).resolve().parents[2] / "firmware" / "crs_device"
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """Cells of the table under a heading, without its two head lines."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


def test_every_setting_stands_in_the_page_with_bounds_default_and_meaning() -> None:
    told = {row[0]: row[1:] for row in rows("Settings")}
    assert set(told) == set(settings.SETTINGS)
    for key, spec in settings.SETTINGS.items():
        takes, unit, default, meaning = told[key]
        if spec.kind == "enum":
            assert takes.split(", ") == list(spec.choices)
        else:
            assert takes.endswith(f"{spec.lo}..{spec.hi}")
        assert unit == spec.unit
        assert default == ("mandatory" if spec.default is None else str(spec.default) or "empty")
        assert meaning == spec.doc


def test_every_health_counter_stands_in_the_page() -> None:
    assert rows("Health counters") == [[str(number), name, text] for number, name, text in counters.TABLE]


def test_every_module_and_every_room_is_named() -> None:
    block = PAGE.split("```")[1]
    named = set(re.findall(r"([a-z_]+\.py)", block))
    there = {path.name for path in FOLDER.glob("*.py")} - {"__init__.py"}
    assert there - named == set()
    assert named <= there
    rooms = {path.name + "/" for path in FOLDER.iterdir() if (path / "__init__.py").exists()}
    assert set(re.findall(r"^([a-z_]+/)", block, re.M)) == rooms
