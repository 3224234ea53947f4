"""The journal's rules: closing, reading, room, handover, and what it says when something is wrong."""

import os

import pytest
from crs_core import codes
from crs_core.errors import LocalError
from crs_core.journal import block_layout, block_reader, record_layout, record_reader, record_writer
from crs_core.units import Reading, make_status
from crs_device.journal.chain import Chain
from crs_device.journal.header import UNBOUND, JournalMissing
from crs_device.journal.journal import Journal

STATUS = make_status(1, 0, 0, 1)


def make(root, boot=1, budget=1 << 20, flags=0):
    return Journal(str(root), boot, os.urandom, budget, flags)


def created(root, **kw):
    journal = make(root, **kw)
    journal.create()
    return journal


def reopened(root, **kw):
    journal = make(root, **kw)
    journal.open()
    return journal


def reading(t_ms, temp=3700):
    return Reading(t_ms, temp, 970, 80, 150, STATUS)


def fill(journal, n, t_ms=0, step=10_000):
    for i in range(n):
        journal.add_reading(reading(t_ms + i * step, 3600 + i * 37 % 500))


def fault(journal, t_ms, n=0):
    return journal.append_event(
        t_ms, record_layout.FAULT, record_writer.write(record_layout.FAULT, 2, 2, n, "x" * 40)
    )


def everything(journal, kind=0):
    """[(first, last, "block" or reason)] of the whole journal."""
    found, seq = [], 1
    while (step := journal.read_from(seq, kind)) is not None:
        if step[0] == "gap":
            found.append((step[1], step[2], step[3]))
            seq = step[2] + 1
        else:
            last = block_layout.last_seq(step[1])
            found.append((step[1].first_seq, last, "block"))
            seq = last + 1
    return found


def events_of(journal):
    """Every event in order."""
    found, seq = [], 1
    while (step := journal.read_from(seq, block_layout.KIND_EVENTS)) is not None:
        found += block_reader.decode_events(step[2], journal.journal_id)[1]
        seq = block_layout.last_seq(step[1]) + 1
    return found


def decoded(journal, kind):
    """Every event of one type, decoded."""
    return [record_reader.decode(kind, event.payload) for event in events_of(journal) if event.type == kind]


@pytest.fixture
def root(tmp_path):
    return tmp_path / "journal"


def test_a_block_closes_at_60_readings(root):
    journal = created(root)
    fill(journal, 59, step=1000)
    assert journal.head_seq == 0
    fill(journal, 1, t_ms=59_000)
    assert journal.head_seq == 60


def test_a_block_closes_at_120_seconds_with_12_readings(root):
    journal = created(root)
    fill(journal, 13)
    assert everything(journal) == [(1, 12, "block")]
    journal.tick(120_000 + 119_999)
    assert journal.head_seq == 12
    journal.tick(120_000 + 120_000)
    assert journal.head_seq == 13


def test_an_event_closes_the_readings_before_it(root):
    journal = created(root)
    fill(journal, 3)
    assert fault(journal, 25_000) == 4 and everything(journal) == [(1, 3, "block"), (4, 4, "block")]
    assert everything(journal, block_layout.KIND_EVENTS) == [(4, 4, "block")]


def test_unflushed_readings_are_lost_and_never_had_a_number(root):
    journal = created(root)
    fault(journal, 5)
    fill(journal, 5)
    again = reopened(root, boot=2)
    assert again.head_seq == 1 and (again.last_boot, again.last_ms) == (1, 5) and fault(again, 1) == 2


def test_a_reading_that_no_block_can_hold_is_refused_at_once(root):
    journal = created(root)
    fill(journal, 2)
    with pytest.raises(LocalError):
        journal.add_reading(reading(30_000, temp=-5))
    journal.flush()
    assert journal.head_seq == 2


def test_flags_and_boot_are_in_every_block(root):
    journal = created(root, boot=7, flags=block_layout.FLAG_SIMULATED)
    fill(journal, 2)
    fault(journal, 30_000)
    for seq in (1, 3):
        header = journal.read_from(seq)[1]
        assert (header.flags, header.boot) == (block_layout.FLAG_SIMULATED, 7)


def test_a_boot_number_that_went_back_is_raised(root):
    journal = created(root, boot=9)
    fault(journal, 5)
    assert reopened(root, boot=4).boot == 10


