"""A fault that repeats is written once, then counted with growing pauses, and its end is written."""

import logging

import pytest

from host_agent.fault_log import FaultLog
from tests.fakes.fake_clock import FakeClock

LOG = logging.getLogger("cytowatch.test")


class HandClock(FakeClock):
    """Nobody sleeps on it, so it moves without an event loop."""

    def move(self, seconds):
        self._now_s += seconds


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def faults(clock, caplog):
    caplog.set_level(logging.INFO)
    return FaultLog(LOG, clock)


def lines(caplog):
    return [record.getMessage() for record in caplog.records]


def test_a_day_of_one_fault_is_a_few_lines_that_count_it(faults, clock, caplog):
    for _ in range(86_400):
        faults.tell("ward", "ward: connection refused")
        clock.move(1)
    written = lines(caplog)
    assert written[0] == "ward: connection refused" and len(written) < 40
    assert written[1] == "ward: connection refused (59 more since the last line)"
    counted = sum(1 + int(line.partition("(")[2].partition(" ")[0] or 0) for line in written)
    assert 86_400 - 3600 <= counted <= 86_400


def test_numbers_that_change_make_no_other_fault_and_other_words_do(faults, clock, caplog):
    for attempt in range(50):
        faults.tell("ward", f"try {attempt} at port {40000 + attempt} (0x{attempt:x}) failed")
        faults.tell("ward", "no route to host")
        clock.move(1)
    assert lines(caplog) == ["try 0 at port 40000 (0x0) failed", "no route to host"]


def test_endless_new_words_of_one_subject_are_bounded(faults, clock, caplog):
    for at in range(500):
        faults.tell("ward", "answer " + "x" * (at % 100 + 1))
        clock.move(0.01)
    assert len(lines(caplog)) == 8


def test_the_end_is_written_with_the_count_and_only_after_a_written_fault(faults, clock, caplog):
    faults.over("ward", "ward: reached again")
    assert lines(caplog) == []
    for _ in range(10):
        faults.tell("ward", "ward: connection refused")
        clock.move(5)
    faults.over("ward", "ward: reached again")
    faults.over("ward", "ward: reached again")
    assert lines(caplog) == ["ward: connection refused", "ward: reached again (faults: 10 within 50 s)"]


def test_a_fault_that_comes_and_goes_is_written_no_more_often_than_one_that_stays(faults, clock, caplog):
    for _ in range(43_200):
        faults.tell("ward", "ward: connection refused")
        clock.move(1)
        faults.over("ward", "ward: reached again")
        clock.move(1)
    written = lines(caplog)
    assert len(written) < 80
    # whatever was written last is what holds
    assert written[-1].startswith("ward: reached again")


def test_a_fault_that_is_tried_seldom_is_counted_as_well(faults, clock, caplog):
    for _ in range(288):
        faults.tell("ward", "ward: connection refused")
        clock.move(300)
    assert len(lines(caplog)) < 40


def test_a_fault_that_returns_after_a_quiet_time_is_written_at_once(faults, clock, caplog):
    faults.tell("ward", "ward: connection refused")
    faults.over("ward", "ward: reached again")
    clock.move(4000)
    faults.tell("ward", "ward: connection refused")
    assert len(lines(caplog)) == 3


def test_subjects_are_apart_and_bounded(faults, clock, caplog):
    for at in range(5000):
        faults.tell(f"receiver {'x' * at}", "refused")
    assert len(lines(caplog)) == 5000 and len(faults._faults) <= 500


def test_the_traceback_goes_with_a_written_line_alone(faults, caplog):
    for _ in range(3):
        try:
            raise ValueError("broken")
        except ValueError as error:
            faults.tell("check", "internal error", error=error)
    assert [bool(record.exc_info) for record in caplog.records] == [True]
