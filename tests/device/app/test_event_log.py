"""The door to the journal while flash refuses: nothing raises, nothing is doubled, nothing bars the way for good."""

import os

import pytest
from crs_core.journal import block_layout, block_reader, record_layout, record_writer
from crs_device import health as counts
from crs_device.health import Health
from crs_device.journal.event_log import EventLog
from crs_device.journal.journal import Journal


@pytest.fixture
def log(tmp_path) -> EventLog:
    journal = Journal(str(tmp_path / "journal"), 1, os.urandom, 1 << 20)
    journal.create()
    return EventLog(journal, Health(), lambda: None)


def written(log: EventLog) -> list[tuple[int, int]]:
    """(t_ms, type) of every event in the journal, in order."""
    found, seq = [], 1
    while (step := log.journal.read_from(seq)) is not None:
        if step[0] == "gap":
            seq = step[2] + 1
            continue
        _, events = block_reader.decode_events(step[2], log.journal.journal_id)
        found += [(event.t_ms, event.type) for event in events]
        seq = block_layout.last_seq(step[1]) + 1
    return found


BUTTON = record_writer.write(record_layout.BUTTON, 1)


def test_an_alarm_and_the_grade_of_its_second_survive_a_refusal(log: EventLog, flash) -> None:
    """The GRADE of a step carries the whole second, the ALARM before it some ms more."""
    flash.error = OSError(5)
    pair = [
        (12_003, record_layout.BUTTON, BUTTON),
        (12_003, record_layout.MAINTENANCE, record_writer.write(record_layout.MAINTENANCE, 1, 1)),
    ]
    assert log.append_all(pair) == 0 and log.append(12_000, record_layout.BUTTON, BUTTON) == 0
    assert log.is_faulty
    flash.error = None
    assert log.append(13_000, record_layout.BUTTON, BUTTON) > 0 and not log.is_faulty
    assert written(log) == [
        (12_003, record_layout.BUTTON), (12_003, record_layout.MAINTENANCE), (12_000, record_layout.BUTTON),
        (13_000, record_layout.BUTTON),
    ]  # fmt: skip


def test_what_was_offered_once_with_success_is_not_written_twice(log: EventLog, flash) -> None:
    flash.error = OSError(5)
    for t_ms in (1000, 2000, 3000):
        log.append(t_ms, record_layout.BUTTON, BUTTON)
    flash.passes = 1
    assert log.append(4000, record_layout.BUTTON, BUTTON) == 0
    flash.error = None
    log.append(5000, record_layout.BUTTON, BUTTON)
    assert [t_ms for t_ms, _ in written(log)] == [1000, 2000, 3000, 4000, 5000]


def test_a_full_heap_is_a_refusal_and_no_crash(log: EventLog, flash) -> None:
    flash.error = MemoryError("memory allocation failed, allocating 2048 bytes")
    assert log.append(1000, record_layout.BUTTON, BUTTON) == 0
    flash.error = None
    assert log.append(2000, record_layout.BUTTON, BUTTON) > 0
    assert [t_ms for t_ms, _ in written(log)] == [1000, 2000]


def test_an_event_that_fits_no_block_bars_the_way_for_none(log: EventLog) -> None:
    assert log.append(1000, record_layout.CONTEXT, bytes(70_000)) == 0
    assert dict(log._health.pairs())[counts.UNJOURNALED_EVENT] == 1
    assert log.append(2000, record_layout.BUTTON, BUTTON) > 0
    assert written(log) == [(2000, record_layout.BUTTON)]
