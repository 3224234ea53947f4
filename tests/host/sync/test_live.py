"""What the running agent says of a wearable now: the newest word about its alarms, and never of another patient."""

import pytest
from crs_core import codes
from crs_core.wire import message as wire

from host_agent.control.status import _view
from host_agent.sync.live import Hooks, LiveViews
from tests.fakes.fake_clock import FakeClock

DEVICE = b"\x01" * 8
NOTHING = Hooks(
    committed=lambda: None, opened=lambda view: None, unstored=lambda *all: None, unjournaled=lambda *all: None
)  # fmt: skip
FEVER = ((codes.FEVER, 2),)
BOTH = ((codes.FEVER, 2), (codes.HYPOXAEMIA, 3))


def status_is(binding):
    return wire.StatusIs(*(binding if name == "binding_id" else 0 for name in wire.StatusIs._fields))


def live(t_ms, alarms):
    return wire.Live(t_ms, 3700, 970, 80, 150, 0, 1, 0, 4, alarms)


@pytest.fixture
def views():
    made = LiveViews(FakeClock(), NOTHING)
    made.on_open(DEVICE, None, status_is(b"a" * 8))
    return made


def alarms_now(views):
    said = _view(views.view(DEVICE), 0.0, 0.0)["live"]
    return None if said is None else [tuple(pair) for pair in said["alarms"]]


def test_an_alarm_that_rang_after_the_newest_values_is_raised(views):
    views.on_live(DEVICE, live(1000, FEVER))
    views.on_doorbell(DEVICE, wire.Alarm(5, 4000, BOTH))
    assert alarms_now(views) == list(BOTH)


def test_values_that_were_late_take_no_alarm_back(views):
    views.on_doorbell(DEVICE, wire.Alarm(5, 4000, BOTH))
    views.on_live(DEVICE, live(3000, FEVER))
    assert alarms_now(views) == list(BOTH)
    views.on_live(DEVICE, live(10_000, FEVER))
    assert alarms_now(views) == list(FEVER)


def test_values_of_one_patient_are_never_those_of_the_next(views):
    views.on_live(DEVICE, live(1000, BOTH))
    views.on_open(DEVICE, None, status_is(bytes(8)))
    assert alarms_now(views) is None
    views.on_live(DEVICE, live(9000, ()))
    assert alarms_now(views) == []


def test_an_alarm_of_the_session_before_says_nothing_about_this_one(views):
    views.on_doorbell(DEVICE, wire.Alarm(5, 900_000, BOTH))
    views.on_open(DEVICE, None, status_is(b"a" * 8))
    views.on_live(DEVICE, live(2000, FEVER))
    assert alarms_now(views) == list(FEVER)


def test_an_alarm_after_a_restart_is_newer_than_values_from_before_it(views):
    views.on_live(DEVICE, live(900_000, FEVER))
    views.on_open(DEVICE, None, status_is(b"a" * 8))
    views.on_doorbell(DEVICE, wire.Alarm(5, 2000, BOTH))
    assert alarms_now(views) == list(BOTH)
