"""The planned pause of a wearable as the store knows it: announced, and until when by this host's clock."""

from typing import NamedTuple

from crs_core.journal import record_layout, record_types

from host_agent.escalation.news import Resolve
from host_agent.store.db import Tx
from host_agent.store.records import decode_event

BEGUN = 1
WHY = {1: "charging", 2: "washing", 3: "other"}


class StoredPause(NamedTuple):
    """The pause that was announced last and whose end is not stored; times are UTC ms, `why` a word of WHY."""

    why: str
    since_utc_ms: int
    until_utc_ms: int


def open_pause(tx: Tx, device: int, resolve: Resolve) -> StoredPause | None:
    """The pause of the current journal that was not ended by its record or by a restart.

    One that may be over is not stretched: `until_utc_ms` is the earliest that the error of its time allows, and one
    whose time nothing bounds is none. None of a quarantined journal counts.
    """
    row = tx.execute(
        "SELECT e.journal, e.seq, e.boot, e.t_ms, e.payload FROM events e JOIN journals j ON j.id = e.journal"
        " WHERE j.device = ? AND j.is_current = 1 AND j.binding IS NOT NULL AND e.type = ?"
        " ORDER BY e.seq DESC LIMIT 1",
        (device, record_layout.PAUSE),
    ).fetchone()
    if row is None:
        return None
    journal, seq, boot, t_ms, payload = row
    pause = decode_event(record_layout.PAUSE, payload)
    if not isinstance(pause, record_types.Pause) or pause.op != BEGUN:
        return None
    restart = tx.execute(
        "SELECT 1 FROM events WHERE journal = ? AND type = ? AND seq > ? LIMIT 1",
        (journal, record_layout.BOOT, seq),
    ).fetchone()
    moment = resolve(tx, device, boot, t_ms)
    if restart is not None or moment is None:
        return None
    return StoredPause(
        WHY.get(pause.why, str(pause.why)), moment[0], moment[0] - moment[1] + pause.left_s * 1000
    )
