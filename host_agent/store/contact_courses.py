"""Courses: how far the calling about each episode is, with its timers, and the time by which they count."""

import json
from typing import Any, NamedTuple

from host_agent.store.db import Tx


class StoredTimer(NamedTuple):
    """`number` counts the timers of a course, `detail` is its JSON; `due_ms` in steady time."""

    number: int
    due_ms: int
    detail: list[Any]


class EpisodeNow(NamedTuple):
    """An episode now; `is_patient_ended`: its binding has ended. `goes_on_as`: the episode that took its alarm over."""

    key: str
    kind: str
    priority: int
    state: str
    journal: int | None
    binding: int | None
    accepted_utc_ms: int | None
    lapses_utc_ms: int | None
    closed_utc_ms: int | None
    is_patient_ended: bool
    goes_on_as: int | None


class StoredCourse(NamedTuple):
    """`episode` is None for an event that has none; `values` is the course without its timers, None: a new one."""

    id: int
    episode: int | None
    device: int | None
    alarm: int
    simulated: bool
    kind: str
    event_key: str
    payload: str
    plan: str
    values: dict[str, Any] | None
    acceptance: int | None
    timers: tuple[StoredTimer, ...]
    now: EpisodeNow | None


class Unaccepted(NamedTuple):
    """A course whose deadline nobody met. `told` are names of contacts; `device` None: about the agent itself."""

    device: int | None
    alarm: int
    told: tuple[str, ...]


class StoredEvent(NamedTuple):
    """An event as the outbox has it."""

    key: str
    alarm: int
    priority: int
    simulated: bool
    payload: str
    device: int | None
    kind: str


class SteadyNote(NamedTuple):
    """At `counted_ms` of this start of the computer it was `steady_utc_ms`, and its wall clock showed `utc_ms`."""

    system: str
    counted_ms: int
    steady_utc_ms: int
    utc_ms: int


class EndedPatient(NamedTuple):
    """A binding that ended and whose end was not told."""

    binding: int
    binding_id: bytes
    device: int
    patient: str
    ended_utc_ms: int


_COURSE = (
    "SELECT c.id, c.episode, c.device, c.alarm, c.simulated, c.kind, c.event_key, c.payload, c.plan, c.course,"
    " c.acceptance, e.key, e.kind, e.priority, e.state, e.journal, e.binding, e.accepted_utc_ms,"
    " e.acceptance_lapses_utc_ms, e.closed_utc_ms, coalesce(b.state = 'ended', 0),"
    " (SELECT max(o.id) FROM episodes o WHERE o.device IS e.device AND o.alarm = e.alarm AND o.kind = e.kind"
    " AND o.journal IS e.journal AND o.state <> 'closed' AND o.id <> e.id)"
    " FROM contact_courses c LEFT JOIN episodes e ON e.id = c.episode LEFT JOIN bindings b ON b.id = e.binding"
)


def open_courses(tx: Tx, device: int | None = None) -> list[StoredCourse]:
    """Every course of which something can still happen, oldest first; `device` None: about every wearable."""
    rows = tx.execute(
        f"{_COURSE} WHERE c.is_open = 1 AND (?1 IS NULL OR c.device = ?1) ORDER BY c.id", (device,)
    ).fetchall()
    return [_course(tx, row) for row in rows]


def course_of_episode(tx: Tx, episode: int) -> StoredCourse | None:
    """The course of this episode (row id), open or not."""
    row = tx.execute(f"{_COURSE} WHERE c.episode = ?", (episode,)).fetchone()
    return _course(tx, row) if row else None


def has_course(tx: Tx, event_key: str) -> bool:
    """Whether a course is about this event."""
    return (
        tx.execute("SELECT 1 FROM contact_courses WHERE event_key = ?", (event_key,)).fetchone() is not None
    )


