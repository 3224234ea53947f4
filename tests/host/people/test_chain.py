"""The audit chain: every way of touching it is found and named, by triggers first and by the check afterwards."""

import sqlite3

import pytest
from crs_core import context
from crs_core.journal import record_layout

from host_agent.errors import StoreError
from host_agent.people.chain_check import verify
from host_agent.people.entry import NO_HASH, decode, encode, row_hash
from host_agent.people.outgoing import message_of
from host_agent.store.migrate import migrations

TRIGGERS = ("audit_is_never_changed", "audit_is_never_deleted", "audit_only_grows_at_its_end")


@pytest.fixture
def filled(world):
    """Ten rows: four accounts, the administrator code, three context entries, a death and its countersignature."""
    first = world.enter(world.nurse, blood_pressure="normal", oxygen="room_air")
    world.enter(world.carer, temperature_cc=3870, site="oral")
    world.enter(world.nurse, corrects=first.entry.id, blood_pressure="hypotension")
    death = world.sign(world.doctor, "death", {"cause": "other"})
    world.sign(world.second, "countersign", {}, refers_to=death.entry.id)
    return world


def check(world, head=None):
    """[(row, text)] of what is wrong."""
    report = world.store.read_now(lambda tx: verify(tx, head))
    return [tuple(problem) for problem in report.problems]


def vandalise(world, *statements):
    """Change the file behind the program's back, the triggers taken away first."""
    conn = sqlite3.connect(world.store.path)
    for name in TRIGGERS:
        conn.execute(f"DROP TRIGGER {name}")
    for sql, *values in statements:
        conn.execute(sql, values)
    conn.commit()
    conn.close()


def test_a_whole_chain_has_no_problem_and_says_its_head(filled):
    report = filled.store.read_now(verify)
    assert (report.rows, report.problems) == (10, [])
    assert report.head == filled.query("SELECT hex(hash) FROM audit WHERE seq = 10")[0][0].lower()
    assert check(filled, report.head) == [] and check(filled, report.head.upper()) == []


def test_an_empty_chain_has_no_problem(tmp_path):
    from tests.host.people.people_world import PeopleWorld

    world = PeopleWorld(tmp_path, with_people=False)
    report = world.store.read_now(verify)
    assert report == (0, NO_HASH.hex(), [], [])
    world.store.close()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit SET entry = entry WHERE seq = 7",
        "DELETE FROM audit WHERE seq = 10",
        "DELETE FROM audit",
        "INSERT INTO audit SELECT 5, kind, 'x', entry, signature, hash, 0 FROM audit WHERE seq = 10",
        "INSERT INTO audit SELECT 13, kind, 'x', entry, signature, hash, 0 FROM audit WHERE seq = 10",
        "INSERT OR REPLACE INTO audit SELECT seq, kind, entry_id, 'x', signature, hash, 0 FROM audit WHERE seq = 10",
    ],
)
def test_the_store_itself_refuses_to_touch_the_chain(filled, sql):
    with pytest.raises(StoreError, match="audit chain"):
        filled.store.write_now(lambda tx: tx.execute(sql))
    assert check(filled) == []


def test_the_triggers_are_those_of_the_migration():
    text = "".join(step.sql for step in migrations())
    assert all(f"CREATE TRIGGER {name} " in text for name in TRIGGERS)


@pytest.mark.parametrize(
    "old, new",
    [(b'"blood_pressure":"normal"', b'"blood_pressure":"hypotension"'), (b'"nurse-1"', b'"nurse-2"'),
     (b'"P-1"', b'"P-2"'), (b'"v":1', b'"v":1 ')],
)  # fmt: skip
def test_a_changed_row_is_named(filled, old, new):
    entry = filled.query("SELECT entry FROM audit WHERE seq = 6")[0][0]
    assert old in entry
    vandalise(filled, ("UPDATE audit SET entry = ? WHERE seq = 6", entry.replace(old, new)))
    found = check(filled)
    assert (6, "its hash does not fit the row before it and its content") in found
    assert {seq for seq, _ in found} == {6}


