"""What is dropped when the byte budget is full, in which order, and how it is reported.

Readings have three quarters: the oldest segment goes. Events have the reserved quarter: first segments whose every
record is acknowledged; then repeats: of blocks that hold one and the same kind of repeat, the first and the last stay
and the others become one MERGED record; then the oldest segment, which is a HIGH technical alarm (`events_lost`).
Kept blocks keep their bytes. A merge is durable before what it stands for is dropped. At most two segments go per
block written, so that a budget made smaller does not stall the wearable.
"""

from crs_device.journal import segment

SEAL_READINGS = segment.SEGMENT_MAX
SEAL_EVENTS = 4096
DROPS_MAX = 2


def make_room(chain, need: int, quota: int) -> int:  # type: ignore[no-untyped-def]
    """Drop oldest segments until `need` more bytes fit; returns how many were dropped."""
    dropped = 0
    while dropped < DROPS_MAX and chain.used + need > quota and len(chain.segments) > 1:
        chain.drop(0)
        dropped += 1
    return dropped


def drop_acked_events(chain, need: int, quota: int, acked: int) -> int:  # type: ignore[no-untyped-def]
    """Drop segments whose every record is acknowledged, oldest first; returns how many were dropped."""
    dropped = 0
    while dropped < DROPS_MAX and chain.used + need > quota and chain.bound(0) <= acked:
        chain.drop(0)
        dropped += 1
    return dropped
