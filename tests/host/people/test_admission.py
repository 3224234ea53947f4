"""The door into the chain: every reason for which an entry is refused, each counted, and nothing kept of it."""

import pytest
from crs_core import context as wearable_context

from host_agent.people import admission
from host_agent.people.account_key import new_signer
from host_agent.people.asking import EntryRefused, MovedOn
from host_agent.people.composing import sign_entry, store_door
from host_agent.people.entry import decode, encode
from host_agent.people.outgoing import message_of
from tests.host.people.people_world import HOUR_MS, MIN_MS, OLD_BINDING, PeopleWorld

ROOM_AIR = {"oxygen": "room_air"}


def resigned(world, signer, raw, **change):
    """The entry with fields changed, signed anew: what somebody with a key of their own could send."""
    changed = encode(decode(raw)._replace(**change))
    return lambda: world.take(changed, signer.sign(changed))


@pytest.mark.parametrize(
    "name",
    ["nurse_1", "nurse.1", "nurse1", "nurse-l", "nurse-i", "nurse--1", "c1inician-1", "clinician-l", "caregiver.i",
     "nurse-1\n", "Nurse-1", "nurse-\uff11", "nurs\u0435-1", "nurse-1 ", "", "\u200bnurse-1",
     "administrator", "administrat0r"],
)  # fmt: skip
def test_an_account_that_is_taken_for_another_is_refused(world, name):
    values = {"name": name, "role": "nurse", "public_key": new_signer("x").public_key.hex()}
    with pytest.raises(EntryRefused):
        world.sign(world.doctor, "account_add", values, patient=None)
    assert world.add(new_signer("nurse-2"), "nurse").entry.values["name"] == "nurse-2"


def test_a_signed_entry_is_taken_once_and_stands_in_the_chain(world):
    taken = world.enter(world.nurse, **ROOM_AIR)
    assert taken.audit == 6 and taken.for_wearable and world.refused() == {}
    row = world.query("SELECT kind, entry_id, hash FROM audit WHERE seq = 6")[0]
    assert row == ("context", taken.entry.id, taken.hash)


def test_tampered_bytes_are_refused(world):
    raw, signature = world.compose(world.nurse, "context", {"blood_pressure": "hypotension"})
    changed = raw.replace(b'"hypotension"', b'"normal"')
    assert changed != raw
    world.refuses("bad_signature", lambda: world.take(changed, signature), "nurse-1")
    for wrong in (bytes(64), signature[:-1], b"", signature[:-1] + bytes([signature[-1] ^ 1])):
        world.refuses("bad_signature", lambda wrong=wrong: world.take(raw, wrong))
    world.take(raw, signature)


def test_bytes_in_another_form_are_refused_though_they_mean_the_same(world):
    raw, _ = world.compose(world.nurse, "context", ROOM_AIR)
    loose = raw.replace(b":", b": ", 1)
    world.refuses("malformed", lambda: world.take(loose, world.nurse.sign(loose)), "canonical")
    world.refuses("malformed", lambda: world.take(b"", bytes(64)))


def test_a_signature_by_another_key_under_the_same_name_is_refused(world):
    impostor = new_signer("nurse-1")
    raw, signature = world.compose(impostor, "context", ROOM_AIR)
    world.refuses("bad_signature", lambda: world.take(raw, signature))
    named = encode(decode(raw)._replace(key=world.nurse.key_id.hex()))
    world.refuses("bad_signature", lambda: world.take(named, impostor.sign(named)))
    raw, _ = world.compose(world.nurse, "context", ROOM_AIR)
    world.refuses("bad_signature", resigned(world, world.nurse, raw, key=impostor.key_id.hex()))


def test_a_replayed_entry_is_refused(world):
    raw, signature = world.compose(world.nurse, "context", ROOM_AIR)
    world.take(raw, signature)
    world.refuses("replayed", lambda: world.take(raw, signature), "taken before")
    again, _ = world.compose(world.nurse, "context", {"oxygen": "cpap"})
    world.refuses("replayed", resigned(world, world.nurse, again, id=decode(raw).id))


