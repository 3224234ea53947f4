"""A cut end, another chain and an older backup show by what is known of the chain outside of it."""

import json
import sqlite3

import pytest
from crs_core.journal import record_layout

from host_agent.paths import Paths
from host_agent.people import account_key, head_note
from host_agent.people.account_key import new_signer
from host_agent.people.asking import EntryRefused
from host_agent.people.chain_check import verify
from host_agent.people.chain_heads import NOWHERE, Elsewhere, Noted, read_elsewhere
from host_agent.people.outgoing import message_of
from host_agent.store.audit import Head, last_row
from host_agent.store.journals import open_journal
from host_agent.store.outbox import Addressed, add_delivery
from tests.host.people.people_world import PeopleWorld


def head(world):
    return world.store.read_now(last_row)


def noted(world, where="a note"):
    rows, digest = head(world)
    return Elsewhere((Noted(rows, digest.hex(), where),))


def found(world, elsewhere=NOWHERE):
    return [problem.text for problem in world.store.read_now(lambda tx: verify(tx, None, elsewhere)).problems]


def cut(world, keep):
    """Take the end of the chain away, and everything made from it, as somebody with a database tool does."""
    conn = sqlite3.connect(world.store.path)
    triggers = conn.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        conn.execute(f"DROP TRIGGER {name}")
    for table, column in (
        ("signed_records", "audit"), ("context_outgoing", "audit"), ("context_values", "entry"),
        ("context_entries", "audit"), ("accounts", "added_by"), ("audit", "seq"),
    ):  # fmt: skip
        conn.execute(f"DELETE FROM {table} WHERE {column} > ?", (keep,))
    for _, sql in triggers:
        conn.execute(sql)
    conn.commit()
    conn.close()


def deliver(world, key="event-1", body=None):
    """One event for a receiver that carries the head of this moment."""
    rows, digest = head(world)
    payload = body or json.dumps({"audit_head": {"rows": rows, "hash": digest.hex()}})
    delivery = Addressed("ward", key, None, 1, False, payload, "")
    world.store.write_now(lambda tx: add_delivery(tx, delivery, world.now_ms))


def grade(world, value=3):
    return world.sign(world.doctor, "grade", {"scale": "ASTCT", "scale_version": 2019, "grade": value})


def journal_entries(world, payloads, binding=b"BINDING1"):
    """The wearable of P-1 journaled these context records, and this laptop has them."""

    def write(tx):
        row = open_journal(tx, 1, b"JOURNAL1", binding, 0).journal.id
        for seq, payload in enumerate(payloads, 1):
            tx.execute(
                "INSERT INTO events VALUES (?, ?, 1, 0, ?, ?, 0, 1)",
                (row, seq, record_layout.CONTEXT, payload),
            )

    world.store.write_now(write)


def test_a_signed_grade_cut_off_shows_by_the_file_beside_the_store(world):
    rows = grade(world).audit
    assert head_note.read(world.store.path) == head(world)
    elsewhere = noted(world, "audit.head")
    assert found(world, elsewhere) == []
    cut(world, rows - 1)
    assert found(world) == [], "inside the chain nothing shows"
    assert found(world, elsewhere) == [
        f"row {rows} is gone from the end of the chain: audit.head has the head of {rows} rows"
    ]


def test_several_rows_cut_off_are_counted_and_a_chain_that_went_on_is_another_one(world):
    elsewhere = noted(world)
    cut(world, 2)
    assert found(world, elsewhere) == [
        "rows 3 to 5 are gone from the end of the chain: a note has the head of 5 rows"
    ]
    for name in ("x", "y", "z"):
        world.add(new_signer(name), "nurse")
    assert found(world, elsewhere) == [
        "row 5 is not the one that a note knows: the chain was rewritten, or it is another chain"
    ]


def test_an_older_head_that_was_noted_is_still_in_a_longer_chain(world):
    elsewhere = noted(world)
    grade(world)
    assert found(world, elsewhere) == []


def test_a_cut_end_shows_by_the_events_for_receivers(world):
    grade(world)
    deliver(world)
    deliver(world, "event-2")
    for number, body in enumerate(
        ("not JSON", "[]", "{}", '{"audit_head": null}', '{"audit_head": {"rows": "x"}}')
    ):
        deliver(world, f"odd-{number}", body)
    assert found(world) == []
    rows = head(world).seq
    cut(world, rows - 1)
    (text,) = found(world)
    assert text.startswith(f"row {rows} is gone from the end of the chain: event event-1 for ward (20")


def test_a_cut_end_shows_by_what_the_wearable_journaled(world):
    taken = world.enter(world.nurse, blood_pressure="hypotension", oxygen="face_mask")
    journal_entries(world, [message_of(item, 0) for item in world.queued()])
    assert found(world) == []
    cut(world, taken.audit - 1)
    assert found(world) == [
        "wearable 0101010101010101 journaled, as its record 1, an entry that is not in the chain:"
        " blood_pressure, oxygen"
    ]


