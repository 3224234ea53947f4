"""The data watchdog's rules: silence gets louder, from start-up on, and only data or `patient end` quiets it."""

import pytest
from crs_core.codes import FUTURE_DATA, NO_DATA_YET, NOT_BACK, STALE_DATA

from host_agent.config.model import WatchdogSection
from host_agent.escalation.checks.silence_rules import BOUND, ENDED, UNBOUND, Facts, Limits, findings

LIMITS = Limits(**WatchdogSection().model_dump())
LOW, MEDIUM, HIGH = 1, 2, 3


def facts(**change) -> Facts:
    usual = Facts(
        running_s=10_000, newest_age_s=5, has_data=True, ahead_s=0, recent_priority=0, binding=BOUND
    )
    return usual._replace(**change)


def found(**change):
    return [(finding.alarm, finding.priority) for finding in findings(facts(**change), LIMITS)]


def test_fresh_data_raises_nothing():
    assert found() == []


@pytest.mark.parametrize(
    "running_s, expected",
    [(0, []), (119, []), (120, [(NO_DATA_YET, LOW)]), (899, [(NO_DATA_YET, LOW)]), (900, [(NO_DATA_YET, MEDIUM)]),
     (1799, [(NO_DATA_YET, MEDIUM)]), (1800, [(NO_DATA_YET, HIGH)]), (10**7, [(NO_DATA_YET, HIGH)])],
)  # fmt: skip
def test_no_data_yet_is_armed_from_start_and_grows(running_s, expected):
    assert found(running_s=running_s, newest_age_s=None, has_data=False) == expected


@pytest.mark.parametrize(
    "age_s, expected",
    [(179, []), (180, [(STALE_DATA, LOW)]), (900, [(STALE_DATA, MEDIUM)]), (1800, [(STALE_DATA, HIGH)])],
)
def test_stale_grows_with_age(age_s, expected):
    assert found(newest_age_s=age_s) == expected


def test_after_a_restart_the_age_of_older_data_counts_but_the_link_gets_its_time():
    assert found(running_s=100, newest_age_s=7200, has_data=False) == []
    assert found(running_s=120, newest_age_s=7200, has_data=False) == [(NO_DATA_YET, HIGH)]


@pytest.mark.parametrize("recent", [MEDIUM, HIGH])
def test_it_starts_at_the_priority_of_the_last_hours_alarm(recent):
    assert found(newest_age_s=180, recent_priority=recent) == [(STALE_DATA, recent)]
    assert found(running_s=120, newest_age_s=None, has_data=False, recent_priority=recent) == [
        (NO_DATA_YET, recent)
    ]
    assert found(ahead_s=61, recent_priority=recent) == [(FUTURE_DATA, recent)]


def test_future_is_beyond_the_tolerance_only_and_stands_beside_silence():
    assert found(ahead_s=60) == [] and found(ahead_s=61) == [(FUTURE_DATA, LOW)]
    assert found(ahead_s=3600, newest_age_s=2000) == [(STALE_DATA, HIGH), (FUTURE_DATA, LOW)]


def test_never_bound_is_told_and_does_not_grow():
    assert found(running_s=9999, newest_age_s=None, has_data=False, binding=UNBOUND) == [(NO_DATA_YET, LOW)]


def test_after_patient_end_it_is_disarmed():
    assert found(running_s=9999, newest_age_s=9999, binding=ENDED) == []


def test_details_say_how_long():
    finding = findings(facts(newest_age_s=3725), LIMITS)[0]
    assert finding.detail == "the newest data is 1 h 2 min old"


@pytest.mark.parametrize("age_s", [5, 180, 900, 1800, None])
@pytest.mark.parametrize("has_data", [True, False])
def test_a_planned_pause_holds_silence_back_until_its_end_and_not_a_second_longer(age_s, has_data):
    silent = {"newest_age_s": age_s, "has_data": has_data, "recent_priority": HIGH}
    assert found(**silent, pause_left_s=0.5) == []
    over = found(**silent, pause_left_s=0)
    assert over == ([] if age_s == 5 and has_data else found(**silent) and [(NOT_BACK, HIGH)])


def test_not_back_is_high_at_once_and_stays_until_data_comes():
    assert found(newest_age_s=1200, pause_left_s=-1) == [(NOT_BACK, HIGH)]
    assert found(newest_age_s=9999, pause_left_s=-8000) == [(NOT_BACK, HIGH)]
    assert found(newest_age_s=None, has_data=False, pause_left_s=-1) == [(NOT_BACK, HIGH)]
    assert found(newest_age_s=2, pause_left_s=-8000) == []


def test_silence_that_began_after_the_pause_grows_as_ever():
    assert found(newest_age_s=180, pause_left_s=-181) == [(STALE_DATA, LOW)]
    assert found(newest_age_s=180, pause_left_s=-180) == [(NOT_BACK, HIGH)]


def test_a_pause_hides_nothing_else_and_says_what_is_late():
    assert found(ahead_s=61, pause_left_s=600) == [(FUTURE_DATA, LOW)]
    assert findings(facts(newest_age_s=1260, pause_left_s=-60), LIMITS)[0].detail == (
        "the planned pause ended 1 min ago; the newest data is 21 min old"
    )
