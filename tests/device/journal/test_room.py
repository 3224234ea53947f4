"""The room of events: what hosts and the wearable itself write goes first, an alarm or grade never before it."""

import os
import random

import pytest
from crs_core.journal import block_layout, block_reader, record_layout, record_reader, record_writer
from crs_device.journal.journal import Journal

BUDGET = 128 * 1024  # 32 KiB of it for events
KEPT = (record_layout.ALARM, record_layout.GRADE, record_layout.BOOT, record_layout.BINDING)


def alarm(n):
    return record_layout.ALARM, record_writer.write(
        record_layout.ALARM, b"rulehash", [(3, 1 + n % 3)], bytes(40), bytes(60), n
    )


def one_of_its_kind(n):
    """An alarm that says what no other says."""
    return record_layout.ALARM, record_writer.write(
        record_layout.ALARM, b"rulehash", [(n % 90, n % 4), (n // 90, 1)], bytes(40), bytes(60), n
    )


def grade(n):
    return record_layout.GRADE, record_writer.write(
        record_layout.GRADE, 1, 1, b"rulehash", 1, 4, 3, 1, (1,), (2,), n, n, bytes(40)
    )


def mark(n):
    return record_layout.TIME_MARK, record_writer.write(record_layout.TIME_MARK, n * 7919, 0, 0x20 + n % 3)


def accepted(n):
    return record_layout.ACCEPTED, record_writer.write(
        record_layout.ACCEPTED, n % 90, 1 + n % 3, n % 4, "Dr. House"
    )


def entry(n):
    return record_layout.CONTEXT, bytes([1]) + n.to_bytes(20, "little")


def pause(n):
    return record_layout.PAUSE, record_writer.write(record_layout.PAUSE, 1 + n % 2, 1 + n % 3, n % 1800, 7)


def maintenance(n):
    return record_layout.MAINTENANCE, record_writer.write(record_layout.MAINTENANCE, 1 + n % 2, n % 256)


def settings(n):
    return record_layout.SETTINGS, record_writer.write(
        record_layout.SETTINGS, n % 9, b"rulehash", 1, f"a={n}\n"
    )


def fault(n):
    return record_layout.FAULT, record_writer.write(record_layout.FAULT, n % 9, n % 200, n, f"detail {n}")


def gap(n):
    return record_layout.SAMPLE_GAP, record_writer.write(record_layout.SAMPLE_GAP, n % 3, n % 4, n, n)


def health(n):
    return record_layout.HEALTH, record_writer.write(record_layout.HEALTH, [(n % 50, n)])


def button(n):
    return record_layout.BUTTON, record_writer.write(record_layout.BUTTON, 1 + n % 2)


FLOODS = [mark, accepted, entry, pause, maintenance, settings, fault, gap, health, button]


@pytest.fixture
def journal(tmp_path):
    made = Journal(str(tmp_path / "journal"), 1, os.urandom, BUDGET, 0)
    made.create()
    return made


def write(journal, event, *more):
    """Journal one event, or several in one block; the first sequence."""
    journal.clock_ms = getattr(journal, "clock_ms", 0) + 250
    return journal.append_events([(journal.clock_ms, kind, payload) for kind, payload in (event, *more)])


def events(journal):
    """{sequence: event} of what is on flash."""
    found, seq = {}, 1
    while (step := journal.read_from(seq, block_layout.KIND_EVENTS)) is not None:
        decoded = block_reader.decode_events(step[2], journal.journal_id)[1]
        found |= dict(enumerate(decoded, step[1].first_seq))
        seq = block_layout.last_seq(step[1]) + 1
    return found


def used(journal):
    return sum(
        len(files.read_bytes()) for files in __import__("pathlib").Path(journal.root, "e").glob("*.seg")
    )


@pytest.mark.parametrize("ticks_every", [1, 40, 0], ids=["ticked", "seldom ticked", "never ticked"])
@pytest.mark.parametrize("flood", FLOODS, ids=lambda flood: flood.__name__)
def test_no_flood_displaces_an_alarm_or_a_grade(journal, flood, ticks_every):
    kept = {write(journal, (alarm, grade)[n % 2](n)): n for n in range(40)}
    before = {seq: events(journal)[seq] for seq in kept}
    for n in range(3000):
        write(journal, flood(n))
        if ticks_every and n % ticks_every == 0:
            journal.tick(journal.clock_ms)
    left = events(journal)
    assert {seq: left.get(seq) for seq in kept} == before
    assert used(journal) <= BUDGET // 4 * 9 // 8 + 2 * 4096


@pytest.mark.parametrize("share", [1, 3, 10])
def test_alarms_between_the_flood_stay_as_well(journal, share):
    kept = []
    for n in range(60 * share):
        if n % share == 0:
            kept.append(write(journal, alarm(n)))
        for flood in FLOODS:
            write(journal, flood(n))
            journal.tick(journal.clock_ms)
    left = events(journal)
    assert [seq for seq in kept if seq not in left] == []


def test_an_entry_goes_with_the_state_that_was_journaled_with_it_and_an_alarm_keeps_its_own(journal):
    state = (
        record_layout.GRADER_STATE,
        record_writer.write(record_layout.GRADER_STATE, 4, b"rulehash", bytes(60), bytes(60)),
    )
    kept = [write(journal, alarm(n), state) for n in range(20)]
    for n in range(400):
        write(journal, entry(n), state)
        journal.tick(journal.clock_ms)
    left = events(journal)
    for seq in kept:
        assert (left[seq].type, left[seq + 1].type) == (record_layout.ALARM, record_layout.GRADER_STATE)
    assert journal.counters["events_lost"] > 0, "entries that nobody acknowledged: a HIGH alarm"


def test_what_goes_is_counted_and_the_counts_themselves_do_not_pile_up(journal):
    for n in range(20):
        write(journal, alarm(n))
    for n in range(20_000):
        write(journal, mark(n))
        if n % 8 == 0:
            journal.tick(journal.clock_ms)
    left = events(journal)
    merged = [
        record_reader.decode(e.type, e.payload) for e in left.values() if e.type == record_layout.MERGED
    ]
    stays = sum(e.type == record_layout.TIME_MARK for e in left.values())
    assert sum(one.count for one in merged) == journal.counters["events_merged"] == 20_000 - stays
    assert len(merged) < 40 and journal.counters["events_lost"] == 0


def test_the_first_and_the_last_mark_of_each_key_stay(journal):
    first = {0x20 + n: write(journal, mark(n)) for n in range(3)}
    for n in range(3, 3000):
        last = write(journal, mark(n))
        journal.tick(journal.clock_ms)
    left = events(journal)
    assert set(first.values()) <= set(left) and {last - 2, last - 1, last} <= set(left)


def test_alarms_go_last_oldest_first_and_are_told(journal):
    for n in range(400):
        newest = write(journal, one_of_its_kind(n))
        journal.tick(journal.clock_ms)
    left = [seq for seq, event in events(journal).items() if event.type == record_layout.ALARM]
    assert journal.counters["events_lost"] > 0 and newest in left
    assert left == sorted(left) and left[0] > 1
    kinds = {event.type for event in events(journal).values()}
    assert record_layout.FAULT in kinds


def test_what_is_acknowledged_goes_before_anything_is_thinned(journal):
    for n in range(2000):
        seq = write(journal, entry(n))
        journal.ack(seq)
        journal.tick(journal.clock_ms)
    assert journal.counters["events_segments_dropped"] > 0
    assert journal.counters["events_merged"] == journal.counters["events_lost"] == 0


def test_a_later_version_s_record_and_a_damaged_run_are_kept(journal):
    unknown = write(journal, (77, b"from a later version"))
    for n in range(1500):
        write(journal, accepted(n))
        journal.tick(journal.clock_ms)
    assert events(journal)[unknown].payload == b"from a later version"


def test_a_restart_anywhere_in_a_flood_finds_the_same_journal(tmp_path):
    source = random.Random(4)
    journal = Journal(str(tmp_path / "journal"), 1, os.urandom, BUDGET, 0)
    journal.create()
    kept = {}
    told = 0
    for boot in range(2, 12):
        for n in range(300):
            kind = source.choice([alarm, grade, *FLOODS, *FLOODS])
            seq = write(journal, kind(n))
            if kind in (alarm, grade):
                kept[seq] = events(journal)[seq]
            if source.random() < 0.7:
                journal.tick(journal.clock_ms)
        again = Journal(str(tmp_path / "journal"), boot, os.urandom, BUDGET, 0)
        again.open()
        assert events(again) == events(journal) and again.head_seq == journal.head_seq
        told += journal.counters["events_lost"]
        again.clock_ms = 0
        journal = again
    lost = [seq for seq, event in kept.items() if events(journal).get(seq) != event]
    assert bool(lost) == bool(told), "nothing goes without a word"


@pytest.mark.parametrize("flood", ["alarms", "grades", "starts", "all in turns"])
def test_alarms_and_grades_that_say_the_same_go_before_one_that_says_something_else(journal, flood):
    kept = [write(journal, one_of_its_kind(n)) for n in range(60)]
    state = (
        record_layout.GRADER_STATE,
        record_writer.write(record_layout.GRADER_STATE, 4, b"rulehash", bytes(60), bytes(60)),
    )
    start = (
        record_layout.BOOT,
        record_writer.write(record_layout.BOOT, 1, 1, 5, 0, 1, b"rulehash", "1.0", bytes(60), bytes(60)),
    )
    written = {"alarms": [], "grades": [], "starts": []}
    for n in range(3000):
        kind = flood if flood in written else sorted(written)[n % 3]
        event = {"alarms": alarm(n), "grades": grade(n), "starts": start}[kind]
        written[kind].append(write(journal, event, *([state] if kind == "alarms" else [])))
        journal.tick(journal.clock_ms)
    left = events(journal)
    assert [seq for seq in kept if seq not in left] == [] and journal.counters["events_lost"] == 0
    # of each that says the same, the first and the last stay
    for seqs in written.values():
        assert set(seqs[:1] + seqs[-2:]) <= set(left)


def test_a_wearable_that_starts_again_and_again_displaces_no_alarm(tmp_path):
    journal = Journal(str(tmp_path / "journal"), 1, os.urandom, 64 * 1024, 0)
    journal.create()
    kept = [write(journal, one_of_its_kind(n)) for n in range(30)]
    for boot in range(2, 600):
        journal = Journal(str(tmp_path / "journal"), boot, os.urandom, 64 * 1024, 0)
        journal.open()
        start = record_writer.write(
            record_layout.BOOT, 1, boot - 1, 5, 0, 1, b"rulehash", "1.0", bytes(60), bytes(60)
        )
        for event in ((record_layout.BOOT, start), settings(boot), fault(boot), grade(boot), alarm(boot)):
            write(journal, event)
            journal.tick(journal.clock_ms)
    assert [seq for seq in kept if seq not in events(journal)] == []