def test_a_changed_row_with_its_hash_made_to_fit_breaks_the_signature_and_the_next_row(filled):
    entry, signature = filled.query("SELECT entry, signature FROM audit WHERE seq = 6")[0]
    before = filled.query("SELECT hash FROM audit WHERE seq = 5")[0][0]
    entry = entry.replace(b'"normal"', b'"hypotension"')
    vandalise(
        filled,
        ("UPDATE audit SET entry = ?, hash = ? WHERE seq = 6", entry, row_hash(before, entry, signature)),
    )
    found = check(filled)
    assert (6, "the signature is not that of nurse-1") in found
    assert (7, "it was signed after another row than the one before it") in found


def test_a_whole_chain_computed_anew_still_breaks_every_later_signature(filled):
    rows = filled.query("SELECT seq, entry, signature FROM audit ORDER BY seq")
    entry = rows[5][1].replace(b'"normal"', b'"hypotension"')
    statements, prev = [], NO_HASH
    for seq, raw, signature in rows:
        raw = entry if seq == 6 else encode(decode(raw)._replace(prev=prev.hex()))
        prev = row_hash(prev, raw, signature)
        statements.append(("UPDATE audit SET entry = ?, hash = ? WHERE seq = ?", raw, prev, seq))
    vandalise(filled, *statements)
    assert {seq for seq, text in check(filled) if "the signature is not" in text} == {6, 7, 8, 9, 10}


def test_a_removed_row_is_named(filled):
    vandalise(filled, ("DELETE FROM audit WHERE seq = 7",))
    found = check(filled)
    assert (8, "row 7 is missing before it") in found
    assert (8, "it was signed after another row than the one before it") in found


def test_rows_removed_and_the_rest_renumbered_are_named(filled):
    vandalise(
        filled, ("PRAGMA foreign_keys = OFF",), ("DELETE FROM audit WHERE seq IN (6, 7)",),
        *[("UPDATE audit SET seq = ? WHERE seq = ?", seq - 2, seq) for seq in (8, 9, 10)],
    )  # fmt: skip
    found = check(filled)
    assert (6, "it was signed after another row than the one before it") in found
    assert any("not the signed one" in text for _, text in found)


def test_an_inserted_row_is_named(filled):
    entry, signature = filled.query("SELECT entry, signature FROM audit WHERE seq = 10")[0]
    before = filled.query("SELECT hash FROM audit WHERE seq = 10")[0][0]
    forged = encode(decode(entry)._replace(id="ab" * 16))
    vandalise(
        filled,
        ("INSERT INTO audit VALUES (11, 'countersign', ?, ?, ?, ?, 0)", "ab" * 16, forged, signature,
         row_hash(before, forged, signature)),
    )  # fmt: skip
    found = check(filled)
    assert (11, "the signature is not that of clinician-2") in found
    assert (11, "it was signed after another row than the one before it") in found


def test_reordered_rows_are_named(filled):
    vandalise(
        filled,
        *[("UPDATE audit SET seq = ? WHERE seq = ?", new, old) for old, new in ((6, 50), (7, 6), (50, 7))],
    )
    assert {6, 7, 8} <= {seq for seq, text in check(filled) if "another row" in text or "hash" in text}


def test_a_cut_end_is_found_by_a_head_that_was_noted(filled):
    head = filled.store.read_now(verify).head
    vandalise(
        filled, ("DELETE FROM signed_records",), ("DELETE FROM context_outgoing WHERE audit > 8",),
        ("DELETE FROM audit WHERE seq IN (9, 10)",),
    )  # fmt: skip
    assert check(filled) == [], "inside the chain nothing shows"
    assert [text[:26] for _, text in check(filled, head)] == ["the chain does not contain"]


