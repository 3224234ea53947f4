"""Episodes: one cause from its first raise until it ended or a person closed it.

Rows are recomputed from the records that stand in the store, so that late, repeated and reordered records lead to
the same rows. The grade's episode lasts as long as the journal's binding; its peak never falls.
"""

import json
from typing import NamedTuple

from host_agent.escalation.rules import spans
from host_agent.store.db import Tx
from host_agent.store.rows import Journal

# How long an acceptance holds while the condition goes on (proposal, to be signed): by priority, in ms.
ACCEPTANCE_MS = {1: 1_800_000, 2: 1_800_000, 3: 600_000}


class Episode(NamedTuple):
    """What `put` needs; device, journal and binding are row ids."""

    key: str
    device: int | None
    journal: int | None
    binding: int | None
    kind: str
    alarm: int
    priority: int
    peak: int
    simulated: bool


def alarm_key(journal: Journal, alarm: int, first_seq: int) -> str:
    """Key of an alarm's episode: its first raise."""
    return f"{journal.device_id.hex()}-{journal.journal_id.hex()}-{journal.branch}-alarm-{alarm}-{first_seq}"


def grade_key(journal: Journal) -> str:
    """Key of the grade's episode: one per journal, forks included."""
    return f"{journal.device_id.hex()}-{journal.journal_id.hex()}-grade"


def put(tx: Tx, episode: Episode, utc_ms: int) -> int:
    """Open or update the row of this key; returns its id. A peak never falls and `opened` never moves."""
    row = tx.execute("SELECT id FROM episodes WHERE key = ?", (episode.key,)).fetchone()
    if row is None:
        made = tx.execute(
            "INSERT INTO episodes (key, device, journal, binding, kind, alarm, priority, peak_priority, state,"
            " simulated, opened_utc_ms, changed_utc_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?, ?)",
            (*episode[:6], episode.priority, episode.peak, int(episode.simulated), utc_ms, utc_ms),
        )
        assert made.lastrowid is not None
        return made.lastrowid
    tx.execute(
        "UPDATE episodes SET priority = ?, peak_priority = max(peak_priority, ?), changed_utc_ms = ?,"
        # a rise above what was accepted opens it again: an acceptance never covers more than was seen
        " state = CASE WHEN state = 'accepted' AND ? > priority THEN 'open' ELSE state END WHERE id = ?",
        (episode.priority, episode.peak, utc_ms, episode.priority, row[0]),
    )
    return int(row[0])


def close(tx: Tx, key: str, utc_ms: int) -> None:
    """The condition is over: priority 0, state closed."""
    tx.execute(
        "UPDATE episodes SET priority = 0, state = 'closed', changed_utc_ms = ?, closed_utc_ms = ?"
        " WHERE key = ? AND state <> 'closed'",
        (utc_ms, utc_ms, key),
    )


def refresh_alarm(
    tx: Tx, journal: Journal, alarm: int, simulated: bool, utc_ms: int
) -> list[tuple[int, int, int]]:
    """Bring the episodes of one alarm up to what the store holds; returns (first_seq, last_seq, episode id)."""
    changes = tx.execute(
        "SELECT seq, priority FROM alarm_changes WHERE journal = ? AND alarm = ? ORDER BY seq",
        (journal.id, alarm),
    ).fetchall()
    out = []
    keep = set()
    for span in spans(changes):
        key = alarm_key(journal, alarm, span.first_seq)
        keep.add(key)
        episode = Episode(
            key,
            journal.device,
            journal.id,
            journal.binding,
            "alarm",
            alarm,
            span.priority,
            span.peak,
            simulated,
        )
        out.append((span.first_seq, span.last_seq, put(tx, episode, utc_ms)))
        if span.priority == 0:
            close(tx, key, utc_ms)
    rows = tx.execute(
        "SELECT key FROM episodes WHERE journal = ? AND alarm = ? AND kind = 'alarm' AND state <> 'closed'",
        (journal.id, alarm),
    ).fetchall()
    for (key,) in rows:  # a late record showed that this episode began earlier: it lives on under that key
        if key not in keep:
            close(tx, key, utc_ms)
    return out


def peak_lower(tx: Tx, key: str) -> int:
    """Highest lower bound of the grade's episode so far, 0 before any."""
    row = tx.execute("SELECT detail FROM episodes WHERE key = ?", (key,)).fetchone()
    return int(json.loads(row[0]).get("peak_lower", 0)) if row else 0


def raise_grade(tx: Tx, journal: Journal, *, lower: int, priority: int, simulated: bool, utc_ms: int) -> int:
    """Note a grade rise; returns the episode's row id."""
    key = grade_key(journal)
    episode = Episode(
        key, journal.device, journal.id, journal.binding, "grade", 0, priority, priority, simulated
    )
    row_id = put(tx, episode, utc_ms)
    tx.execute("UPDATE episodes SET detail = ? WHERE id = ?", (json.dumps({"peak_lower": lower}), row_id))
    return row_id


def accept(tx: Tx, journal: Journal, *, alarm: int, priority: int, who: str, utc_ms: int) -> None:
    """A person accepted this alarm at the wearable or a host; it lapses, and never covers a higher priority."""
    tx.execute(
        "UPDATE episodes SET state = 'accepted', accepted_by = ?, accepted_utc_ms = ?, acceptance_lapses_utc_ms = ?"
        " WHERE journal = ? AND alarm = ? AND kind = 'alarm' AND state <> 'closed' AND priority <= ?",
        (who, utc_ms, utc_ms + ACCEPTANCE_MS.get(priority, ACCEPTANCE_MS[3]), journal.id, alarm, priority),
    )
