"""Who accepted or silenced which alarm, how, until when, and whether the wearable knows."""

import json
from collections.abc import Collection, Iterator
from typing import NamedTuple

from host_agent.store.db import Tx

ACCEPTED, SILENCED = "accepted", "silenced"
LAPSED, ROSE, OVER, RENEWED = "lapsed", "rise", "over", "renewed"
WAITING, SENT, JOURNALED, REFUSED, LEFT = "waiting", "sent", "journaled", "refused", "left"

_COLUMNS = (
    "a.id, a.episode, a.kind, a.who, a.how, a.audit, a.note, a.priority, a.at_utc_ms, a.until_utc_ms, a.after,"
    " a.number, a.ended_utc_ms, a.ended_by, a.wearable, a.wearable_error"
)
_SELECT = f"SELECT {_COLUMNS} FROM acceptances a"  # noqa: S608 names of ours
# The condition holds on. A grade rise has no end of its own: it counts for an hour. ?1: now, UTC ms.
STANDS = (
    "(e.state <> 'closed' AND e.priority > 0 AND (e.kind <> 'grade' OR e.changed_utc_ms > ?1 - 3600000)"
    " AND coalesce((SELECT b.state FROM bindings b WHERE b.id = e.binding), '') <> 'ended')"
)

_ROSE = (
    "(e.priority > a.priority OR a.kind = 'accepted' AND e.state = 'open'"
    " OR e.kind = 'grade' AND e.changed_utc_ms > a.at_utc_ms)"
)


class NewAcceptance(NamedTuple):
    """What a person did about the episode of this row id; `audit` None: no account signed it.

    `after` is the acceptance that counted already. `wearable` WAITING: the wearable must be told; "": it knows, or
    has no such alarm. `record` is (journal row, sequence) of the wearable's own record of it.
    """

    episode: int
    kind: str
    who: str
    how: str
    audit: int | None
    note: str
    priority: int
    at_utc_ms: int
    until_utc_ms: int
    after: int | None = None
    wearable: str = ""
    record: tuple[int, int] | None = None


class Acceptance(NamedTuple):
    """One row; `number` counts within the episode, `ended_by` is LAPSED, ROSE, OVER, RENEWED or ""."""

    id: int
    episode: int
    kind: str
    who: str
    how: str
    audit: int | None
    note: str
    priority: int
    at_utc_ms: int
    until_utc_ms: int
    after: int | None
    number: int
    ended_utc_ms: int | None
    ended_by: str
    wearable: str
    wearable_error: str


class Standing(NamedTuple):
    """An episode as somebody may accept it; `device`, `journal` and `binding` are row ids.

    `device` None: it is about this laptop itself. `stands` is whether the condition goes on.
    """

    row: int
    key: str
    device: int | None
    device_id: bytes | None
    journal: int | None
    binding: int | None
    binding_id: bytes | None
    patient: str | None
    kind: str
    alarm: int
    priority: int
    state: str
    simulated: bool
    opened_utc_ms: int
    stands: bool


_EPISODES = (
    "SELECT e.id, e.key, e.device, d.device_id, e.journal, e.binding, b.binding_id, p.pseudonym, e.kind, e.alarm,"  # noqa: S608
    f" e.priority, e.state, e.simulated, e.opened_utc_ms, {STANDS} FROM episodes e"
    " LEFT JOIN devices d ON d.id = e.device LEFT JOIN bindings b ON b.id = e.binding"
    " LEFT JOIN patients p ON p.id = b.patient"
)


def standing_episodes(tx: Tx, now_ms: int) -> list[Standing]:
    """Every alarm that stands, the most urgent first, then the oldest."""
    return list(_episodes(tx, f"WHERE {STANDS} ORDER BY e.priority DESC, e.id", now_ms))


def episode_by_key(tx: Tx, key: str, now_ms: int) -> Standing | None:
    """The episode of this key, whether it stands or not."""
    return next(_episodes(tx, "WHERE e.key = ?2", now_ms, key), None)


def episode_by_row(tx: Tx, row: int, now_ms: int) -> Standing:
    """The episode of this row id; KeyError when there is none."""
    found = next(_episodes(tx, "WHERE e.id = ?2", now_ms, row), None)
    if found is None:
        raise KeyError(row)
    return found


