"""A life under harm, on real processes; see README.md."""

import sys
from pathlib import Path

_FIRMWARE = str(Path(__file__).resolve().parents[3] / "firmware")
if _FIRMWARE not in sys.path:
    sys.path.insert(0, _FIRMWARE)  # crs_device is no package of the host; the image is made with its journal
