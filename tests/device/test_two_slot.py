"""Two-slot files, and the settings, keys and boot number kept in them."""

import pytest
from crs_core import keys
from crs_core.errors import RemoteError
from crs_device.journal import boot_count
from crs_device.settings.key_file import KeyFile
from crs_device.settings.settings_file import SettingsFile
from crs_device.two_slot import TwoSlot

BASE = {"site": "axilla", "patient_call_number": "555 0100", "emergency_number": "112"}


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "file")


def test_the_newer_slot_counts_and_the_older_one_is_left_alone(path, tmp_path):
    file = TwoSlot(path)
    assert file.load() is None and not file.damaged
    for n in range(5):
        file.store(b"value %d" % n)
        assert TwoSlot(path).load() == b"value %d" % n
    assert file.generation == 5 and sorted(entry.name for entry in tmp_path.iterdir()) == ["file.0", "file.1"]


def test_any_damage_of_the_newer_slot_falls_back(path, tmp_path):
    file = TwoSlot(path)
    file.store(b"old")
    file.store(b"new")
    slot = tmp_path / "file.1"
    data = slot.read_bytes()
    for at in range(len(data)):
        slot.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        again = TwoSlot(path)
        assert again.load() == b"old" and again.damaged
        slot.write_bytes(data[:at])
        assert TwoSlot(path).load() == b"old"
    again.store(b"newer")  # goes over the damaged slot, not over the good one
    assert TwoSlot(path).load() == b"newer"


def test_both_slots_damaged_is_told_from_never_written(path, tmp_path):
    TwoSlot(path).store(b"x")
    (tmp_path / "file.0").write_bytes(b"\0" * 30)
    file = TwoSlot(path)
    assert file.load() is None and file.damaged


def test_settings_change_is_whole_or_refused(path):
    store = SettingsFile(path)
    assert store.load() is None and store.fault == "not provisioned"
    with pytest.raises(RemoteError, match="missing"):
        store.change(b"unit=F\n")
    store.store(BASE)
    assert store.version == 1
    with pytest.raises(RemoteError, match="unit"):
        store.change(b"heartbeat_s=20\nunit=K\n")
    assert store.load()["heartbeat_s"] == 15 and store.change(b"unit=F\n")["unit"] == "F"
    again = SettingsFile(path)
    assert again.load()["unit"] == "F" and again.version == 2


def test_settings_that_are_refused_say_why(path):
    TwoSlot(path).store(b"site=elbow\n")
    store = SettingsFile(path)
    assert store.load() is None and "site" in store.fault


def test_keys_are_revoked_but_never_the_custodians(path):
    store = KeyFile(path)
    assert store.load() is False
    custodian = keys.Key(1, keys.ROLE_CUSTODIAN, b"c" * 32, "laptop")
    readers = [keys.Key(n, keys.ROLE_READER, bytes([n]) * 32, "ward") for n in (2, 3)]
    store.store(b"deviceid", [custodian, *readers])
    assert store.revoke(1) is False and store.revoke(7) is False and store.revoke(2) is True
    again = KeyFile(path)
    assert again.load() and [key.key_id for key in again.keys] == [1, 3]
    again.drop_readers()
    assert KeyFile(path).load() and again.keys == [custodian]


def test_boot_numbers_rise_and_can_be_raised(path):
    assert [boot_count.next_boot(path) for _ in range(3)] == [1, 2, 3]
    boot_count.raise_to(41, path)
    boot_count.raise_to(5, path)
    assert boot_count.next_boot(path) == 42