def add_acceptance(tx: Tx, new: NewAcceptance) -> Acceptance:
    """Keep it. The state of the episode is the caller's matter."""
    *columns, record = new
    made = tx.execute(
        "INSERT INTO acceptances (episode, kind, who, how, audit, note, priority, at_utc_ms, until_utc_ms, after,"
        " wearable, journal, seq, number) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
        " (SELECT coalesce(max(number), 0) + 1 FROM acceptances WHERE episode = ?1)) RETURNING id",
        (*columns, *(record or (None, None))),
    ).fetchone()
    return acceptance(tx, int(made[0]))


def acceptance(tx: Tx, row: int) -> Acceptance:
    """The acceptance of this row id; KeyError when there is none."""
    found = next(_found(tx, "WHERE a.id = ?", row), None)
    if found is None:
        raise KeyError(row)
    return found


def acceptances_of(tx: Tx, episode: int) -> list[Acceptance]:
    """Everything that was done about one episode, in order."""
    return list(_found(tx, "WHERE a.episode = ? ORDER BY a.number", episode))


def of_audit(tx: Tx, audit: int) -> list[Acceptance]:
    """What one signed entry did, alarm by alarm."""
    return list(_found(tx, "WHERE a.audit = ? ORDER BY a.id", audit))


def signed_acceptances(tx: Tx) -> list[tuple[int, str, str, str, int, str, str]]:
    """(audit, kind, who, key of the episode, priority, how, note) of each that an account signed."""
    return tx.execute(
        "SELECT a.audit, a.kind, a.who, e.key, a.priority, a.how, a.note FROM acceptances a"
        " JOIN episodes e ON e.id = a.episode WHERE a.audit IS NOT NULL ORDER BY a.id"
    ).fetchall()


def has_record(tx: Tx, journal: int, seq: int) -> bool:
    """Whether the wearable's record at this place is known as an acceptance."""
    found = tx.execute("SELECT 1 FROM acceptances WHERE journal = ? AND seq = ?", (journal, seq))
    return found.fetchone() is not None


def counting(tx: Tx, episode: int, kind: str = ACCEPTED) -> Acceptance | None:
    """What counts now for an episode: the first that was not ended. `end_finished` comes before it."""
    return next(
        _found(
            tx,
            "WHERE a.episode = ? AND a.kind = ? AND a.ended_utc_ms IS NULL AND a.after IS NULL ORDER BY a.id",
            episode,
            kind,
        ),
        None,
    )


def is_silenced(tx: Tx, episode: int | None, now_ms: int) -> bool:
    """Whether somebody holds back reminders about this episode now."""
    found = tx.execute(
        "SELECT 1 FROM acceptances a JOIN episodes e ON e.id = a.episode WHERE a.episode = ?1"  # noqa: S608
        f" AND a.kind = 'silenced' AND a.ended_utc_ms IS NULL AND ?2 BETWEEN a.at_utc_ms AND a.until_utc_ms - 1"
        f" AND NOT {_ROSE}",
        (episode, now_ms),
    )
    return found.fetchone() is not None


def set_accepted(tx: Tx, one: Acceptance) -> None:
    """The episode is accepted by this person until then. A grade rise is no condition that lasts: it never lapses."""
    tx.execute(
        "UPDATE episodes SET state = 'accepted', accepted_by = ?, accepted_utc_ms = ?,"
        " acceptance_lapses_utc_ms = CASE kind WHEN 'grade' THEN NULL ELSE ? END WHERE id = ? AND state <> 'closed'",
        (one.who, one.at_utc_ms, one.until_utc_ms, one.episode),
    )


def finished(
    tx: Tx, now_ms: int, *, clock_back_ms: int, episode: int | None = None, ids: Collection[int] | None = None
) -> list[tuple[Acceptance, str]]:
    """(acceptance, why) of each, of one episode (row id), or of these ids, that counts no longer.

    Its time is over, the alarm rose, or the alarm ended.

    One that was made more than `clock_back_ms` after now was made before the clock was set back: nobody can say how
    long ago, so it is over.
    """
    rows = tx.execute(
        f"SELECT {_COLUMNS}, CASE WHEN NOT {STANDS} THEN 'over' WHEN {_ROSE} THEN 'rise' ELSE 'lapsed' END"  # noqa: S608
        f" FROM acceptances a JOIN episodes e ON e.id = a.episode WHERE a.ended_utc_ms IS NULL AND (NOT {STANDS}"
        f" OR {_ROSE} OR e.kind <> 'grade' AND (a.until_utc_ms <= ?1 OR a.at_utc_ms > ?1 + ?2))"
        " AND (?3 IS NULL OR a.episode = ?3)"
        " AND (?4 IS NULL OR a.id IN (SELECT value FROM json_each(?4))) ORDER BY a.id",
        (now_ms, clock_back_ms, episode, None if ids is None else json.dumps(list(ids))),
    ).fetchall()
    return [(Acceptance._make(row[:-1]), row[-1]) for row in rows]


