"""The boot number: one more at each start, before the first record, in two slots."""

import struct

from crs_device.two_slot import TwoSlot


def next_boot(path: str = "/boot.cnt") -> int:
    """Count this start and return its number, 1 at the first.

    A number is returned even when flash refuses. Journal.open raises it above every boot found in the journal, and
    `raise_to` then corrects the file.
    """
    file = TwoSlot(path)
    boot = _read(file) + 1
    try:
        file.store(struct.pack("<I", boot))
    except OSError:
        pass
    return boot


def raise_to(boot: int, path: str = "/boot.cnt") -> None:
    """Make the stored number at least `boot`: the file was lost or restored and the journal knows better."""
    file = TwoSlot(path)
    if _read(file) < boot:
        file.store(struct.pack("<I", boot))


def _read(file: TwoSlot) -> int:
    data = file.load()
    return struct.unpack("<I", data)[0] if data is not None and len(data) == 4 else 0
