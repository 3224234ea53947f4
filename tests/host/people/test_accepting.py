"""An account accepts or silences an alarm: who may, what is refused, and what an acceptance covers."""

import pytest
from crs_core import codes

from host_agent.people import accepting, admission
from host_agent.people.account_key import new_signer
from host_agent.people.asking import EntryRefused, MovedOn
from host_agent.people.chain_check import verify
from host_agent.store import acceptances as store
from host_agent.store.bindings import end_binding
from host_agent.store.episodes import Episode, close_episode, put_episode
from tests.host.people.people_world import MIN_MS, PeopleWorld

HIGH, MEDIUM, LOW = codes.PRIORITY_HIGH, codes.PRIORITY_MEDIUM, codes.PRIORITY_LOW


@pytest.fixture
def world(tmp_path):
    made = PeopleWorld(tmp_path)
    raise_(made, "a", HIGH)
    raise_(made, "of the other", HIGH, binding=2)
    yield made
    made.store.close()


def raise_(world, key, priority, binding=1, kind="host", alarm=codes.STALE_DATA):
    row = Episode(key, binding, None, binding, kind, alarm, priority, priority, False)
    return world.store.write_now(lambda tx: put_episode(tx, row, world.now_ms))


def values(alarms=None, **change):
    return {"alarms": alarms or {"a": HIGH}, "how": "command line", "note": "", **change}


def accept(world, signer, alarms=None, **change):
    """The acceptances that one signed entry made."""
    patient = change.pop("patient", "P-1")
    taken = world.sign(signer, "accept", values(alarms, **change), patient=patient)
    return world.store.read_now(lambda tx: store.of_audit(tx, taken.audit))


def episode(world, key="a"):
    return world.query(
        "SELECT state, accepted_by, acceptance_lapses_utc_ms FROM episodes WHERE key = ?", key
    )[0]


def end_finished(world):
    return [why for _, why in world.store.write_now(lambda tx: accepting.end_finished(tx, world.now_ms))]


@pytest.mark.parametrize("who", ["carer", "nurse", "doctor"])
def test_every_role_may_accept_and_the_acceptance_ends_in_ten_minutes(world, who):
    signer = getattr(world, who)
    (made,) = accept(world, signer, note="I am in the room ")
    assert (made.who, made.how, made.note, made.after) == (
        signer.name,
        "command line",
        "I am in the room",
        None,
    )
    assert episode(world) == ("accepted", signer.name, world.now_ms + 10 * MIN_MS)
    assert world.store.read_now(lambda tx: verify(tx, None)).problems == []


@pytest.mark.parametrize(("priority", "minutes"), [(HIGH, 10), (MEDIUM, 30), (LOW, 30)])
def test_how_long_it_holds_depends_on_the_priority(world, priority, minutes):
    raise_(world, "b", priority)
    (made,) = accept(world, world.nurse, {"b": priority})
    assert made.until_utc_ms - made.at_utc_ms == minutes * MIN_MS
    world.now_ms += minutes * MIN_MS - 1
    assert end_finished(world) == []
    world.now_ms += 1
    assert end_finished(world) == ["lapsed"] and episode(world, "b")[0] == "open"


def test_two_who_accept_at_once_are_both_kept_and_the_first_one_counts(world):
    raw = world.compose(world.nurse, "accept", values())
    late = world.compose(world.carer, "accept", values())
    world.take(*raw)
    with pytest.raises(MovedOn):
        world.take(*late)  # the command composes it again
    world.now_ms += 5000
    (second,) = accept(world, world.carer)
    first = world.store.read_now(lambda tx: store.acceptance(tx, second.after))
    assert (first.who, second.who, second.until_utc_ms) == ("nurse-1", "caregiver-1", first.until_utc_ms)
    assert episode(world)[1] == "nurse-1"


