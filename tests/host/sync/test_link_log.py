"""What the log shows of a link that fails again and again."""

import logging

import pytest

from host_agent.link.supervisor import LinkReport, LinkState
from host_agent.sync.live import Hooks, LiveViews
from tests.fakes.fake_clock import FakeClock

NOTHING = Hooks(lambda: None, lambda view: None, lambda *about: None, lambda *about: None)


@pytest.fixture
def tell(caplog):
    """Report states of one port, 5 s apart."""
    caplog.set_level(logging.INFO)
    clock = FakeClock()
    views = LiveViews(clock, NOTHING)
    reports = []

    def report(state, reason):
        one = LinkReport(
            "/dev/ttyX", state, reason, "", "Connect the wearable.", clock.utc_ms(), None, 0, None
        )
        views.on_report(reports[-1] if reports else None, one)
        reports.append(one)

    return report


def test_a_missing_wearable_is_one_line_and_then_a_count(tell, caplog):
    for attempt in range(1000):
        tell(LinkState.OPENING, "opening the port")
        tell(LinkState.LOST, f"There is no port /dev/ttyX (try {attempt})")
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == "/dev/ttyX: lost, There is no port /dev/ttyX (try 0). Connect the wearable."
    tell(LinkState.OPEN, "in session")
    lines = [record.getMessage() for record in caplog.records]
    assert lines[1].startswith("/dev/ttyX: in session again (faults: 1000 within ")


def test_a_link_that_comes_and_goes_is_counted_as_well(tell, caplog):
    for _ in range(1000):
        tell(LinkState.OPEN, "in session")
        tell(LinkState.LOST, "The wearable stopped reading")
    assert len(caplog.records) < 6


def test_what_people_do_to_a_link_is_always_written(tell, caplog):
    for _ in range(3):
        tell(LinkState.RELEASED, "released for 60 s")
        tell(LinkState.OPENING, "opening the port")
    assert len(caplog.records) == 3
