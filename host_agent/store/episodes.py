"""Episode rows: one cause of alarm from its first raise until it ended or a person closed it."""

import json
from typing import NamedTuple

from host_agent.store.db import Tx


class Episode(NamedTuple):
    """What `put_episode` needs; device, journal and binding are row ids, `kind` is alarm, grade or host."""

    key: str
    device: int | None
    journal: int | None
    binding: int | None
    kind: str
    alarm: int
    priority: int
    peak: int
    simulated: bool


def put_episode(tx: Tx, episode: Episode, utc_ms: int) -> int:
    """Open or update the row of this key; returns its id. A peak never falls and `opened` never moves.

    A priority above what was accepted opens the episode again: an acceptance never covers more than was seen.
    """
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
        " state = CASE WHEN state = 'accepted' AND ? > priority THEN 'open' ELSE state END WHERE id = ?",
        (episode.priority, episode.peak, utc_ms, episode.priority, row[0]),
    )
    return int(row[0])


def close_episode(tx: Tx, key: str, utc_ms: int) -> None:
    """The condition is over: priority 0, state closed. A closed episode stays as it is."""
    tx.execute(
        "UPDATE episodes SET priority = 0, state = 'closed', changed_utc_ms = ?, closed_utc_ms = ?"
        " WHERE key = ? AND state <> 'closed'",
        (utc_ms, utc_ms, key),
    )


def stood_at_end(tx: Tx, binding: int, ended_utc_ms: int) -> list[int]:
    """Alarms about a binding (row id) that had not ended when the binding did: its end closed their episodes."""
    rows = tx.execute(
        "SELECT DISTINCT alarm FROM episodes WHERE binding = ? AND closed_utc_ms = ? AND kind <> 'grade'"
        " ORDER BY peak_priority DESC, alarm",
        (binding, ended_utc_ms),
    )
    return [row[0] for row in rows]


def open_alarm_keys(tx: Tx, journal: int, alarm: int) -> list[str]:
    """Keys of the episodes of one alarm of a journal that are not closed."""
    rows = tx.execute(
        "SELECT key FROM episodes WHERE journal = ? AND alarm = ? AND kind = 'alarm' AND state <> 'closed'",
        (journal, alarm),
    )
    return [row[0] for row in rows]


class AcceptedBy(NamedTuple):
    """Who accepted an alarm, when that lapses (UTC ms), and whether the wearable must still be told.

    `channel` brought the code of a message back; "" for whoever accepted otherwise.
    """

    who: str
    until_utc_ms: int
    waits: bool
    channel: str = ""


def acceptances(tx: Tx, device: int | None) -> dict[tuple[str, int], AcceptedBy]:
    """(kind, alarm) → who accepted it, of a wearable's episodes that are not closed; None: of the agent's."""
    rows = tx.execute(
        "SELECT e.kind, e.alarm, e.accepted_by, e.acceptance_lapses_utc_ms, EXISTS (SELECT 1 FROM acceptances a"
        " WHERE a.episode = e.id AND a.ended_utc_ms IS NULL AND a.wearable IN ('waiting', 'refused')),"
        " (SELECT a.how FROM acceptances a WHERE a.episode = e.id AND a.ended_utc_ms IS NULL AND a.after IS NULL"
        " AND a.audit IS NULL AND a.how != 'wearable' AND a.kind = 'accepted' AND a.who = e.accepted_by)"
        " FROM episodes e WHERE e.device IS ? AND e.state = 'accepted' ORDER BY e.id",
        (device,),
    )
    return {
        (kind, alarm): AcceptedBy(who, lapses or 0, bool(waits), channel or "")
        for kind, alarm, who, lapses, waits, channel in rows
    }


def peak_lower(tx: Tx, key: str) -> int:
    """Highest lower bound of a grade's episode so far, 0 before any."""
    row = tx.execute("SELECT detail FROM episodes WHERE key = ?", (key,)).fetchone()
    return int(json.loads(row[0]).get("peak_lower", 0)) if row else 0


def set_peak_lower(tx: Tx, episode: int, lower: int) -> None:
    """Keep the highest lower bound of a grade's episode."""
    tx.execute("UPDATE episodes SET detail = ? WHERE id = ?", (json.dumps({"peak_lower": lower}), episode))


def reopen(tx: Tx, episode: int) -> None:
    """Something rose that was accepted as it was before: nobody has accepted it as it is now."""
    tx.execute("UPDATE episodes SET state = 'open' WHERE id = ? AND state = 'accepted'", (episode,))