def test_accepting_again_and_again_makes_an_acceptance_no_longer(world):
    (first,) = accept(world, world.nurse)
    for _ in range(3):
        world.now_ms += 3 * MIN_MS
        accept(world, world.nurse)
    world.now_ms = first.until_utc_ms
    assert end_finished(world) == ["lapsed"] * 4
    (again,) = accept(world, world.nurse)
    assert (again.after, again.number) == (None, 5)


@pytest.mark.parametrize(
    ("alarms", "why"),
    [({"unknown": HIGH}, "no_such_alarm"), ({"of the other": HIGH}, "wrong_patient"), ({"a": MEDIUM}, "alarm_rose"),
     ({"a": 0}, "bad_value"), ({"a": 4}, "bad_value"), ({"a": True}, "bad_value"), ({}, "bad_value"),
     ({"a": HIGH, "unknown": HIGH}, "no_such_alarm")],
)  # fmt: skip
def test_what_is_not_an_alarm_of_this_patient_as_it_was_seen_is_refused(world, alarms, why):
    with pytest.raises(EntryRefused) as refused:
        world.sign(world.nurse, "accept", {**values(), "alarms": alarms})
    assert refused.value.why == why and world.refused() == {why: 1}
    assert episode(world)[0] == "open" and world.query("SELECT count(*) FROM acceptances") == [(0,)]


@pytest.mark.parametrize(
    "change", [{"how": "telepathy"}, {"note": "x" * 201}, {"note": "a\nb"}, {"note": 3}, {"more": 1}, {"alarms": []}]
)  # fmt: skip
def test_an_entry_with_other_values_is_refused(world, change):
    with pytest.raises(EntryRefused) as refused:
        world.sign(world.nurse, "accept", values() | change)
    assert refused.value.why == "bad_value"


def test_an_alarm_that_has_ended_is_refused(world):
    composed = world.compose(world.nurse, "accept", values())
    world.store.write_now(lambda tx: close_episode(tx, "a", world.now_ms))
    with pytest.raises(EntryRefused) as refused:
        world.take(*composed)
    assert refused.value.why == "alarm_ended"


def test_a_patient_who_was_handed_over_meanwhile_is_refused(world):
    composed = world.compose(world.nurse, "accept", values())
    world.store.write_now(lambda tx: end_binding(tx, 1, "moved", world.now_ms))
    with pytest.raises(EntryRefused) as refused:
        world.take(*composed)
    assert refused.value.why == "wrong_patient"


@pytest.mark.parametrize(("ago_ms", "why"), [(-120_000, "from_future"), (120_000, "expired")])
def test_an_acceptance_of_another_time_is_refused(world, ago_ms, why):
    with pytest.raises(EntryRefused) as refused:
        world.sign(world.nurse, "accept", values(), ago_ms=ago_ms)
    assert refused.value.why == why


def test_an_acceptance_by_a_clock_that_differs_is_refused(world):
    composed = world.compose(world.nurse, "accept", values())
    world.now_ms -= 11 * MIN_MS
    with pytest.raises(EntryRefused) as refused:
        world.take(*composed)
    assert refused.value.why == "stale"


def test_nobody_without_an_account_that_may_sign_accepts(world):
    with pytest.raises(EntryRefused) as refused:
        world.sign(new_signer("stranger"), "accept", values())
    assert refused.value.why == "unknown_account"
    world.sign(world.doctor, "account_disable", {"name": "caregiver-1"}, patient=None)
    with pytest.raises(EntryRefused) as refused:
        world.sign(world.carer, "accept", values())
    assert refused.value.why == "disabled_account"
    with pytest.raises(EntryRefused) as refused:
        world.sign(world.administrator, "accept", values())
    assert refused.value.why == "not_allowed"


def test_a_rise_ends_an_acceptance_at_once_and_a_fall_does_not(world):
    raise_(world, "b", MEDIUM)
    accept(world, world.nurse, {"b": MEDIUM})
    raise_(world, "b", LOW)
    assert end_finished(world) == [] and episode(world, "b")[0] == "accepted"
    raise_(world, "b", HIGH)
    assert episode(world, "b")[0] == "open"
    assert end_finished(world) == ["rise"]
    with pytest.raises(EntryRefused) as refused:
        accept(world, world.nurse, {"b": MEDIUM})
    assert refused.value.why == "alarm_rose"


