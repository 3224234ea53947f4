"""Whoever uses the rig can import `crs_device`, which is no package of the host. MicroPython, too, runs this file."""

import sys

_FIRMWARE = __file__.rsplit("/", 3)[0] + "/firmware"
if _FIRMWARE not in sys.path:
    sys.path.append(_FIRMWARE)
