"""The picture in the root README, drawn from the tables below: `python -m tools.dev.picture --write`.

Without --write: exit 1 when the committed picture is not the one that this program draws.
"""

import argparse
import sys
from html import escape
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "tools" / "dev" / "overview.svg"


class Box(NamedTuple):
    """One part: its name, what it does, and the folder that holds it (checked to exist)."""

    name: str
    does: str
    folder: str


WEARABLE = (
    Box("sensor", "temperature, light", "firmware/crs_device/sensors"),
    Box("signal", "SpO2, heart rate", "firmware/crs_device/signal"),
    Box("grade", "CRS as an interval", "firmware/crs_core/grade"),
    Box("journal", "survives a power cut", "firmware/crs_device/journal"),
    Box("link", "serial or radio", "firmware/crs_device/link"),
)
LAPTOP = (
    Box("link", "serial or radio", "host_agent/link"),
    Box("sync", "pulls each record", "host_agent/sync"),
    Box("store", "every record once", "host_agent/store"),
    Box("escalation", "rises, silence", "host_agent/escalation"),
    Box("forward", "until it is taken", "host_agent/forward"),
)
LANES = (
    ("Wearable: measures, grades and sounds its own alarm", WEARABLE),
    ("Bedside laptop: keeps every record, checks every grade, tells people", LAPTOP),
)
WIDTH, BOX_W, BOX_H, GAP, LEFT, LANE_H = 900, 150, 64, 24, 27, 150
STYLE = (
    "text{font-family:sans-serif;fill:#1b2733}.lane{fill:#f4f7fa;stroke:#c9d3dc}.box{fill:#fff;stroke:#31506b}"
    ".name{font-size:15px;font-weight:bold}.does{font-size:12px}.title{font-size:14px}"
    ".flow{stroke:#31506b;stroke-width:2;fill:none;marker-end:url(#tip)}"
)


def _arrow(path: str) -> str:
    return f'<path class="flow" d="{path}"/>'


def _lane(top: int, title_x: int, title: str, boxes: tuple[Box, ...]) -> list[str]:
    """One row of boxes, each leading to the next."""
    drawn = [
        f'<rect class="lane" x="10" y="{top}" width="{WIDTH - 20}" height="{LANE_H - 20}" rx="8"/>',
        f'<text class="title" x="{title_x}" y="{top + 24}">{escape(title)}</text>',
    ]
    y = top + 44
    for place, box in enumerate(boxes):
        x = LEFT + place * (BOX_W + GAP)
        drawn += [
            f'<rect class="box" x="{x}" y="{y}" width="{BOX_W}" height="{BOX_H}" rx="6"/>',
            f'<text class="name" x="{x + 12}" y="{y + 26}">{escape(box.name)}</text>',
            f'<text class="does" x="{x + 12}" y="{y + 47}">{escape(box.does)}</text>',
        ]
        if place:
            drawn.append(_arrow(f"M{x - GAP} {y + BOX_H // 2}H{x - 3}"))
    return drawn


def draw() -> str:
    """The whole picture as SVG."""
    missing = [box.folder for _, boxes in LANES for box in boxes if not (ROOT / box.folder).is_dir()]
    if missing:
        raise FileNotFoundError(f"the picture names folders that are not there: {', '.join(missing)}")
    height = 2 * LANE_H + 60
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        "<title>CytoWatch: from the sensor to a person</title>",
        f"<style>{STYLE}</style>",
        '<marker id="tip" markerWidth="6" markerHeight="6" refX="5" refY="3" orient="auto">'
        '<path d="M0 0L6 3L0 6z" fill="#31506b"/></marker>',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
    ]
    for row, (title, boxes) in enumerate(LANES):
        title_x = LEFT + row * (BOX_W // 2 + 16)  # right of the arrow that comes from above
        parts += _lane(10 + row * LANE_H, title_x, title, boxes)
    last_x, first_x = LEFT + 4 * (BOX_W + GAP) + BOX_W // 2, LEFT + BOX_W // 2
    wearable_end, laptop_begin = 10 + 44 + BOX_H, 10 + LANE_H + 44
    middle = 10 + LANE_H - 10
    parts.append(_arrow(f"M{last_x} {wearable_end}V{middle}H{first_x}V{laptop_begin - 3}"))
    people_y = 10 + 2 * LANE_H + 20
    parts.append(_arrow(f"M{last_x} {laptop_begin + BOX_H}V{people_y - 14}"))
    parts.append(
        f'<text class="title" x="{WIDTH - LEFT}" y="{people_y + 6}" text-anchor="end">'
        "caregivers, nurses, ward systems</text>"
    )
    return "\n".join([*parts, "</svg>"]) + "\n"


def main(argv: list[str] | None = None) -> int:
    """Exit 0 when the committed picture is current (or was written), 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tools.dev.picture", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the picture")
    if parser.parse_args(argv).write:
        PICTURE.write_text(draw())
    elif not PICTURE.exists() or PICTURE.read_text() != draw():
        print(f"{PICTURE.name} is not what this program draws. Write it: python -m tools.dev.picture --write")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
