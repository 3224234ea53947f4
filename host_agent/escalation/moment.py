"""When a record was made, for an event's text: the marks of its own boot first, which is one indexed read."""

from host_agent.store.db import Tx
from host_agent.sync.timebase import Mark, Timebase, load_timebase


def resolve_moment(tx: Tx, device: int, boot: int, t_ms: int) -> tuple[int, int] | None:
    """(utc_ms, bound_ms) of a record; None while nothing bounds it."""
    marks = [
        Mark(*row)
        for row in tx.execute(
            "SELECT boot, t_ms, utc_ms, bound_ms FROM time_marks WHERE device = ? AND boot = ?",
            (device, boot),
        )
    ]
    found = (Timebase(marks) if marks else load_timebase(tx, device)).resolve(boot, t_ms)
    return (found.utc_ms, found.bound_ms) if found else None
