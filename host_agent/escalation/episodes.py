"""Episodes of a wearable's alarms and of its grade: which there are, and what changes them.

They are recomputed from the stored records, so late, repeated and reordered records lead to the same episodes. The
grade's episode lasts as long as the journal's binding; its peak never falls.
"""

from host_agent.escalation.rules import spans
from host_agent.store.alarm_changes import changes_of
from host_agent.store.db import Tx
from host_agent.store.episodes import (
    Episode,
    close_episode,
    open_alarm_keys,
    put_episode,
    reopen,
    set_peak_lower,
)
from host_agent.store.rows import Journal


def alarm_key(journal: Journal, alarm: int, first_seq: int) -> str:
    """Key of an alarm's episode: its first raise."""
    return f"{journal.device_id.hex()}-{journal.journal_id.hex()}-{journal.branch}-alarm-{alarm}-{first_seq}"


def grade_key(journal: Journal) -> str:
    """Key of the grade's episode: one per journal, forks included."""
    return f"{journal.device_id.hex()}-{journal.journal_id.hex()}-grade"


def refresh_alarm(
    tx: Tx, journal: Journal, alarm: int, simulated: bool, utc_ms: int
) -> list[tuple[int, int, int]]:
    """Bring the episodes of one alarm up to what the store holds; returns (first_seq, last_seq, episode id)."""
    refreshed = []
    keys = set()
    for span in spans(changes_of(tx, journal.id, alarm)):
        key = alarm_key(journal, alarm, span.first_seq)
        keys.add(key)
        episode = Episode(
            key, journal.device, journal.id, journal.binding, "alarm", alarm, span.priority, span.peak, simulated
        )  # fmt: skip
        refreshed.append((span.first_seq, span.last_seq, put_episode(tx, episode, utc_ms)))
        if span.priority == 0:
            close_episode(tx, key, utc_ms)
    for key in open_alarm_keys(tx, journal.id, alarm):
        # a late record showed that this episode began earlier: it goes on under the earlier key
        if key not in keys:
            close_episode(tx, key, utc_ms)
    return refreshed


def raise_grade(tx: Tx, journal: Journal, *, lower: int, priority: int, simulated: bool, utc_ms: int) -> int:
    """Note a grade rise; returns the episode's row id."""
    episode = Episode(
        grade_key(journal), journal.device, journal.id, journal.binding, "grade", 0, priority, priority, simulated
    )  # fmt: skip
    row_id = put_episode(tx, episode, utc_ms)
    set_peak_lower(tx, row_id, lower)
    reopen(tx, row_id)  # from 2 to 3 is a rise, and both are HIGH
    return row_id