def test_an_entry_composed_before_another_was_taken_is_refused_and_says_try_again(world):
    raw, signature = world.compose(world.nurse, "context", ROOM_AIR)
    world.enter(world.carer, hr_bpm=110)
    world.refuses("moved_on", lambda: world.take(raw, signature))
    with pytest.raises(MovedOn):
        world.take(raw, signature)


@pytest.mark.parametrize(
    "values, longest_ms",
    [({"blood_pressure": "hypotension"}, 4 * HOUR_MS), (ROOM_AIR, 4 * HOUR_MS), ({"ice": 10}, 4 * HOUR_MS),
     ({"antipyretic": True}, 24 * HOUR_MS), ({"antipyretic": False}, 4 * HOUR_MS),
     ({"steroid": True}, 168 * HOUR_MS), ({"anticytokine": False}, 4 * HOUR_MS)],
)  # fmt: skip
def test_an_observation_older_than_it_counts_is_refused_and_one_just_younger_is_not(
    world, values, longest_ms
):
    key = next(iter(values))
    world.refuses_entry("expired", world.nurse, "context", values, key, ago_ms=longest_ms + 1)
    world.sign(world.nurse, "context", values, ago_ms=longest_ms)


def test_what_has_no_end_of_its_own_may_be_any_age(world):
    world.sign(world.nurse, "context", {"anticytokine": True, "fever_earlier": True}, ago_ms=500 * HOUR_MS)


def test_an_observation_from_the_future_is_refused_beyond_a_minute(world):
    world.refuses_entry("from_future", world.nurse, "context", ROOM_AIR, ago_ms=-MIN_MS - 1)
    world.sign(world.nurse, "context", ROOM_AIR, ago_ms=-MIN_MS)


@pytest.mark.parametrize("late_ms", [-10 * MIN_MS - 1, 10 * MIN_MS + 1])
def test_an_entry_signed_at_another_time_is_refused(world, late_ms):
    raw, signature = world.compose(world.nurse, "context", ROOM_AIR, ago_ms=15 * MIN_MS)
    world.now_ms += late_ms
    world.refuses("stale", lambda: world.take(raw, signature))
    world.now_ms -= late_ms // abs(late_ms)
    world.take(raw, signature)


@pytest.mark.parametrize(
    "change",
    [{"binding": b"STRANGER".hex()}, {"binding": OLD_BINDING.hex()}, {"patient": "P-2"},
     {"binding": b"BINDING2".hex()}, {"binding": None, "patient": None}],
)  # fmt: skip
def test_an_entry_about_another_patient_is_refused(world, change):
    raw, _ = world.compose(world.nurse, "context", ROOM_AIR)
    world.refuses("wrong_patient", resigned(world, world.nurse, raw, **change))


def test_a_binding_that_ended_meanwhile_is_another_patient(world):
    raw, signature = world.compose(world.nurse, "context", ROOM_AIR)
    world.store.write_now(lambda tx: tx.execute("UPDATE bindings SET state = 'ended' WHERE id = 1"))
    world.refuses("wrong_patient", lambda: world.take(raw, signature))


def test_an_unknown_account_and_a_disabled_one_are_refused(world):
    stranger = new_signer("nurse-9")
    world.refuses_entry("unknown_account", stranger, "context", ROOM_AIR, "nurse-9")
    world.sign(world.doctor, "account_disable", {"name": "nurse-1"}, patient=None)
    world.refuses_entry("disabled_account", world.nurse, "context", ROOM_AIR, "nurse-1")


CAREGIVER_MAY_NOT = [
    {"blood_pressure": "normal"}, {"oxygen": "room_air"}, {"ice": 9}, {"vasopressors": []}, {"context": "complete"},
    {"seizure": "none"}, {"consciousness": "spontaneous"}, {"motor_weakness": False}, {"antipyretic": False},
    {"fever_earlier": False}, {"anticytokine": True}, {"constitutional": False},
]  # fmt: skip


@pytest.mark.parametrize("values", CAREGIVER_MAY_NOT)
def test_a_caregiver_takes_no_concern_away(world, values):
    world.refuses_entry("not_allowed", world.carer, "context", values, next(iter(values)))
    world.sign(world.nurse, "context", values)


