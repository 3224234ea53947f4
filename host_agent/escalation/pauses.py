"""The planned pause of a wearable, from the store: when it was announced, and when it ends by this host's clock."""

from typing import NamedTuple

from crs_core.journal import record_layout, record_types

from host_agent.store.db import Tx
from host_agent.store.events import decode_event, has_event_after, newest_event
from host_agent.sync.timebase import stored_time

BEGUN = 1
WHY = {1: "charging", 2: "washing", 3: "other"}


class StoredPause(NamedTuple):
    """The last announced pause, while its end is not stored; times are UTC ms, `why` is a word of WHY.

    `journal` and `seq` name its record.
    """

    why: str
    since_utc_ms: int
    until_utc_ms: int
    journal: int
    seq: int


def open_pause(tx: Tx, device: int) -> StoredPause | None:
    """The pause of the current journal that was not ended by its record or by a restart.

    A pause that may be over counts as over: `until_utc_ms` is the earliest end that the error of its time allows, and
    a pause without a known time does not count. Neither does one of a quarantined journal.
    """
    row = newest_event(tx, device, record_layout.PAUSE)
    if row is None:
        return None
    pause = decode_event(record_layout.PAUSE, row.payload)
    if not isinstance(pause, record_types.Pause) or pause.op != BEGUN:
        return None
    begun = stored_time(tx, device, row.boot, row.t_ms)
    if begun is None or has_event_after(tx, row.journal, record_layout.BOOT, row.seq):
        return None
    utc_ms, bound_ms = begun
    until_utc_ms = utc_ms - bound_ms + pause.left_s * 1000
    return StoredPause(WHY.get(pause.why, str(pause.why)), utc_ms, until_utc_ms, row.journal, row.seq)
