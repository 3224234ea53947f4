"""A fault that repeats is logged once, then counted, and logged again at pauses that grow."""

import logging

import pytest

from host_agent.repeated_log import RepeatedFaults


@pytest.fixture
def log():
    """(says(text), advance(seconds), lines): one handler behind the filter."""
    now = [0.0]
    lines = []

    class Handler(logging.Handler):
        def emit(self, record):
            lines.append(record.getMessage())

    handler = Handler()
    handler.addFilter(RepeatedFaults(lambda: now[0]))
    logger = logging.Logger("x")
    logger.addHandler(handler)

    def advance(seconds):
        now[0] += seconds

    return logger, advance, lines


def test_a_day_of_one_fault_each_second_is_some_dozen_lines(log):
    logger, advance, lines = log
    for number in range(86_400):
        logger.error("target ward: no answer within %d s", number % 7)
        advance(1)
    assert len(lines) < 40 and lines[0] == "target ward: no answer within 0 s"
    assert "(59 more times since it was logged last)" in lines[1]


def test_faults_that_alternate_are_each_counted_for_itself(log):
    logger, advance, lines = log
    for _ in range(30):
        logger.warning("c0ffee01 is lost")
        logger.warning("c0ffee02 is lost")
        advance(1)
    assert lines == ["c0ffee01 is lost", "c0ffee02 is lost"]


def test_what_is_no_fault_always_passes_and_a_fault_after_a_long_rest_is_new(log):
    logger, advance, lines = log
    for _ in range(3):
        logger.info("in session")
    logger.error("x")
    advance(100)
    logger.error("x")
    assert lines == ["in session"] * 3 + ["x", "x"]


def test_the_memory_of_faults_is_bounded(log):
    logger, _, lines = log
    for number in range(5000):
        logger.error("fault %s", f"a{number}")
    assert len(lines) == 5000
    (handler,) = logger.handlers
    (faults,) = handler.filters
    assert len(faults._faults) <= 500
