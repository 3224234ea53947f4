"""Stores as earlier versions of the schema left them: their own SQL files, and rows written as that version wrote them.

The statements stand here on their own: a later change of the program must not change what an old store holds.
"""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from crs_core import codes, units
from crs_core.grade.rules import DEFAULT
from crs_core.journal import block_layout, block_reader, block_writer, record_layout, record_types

from host_agent.people.signed_records import SCALE_VERSIONS
from host_agent.store import db
from host_agent.store.migrate import migrate, migrations, schema_version
from tests.host.people.people_world import PeopleWorld

OLD_VERSIONS = range(1, 11)
WORN = units.make_status(units.SITE_AXILLA, 0, 0, units.WEAR_WORN)
ORAL = units.make_status(units.SITE_ORAL, 0, 0, units.WEAR_WORN)
OFF = units.make_status(units.SITE_AXILLA, units.TEMP_OFF_BODY, units.PPG_NO_CONTACT, units.WEAR_OFF)
WEAK = units.make_status(units.SITE_AXILLA, 0, units.PPG_LOW_PERFUSION, units.WEAR_WORN)
NAMES = {50: b"JOURNAL5", 51: b"JOURNAL5", 52: b"JOURNAL6"}  # 51 is a branch of 50, 52 is quarantined

# What the five-minute roll-ups of journal 50 must be: boot, bucket, site, simulated, n and n, sum, min, max of each.
ROLLUPS_50 = [
    (1, 0, 1, 0, 12, 6, 22815, 3800, 3805, 4, 3880, 970, 970, 4, 320, 80, 80),
    (1, 1, 1, 0, 6, 0, 0, None, None, 0, 0, None, None, 0, 0, None, None),
    (1, 1, 2, 0, 6, 6, 23400, 3900, 3900, 6, 5400, 900, 900, 6, 660, 110, 110),
    (2, 0, 1, 1, 3, 3, 11100, 3700, 3700, 3, 2910, 970, 970, 3, 240, 80, 80),
]


def readings_blocks() -> list[tuple[int, bytes, int]]:
    """(journal row, bytes, flags) of all blocks of readings."""
    first = [units.Reading(10_000 * i, 3800 + i, 970, 80, 150, WORN if i < 4 else WEAK) for i in range(6)]
    first += [units.Reading(10_000 * i, 3800, 970, 80, 150, OFF) for i in range(6, 10)]
    first += [
        units.Reading(200_000, None, None, None, None, OFF),
        units.Reading(299_999, 9000, 400, 9, 9, WEAK),
    ]
    second = [units.Reading(300_000 + i, 3700, 960, 80, 0, OFF) for i in range(6)]
    second += [units.Reading(310_000 + i, 3900, 900, 110, None, ORAL) for i in range(6)]
    third = [units.Reading(i * 10_000, 3700, 970, 80, 150, WORN) for i in range(3)]
    return [
        (50, block_writer.encode_readings(NAMES[50], 1, 1, first), 0),
        (50, block_writer.encode_readings(NAMES[50], 1, 13, second), 0),
        (50, block_writer.encode_readings(NAMES[50], 2, 28, third, block_layout.FLAG_SIMULATED), 1),
        (51, block_writer.encode_readings(NAMES[51], 2, 31, third), 0),
        (52, block_writer.encode_readings(NAMES[52], 4, 1, third), 0),
    ]


def old_store(path: Path, version: int) -> Path:
    """A closed database of that version with rows in every table that it has."""
    if version >= 3:
        _people(path)
    with sqlite3.connect(path, isolation_level=None) as conn:
        conn.execute("PRAGMA journal_mode = WAL")
        migrate(conn, 1, migrations()[:version])
        conn.execute("BEGIN")
        _records(conn)
        if version >= 2:
            _escalation(conn, version)
        if version >= 4:
            _rollups(conn)
        if version >= 6:
            conn.execute("INSERT INTO repetitions VALUES ('ward', 1, 'alarm-1', 3, 0, 1, 4, 100, 200)")
        if version >= 8:
            _contacts(conn)
        if version >= 9:
            _acceptances(conn)
        if version >= 10:
            conn.execute("INSERT INTO patient_labels VALUES (50, 'Bed 3')")
        conn.execute("COMMIT")
        assert schema_version(conn) == version
        empty = [name for name in tables(conn) if not conn.execute(f"SELECT 1 FROM {name}").fetchone()]
        assert empty == [], "every table holds a row"
    conn.close()
    return path


