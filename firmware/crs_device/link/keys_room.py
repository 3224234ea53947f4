"""How much of the events' room the keys beside the custodian's may fill with what no custodian acknowledged.

What such a key asks for changes alarms and grades, whose records go last when the room is full. So all these keys
together have a quarter of the room: a count of requests, each for the bytes of the records that it brings about.
It begins anew when the custodian has acknowledged what they wrote. It is on flash beside the journal, so that no
restart and no other key begins it. Loaded for one call.
"""

import struct

from crs_core.compat import const
from crs_core.journal import block_layout
from crs_device.two_slot import TwoSlot

# What stays of one request when the journal is full: a GRADE, and an ALARM with the states before and after it.
_EACH_BYTES = const(1024)
_LAYOUT = "<HI"  # requests taken, and the number of the first record after the last of them


def take(journal) -> str:  # type: ignore[no-untyped-def]
    """Take room for one request; "" when it was there, else why it was not. OSError: flash refused, nothing is taken.

    A count that cannot be read stands for all of the room until everything is acknowledged.
    """
    room = journal.budget_bytes // 16 // _EACH_BYTES
    file = TwoSlot(journal.root + "/keys")
    data = file.load()
    taken = seq = 0
    if data is not None and len(data) == struct.calcsize(_LAYOUT):
        taken, seq = struct.unpack(_LAYOUT, data)
    elif data is not None or file.damaged:
        taken, seq = room, block_layout.SEQ_MAX
        _store(file, journal, taken)
    if journal.acked_seq >= seq:
        taken = 0
    if taken >= room:
        return "its room in the journal is full: the custodian's laptop must read first"
    _store(file, journal, taken + 1)
    return ""


def _store(file: TwoSlot, journal, taken: int) -> None:  # type: ignore[no-untyped-def]
    file.store(struct.pack(_LAYOUT, taken, min(journal.head_seq + 1, block_layout.SEQ_MAX)))
