"""One state from all facts: over every combination, no two statements of a screen contradict each other."""

import itertools

import pytest
from crs_core.codes import HYPOXAEMIA, LOW_BATTERY, STALE_DATA

from host_agent.text import local_time
from host_agent.views import device_state as states
from host_agent.views.device_state import AlarmFact, Battery, Facts, device_state

NOW_MS = 1_800_000_000_000
MIN_MS = 60_000
BOTH = {"has_temperature": True, "has_oxygen": True}
FULL = Battery({"percent": 80, "hours_left": 9, "charging": False}, 0.0)
LOW = AlarmFact(LOW_BATTERY, True)
OXYGEN = AlarmFact(HYPOXAEMIA, True, since_utc_ms=NOW_MS - 9 * MIN_MS)
UNTIL = local_time(NOW_MS + 5 * MIN_MS, with_seconds=False)
ACCEPTED = AlarmFact(HYPOXAEMIA, True, "nurse-1", NOW_MS + 5 * MIN_MS)
LAPSED = AlarmFact(HYPOXAEMIA, True, "nurse-1", NOW_MS - 1)
HOST = AlarmFact(STALE_DATA, False)

# Every value that a fact can take; the screen is derived for every combination of them.
TABLE = {
    "link": ["", "open", "lost", "released", "at_repl", "never opened"],
    "was_heard": [False, True],
    "is_in_maintenance": [False, True],
    "live_age_s": [None, 1.0, 300.0],
    "has_temperature": [False, True],
    "has_oxygen": [False, True],
    "says_paused": [False, True],
    "pause_until_utc_ms": [None, NOW_MS + 9 * MIN_MS, NOW_MS - MIN_MS],
    "last_value_utc_ms": [None, NOW_MS - 7 * MIN_MS, NOW_MS + 7 * MIN_MS],
    "last_contact_utc_ms": [NOW_MS - 3 * MIN_MS],
    "sound_paused_until_utc_ms": [None, NOW_MS + MIN_MS, NOW_MS - MIN_MS],
}


def every_combination(**fixed):
    facts = Facts(
        NOW_MS, pause_why="charging", battery=FULL, alarms=(LOW, OXYGEN, ACCEPTED, LAPSED, HOST), **fixed
    )  # fmt: skip
    for values in itertools.product(*TABLE.values()):
        yield facts._replace(**dict(zip(TABLE, values, strict=True)))


@pytest.mark.parametrize("is_low", [False, True])
@pytest.mark.parametrize(
    "named", [frozenset(), frozenset({LOW_BATTERY, HYPOXAEMIA})], ids=["ended", "raised"]
)
def test_no_two_statements_of_one_screen_contradict_each_other(named, is_low):
    for facts in every_combination(live_alarms=named, is_battery_low=is_low):
        state = device_state(facts)
        texts = (state.text, state.patient_text, state.battery, *state.alarms)
        fresh = facts.link == "open" and facts.live_age_s == 1.0 and not facts.is_in_maintenance
        # measuring is said exactly when values of now are there, and nothing else is said beside it
        assert (state.word == states.MEASURING) == (fresh and (facts.has_temperature or facts.has_oxygen)), (
            facts
        )
        assert ("oxygen not measured" in state.text) <= (not facts.has_oxygen), facts
        assert ("temperature not measured" in state.text) <= (not facts.has_temperature), facts
        assert state.shows_live == (
            fresh and state.word in (states.MEASURING, states.PAUSED, states.NOT_MEASURING)
        )
        assert not (state.word == states.MEASURING and "not measuring" in state.text), facts
        assert not (state.word == states.PAUSED and fresh and not facts.says_paused), facts
        # a sound is only said of a wearable that is heard now, and never while it is paused or accepted
        sounding = [text for text in state.alarms if text.startswith("sounding")]
        assert not sounding or (state.shows_live and HYPOXAEMIA in named), facts
        is_silent = (facts.sound_paused_until_utc_ms or 0) > NOW_MS
        assert not (sounding and is_silent), facts
        assert (
            state.alarms[2].startswith("accepted by nurse-1") and "accepted by nurse-1" not in state.alarms[3]
        )
        assert "sound" not in state.alarms[4], "an alarm of the laptop does not sound at the wearable"
        # one statement about the battery
        low_now = is_low or LOW_BATTERY in named if state.shows_live else True
        assert ("80 %" in state.battery) != low_now and state.battery.startswith("low") == low_now, facts
        # a time that lies ahead is never said to be past, and nothing is negative
        assert (
            "-" not in state.text.replace("well-", "")
            and local_time(NOW_MS + 7 * MIN_MS, with_seconds=False) not in state.text
        )
        # no link is dated by the last contact, and a pause that is over is neither planned nor told while measuring
        last_value = f"since {local_time(NOW_MS - 7 * MIN_MS, with_seconds=False)}"
        assert not (state.word == states.NO_LINK and last_value in state.text), facts
        was_over = "was over at" in state.text
        assert not (was_over and (state.word == states.MEASURING or "as planned" in state.text)), facts
        # nothing reassures
        assert not any(
            word in text for text in texts for word in ("normal", "fine", "safe", " OK", "no alarm")
        )