def add_course(
    tx: Tx,
    *,
    episode: int | None,
    device: int | None,
    alarm: int,
    simulated: bool,
    kind: str,
    event_key: str,
    payload: str,
) -> StoredCourse:
    """A new course without anything told yet; it is open once `keep_course` says so."""
    made = tx.execute(
        "INSERT INTO contact_courses (episode, device, alarm, simulated, kind, event_key, payload, plan, course,"
        " is_open) VALUES (?, ?, ?, ?, ?, ?, ?, '', '', 0)",
        (episode, device, alarm, int(simulated), kind, event_key, payload),
    )
    row = tx.execute(f"{_COURSE} WHERE c.id = ?", (made.lastrowid,)).fetchone()
    return _course(tx, row)


def keep_course(
    tx: Tx, before: StoredCourse, *, values: dict[str, Any], timers: list[tuple[int, list[Any]]], is_unreached: bool,
    steady_ms: int,
) -> None:  # fmt: skip
    """Write it back with the timers that wait now, (due, detail); a timer that waits no more is done at `steady_ms`."""
    tx.execute(
        "UPDATE contact_courses SET event_key = ?, payload = ?, plan = ?, course = ?, acceptance = ?, is_unreached = ?,"
        " is_open = ? WHERE id = ?",
        (before.event_key, before.payload, before.plan, json.dumps(values), before.acceptance, int(is_unreached),
         int(bool(timers) or values["state"] != "over"), before.id),
    )  # fmt: skip
    left = list(timers)
    for timer in before.timers:
        same = (timer.due_ms, timer.detail)
        if same in left:
            left.remove(same)
            continue
        tx.execute(
            "UPDATE course_timers SET done_utc_ms = ? WHERE course = ? AND number = ?",
            (steady_ms, before.id, timer.number),
        )
    tx.executemany(
        "INSERT INTO course_timers (course, number, due_utc_ms, detail) VALUES (?1, (SELECT coalesce(max(number), 0)"
        " + 1 FROM course_timers WHERE course = ?1), ?2, ?3)",
        [(before.id, due_ms, json.dumps(detail)) for due_ms, detail in left],
    )


def move_course(tx: Tx, course: int, episode: int) -> bool:
    """Its alarm goes on as this episode, with its messages; False when another course is about that one."""
    before = tx.execute("SELECT episode FROM contact_courses WHERE id = ?", (course,)).fetchone()[0]
    moved = tx.execute("UPDATE OR IGNORE contact_courses SET episode = ? WHERE id = ?", (episode, course))
    if moved.rowcount == 1:
        tx.execute("UPDATE outbox SET episode = ? WHERE episode = ?", (episode, before))
    return moved.rowcount == 1


def events_of(tx: Tx, episode: int) -> list[tuple[str, str]]:
    """(key, payload) of every event of an episode, oldest first; its reminders are none."""
    rows = tx.execute(
        "SELECT event_key, payload FROM outbox WHERE episode = ? AND json_extract(payload, '$.key') = event_key"
        " GROUP BY event_key ORDER BY min(id)",
        (episode,),
    )
    return [(key, payload) for key, payload in rows]


def mark_unreached(tx: Tx, course: int) -> None:
    """What cannot be judged counts as accepted by nobody."""
    tx.execute("UPDATE contact_courses SET is_unreached = 1 WHERE id = ?", (course,))


def without_course(tx: Tx, least: int, without_alarm: int) -> list[int]:
    """Row ids of episodes that stand, that have an event in the outbox, and about which nobody is called yet."""
    rows = tx.execute(
        "SELECT e.id FROM episodes e LEFT JOIN bindings b ON b.id = e.binding WHERE e.state <> 'closed'"
        " AND e.priority >= ? AND e.alarm <> ? AND e.kind <> 'grade' AND coalesce(b.state, '') <> 'ended'"
        " AND NOT EXISTS (SELECT 1 FROM contact_courses c WHERE c.episode = e.id)"
        " AND EXISTS (SELECT 1 FROM outbox o WHERE o.episode = e.id) ORDER BY e.id",
        (least, without_alarm),
    )
    return [row[0] for row in rows]