def test_a_clock_that_is_set_back_makes_no_acceptance_longer(world):
    accept(world, world.nurse)
    world.now_ms -= 30_000
    assert end_finished(world) == []
    world.now_ms -= 3_600_000
    assert end_finished(world) == ["lapsed"] and episode(world)[0] == "open"


def test_an_alarm_of_a_wearable_that_nobody_wears_is_accepted_about_nobody(world):
    row = Episode("unworn", 1, None, None, "host", codes.LINK_LOST, MEDIUM, MEDIUM, False)
    world.store.write_now(lambda tx: put_episode(tx, row, world.now_ms))
    (made,) = accept(world, world.nurse, {"unworn": MEDIUM}, patient=None)
    assert made.who == "nurse-1"
    with pytest.raises(EntryRefused) as refused:
        accept(world, world.nurse, patient=None)
    assert refused.value.why == "wrong_patient"


def silence(world, signer, minutes, alarms=None):
    until = {"until_utc_ms": world.now_ms + round(minutes * MIN_MS)}
    taken = world.sign(signer, "silence", values(alarms) | until)
    (made,) = world.store.read_now(lambda tx: store.of_audit(tx, taken.audit))
    return made


def test_a_silence_accepts_nothing_and_ends_at_its_time(world):
    made = silence(world, world.nurse, 5)
    assert (made.kind, made.wearable) == ("silenced", "") and episode(world)[0] == "open"
    world.now_ms += 5 * MIN_MS
    assert end_finished(world) == ["lapsed"]


def test_a_second_silence_ends_no_later_than_the_first_and_a_rise_ends_both(world):
    raise_(world, "b", MEDIUM)
    first = silence(world, world.nurse, 5, {"b": MEDIUM})
    world.now_ms += MIN_MS
    assert silence(world, world.nurse, 20, {"b": MEDIUM}).until_utc_ms == first.until_utc_ms
    raise_(world, "b", HIGH)
    assert end_finished(world) == ["rise", "rise"]


@pytest.mark.parametrize(
    ("minutes", "priority"), [(12, HIGH), (32, MEDIUM), (0, HIGH), (-1, HIGH), (10**9, LOW)]
)
def test_a_silence_has_an_end_ahead_and_not_far(world, minutes, priority):
    raise_(world, "b", priority)
    with pytest.raises(EntryRefused) as refused:
        silence(world, world.nurse, minutes, {"b": priority})
    assert refused.value.why == "bad_value"


def test_a_caregiver_may_not_silence(world):
    with pytest.raises(EntryRefused) as refused:
        silence(world, world.carer, 5)
    assert refused.value.why == "not_allowed"


@pytest.mark.parametrize(
    "harm",
    ["UPDATE acceptances SET who = 'somebody'", "UPDATE acceptances SET priority = 1", "DELETE FROM acceptances",
     "UPDATE acceptances SET note = 'another one'", "UPDATE acceptances SET kind = 'silenced'"],
)  # fmt: skip
def test_an_acceptance_that_somebody_changed_is_found(world, harm):
    accept(world, world.nurse)
    silence(world, world.nurse, 5)
    find = lambda: [text for _, text in world.store.read_now(lambda tx: verify(tx, None)).problems]  # noqa: E731
    assert find() == []
    world.store.write_now(lambda tx: tx.execute(harm))
    assert "the stored acceptance is not the signed one" in find()


def test_what_is_done_after_an_entry_is_in_its_commit(world):
    def fails(tx, taken):
        raise RuntimeError("no message")

    with pytest.raises(RuntimeError):
        admission.take_now(world.store, *world.compose(world.nurse, "accept", values()), world.now_ms, fails)
    assert episode(world)[0] == "open" and world.query("SELECT count(*) FROM acceptances") == [(0,)]