def test_reading_from_the_middle_of_a_block_gives_the_block(root):
    journal = created(root)
    fill(journal, 12)
    journal.flush()
    step = journal.read_from(5)
    assert step[1].first_seq == 1 and block_layout.verify(step[2], journal.journal_id)
    assert journal.read_from(13) is None and journal.read_from(0)[1].first_seq == 1


def test_acknowledgements_are_kept_lazily_and_never_run_ahead(root):
    journal = created(root)
    fault(journal, 5)
    journal.ack(2)
    assert journal.acked_seq == 0 and journal.counters["acks_beyond_head"] == 1
    journal.ack(1)
    assert reopened(root).acked_seq == 0
    journal.tick(60_000)
    journal.tick(60_001)
    assert reopened(root).acked_seq == 1


def test_readings_go_oldest_first_and_leave_a_stated_gap(root):
    journal = created(root, budget=64 * 1024)
    fill(journal, 14_000)
    assert journal.counters["readings_segments_dropped"] > 0
    found = everything(journal)
    assert found[0][2] == codes.GAP_DROPPED and all(step[2] == "block" for step in found[1:])
    assert sum(f.stat().st_size for f in (root / "r").iterdir()) <= 48 * 1024
    assert everything(reopened(root, boot=2)) == found


def test_events_have_room_of_their_own_and_acknowledged_ones_go_first(root):
    journal = created(root, budget=64 * 1024)
    for n in range(220):
        journal.append_event(n, record_layout.CONTEXT, bytes(100))
        journal.ack(journal.head_seq)
    assert journal.counters["events_segments_dropped"] > 0 and journal.counters["events_lost"] == 0
    assert journal.counters["events_merged"] == 0


def test_then_repeats_are_merged_and_the_rest_keeps_its_bytes(root):
    journal = created(root, budget=64 * 1024)
    buttons = {}
    for n in range(260):
        fault(journal, n, n)
        if n % 20 == 0:
            seq = journal.append_event(n, record_layout.BUTTON, record_writer.write(record_layout.BUTTON, 1))
            buttons[seq] = journal.read_from(seq)[2]
    assert journal.counters["events_merged"] > 0 and journal.counters["events_lost"] == 0
    for seq, data in buttons.items():
        assert journal.read_from(seq)[2] == data
    merged = decoded(journal, record_layout.MERGED)
    assert sum(one.count for one in merged) == journal.counters["events_merged"]
    for one in merged:
        assert one.type == record_layout.FAULT and one.first_seq <= one.last_seq
        assert journal.read_from(one.first_seq)[0] == "gap"
        assert journal.read_from(one.first_seq)[3] == codes.GAP_DROPPED


def test_last_of_all_the_oldest_events_go_and_that_is_counted_and_journaled(root):
    journal = created(root, budget=64 * 1024)
    for n in range(260):
        journal.append_event(n, record_layout.CONTEXT, bytes(100))
    assert journal.counters["events_lost"] > 0
    assert {one.subsystem for one in decoded(journal, record_layout.FAULT)} == {codes.SUBSYSTEM_JOURNAL}


def test_a_batch_larger_than_a_block_takes_several(root):
    journal = created(root)
    first = journal.append_events([(n, record_layout.CONTEXT, bytes(300)) for n in range(40)])
    assert first == 1 and journal.head_seq == 40 and len(everything(journal)) > 1
    with pytest.raises(LocalError):
        journal.append_event(50, record_layout.CONTEXT, bytes(5000))


def test_states_are_found_again(root):
    journal = created(root)
    assert reopened(root).last_state() is None
    state = record_writer.write(record_layout.GRADER_STATE, 1, b"rulehash", b"alarm", b"grade")
    journal.append_event(5, record_layout.GRADER_STATE, state)
    for n in range(100):
        fault(journal, 10 + n, n)
    assert reopened(root).last_state() == (b"alarm", b"grade")
    grade = record_writer.write(record_layout.GRADE, 1, 1, b"rulehash", 1, 4, 3, 1, (), (), 1, 1, b"newer")
    journal.append_event(200, record_layout.GRADE, grade)
    assert reopened(root).last_state() == (b"alarm", b"newer")