@pytest.mark.parametrize(
    "values",
    [{"temperature_cc": 3870, "site": "oral"}, {"spo2_tenths": 910}, {"hr_bpm": 118}, {"constitutional": True},
     {"seizure": "brief"}, {"consciousness": "voice"}, {"motor_weakness": True}, {"antipyretic": True}],
)  # fmt: skip
def test_a_caregiver_enters_what_is_measured_and_seen(world, values):
    world.sign(world.carer, "context", values)
    assert world.state() == values


@pytest.mark.parametrize("key", ["fever_other_cause", "ventilation_not_for_hypoxia"])
def test_statements_that_take_a_criterion_out_are_the_clinicians(world, key):
    for signer in (world.nurse, world.carer):
        world.refuses_entry("not_allowed", signer, "context", {key: True}, key)
    world.sign(world.doctor, "context", {key: True})


@pytest.mark.parametrize(
    "kind, values",
    [("grade", {"scale": "ASTCT", "scale_version": 2019, "grade": 2}), ("death", {"cause": "crs"}),
     ("close_episode", {})],
)  # fmt: skip
def test_nobody_but_a_clinician_signs_records(world, kind, values):
    for signer in (world.nurse, world.carer):
        world.refuses_entry("not_allowed", signer, kind, values, "clinician")
    world.sign(world.doctor, kind, values)


@pytest.mark.parametrize(
    "values, named",
    [({"blood_presure": "normal"}, "blood_presure"), ({"oxygen": "tent"}, "oxygen"), ({"ice": 11}, "ice"),
     ({"ice": True}, "ice"), ({"temperature_cc": 3900}, "site"), ({"site": "oral"}, "site"),
     ({"temperature_cc": 9999, "site": "oral"}, "temperature_cc"), ({"temperature_cc": 3900, "site": None}, "site"),
     ({"vasopressors": ["water"]}, "vasopressors"), ({"death": "crs"}, "death"), ({"flow_lpm": "0.50"}, "flow_lpm"),
     ({"flow_lpm": "x"}, "flow_lpm|number|float"), ({"nonsense": None}, "nonsense"), ({"context": None}, "context"),
     ({}, "needs a value")],
)  # fmt: skip
def test_what_the_vocabulary_does_not_have_is_refused_with_the_key_named(world, values, named):
    raw, _ = world.compose(world.doctor, "context", ROOM_AIR)
    world.refuses("bad_value", resigned(world, world.doctor, raw, values=values), named)


def test_a_number_that_is_not_whole_has_one_form(world):
    world.enter(world.nurse, flow_lpm=0.5, oxygen="nasal_cannula_low")
    assert world.state()["flow_lpm"] == 0.5
    assert world.query("SELECT entry FROM audit ORDER BY seq DESC")[0][0].count(b'"flow_lpm":"0.5"') == 1
    world.enter(world.nurse, flow_lpm=2.0)
    assert world.state()["flow_lpm"] == 2 and type(world.state()["flow_lpm"]) is int
    with pytest.raises(EntryRefused, match="3 decimals"):
        world.compose(world.nurse, "context", {"flow_lpm": 0.12345})


# -- accounts ----------------------------------------------------------------------------------------------------------


def test_the_first_account_is_a_clinicians_and_signs_for_itself(tmp_path):
    world = PeopleWorld(tmp_path, with_people=False)
    values = {"name": "nurse-1", "role": "nurse", "public_key": world.nurse.public_key.hex()}
    world.refuses_entry("not_allowed", world.nurse, "account_add", values, "clinician", patient=None)
    world.refuses_entry("unknown_account", world.nurse, "context", ROOM_AIR, "first one")
    own = {"name": "clinician-1", "role": "clinician", "public_key": world.doctor.public_key.hex()}
    raw, _ = world.compose(world.doctor, "account_add", own, patient=None)
    world.refuses("bad_signature", lambda: world.take(raw, world.second.sign(raw)))
    world.refuses_entry("not_allowed", world.second, "account_add", own, patient=None)
    world.add(world.doctor, "clinician", by=world.doctor)
    world.store.close()