@pytest.mark.parametrize(
    "change, word, text",
    [
        ({}, "never_heard", "never heard of on this laptop"),
        ({"was_heard": True}, "not_watched", "no agent answers on this laptop. What it measures now is not"),
        ({"link": "lost", "was_heard": True, "last_contact_utc_ms": NOW_MS - MIN_MS,
          "last_value_utc_ms": NOW_MS - 9 * MIN_MS}, "no_link", "no link since {-1}. "),
        ({"link": "open"}, "no_values_yet", "linked, its first values are still to come"),
        ({"link": "open", "live_age_s": 41.0, **BOTH}, "no_values_yet", "linked, but no new value has come for 41 s"),
        ({"link": "open", "live_age_s": 19.0, **BOTH}, "measuring", "measuring now"),
        ({"link": "open", "live_age_s": 61.0, "interval_s": 60.0, **BOTH}, "measuring", "measuring now"),
        ({"link": "open", "live_age_s": 1.0, **BOTH}, "measuring", "measuring now"),
        ({"link": "open", "live_age_s": 1.0, "has_temperature": True}, "measuring", "measuring the temperature alone"),
        ({"link": "open", "live_age_s": 1.0, "has_oxygen": True}, "measuring", "measuring oxygen and pulse alone now"),
        ({"link": "open", "live_age_s": 1.0, "last_value_utc_ms": NOW_MS - MIN_MS, "is_caught_up": True},
         "not_measuring", "not measuring since {-1}. Check the strap; take the temperature by hand."),
        ({"link": "open", "live_age_s": 1.0, "last_value_utc_ms": NOW_MS - MIN_MS}, "not_measuring",
         "not measuring. Check the strap; take the temperature by hand."),
        ({"link": "open", "live_age_s": 1.0, "says_paused": True, "pause_until_utc_ms": NOW_MS - MIN_MS},
         "not_measuring", "not measuring: the planned pause for washing was over at {-1}. Put it on again."),
        ({"link": "open", "live_age_s": 1.0, "pause_until_utc_ms": NOW_MS - MIN_MS}, "not_measuring",
         "not measuring: the planned pause for washing was over at {-1}. Put it on again."),
        ({"link": "open", "live_age_s": 1.0, "says_paused": True, "pause_until_utc_ms": NOW_MS + 9 * MIN_MS}, "paused",
         "not measuring, as planned: planned pause for washing, 9 min left, back by {9}."),
        ({"link": "open", "live_age_s": 1.0, **BOTH, "pause_until_utc_ms": NOW_MS + 9 * MIN_MS},
         "measuring", "measuring now, although this was announced: planned pause for washing, 9 min left, back by {9}"),
        ({"link": "open", "live_age_s": 1.0, "pause_until_utc_ms": NOW_MS + 9 * MIN_MS}, "not_measuring",
         "not measuring (planned pause for washing, 9 min left, back by {9})."),
        ({"link": "lost", "was_heard": True, "pause_until_utc_ms": NOW_MS + 9 * MIN_MS}, "paused", "not measuring, as"),
        ({"link": "lost", "was_heard": True, "pause_until_utc_ms": NOW_MS - MIN_MS}, "no_link",
         "no link. What it measures now is not known here. Announced: the planned pause for washing was over at {-1}."),
        ({"link": "at_repl", "was_heard": True}, "program_stopped", "not monitoring: its program is stopped."),
        ({"link": "released", "lent_until_utc_ms": NOW_MS + 9 * MIN_MS}, "lent", "not watched: its port is lent"),
        ({"link": "open", "is_in_maintenance": True, "live_age_s": 1.0}, "maintenance", "not monitoring: in mainten"),
    ],
)  # fmt: skip
def test_each_state_has_its_sentence(change, word, text):
    state = device_state(Facts(NOW_MS, pause_why="washing", **change))
    clock = {str(minutes): local_time(NOW_MS + minutes * MIN_MS, with_seconds=False) for minutes in (-1, 9)}
    for name, at in clock.items():
        text = text.replace(f"{{{name}}}", at)
    assert state.word == word and state.text.startswith(text), state.text