def unended(tx: Tx) -> list[int]:
    """Ids of the acceptances and silences that were not ended."""
    return [row for (row,) in tx.execute("SELECT id FROM acceptances WHERE ended_utc_ms IS NULL ORDER BY id")]


def end_acceptance(tx: Tx, one: Acceptance, why: str, utc_ms: int) -> None:
    """It counts no longer. What still waited for the wearable is not sent; a lapse opens the episode again."""
    tx.execute(
        "UPDATE acceptances SET ended_utc_ms = ?, ended_by = ?,"
        " wearable = CASE wearable WHEN 'waiting' THEN 'left' ELSE wearable END WHERE id = ?",
        (utc_ms, why, one.id),
    )
    if one.kind == ACCEPTED and one.after is None and why != OVER:
        tx.execute("UPDATE episodes SET state = 'open' WHERE id = ? AND state = 'accepted'", (one.episode,))


def note_end(tx: Tx, row: int, why: str, utc_ms: int) -> None:
    """It counts no longer; the episode stays as it is."""
    tx.execute(
        "UPDATE acceptances SET ended_utc_ms = ?, ended_by = ?,"
        " wearable = CASE wearable WHEN 'waiting' THEN 'left' ELSE wearable END WHERE id = ?",
        (utc_ms, why, row),
    )


def waiting(tx: Tx, binding: int | None = None) -> list[tuple[Acceptance, int]]:
    """(acceptance, alarm) of what a wearable must still be told; `binding`: of this one (row id) alone."""
    rows = tx.execute(
        f"SELECT {_COLUMNS}, e.alarm FROM acceptances a JOIN episodes e ON e.id = a.episode"  # noqa: S608
        " WHERE a.wearable = 'waiting' AND (?1 IS NULL OR e.binding = ?1) ORDER BY a.id",
        (binding,),
    ).fetchall()
    return [(Acceptance._make(row[:-1]), row[-1]) for row in rows]


def note_wearable(tx: Tx, row: int, state: str, error: str = "") -> None:
    """What became of it at the wearable; a record that came meanwhile stays."""
    tx.execute(
        "UPDATE acceptances SET wearable = ?, wearable_error = ? WHERE id = ? AND wearable IN ('waiting', 'sent')",
        (state, error, row),
    )


def note_record(tx: Tx, row: int, journal: int, seq: int) -> None:
    """The wearable journaled it at this place."""
    tx.execute(
        "UPDATE acceptances SET wearable = 'journaled', wearable_error = '', journal = ?, seq = ? WHERE id = ?",
        (journal, seq, row),
    )


def all_acceptances(
    tx: Tx, binding: int | None, device: int | None
) -> Iterator[tuple[Acceptance, tuple[int, str, bool]]]:
    """(acceptance, (alarm, kind, simulated) of its episode) about a binding, or about a wearable without one.

    Without both: about this laptop itself.
    """
    for row in tx.execute(
        f"SELECT {_COLUMNS}, e.alarm, e.kind, e.simulated FROM acceptances a JOIN episodes e ON e.id = a.episode"  # noqa: S608
        " WHERE e.binding IS ?1 AND (?1 IS NOT NULL OR e.device IS ?2) ORDER BY a.id",
        (binding, device),
    ):
        yield Acceptance._make(row[:-3]), (row[-3], row[-2], bool(row[-1]))


def _found(tx: Tx, where: str, *values: object) -> Iterator[Acceptance]:
    return map(Acceptance._make, tx.execute(f"{_SELECT} {where}", values))


def _episodes(tx: Tx, where: str, *values: object) -> Iterator[Standing]:
    for *columns, simulated, opened, stands in tx.execute(f"{_EPISODES} {where}", values):
        yield Standing._make((*columns, bool(simulated), opened, bool(stands)))