def test_later_accounts_are_signed_by_a_clinician(world):
    fresh = new_signer("nurse-2")
    values = {"name": "nurse-2", "role": "nurse", "public_key": fresh.public_key.hex()}
    for signer in (world.nurse, world.carer):
        world.refuses_entry("not_allowed", signer, "account_add", values, patient=None)
    world.refuses_entry("unknown_account", fresh, "account_add", values, patient=None)
    world.add(fresh, "nurse")


@pytest.mark.parametrize(
    "change, why",
    [({"name": "nurse-1"}, "conflict"), ({"role": "chief"}, "bad_value"), ({"public_key": "00"}, "bad_value"),
     ({"public_key": "XX" * 32}, "bad_value"), ({"name": "A B"}, "bad_value"), ({"more": 1}, "bad_value")],
)  # fmt: skip
def test_accounts_that_cannot_be_added(world, change, why):
    fresh = new_signer("nurse-2")
    values = {"name": "nurse-2", "role": "nurse", "public_key": fresh.public_key.hex(), **change}
    world.refuses_entry(why, world.doctor, "account_add", values, patient=None)


def test_a_key_belongs_to_one_account_and_a_name_is_never_used_again(world):
    values = {"name": "nurse-2", "role": "nurse", "public_key": world.nurse.public_key.hex()}
    world.refuses_entry("conflict", world.doctor, "account_add", values, "another account", patient=None)
    world.sign(world.doctor, "account_disable", {"name": "nurse-1"}, patient=None)
    with pytest.raises(EntryRefused, match="A name is used once"):
        world.add(new_signer("nurse-1"), "nurse")


def test_the_last_clinician_cannot_be_disabled(world):
    world.sign(world.doctor, "account_disable", {"name": "clinician-2"}, patient=None)
    for name, why in {
        "clinician-1": "conflict",
        "clinician-2": "conflict",
        "nobody": "unknown_account",
    }.items():
        world.refuses_entry(why, world.doctor, "account_disable", {"name": name}, patient=None)


def test_an_account_entry_is_about_no_patient(world):
    world.refuses_entry(
        "malformed", world.doctor, "account_disable", {"name": "nurse-1"}, "must not name a patient"
    )


def test_the_python_api_signs_and_tries_again_when_the_chain_moved_on(world):
    door, raced = store_door(world.store, lambda: world.now_ms), []

    def begin_slowly(device):
        opening = door.begin(device)
        if not raced:
            raced.append(world.sign(world.carer, "context", {"hr_bpm": 99}))
        return opening

    slow = door._replace(begin=begin_slowly)
    done = sign_entry(slow, world.nurse, "context", {"ice": 8}, device="01")
    assert done["values"] == {"ice": 8} and world.state() == {"hr_bpm": 99, "ice": 8}
    with pytest.raises(EntryRefused, match="ice"):
        sign_entry(door, world.nurse, "context", {"ice": 12}, device="01")


def test_the_proof_that_the_wearable_gets_is_of_the_signature(world):
    import hashlib

    world.enter(world.nurse, ice=8)
    signature = world.query("SELECT signature FROM audit ORDER BY seq DESC")[0][0]
    age_ms, proof, numbers = wearable_context.decode(message_of(world.queued()[0], world.now_ms + 90_000))
    assert proof == hashlib.sha256(signature).digest()[:8]
    assert (age_ms, numbers) == (90_000, {wearable_context.ICE: 8})


async def test_only_a_restore_gives_up_what_was_signed(world):
    """Through the agent's door nobody says so: a cut end of the chain would then pass for a restore."""
    values = {"act": "restore", "reason": "none", "alarms": [], "lost": {"head": "00" * 32, "proofs": []}}
    made = world.compose(world.nurse, "act", values)
    with pytest.raises(EntryRefused, match="Only a restore"):
        await admission.take(world.store, *made, world.now_ms)


def test_the_key_of_the_administrator_code_is_no_account(world):
    second = new_signer("second")
    second.public_key = world.administrator.public_key
    world.refuses("conflict", lambda: world.add(second, "clinician"))
