"""A wearable that restarted gets again what is still valid, once, with its true age; the screen says what it holds."""

import pytest
from crs_core import codes, context
from crs_core.wire import message as wire

from host_agent.errors import AnswerTimeout, RequestRefused
from host_agent.people.outgoing import message_of
from host_agent.people.sender import Session
from host_agent.store.db import Store
from host_agent.views.context_rows import rows_in_force, waits_for
from tests.host.people.people_world import HOUR_MS, MIN_MS, PeopleWorld
from tests.host.people.sending_laptop import Client, Laptop
from tests.host.people.wearable_rows import WearableJournal, WearableRows

IN_FORCE = "in force on the wearable"
AGAIN = "on this laptop only: the wearable dropped it at its restart, being sent again"


@pytest.fixture
def bed(tmp_path):
    made = PeopleWorld(tmp_path)
    made.rows = WearableRows(made)
    made.rows.started(5 * HOUR_MS)
    made.wearable = WearableJournal(made.rows)
    yield made
    made.store.close()


@pytest.fixture
async def laptop(bed):
    made = Laptop(bed)
    yield made
    await made.close()


def held(bed):
    """{key: what the screen says that the wearable holds of it}."""
    return {
        row["key"]: row["wearable"] for row in bed.store.read_now(lambda tx: rows_in_force(tx, 1, bed.now_ms))
    }


def sent(bed, since=0):
    """[(age in min, numbers)] of what the wearable got."""
    return [(round(age_ms / MIN_MS), numbers) for age_ms, _, numbers in bed.wearable.got[since:]]


async def test_what_is_still_valid_comes_again_at_once_with_its_age_and_the_screen_says_so(bed, laptop):
    bed.enter(bed.nurse, oxygen="room_air", blood_pressure="normal", ice=10)
    await laptop.session()
    assert set(held(bed).values()) == {IN_FORCE}
    bed.now_ms += 30 * MIN_MS
    bed.wearable.restarts()
    assert bed.wearable.in_force() == {} and set(held(bed).values()) == {AGAIN}
    await laptop.session()
    assert sent(bed, 1) == [(30, {context.OXYGEN: 0, context.BLOOD_PRESSURE: 0, context.ICE: 10})]
    assert bed.wearable.got[0][1] == bed.wearable.got[1][1], "under the same proof"
    assert set(held(bed).values()) == {IN_FORCE} and bed.wearable.in_force()["oxygen"] == "room_air"
    for _ in range(3):
        await laptop.turn()
        await laptop.session()
    assert len(bed.wearable.got) == 2, "once in a boot, however often the link opens"


async def test_what_expired_meanwhile_never_comes_again(bed, laptop):
    bed.enter(bed.nurse, ago_ms=3 * HOUR_MS + 50 * MIN_MS, oxygen="room_air")
    bed.enter(bed.nurse, blood_pressure="normal")
    await laptop.session()
    bed.now_ms += 20 * MIN_MS
    bed.wearable.restarts()
    await laptop.session()
    assert sent(bed, 2) == [(20, {context.BLOOD_PRESSURE: 0})]
    assert held(bed) == {"blood_pressure": IN_FORCE, "oxygen": "no longer counts on the wearable"}
    bed.now_ms += 4 * HOUR_MS
    bed.wearable.restarts()
    await laptop.session()
    assert len(bed.wearable.got) == 3


async def test_a_fever_shortens_how_long_reassurance_comes_again(bed, laptop):
    bed.enter(bed.nurse, oxygen="room_air")
    await laptop.session()
    bed.now_ms += 30 * MIN_MS
    bed.rows.grade(codes.FEVER_MET)
    bed.wearable.restarts()
    await laptop.session()
    assert len(bed.wearable.got) == 1, "a newer sign contradicts it"


async def test_what_has_no_time_limit_is_kept_by_the_wearable_and_not_sent_again(bed, laptop):
    bed.enter(bed.nurse, anticytokine=True, antipyretic=True)
    await laptop.session()
    bed.now_ms += HOUR_MS
    bed.wearable.restarts()
    assert held(bed) == {"anticytokine": IN_FORCE, "antipyretic": AGAIN}
    await laptop.session()
    assert sent(bed, 1) == [(60, {context.ANTIPYRETIC: 1})] and set(held(bed).values()) == {IN_FORCE}


async def test_two_restarts_before_the_laptop_is_back_are_one_sending(bed, laptop):
    bed.enter(bed.nurse, ice=7)
    await laptop.session()
    for _ in range(2):
        bed.now_ms += 10 * MIN_MS
        bed.wearable.restarts()
    await laptop.session()
    assert sent(bed, 1) == [(20, {context.ICE: 7})] and bed.wearable.in_force() == {"ice": 7}