def tables(conn: sqlite3.Connection) -> list[str]:
    return [
        row[0]
        for row in conn.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        )
    ]


def content(path: Path) -> dict[str, tuple[list[str], list[Any]]]:
    """Table -> (columns, rows in the order of the key)."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as conn:
        found = {}
        for name in tables(conn):
            columns = [row[1] for row in conn.execute(f"PRAGMA table_info({name})")]
            found[name] = (columns, conn.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall())
    conn.close()
    return found


def _people(path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(db, "migrate", lambda conn, utc_ms: migrate(conn, utc_ms, migrations()[:3]))
        world = PeopleWorld(path.parent)
        world.enter(world.nurse, blood_pressure="hypotension", ice=9)
        grade = {"scale": "ASTCT", "scale_version": SCALE_VERSIONS["ASTCT"], "grade": 2}
        world.sign(world.doctor, "grade", grade)
        world.sign(world.doctor, "limits", {"limits": {"hr_high_bpm": 130}, "reason": "asked"})
        world.sign(world.doctor, "rules", {"rules": DEFAULT._asdict(), "reasons": {}}, patient=None)
        world.store.close()
    (path.parent / "c.db").rename(path)


def _records(conn: sqlite3.Connection) -> None:
    conn.execute("INSERT INTO patients VALUES (50, 'P-50', 'age_years=54', 1)")
    conn.execute(
        "INSERT INTO devices VALUES (50, x'c0ffee0011223344', 'bed 7', 0, 2, 1, 9, 3, 'site=axilla')"
    )
    conn.execute(
        "INSERT INTO bindings VALUES (50, x'4242424242424242', 50, 50, '', 'ended', 1, 90, 'given up')"
    )
    conn.execute("INSERT INTO bindings VALUES (51, x'4141414141414141', 50, 50, '', 'active', 91, NULL, '')")
    conn.executemany(
        "INSERT INTO journals VALUES (?, 50, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)",
        [(50, NAMES[50], 0, None, 0, 51, 30, 30, b"state", 1), (51, NAMES[51], 1, 50, 30, 51, 33, 33, None, 0),
         (52, NAMES[52], 0, None, 0, None, 3, 0, None, 0)],
    )  # fmt: skip
    conn.execute("INSERT INTO journal_changes VALUES (50, x'c0ffee0011223344', 'patient_start', 50, 1, 50)")
    for journal, raw, flags in readings_blocks():
        header, rows = block_reader.decode(raw, NAMES[journal])
        _block(conn, journal, header, raw, understood=1)
        conn.executemany(
            "INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(journal, header.first_seq + i, header.boot, *row, flags) for i, row in enumerate(rows)],
        )
    raw = block_writer.seal(NAMES[50], 9, 1, 0, 1, 2, 27, 5, b"of a later version")
    _block(conn, 50, block_layout.parse_header(raw), raw, understood=0)
    payload = record_types.encode(record_types.Button(1))
    raw = block_writer.encode_events(NAMES[50], 2, 25, [(i, record_layout.BUTTON, payload) for i in range(2)])
    _block(conn, 50, block_layout.parse_header(raw), raw, understood=1)
    conn.executemany(
        "INSERT INTO events VALUES (50, ?, 2, ?, ?, ?, 0, 1)",
        [(25 + i, i, record_layout.BUTTON, payload) for i in range(2)],
    )
    conn.execute("INSERT INTO gaps VALUES (52, 4, 9, 1, 5)")
    conn.execute(
        "INSERT INTO grades VALUES (50, 25, 2, 0, 1, 2019, zeroblob(8), 1, 4, 2, 1, x'01', x'02', 9, NULL, 0)"
    )
    conn.execute("INSERT INTO alarm_changes VALUES (50, 26, ?, 2, 2, 1, 0)", (codes.FEVER,))
    conn.execute(
        "INSERT INTO time_marks (device, boot, t_ms, source, utc_ms, bound_ms)"
        " VALUES (50, 1, 0, 'journal', 1700000000000, 20)"
    )
    conn.execute(
        "INSERT INTO boots (device, boot, last_ms, received_utc_ms) VALUES (50, 1, 310005, 1700000400000)"
    )
    conn.execute("INSERT INTO forks VALUES (50, 50, 51, 'bytes', 31, 33, x'01', x'02', 9)")
    conn.execute("INSERT INTO disagreements VALUES (50, 50, 25, 'grade', '1..4', '2..4', zeroblob(8), 9)")
    conn.execute("INSERT INTO counters VALUES (50, 'blocks_duplicate', 3)")
    conn.execute("INSERT INTO host_alarms VALUES (50, 50, ?, 2, 'x', 1, 2, NULL)", (codes.STALE_DATA,))


def _block(conn: sqlite3.Connection, journal: int, header: Any, raw: bytes, understood: int) -> None:
    conn.execute(
        "INSERT INTO blocks (journal, first_seq, last_seq, kind, codec, flags, boot, start_ms, understood,"
        " received_utc_ms, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 7, ?)",
        (journal, header.first_seq, header.first_seq + header.count - 1, header.kind, header.codec, header.flags,
         header.boot, header.start_ms, understood, raw),
    )  # fmt: skip


def _rollups(conn: sqlite3.Connection) -> None:
    conn.executemany(f"INSERT INTO rollups VALUES (50{', ?' * 17})", ROLLUPS_50)
    others = (3, 3, 11100, 3700, 3700, 3, 2910, 970, 970, 3, 240, 80, 80)
    conn.executemany(
        f"INSERT INTO rollups VALUES (?, ?, 0, 1, 0{', ?' * 13})", [(51, 2, *others), (52, 4, *others)]
    )
    conn.execute("INSERT INTO thinnings VALUES (50, 52, 1, 30, 0, 0, 0)")


def _escalation(conn: sqlite3.Connection, version: int) -> None:
    conn.execute(
        "INSERT INTO episodes VALUES (50, 'k', 50, 50, 51, 'alarm', 1, 2, 2, 'open', 0, 1, 2, NULL, '',"
        " NULL, NULL, '{}')"
    )
    conn.execute("INSERT INTO contact_steps VALUES (50, 1, 5, NULL, '{}')")
    conn.execute(
        "INSERT INTO outbox (id, target, event_key, episode, priority, simulated, payload, state, created_utc_ms,"
        " next_try_utc_ms, attempts, last_error, delivered_utc_ms)"
        " VALUES (50, 'ward', 'k', 50, 2, 0, '{}', 'pending', 1, 2, 3, 'no route', NULL)"
    )


def _contacts(conn: sqlite3.Connection) -> None:
    course = '{"state": "calling", "priority": 2, "since_ms": 1, "told": ["nurse-1"]}'
    conn.execute(
        "INSERT INTO contact_courses VALUES (50, 50, 50, 1, 0, 'alarm-1', 'k', '{}', 'p', ?, NULL, 0, 1)",
        (course,),
    )
    conn.execute('INSERT INTO course_timers VALUES (50, 1, 9, NULL, \'["high", 9, 0, 0, ""]\')')
    conn.execute("INSERT INTO contact_time VALUES (1, 'start', 5, 6, 7)")
    conn.execute("INSERT INTO told_ends VALUES (50, 8)")


def _acceptances(conn: sqlite3.Connection) -> None:
    conn.execute(
        "INSERT INTO acceptances (id, episode, kind, who, how, priority, at_utc_ms, until_utc_ms, number)"
        " VALUES (50, 50, 'accepted', 'nurse-1', 'page', 2, 1, 9, 1)"
    )
    conn.execute("INSERT INTO reply_tokens VALUES (zeroblob(32), 'ward', 'k', 50, 2, 9, 50)")
