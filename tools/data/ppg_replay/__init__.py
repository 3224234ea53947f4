"""Run a recording through the firmware's own PPG chain: its values of each second, or the reason for having none."""

import sys
from pathlib import Path

FIRMWARE = Path(__file__).resolve().parents[3] / "firmware"
if str(FIRMWARE) not in sys.path:  # the firmware is not installed, only found
    sys.path.insert(0, str(FIRMWARE))