def newest_event_of(tx: Tx, episode: int) -> StoredEvent:
    """The newest event of an episode (row id) that has one."""
    row = tx.execute(
        "SELECT event_key, alarm, priority, simulated, payload, device, kind FROM outbox WHERE episode = ?"
        " ORDER BY id DESC LIMIT 1",
        (episode,),
    ).fetchone()
    return StoredEvent._make((*row[:3], bool(row[3]), *row[4:]))


def unaccepted(tx: Tx) -> list[Unaccepted]:
    """Every alarm that nobody accepted in time."""
    rows = tx.execute(
        "SELECT device, alarm, course FROM contact_courses WHERE is_unreached = 1 AND is_open = 1 ORDER BY id"
    )
    return [Unaccepted(device, alarm, tuple(json.loads(values)["told"])) for device, alarm, values in rows]


def waits_at(tx: Tx, target: str, event_key: str) -> bool:
    """Whether this receiver has not taken the event yet, or a reminder of it: what waits need not be told again."""
    found = tx.execute(
        "SELECT 1 FROM outbox WHERE target = ?1 AND state = 'pending' AND (event_key = ?2 OR event_key >= ?2 ||"
        " '-reminder-' AND event_key < ?2 || '-reminder.') LIMIT 1",
        (target, event_key),
    )
    return found.fetchone() is not None


def last_change(tx: Tx, journal: int, alarm: int) -> tuple[int, int] | None:
    """(boot, ms) of the last change of an alarm in a journal (row id)."""
    row = tx.execute(
        "SELECT boot, t_ms FROM alarm_changes WHERE journal = ? AND alarm = ? ORDER BY seq DESC LIMIT 1",
        (journal, alarm),
    ).fetchone()
    return (row[0], row[1]) if row else None


def steady_note(tx: Tx) -> SteadyNote | None:
    """The last note of the time of the steps."""
    row = tx.execute("SELECT system, counted_ms, steady_utc_ms, utc_ms FROM contact_time").fetchone()
    return SteadyNote(*row) if row else None


def keep_steady_note(tx: Tx, note: SteadyNote) -> None:
    """Put it in the place of the last one."""
    tx.execute("INSERT OR REPLACE INTO contact_time VALUES (1, ?, ?, ?, ?)", note)


def untold_ends(tx: Tx, since_utc_ms: int) -> list[EndedPatient]:
    """Bindings that ended at `since_utc_ms` or later and whose end was not told; a start that failed was none."""
    rows = tx.execute(
        "SELECT b.id, b.binding_id, b.device, coalesce(p.pseudonym, ''), b.ended_utc_ms FROM bindings b"
        " LEFT JOIN patients p ON p.id = b.patient WHERE b.state = 'ended' AND b.ended_utc_ms >= ?"
        " AND b.ended_by <> 'refused by the wearable' AND NOT EXISTS (SELECT 1 FROM told_ends t"
        " WHERE t.binding = b.id AND t.ended_utc_ms = b.ended_utc_ms) ORDER BY b.id",
        (since_utc_ms,),
    )
    return [EndedPatient._make(row) for row in rows]


def note_told_end(tx: Tx, one: EndedPatient) -> None:
    """It was told."""
    tx.execute("INSERT OR IGNORE INTO told_ends VALUES (?, ?)", (one.binding, one.ended_utc_ms))


def _course(tx: Tx, row: tuple[Any, ...]) -> StoredCourse:
    timers = tx.execute(
        "SELECT number, due_utc_ms, detail FROM course_timers WHERE course = ? AND done_utc_ms IS NULL ORDER BY number",
        (row[0],),
    )
    waiting = tuple(StoredTimer(number, due_ms, json.loads(detail)) for number, due_ms, detail in timers)
    now = None if row[11] is None else EpisodeNow._make((*row[11:20], bool(row[20]), row[21]))
    values = json.loads(row[9]) if row[9] else None
    return StoredCourse._make((*row[:4], bool(row[4]), *row[5:9], values, row[10], waiting, now))