async def test_a_laptop_that_restarted_in_between_knows_it_from_the_store(bed, laptop):
    bed.enter(bed.nurse, ice=7)
    await laptop.session()
    await laptop.close()
    bed.now_ms += 10 * MIN_MS
    bed.wearable.restarts()
    path = bed.store.path
    bed.store.close()
    bed.store = Store(path)
    again = Laptop(bed)
    await again.session()
    assert sent(bed, 1) == [(10, {context.ICE: 7})]
    await again.close()
    third = Laptop(bed)
    await third.session()
    await third.close()
    assert len(bed.wearable.got) == 2


async def test_a_session_whose_records_are_not_here_yet_waits_for_them(bed, laptop):
    """In them there may be a sign that ends what would be sent."""
    bed.enter(bed.nurse, ice=10)
    await laptop.session()
    bed.now_ms += MIN_MS
    bed.wearable.restarts()
    await laptop.session(is_caught_up=False)
    assert len(bed.wearable.got) == 1
    bed.rows.alarm(codes.PATIENT_BUTTON, 3)
    await laptop.session()
    assert len(bed.wearable.got) == 1 and held(bed) == {"ice": "no longer counts on the wearable"}


async def test_what_was_superseded_withdrawn_or_corrected_does_not_come_again(bed, laptop):
    wrong = bed.enter(bed.nurse, ice=7, oxygen="room_air")
    bed.enter(bed.nurse, corrects=wrong.entry.id, ice=5)
    bed.enter(bed.nurse, oxygen=None)
    await laptop.session()
    bed.now_ms += MIN_MS
    bed.wearable.restarts()
    bed.enter(bed.nurse, blood_pressure="hypotension")
    await laptop.session()
    assert [numbers for _, numbers in sent(bed, 3)] == [{context.ICE: 5}, {context.BLOOD_PRESSURE: 1}]


async def test_a_newer_entry_that_waits_takes_the_place_of_the_older_one(bed, laptop):
    bed.enter(bed.nurse, blood_pressure="normal")
    await laptop.session()
    bed.wearable.restarts()
    bed.now_ms += MIN_MS
    bed.enter(bed.nurse, blood_pressure="hypotension")
    assert held(bed) == {"blood_pressure": "on this laptop only, being sent"}
    await laptop.session()
    assert [numbers for _, numbers in sent(bed, 1)] == [{context.BLOOD_PRESSURE: 1}]


async def test_what_another_laptop_entered_later_is_not_overwritten(bed, laptop):
    bed.enter(bed.nurse, ice=10, oxygen="room_air")
    await laptop.session()
    bed.now_ms += 5 * MIN_MS
    bed.wearable.takes(context.encode(0, b"ANOTHER1", {context.ICE: 3}))
    replaced = "on this laptop only: a newer entry took its place on the wearable"
    assert held(bed) == {"ice": replaced, "oxygen": IN_FORCE}
    bed.wearable.restarts()
    await laptop.session()
    assert [numbers for _, numbers in sent(bed, 2)] == [{context.OXYGEN: 0}]


async def test_without_an_answer_it_is_tried_again_before_anything_newer(bed, laptop):
    bed.enter(bed.nurse, ice=7)
    await laptop.session()
    bed.now_ms += MIN_MS
    bed.wearable.restarts()
    bed.enter(bed.nurse, oxygen="face_mask")
    bed.wearable.fails = [AnswerTimeout("late"), RequestRefused("flash", wire.RESULT_FAILED)]
    await laptop.session()
    assert len(bed.wearable.got) == 1
    await laptop.turn()
    assert len(bed.wearable.got) == 1
    await laptop.turn()
    assert [numbers for _, numbers in sent(bed, 1)] == [{context.ICE: 7}, {context.OXYGEN: 4}]


async def test_what_the_wearable_refuses_now_is_refused_and_said(bed, laptop):
    bed.enter(bed.nurse, ice=7)
    await laptop.session()
    bed.wearable.restarts()
    bed.wearable.fails = [RequestRefused("key 12 is unknown", wire.RESULT_BAD_VALUE)]
    await laptop.session()
    assert held(bed) == {"ice": "refused by the wearable (key 12 is unknown)"}
    await laptop.session()
    assert len(bed.wearable.got) == 1


async def test_the_record_decides_and_not_what_was_sent(bed, laptop):
    bed.enter(bed.nurse, ice=7)
    await laptop.session()
    bed.rows.write("DELETE FROM events")
    assert held(bed) == {"ice": "on this laptop only: the wearable took it, and its record is not here yet"}
    await laptop.turn()
    assert len(bed.wearable.got) == 1, "its record may come later in this session"
    await laptop.close()
    again = Laptop(bed)
    await again.session()
    await again.close()
    assert len(bed.wearable.got) == 2 and held(bed) == {"ice": IN_FORCE}, "a lost record is made up for"


async def test_another_wearable_gets_nothing_of_this_one(bed, laptop):
    bed.enter(bed.nurse, ice=7)
    await laptop.session()
    bed.wearable.restarts()
    other = WearableJournal(bed.rows)
    laptop.sessions[:] = [Session(2, Client(other), 1, True)]
    await laptop.turn()
    assert other.got == []