@pytest.mark.parametrize(
    "alarm, change, text",
    [
        (OXYGEN, {}, "sounding, nobody has accepted it"),
        (OXYGEN, {"sound_paused_until_utc_ms": NOW_MS + MIN_MS}, "sound paused at the wearable until "),
        (ACCEPTED, {}, "accepted by nurse-1, until "),
        (
            ACCEPTED._replace(is_untold=True),
            {},
            f"accepted by nurse-1, until {UNTIL}, not yet on the wearable",
        ),
        (LAPSED, {}, "sounding, nobody has accepted it"),
        (
            OXYGEN,
            {"live_alarms": frozenset()},
            "the wearable does not raise it now; the record of its end is still",
        ),
        (
            OXYGEN,
            {"live_alarms": frozenset(), "live_alarms_utc_ms": NOW_MS},
            "the wearable does not raise it now",
        ),
        (
            OXYGEN,
            {"live_alarms": frozenset(), "live_alarms_utc_ms": NOW_MS - 9 * MIN_MS},
            "just raised, nobody has",
        ),
        (
            OXYGEN,
            {"link": "lost", "was_heard": True},
            "nobody has accepted it; whether it sounds now is not known",
        ),
        (HOST, {}, "raised by this laptop, nobody has accepted it"),
    ],
)
def test_what_is_known_of_the_sound_of_an_alarm(alarm, change, text):
    facts = Facts(
        NOW_MS, link="open", live_age_s=1.0, **BOTH, live_alarms=frozenset({HYPOXAEMIA}), alarms=(alarm,)
    )  # fmt: skip
    assert device_state(facts._replace(**change)).alarms[0].startswith(text)


@pytest.mark.parametrize(
    "binding, is_quarantined, text",
    [
        ("active", False, ""),
        ("active", True, "the wearable's records belong to nobody known here: they are kept and not graded"),
        ("", True, "nobody is bound: nothing is graded. Bind: cytowatch patient start"),
        ("", False, "nobody is bound: nothing is graded. Bind: cytowatch patient start"),
        ("starting", False, "the binding is starting: the wearable has not taken it yet"),
        ("ending", False, "the binding is ending: nothing new is graded"),
    ],
)
def test_for_whom_it_measures_is_said_when_that_is_not_simply_the_patient(binding, is_quarantined, text):
    assert device_state(Facts(NOW_MS, binding=binding, is_quarantined=is_quarantined)).patient_text == text


def test_what_is_more_than_half_a_day_ago_has_its_date():
    last_ms = NOW_MS - 2 * 86_400_000
    state = device_state(Facts(NOW_MS, link="lost", was_heard=True, last_contact_utc_ms=last_ms))
    assert f"no link since {local_time(last_ms, with_date=True, with_seconds=False)}. " in state.text
