"""A recording through the firmware's own PPG chain: what it would have said each second, and why it said nothing."""

import sys
from pathlib import Path

FIRMWARE = Path(__file__).resolve().parents[3] / "firmware"
if str(FIRMWARE) not in sys.path:  # the firmware is not installed, only found
    sys.path.insert(0, str(FIRMWARE))