@pytest.mark.parametrize("step_min, age_min", [(20, 60), (-9, 40), (-600, None)])
async def test_a_step_of_the_clock_never_makes_an_entry_younger(bed, laptop, step_min, age_min):
    """The wearable ran ten minutes since, which needs no clock. A clock that stands before the entry knows no age."""
    bed.enter(bed.nurse, ago_ms=30 * MIN_MS, ice=7)
    await laptop.session()
    bed.now_ms += 10 * MIN_MS
    bed.wearable.restarts()
    bed.now_ms += step_min * MIN_MS
    await laptop.session()
    assert sent(bed, 1) == ([] if age_min is None else [(age_min, {context.ICE: 7})])


async def test_a_clock_put_right_in_the_same_session_is_looked_at_again(bed, laptop):
    bed.enter(bed.nurse, ago_ms=5 * MIN_MS, ice=7)
    await laptop.session()
    bed.now_ms += 10 * MIN_MS
    bed.wearable.restarts()
    bed.now_ms -= 40 * MIN_MS
    await laptop.session()
    assert sent(bed, 1) == []
    bed.now_ms += 40 * MIN_MS
    await laptop.turn()
    assert sent(bed, 1) == [(15, {context.ICE: 7})]


async def test_a_damaged_row_from_before_holds_back_nothing_newer(bed, laptop):
    bed.enter(bed.nurse, ice=7)
    await laptop.session()
    bed.rows.write("UPDATE context_outgoing SET numbers = '[]'")
    bed.wearable.restarts()
    bed.enter(bed.nurse, oxygen="face_mask")
    await laptop.session()
    assert [numbers for _, numbers in sent(bed, 1)] == [{context.OXYGEN: 4}]


async def test_an_entry_from_just_after_this_clock_waits_and_is_never_sent_as_new(bed, laptop):
    bed.enter(bed.nurse, ago_ms=60 * MIN_MS, oxygen="room_air")
    bed.now_ms -= 65 * MIN_MS
    await laptop.session()
    assert sent(bed) == [] and "this laptop's clock stands before it" in held(bed)["oxygen"]
    bed.now_ms += 95 * MIN_MS
    await laptop.turn()
    assert sent(bed) == [(90, {context.OXYGEN: 0})]


async def test_an_entry_from_a_clock_that_stood_far_ahead_is_refused_and_holds_back_nothing(bed, laptop):
    """When its time comes it would pass for new, days later."""
    bed.enter(bed.nurse, oxygen="room_air")
    bed.now_ms -= 48 * HOUR_MS
    bed.enter(bed.nurse, oxygen="face_mask")
    await laptop.session()
    assert [numbers for _, numbers in sent(bed)] == [{context.OXYGEN: 4}]
    bed.now_ms += 49 * HOUR_MS
    await laptop.turn()
    assert len(sent(bed)) == 1
    assert bed.query("SELECT state FROM context_outgoing ORDER BY audit") == [("refused",), ("journaled",)]


async def test_a_risen_oxygen_need_is_not_sent_again_so_that_its_rise_is_not_forgotten(bed, laptop):
    bed.enter(bed.nurse, oxygen="nasal_cannula_low", flow_lpm=2)
    bed.now_ms += 20 * MIN_MS
    bed.enter(bed.nurse, oxygen="nasal_cannula_low", flow_lpm=4, ice=9)
    await laptop.session()
    bed.now_ms += 20 * MIN_MS
    bed.wearable.restarts()
    await laptop.session()
    assert [numbers for _, numbers in sent(bed, 2)] == [{context.ICE: 9}]
    assert held(bed)["oxygen"] == "on this laptop only: the wearable dropped it. Enter it again"


async def test_an_old_store_without_any_record_of_the_restart_knows_what_to_send(bed):
    """What an earlier version marked as journaled is found by its proof."""
    bed.enter(bed.nurse, ice=7)
    item = bed.queued()[0]
    bed.wearable.takes(message_of(item, bed.now_ms))
    bed.rows.write("UPDATE context_outgoing SET state = 'journaled', attempts = 1, done_utc_ms = 1")
    assert held(bed) == {"ice": IN_FORCE}
    bed.wearable.restarts()
    laptop = Laptop(bed)
    await laptop.session()
    await laptop.close()
    assert [numbers for _, numbers in sent(bed, 1)] == [{context.ICE: 7}]


@pytest.mark.parametrize(
    "seen, words",
    [(None, "waiting for the agent: cytowatch run"), ({}, "waiting for the link"),
     ({"link": {"state": "lost"}}, "waiting for the link"), ({"link": {"state": "open"}}, "being sent")],
)  # fmt: skip
def test_nothing_is_being_sent_without_a_link(bed, seen, words):
    bed.enter(bed.nurse, oxygen="room_air")
    (row,) = bed.store.read_now(lambda tx: rows_in_force(tx, 1, bed.now_ms, waits_for(seen)))
    assert row["wearable"] == f"on this laptop only, {words}"