def test_another_store_shows_by_the_wearable_of_which_this_laptop_is_custodian(world, tmp_path):
    world.enter(world.nurse, ice=3)
    payloads = [message_of(item, 0) for item in world.queued()]
    other = tmp_path / "other"
    other.mkdir()
    fresh = PeopleWorld(other)
    journal_entries(fresh, payloads, binding=b"UNKNOWN1")
    assert found(fresh) == [], "a reader sees entries that another laptop signed"
    (text,) = found(fresh, Elsewhere(custodian_of=frozenset({bytes([1]) * 8})))
    assert "an entry that is not in the chain: ice" in text
    fresh.store.close()


def test_another_chain_shows_by_the_accounts_whose_keys_are_here(world, tmp_path):
    account_key.save(tmp_path / "accounts", world.nurse, "a long passphrase")
    account_key.save(tmp_path / "accounts", new_signer("clinician-1"), "a long passphrase")
    account_key.save(tmp_path / "accounts", new_signer("gone"), "a long passphrase")
    elsewhere = read_elsewhere(Paths(tmp_path))
    assert found(world, elsewhere) == [
        f"the key of account {name} is on this laptop, and the chain does not have this account"
        for name in ("clinician-1", "gone")
    ]


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"rows": 0, "hash": ""}', '{"rows": "5", "hash": "ab"}', "\xff"]
)
def test_a_damaged_note_is_a_problem_and_no_pass(world, tmp_path, text):
    (tmp_path / "audit.head").write_text(text)
    assert found(world, read_elsewhere(Paths(tmp_path))) == [
        f"{tmp_path / 'audit.head'} does not hold the head of an audit chain."
    ]


def test_nobody_becomes_the_first_clinician_of_a_chain_that_was_deleted(world):
    cut(world, 0)
    mallory = new_signer("mallory")
    values = {"name": "mallory", "role": "clinician", "public_key": mallory.public_key.hex()}
    made = world.compose(mallory, "account_add", values, patient=None)
    world.refuses("chain_missing", lambda: world.take(*made), "5 signed entries were here and are gone")
    head_note.path_of(world.store.path).write_text("damaged")
    with pytest.raises(head_note.HeadNoteError):
        world.take(*made)
    head_note.path_of(world.store.path).unlink()
    world.take(*made)
    assert head_note.read(world.store.path) == head(world)


def test_a_disk_that_takes_no_note_refuses_no_signature(world, monkeypatch):
    def full(*_arguments):
        raise OSError(28, "No space left on device")

    before = head_note.read(world.store.path)
    monkeypatch.setattr(head_note.os, "fsync", full)
    grade(world)
    assert head_note.read(world.store.path) == before and found(world, noted(world)) == []
    assert sorted(path.name for path in world.store.path.parent.glob("audit.head*")) == ["audit.head"]


def test_what_a_signed_restore_gave_up_is_not_missed(world):
    grade(world)
    world.enter(world.nurse, ice=3)
    payloads = [message_of(item, 0) for item in world.queued()]
    elsewhere, lost = noted(world, "audit.head"), head(world)
    proofs = [item.proof.hex() for item in world.queued()]
    cut(world, 5)
    journal_entries(world, payloads)
    assert len(found(world, elsewhere)) == 2
    values = {
        "act": "restore", "reason": "the disk failed", "patients": {}, "alarms": [],
        "lost": {"rows": lost.seq, "head": lost.hash.hex(), "proofs": proofs},
    }  # fmt: skip
    world.sign(world.doctor, "act", values, patient=None)
    assert found(world, elsewhere) == []
    other = Elsewhere((Noted(lost.seq, "ab" * 32, "a note"),))
    assert len(found(world, other)) == 1, "it explains no other chain"


def test_a_signature_is_refused_before_the_note_is_written(world):
    before = head_note.read(world.store.path)
    with pytest.raises(EntryRefused):
        world.sign(world.nurse, "grade", {"scale": "ASTCT", "scale_version": 2019, "grade": 3})
    assert head_note.read(world.store.path) == before == Head(*head(world))


def test_the_note_stays_as_a_witness_when_somebody_signs_after_a_cut(world):
    grade(world)
    elsewhere, witness = noted(world, "audit.head"), head_note.read(world.store.path)
    cut(world, 5)
    for value in (1, 2, 3):
        grade(world, value)
    assert head_note.read(world.store.path) == witness and len(found(world, elsewhere)) == 1
    values = {
        "act": "restore", "reason": "an older backup", "patients": {}, "alarms": [],
        "lost": {"rows": witness.seq, "head": witness.hash.hex(), "proofs": []},
    }  # fmt: skip
    world.sign(world.doctor, "act", values, patient=None)
    assert head_note.read(world.store.path) == head(world), "a signed restore explains it"
    assert found(world, noted(world)) == []


def test_a_damaged_note_keeps_nobody_from_signing_and_is_not_written_over(world):
    path = head_note.path_of(world.store.path)
    path.write_text("damaged")
    grade(world)
    assert path.read_text() == "damaged"
