"""The door to the journal, seen from the application: numbers, held events, gaps, faults."""

from collections.abc import Callable

import pytest
from crs_core.journal import record_layout, record_reader
from crs_device.health import GAP_COALESCED, JOURNAL_FAIL, READINGS_DROPPED, UNJOURNALED_EVENT, Health
from crs_device.journal.event_log import EventLog


class Flash:
    """A journal whose flash can refuse."""

    def __init__(self) -> None:
        self.events: list[tuple[int, int, bytes]] = []
        self.refuses = False
        self.fault = False
        self.wiping = False
        self.calls: list[str] = []  # drains of the FIFO and calls that may write to flash, in order

    def drain(self) -> None:
        self.calls.append("drain")

    def append_events(self, events: list[tuple[int, int, bytes]]) -> int:
        self.calls.append("write")
        if self.refuses:
            self.fault = True
            raise OSError(5)
        self.fault = False
        self.events += events
        return len(self.events) - len(events) + 1

    def flush(self) -> None:
        self.calls.append("write")

    def add_reading(self, reading: object) -> None:
        self.calls.append("write")
        if self.refuses:
            raise OSError(5)

    def tick(self, now_ms: int) -> None:
        self.calls.append("write")


def make() -> tuple[EventLog, Flash, Health]:
    flash, health = Flash(), Health()
    return EventLog(flash, health, flash.drain), flash, health


def types(flash: Flash) -> list[int]:
    return [kind for _, kind, _ in flash.events]


@pytest.mark.parametrize(
    "write",
    [
        lambda log: log.append(10, record_layout.BUTTON, b"\1"),
        lambda log: log.append_all([(10, record_layout.BUTTON, b"\1")], hold=False),
        lambda log: log.add_reading(object()),
        lambda log: log.tick(700_000),
        lambda log: log.flush(),
    ],
    ids=["event", "events", "reading", "tick", "flush"],
)
def test_the_fifo_is_drained_just_before_every_write(write: Callable[[EventLog], object]) -> None:
    """A flash erase stalls the chip for 50 ms and more: nobody else has to think of it."""
    log, flash, _ = make()
    flash.refuses = True
    log.append(1, record_layout.BUTTON, b"\1")
    flash.refuses = False
    flash.calls.clear()
    write(log)
    assert flash.calls[0] == "drain" and "write" in flash.calls


def test_what_is_kept_has_a_number() -> None:
    log, flash, _ = make()
    assert log.append(10, record_layout.BUTTON, b"\1") == 1 and not log.is_faulty
    assert flash.events == [(10, record_layout.BUTTON, b"\1")]


def test_what_flash_refuses_is_numbered_zero_counted_and_offered_first() -> None:
    log, flash, health = make()
    flash.refuses = True
    assert log.append(10, record_layout.BUTTON, b"\1") == 0
    assert log.append(20, record_layout.BUTTON, b"\2") == 0 and log.is_faulty
    assert health.value(UNJOURNALED_EVENT) == 2
    flash.refuses = False
    assert log.append(30, record_layout.BUTTON, b"\1") == 3
    assert [t_ms for t_ms, _, _ in flash.events] == [10, 20, 30] and not log.is_faulty


def test_the_tick_offers_again_by_itself() -> None:
    log, flash, _ = make()
    flash.refuses = True
    log.append(10, record_layout.BUTTON, b"\1")
    flash.refuses = False
    log.tick(11_000)
    assert types(flash) == [record_layout.BUTTON]


def test_held_events_are_bounded() -> None:
    log, flash, _ = make()
    flash.refuses = True
    for t_ms in range(100):
        log.append(t_ms, record_layout.BUTTON, b"\1")
    flash.refuses = False
    log.tick(60_000)
    assert len(flash.events) == 16


def test_without_a_journal_everything_is_unjournaled_and_nothing_raises() -> None:
    health = Health()
    log = EventLog(None, health, lambda: None)
    assert log.is_faulty and log.append(1, record_layout.BUTTON, b"\1") == 0 and not log.add_reading(object())
    log.gap(1, 1, 5, 200)
    log.tick(70_000)
    log.flush()
    assert health.value(READINGS_DROPPED) == 1


def test_gaps_ride_with_another_event_at_most_once_a_minute() -> None:
    log, flash, health = make()
    for now_ms in range(0, 120_000, 1000):
        log.gap(1, 1, 10, 400)
        log.tick(now_ms)
    assert types(flash) == [], "a write for a gap alone would make the next gap"
    log.append(120_000, record_layout.BUTTON, b"\1")
    log.gap(1, 1, 10, 400)
    log.append(121_000, record_layout.BUTTON, b"\1")
    assert types(flash) == [record_layout.BUTTON, record_layout.SAMPLE_GAP, record_layout.BUTTON]
    told = record_reader.decode(record_layout.SAMPLE_GAP, flash.events[1][2])
    assert (told.lost, told.span_ms) == (1200, 48_000) and health.value(GAP_COALESCED) == 119


def test_a_gap_that_nothing_takes_along_is_told_after_ten_minutes() -> None:
    log, flash, _ = make()
    log.gap(1, 1, 10, 400)
    log.tick(599_000)
    assert types(flash) == []
    log.tick(600_000)
    assert types(flash) == [record_layout.SAMPLE_GAP]


def test_faults_are_journaled_with_their_count() -> None:
    log, flash, health = make()
    health.fault(1, 2, "bus")
    health.fault(1, 2, "bus")
    log.tick(5)
    fault = record_reader.decode(record_layout.FAULT, flash.events[0][2])
    assert (fault.subsystem, fault.code, fault.count, fault.detail) == (1, 2, 2, "bus")
    log.tick(6)
    assert len(flash.events) == 1


def test_another_journal_gets_nothing_that_belongs_to_the_one_before() -> None:
    log, flash, health = make()
    flash.refuses = True
    log.append(10, record_layout.BUTTON, b"\1")
    log.gap(1, 1, 5, 200)
    flash.refuses = False
    log.forget_held()
    log.tick(70_000)
    assert flash.events == [] and health.value(JOURNAL_FAIL) == 1
