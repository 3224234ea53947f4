"""A second signature counts only when nobody but the administrator code stands behind both accounts."""

import itertools

import pytest

from host_agent.people import administrator, vouching
from host_agent.people.account_key import new_signer
from host_agent.people.asking import EntryRefused
from host_agent.people.chain_check import verify
from host_agent.people.entry import ADMINISTRATOR, decode, row_hash
from host_agent.people.signed_records import death_in_force
from host_agent.store.audit import last_row
from tests.host.people.people_world import PeopleWorld


@pytest.fixture
def alone(tmp_path):
    """One clinician, clinician-1, and no administrator code: what an earlier version left."""
    made = PeopleWorld(tmp_path, with_people=False)
    made.add(made.doctor, "clinician", by=made.doctor)
    yield made
    made.store.close()


def clinician(world, name, by):
    signer = new_signer(name)
    world.add(signer, "clinician", by=by)
    return signer


def death_by(world, signer):
    return world.sign(signer, "death", {"cause": "other"}).entry.id


def is_refused(world, first, second):
    """Whether `second` may not countersign a death that `first` signed; the death is reversed afterwards."""
    about = death_by(world, first)
    made = world.compose(second, "countersign", {}, refers_to=about)
    try:
        world.take(*made)
    except EntryRefused as error:
        assert error.why == "not_allowed" and world.store.read_now(lambda tx: death_in_force(tx, 1)) is None
        refused = True
    else:
        refused = False
    world.sign(first, "reverse", {"reason": "a test"}, refers_to=about)
    return refused


def test_whoever_makes_accounts_stands_behind_all_of_them(alone):
    """Two accounts of one person, in every way in which one person can make them, whichever of them signs first."""
    own = {"clinician-1": alone.doctor}
    own["b"] = clinician(alone, "b", alone.doctor)
    own["c"] = clinician(alone, "c", own["b"])
    own["d"] = clinician(alone, "d", alone.doctor)
    alone.vouch(own["d"], own["c"])
    alone.vouch(own["c"], own["d"])
    alone.vouch(own["b"], own["d"])
    for first, second in itertools.permutations(own.values(), 2):
        assert is_refused(alone, first, second), (first.name, second.name)
    assert alone.store.read_now(verify).problems == []


def test_a_disabled_account_still_stands_behind_those_that_it_made(alone):
    b, c = clinician(alone, "b", alone.doctor), clinician(alone, "c", alone.doctor)
    alone.sign(b, "account_disable", {"name": "clinician-1"}, patient=None)
    assert is_refused(alone, b, c) and is_refused(alone, c, b)


def test_an_administrator_or_another_clinician_makes_a_second_person_of_an_account(world):
    own = clinician(world, "own", world.doctor)
    assert is_refused(world, world.doctor, own)
    assert not is_refused(world, world.second, own), "clinician-2 is another's account"
    world.vouch(own, world.second)
    assert not is_refused(world, world.doctor, own), "clinician-2 knows that own is another person"
    assert not is_refused(world, world.second, own)
    third = clinician(world, "third", world.administrator)
    assert not is_refused(world, third, own) and not is_refused(world, own, third)


def test_one_person_is_behind_both_however_many_stand_between(world):
    """clinician-1 made b, b made c, and clinician-2 vouched for b alone."""
    b = clinician(world, "b", world.doctor)
    c = clinician(world, "c", b)
    world.vouch(b, world.second)
    assert is_refused(world, b, c) and is_refused(world, c, b)
    assert not is_refused(world, world.doctor, c)


def test_the_administrator_code_signs_for_accounts_and_for_nothing_else(world):
    for kind, values in (
        ("context", {"ice": 10}), ("grade", {"scale": "ASTCT", "scale_version": 2019, "grade": 1}),
        ("death", {"cause": "crs"}), ("close_episode", {}), ("rules", {}), ("administrator", {}), ("act", {}),
        ("countersign", {}),
    ):  # fmt: skip
        patient = None if kind in ("rules", "administrator", "act") else "P-1"
        world.refuses_entry("not_allowed", world.administrator, kind, values, patient=patient)