def test_a_cut_end_is_found_by_what_the_wearable_journaled(filled):
    kept = [message_of(item, 0) for item in filled.queued()]
    stranger = context.encode(0, b"\xee" * 8, {context.ICE: 3})

    def journal(tx):
        from host_agent.store.journals import open_journal

        row = open_journal(tx, 1, b"JOURNAL1", b"BINDING1", 0).journal.id
        for seq, payload in enumerate([*kept, stranger, b"\x09damaged"], 1):
            tx.execute(
                "INSERT INTO events VALUES (?, ?, 1, 0, ?, ?, 0, 1)",
                (row, seq, record_layout.CONTEXT, payload),
            )

    filled.store.write_now(journal)
    assert check(filled) == [
        (
            None,
            f"wearable 0101010101010101 journaled, as its record {len(kept) + 1}, an entry that is not in the chain:"
            " ice",
        )
    ]


@pytest.mark.parametrize(
    "sql, seq, text",
    [
        ("UPDATE context_values SET value = '\"normal\"' WHERE entry = 8", 8, "values are not the signed"),
        ("DELETE FROM context_values WHERE entry = 8", 8, "values are not the signed"),
        ("INSERT INTO context_values VALUES (7, 'ice', '10')", 7, "values are not the signed"),
        ("UPDATE context_entries SET account = 'clinician-1' WHERE audit = 7", 7, "entry is not the signed"),
        ("UPDATE context_entries SET observed_utc_ms = 5 WHERE audit = 7", 7, "entry is not the signed"),
        ("UPDATE context_entries SET binding = 2 WHERE audit = 7", 7, "entry is not the signed"),
        ("UPDATE context_entries SET corrects = NULL WHERE audit = 8", 8, "entry is not the signed"),
        ("UPDATE signed_records SET cause = 'crs'", 9, "record is not the signed"),
        ("UPDATE signed_records SET countersigned_by = NULL", 9, "record is not the signed"),
        ("UPDATE signed_records SET reversed_by = 10", 9, "record is not the signed"),
        ("DELETE FROM signed_records", 9, "record is not the signed"),
        ("UPDATE accounts SET role = 'clinician' WHERE name = 'nurse-1'", None, "nurse-1 is not as"),
        ("UPDATE accounts SET disabled_by = 5 WHERE name = 'nurse-1'", None, "nurse-1 is not as"),
        ("UPDATE accounts SET public_key = randomblob(32) WHERE name = 'nurse-1'", None, "nurse-1 is not as"),
        ("INSERT INTO accounts VALUES ('ghost', 'nurse', randomblob(8), randomblob(32), 5, NULL)", None, "ghost"),
        ("UPDATE context_outgoing SET numbers = '{\"3\": 0}' WHERE audit = 8", 8, "goes to the wearable"),
        ("UPDATE context_outgoing SET proof = randomblob(8) WHERE audit = 8", 8, "goes to the wearable"),
        ("UPDATE context_outgoing SET observed_utc_ms = 7 WHERE audit = 8", 8, "goes to the wearable"),
        ("UPDATE audit SET kind = 'grade' WHERE seq = 7", 7, "id or kind"),
        ("UPDATE context_values SET value = 'x' WHERE entry = 8", 8, "values are not the signed"),
        ("UPDATE context_outgoing SET numbers = 'x' WHERE audit = 8", 8, "goes to the wearable"),
        ("UPDATE context_outgoing SET numbers = '{}' WHERE audit = 8", 8, "goes to the wearable"),
        ("UPDATE context_outgoing SET audit = 1 WHERE audit = 8", 1, "goes to the wearable"),
    ],
)  # fmt: skip
def test_rows_made_from_the_chain_are_compared_with_it(filled, sql, seq, text):
    vandalise(filled, (sql,))
    found = check(filled)
    assert [one for one in found if one[0] == seq and text in one[1]], found


def test_a_row_signed_by_a_role_that_may_not_is_named(filled):
    """What a changed program could have let in."""
    raw, signature = filled.compose(filled.carer, "context", {"oxygen": "room_air"})
    before = filled.query("SELECT hash FROM audit WHERE seq = 10")[0][0]
    vandalise(
        filled,
        ("INSERT INTO audit VALUES (11, 'context', ?, ?, ?, ?, 0)", decode(raw).id, raw, signature,
         row_hash(before, raw, signature)),
    )  # fmt: skip
    assert [text for seq, text in check(filled) if seq == 11 and "a caregiver signed it" in text]
