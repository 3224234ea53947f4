"""Evaluation of the wearable's rules on simulated patients and on charted stays, with baselines and plots."""

import sys
from pathlib import Path

_FIRMWARE = str(Path(__file__).resolve().parents[3] / "firmware")
if _FIRMWARE not in sys.path:
    sys.path.insert(0, _FIRMWARE)  # crs_device is not installed on a host; its limits are read here