def test_there_is_one_code_and_only_a_clinician_makes_it(alone):
    code, values = administrator.make_code()
    nurse = new_signer("nurse-1")
    alone.add(nurse, "nurse")
    alone.refuses_entry("not_allowed", nurse, "administrator", values, patient=None)
    for wrong in ({}, {**values, "salt": "x"}, {**values, "public_key": 5}, {**values, "more": 1}):
        alone.refuses_entry("bad_value", alone.doctor, "administrator", wrong, patient=None)
    with pytest.raises(administrator.WrongCode, match="No administrator code"):
        alone.store.read_now(lambda tx: administrator.signer_of(tx, code))
    alone.refuses_entry("unknown_account", new_signer(ADMINISTRATOR), "vouch", {}, patient=None)
    alone.sign(alone.doctor, "administrator", values, patient=None)
    alone.refuses_entry("conflict", alone.doctor, "administrator", values, "made before", patient=None)
    alone.refuses_entry("bad_signature", new_signer(ADMINISTRATOR), "vouch", {}, patient=None)
    with pytest.raises(administrator.WrongCode, match="not the administrator code"):
        alone.store.read_now(lambda tx: administrator.signer_of(tx, "AAAA-AAAA-AAAA"))
    typed = code.lower().replace("-", " ")
    assert alone.store.read_now(lambda tx: administrator.signer_of(tx, typed)).name == ADMINISTRATOR


def test_vouchings_that_say_nothing_are_refused(world):
    own = world.doctor.public_key.hex()
    world.refuses_entry(
        "not_allowed", world.doctor, "vouch", {"name": "clinician-1", "public_key": own}, patient=None
    )
    for values, why in (
        ({"name": "nobody", "public_key": own}, "unknown_account"),
        ({"name": "clinician-2", "public_key": own}, "unknown_account"),
        ({"name": "clinician-2"}, "bad_value"),
        ({"name": ["x"], "public_key": own}, "unknown_account"),
    ):
        world.refuses_entry(why, world.doctor, "vouch", values, patient=None)
    second = {"name": "clinician-2", "public_key": world.second.public_key.hex()}
    world.refuses_entry("conflict", world.administrator, "vouch", second, "already", patient=None)
    world.refuses_entry("not_allowed", world.nurse, "vouch", second, patient=None)
    world.sign(world.doctor, "account_disable", {"name": "clinician-2"}, patient=None)
    world.refuses_entry("conflict", world.doctor, "vouch", second, "disabled", patient=None)


def test_a_death_signed_by_an_account_disabled_since_is_signed_anew(world):
    about = death_by(world, world.doctor)
    world.sign(world.second, "account_disable", {"name": "clinician-1"}, patient=None)
    world.refuses_entry("conflict", world.second, "countersign", {}, "signs anew", refers_to=about)


@pytest.mark.parametrize("forged", ["a vouching", "an administrator", "a key"])
def test_rows_forged_in_the_database_make_no_second_person(world, forged):
    """Somebody with a database tool and no key writes what would make a second person of the own account."""
    own = clinician(world, "own", world.doctor)
    about = death_by(world, world.doctor)
    row = world.store.read_now(last_row)
    if forged == "a vouching":
        values = {"name": "own", "public_key": own.public_key.hex()}
        raw, signature = world.compose(world.administrator, "vouch", values, patient=None)
        signature = bytes(64)
        statement = ("vouch", decode(raw).id, raw, signature, row_hash(row.hash, raw, signature))
    elif forged == "an administrator":
        raw, _ = world.compose(world.doctor, "administrator", administrator.make_code()[1], patient=None)
        statement = ("administrator", decode(raw).id, raw, bytes(64), row_hash(row.hash, raw, bytes(64)))
    else:
        statement = None

    def forge(tx):
        if statement:
            tx.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, 0)", (row.seq + 1, *statement))
        else:
            tx.execute(
                "UPDATE accounts SET public_key = ?, key_id = ? WHERE name = 'nurse-1'", (bytes(32), bytes(8))
            )

    world.store.write_now(forge)
    world.refuses_entry("damaged_chain", own, "countersign", {}, refers_to=about)
    assert world.store.read_now(lambda tx: death_in_force(tx, 1)) is None


def test_a_countersignature_let_in_by_a_changed_program_is_named(world, monkeypatch):
    own = clinician(world, "own", world.doctor)
    about = death_by(world, world.doctor)
    monkeypatch.setattr(vouching, "why_not_second", lambda *names: "")
    taken = world.sign(own, "countersign", {}, refers_to=about)
    ((seq, text),) = world.store.read_now(verify).problems
    assert seq == taken.audit and "clinician-1 alone stands behind clinician-1 and own" in text


def test_what_two_accounts_countersigned_before_there_was_a_code_still_counts(alone, monkeypatch):
    b = clinician(alone, "b", alone.doctor)
    about = death_by(alone, alone.doctor)
    with monkeypatch.context() as earlier:
        earlier.setattr(vouching, "why_not_second", lambda *names: "")
        alone.sign(b, "countersign", {}, refers_to=about)
    alone.sign(alone.doctor, "administrator", administrator.make_code()[1], patient=None)
    assert alone.store.read_now(verify).problems == []
    assert alone.store.read_now(lambda tx: death_in_force(tx, 1)) is not None
