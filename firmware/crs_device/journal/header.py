"""The journal's own header file and the small files beside it, each in two slots.

header: format 1 u8, journal_id 8 B, binding_id 8 B (zeros = unbound), created in boot u32.
budget: bytes of flash u32, as at the last start or change.
mark:   acknowledged u32, reserved u32: no sequence above it was ever used in this journal, thinned u32: up to it
        repeats were merged, so single missing numbers there were dropped on purpose.
"""

import os
import struct

from crs_core.compat import const
from crs_device.two_slot import TwoSlot

FORMAT = const(1)
UNBOUND = b"\0" * 8
_HEADER = "<B8s8sI"


class JournalMissing(Exception):  # noqa: N818 it names a state
    """There is no readable journal; only provisioning or a handover makes one."""


def slot(root: str) -> TwoSlot:
    """The header file of the journal at `root`."""
    return TwoSlot(root + "/header")


def read(root: str) -> tuple[bytes, bytes] | None:
    """(journal_id, binding_id) of the journal at `root`, or None."""
    data = slot(root).load()
    if data is None or len(data) != struct.calcsize(_HEADER) or data[0] != FORMAT:
        return None
    _, journal_id, binding_id, _ = struct.unpack(_HEADER, data)
    return journal_id, binding_id


def build(root: str, journal_id: bytes, binding_id: bytes, boot: int) -> None:
    """Make an empty journal at `root`, which may exist from an attempt that was cut. The header is written last."""
    for path in (root, root + "/r", root + "/e"):
        if not exists(path):
            os.mkdir(path)
    slot(root).store(struct.pack(_HEADER, FORMAT, journal_id, binding_id, boot))


def store_budget(root: str, budget_bytes: int) -> None:
    """Store how much of flash the journal fills, for the next start; OSError: what was stored before counts there."""
    TwoSlot(root + "/budget").store(struct.pack("<I", budget_bytes))


def exists(path: str) -> bool:
    """Whether there is a file or directory of that name."""
    try:
        os.stat(path)
    except OSError:
        return False
    return True


def read_mark(root: str) -> tuple[int, int, int]:
    """(acknowledged, reserved, thinned); zeros when there is none."""
    data = TwoSlot(root + "/mark").load()
    if data is None or len(data) != 12:
        return 0, 0, 0
    acked, reserved, thinned = struct.unpack("<III", data)
    return acked, reserved, thinned


def store_mark(root: str, acked: int, reserved: int, thinned: int) -> None:
    """Store the mark; OSError: the one before still counts."""
    TwoSlot(root + "/mark").store(struct.pack("<III", acked, reserved, thinned))
