"""The rights of a key: every message needs one, every role has some, and their names lead back to them."""

import itertools

import pytest
from crs_core import code_texts, keys
from crs_core.errors import LocalError
from crs_core.wire import message as wire
from crs_core.wire import rights

RIGHTS = tuple(code_texts.RIGHTS)
TO_DEVICE = [cls for number, (cls, _) in wire.LAYOUTS.items() if number < 0x20]
ONLY_ASK = (wire.Settings(wire.SETTINGS_GET, 0, 1, b""), wire.Keys(wire.KEYS_LIST, 0))


def test_every_message_to_the_wearable_but_bye_needs_a_right_and_no_other_message_has_one():
    assert set(rights.NEEDED) == set(TO_DEVICE) - {wire.Bye}
    assert set(rights.NEEDED.values()) <= set(RIGHTS) and sum(RIGHTS) == rights.ALL


def test_asking_for_settings_or_keys_is_reading_and_changing_them_is_not():
    assert [rights.needed(message) for message in ONLY_ASK] == [rights.READ] * 2
    for op in range(1, 256):
        assert rights.needed(wire.Settings(op, 0, 1, b"")) == rights.SETTINGS
        assert rights.needed(wire.Keys(op, 1)) == rights.BIND
    assert rights.needed(wire.Unknown(0x1E, b"")) == rights.needed(wire.Pong(1)) == 0


def test_the_custodian_may_everything_a_reader_reads_and_a_role_without_sense_may_nothing():
    assert (rights.of_role(1), rights.of_role(2)) == (rights.ALL, rights.READ)
    for role in range(256):
        if role not in (1, 2):
            sound = role >= rights.OTHER and role - rights.OTHER <= rights.ALL and role & rights.READ
            assert rights.of_role(role) == (role - rights.OTHER if sound else 0), role


def test_a_role_and_its_name_lead_to_each_other():
    for count in range(len(RIGHTS)):
        for held in itertools.combinations(RIGHTS[1:], count):
            role = rights.OTHER + rights.READ + sum(held) if held else rights.READER
            assert code_texts.role_of(code_texts.role_name(role)) == role
    assert code_texts.role_name(1) == "custodian" and code_texts.role_of("custodian") == 1
    assert (
        code_texts.role_of("accept,time,accept") == rights.OTHER + rights.READ + rights.TIME + rights.ACCEPT
    )
    for name in ("", "nurse", "read+", "read accept", "role 7", "Custodian"):
        assert code_texts.role_of(name) == 0
    assert code_texts.role_name(7) == "role 7"


def test_a_key_file_keeps_rights_and_refuses_a_role_that_has_none():
    own = keys.Key(1, keys.ROLE_CUSTODIAN, bytes(32), "bedside")
    ward = keys.Key(2, rights.OTHER + rights.READ + rights.ACCEPT, bytes(32), "ward")
    assert keys.decode(keys.encode(b"DEVICE01", [own, ward])) == (b"DEVICE01", [own, ward])
    for role in (0, 3, 127, rights.OTHER, rights.OTHER + rights.ACCEPT, rights.OTHER + 64 + rights.READ):
        with pytest.raises(LocalError, match="role"):
            keys.encode(b"DEVICE01", [own, ward._replace(role=role)])