def test_no_journal_and_an_unreadable_one_are_missing_and_kept(root):
    with pytest.raises(JournalMissing, match="no journal"):
        make(root).open()
    journal = created(root)
    fault(journal, 5)
    for slot in root.glob("header.*"):
        slot.write_bytes(b"\xff" * 40)
    again = make(root)
    with pytest.raises(JournalMissing, match="unreadable"):
        again.open()
    with pytest.raises(OSError):
        again.append_event(5, record_layout.BUTTON, b"\x01")
    again.create()
    assert again.journal_id != journal.journal_id
    assert len(list((root.parent / "journal.bad" / "e").glob("*.seg"))) == 1


def test_create_never_replaces_a_readable_journal(root):
    journal = created(root)
    with pytest.raises(LocalError):
        make(root).create()
    assert reopened(root).journal_id == journal.journal_id


def test_handover_begins_anew_and_the_old_records_go_bit_by_bit(root):
    journal = created(root)
    for n in range(400):
        journal.append_event(n, record_layout.CONTEXT, bytes(100))
    old = journal.journal_id
    fill(journal, 3)
    journal.handover(b"binding!")
    assert (journal.head_seq, journal.acked_seq, journal.binding_id) == (0, 0, b"binding!")
    assert journal.journal_id != old and fault(journal, 5) == 1
    ticks = 0
    while journal.wiping:
        journal.tick(10)
        ticks += 1
    assert ticks > 10  # one file each
    assert not (root.parent / "journal.old").exists()
    again = reopened(root, boot=2)
    assert (again.head_seq, again.binding_id) == (1, b"binding!")
    again.handover(UNBOUND)
    assert again.binding_id == UNBOUND


def test_a_segment_of_another_journal_is_not_taken(root, tmp_path):
    journal = created(root)
    fault(journal, 5)
    other = created(tmp_path / "other")
    fault(other, 6)
    data = (tmp_path / "other" / "e" / "00000001.seg").read_bytes()
    (root / "e" / "00000001.seg").write_bytes(data)
    again = reopened(root)
    assert again.head_seq == 0 and again.counters["doubtful_tails"] == 1
    assert fault(again, 7) > 1  # number 1 was used


def test_damage_is_told_in_the_journal_itself(root):
    journal = created(root)
    fault(journal, 5)
    fault(journal, 6)
    path = root / "e" / "00000001.seg"
    path.write_bytes(path.read_bytes()[:-3])
    again = reopened(root, boot=2)
    seq = fault(again, 7)
    assert again.read_from(2)[0] == "gap" and again.read_from(2)[3] == codes.GAP_CORRUPT
    note = block_reader.decode(again.read_from(seq + 1)[2], again.journal_id)[1][0]
    assert record_reader.decode(record_layout.FAULT, note.payload).code == codes.FAULT_UNREADABLE


def test_names_that_are_no_segments_are_left_alone(root):
    journal = created(root)
    fault(journal, 5)
    for name in ("notes.txt", "zzzzzzzz.seg", "00000001.seg.bak"):
        (root / "e" / name).write_bytes(b"\xc5" * 40)
    assert everything(reopened(root)) == everything(journal)


def test_an_event_is_journaled_even_when_the_note_after_it_is_not(root, flash):
    journal = created(root)
    journal._notes.append(
        record_writer.write(
            record_layout.FAULT, codes.SUBSYSTEM_JOURNAL, codes.FAULT_MISSING, 1, "said later"
        )
    )
    flash.error, flash.passes = OSError(5), 1
    assert fault(journal, 1000) == 1 and everything(journal) == [(1, 1, "block")]
    flash.error = None
    fault(journal, 2000)
    found = [step for step in everything(journal) if step[2] == "block"]
    assert len(found) == 3
    details = [one.detail for one in decoded(journal, record_layout.FAULT)]
    assert details.count("said later") == 1


def test_a_full_heap_after_the_write_gives_no_number_two_contents(root, monkeypatch):
    journal = created(root)
    fault(journal, 1000, 1)
    whole, fails = Chain._resize, [True]

    def resize(chain, index, size):
        if fails:
            fails.pop()
            raise MemoryError
        whole(chain, index, size)

    monkeypatch.setattr(Chain, "_resize", resize)
    assert fault(journal, 2000, 2) == 2 and fault(journal, 3000, 3) == 3
    assert everything(journal) == [(n, n, "block") for n in (1, 2, 3)]
    assert [e.t_ms for e in events_of(journal)] == [1000, 2000, 3000]
    again = reopened(root, boot=2)
    assert [e.t_ms for e in events_of(again)] == [1000, 2000, 3000]
