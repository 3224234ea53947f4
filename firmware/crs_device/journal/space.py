"""How many bytes a chain may take, and what goes when it is full; event_room.py has the order for events.

Readings have three quarters of the budget: the oldest segment goes. Events have the reserved quarter. At most two
segments go for each block written, so that a budget made smaller does not stall the wearable.
"""

from crs_core.compat import const
from crs_device.journal import segment

# No constants of the compiler: a flash of another size sets them.
SEAL_READINGS = segment.SEGMENT_MAX
SEAL_EVENTS = 4096
DROPS_MAX = const(2)


def drop_oldest(chain, need: int, quota: int) -> int:  # type: ignore[no-untyped-def]
    """Drop oldest segments until `need` more bytes fit; returns how many were dropped."""
    dropped = 0
    while dropped < DROPS_MAX and chain.used + need > quota and len(chain.segments) > 1:
        chain.drop(0)
        dropped += 1
    return dropped
