"""Key files: what is written comes back, what is open to others or malformed is refused, no key in any text."""

import json

import pytest

from host_agent.errors import KeyFileError
from host_agent.keys.keyfile import ROLE_CUSTODIAN, DeviceKey, load, load_all, path_of, save

KEY = DeviceKey(b"device01", 0x1234, bytes(range(32)), ROLE_CUSTODIAN, "ward 7")


def test_a_key_comes_back_from_a_file_that_only_its_user_can_read(tmp_path) -> None:
    path = save(tmp_path / "keys", KEY)
    assert path == path_of(tmp_path / "keys", KEY.device_id) and path.stat().st_mode & 0o777 == 0o600
    assert load(path) == KEY
    save(tmp_path / "keys", KEY._replace(key_id=9))
    assert load(path).key_id == 9


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused_with_the_command_that_helps(tmp_path, mode) -> None:
    path = save(tmp_path, KEY)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match="other users") as caught:
        load(path)
    assert "chmod 600" in caught.value.advice


@pytest.mark.parametrize(
    "change",
    [
        {"key": "00"}, {"key": "no hex"}, {"role": "owner"}, {"device_id": "0102"}, {"key_id": 0},
        {"key_id": "x"}, {"key": None}, {"name": None, "role": None},
    ],
)  # fmt: skip
def test_a_malformed_file_is_refused_and_its_key_never_told(tmp_path, change) -> None:
    path = save(tmp_path, KEY)
    data = {**json.loads(path.read_text()), **change}
    path.write_text(json.dumps({name: value for name, value in data.items() if value is not None}))
    with pytest.raises(KeyFileError) as caught:
        load(path)
    assert KEY.key.hex() not in str(caught.value) and caught.value.__cause__ is None


def test_a_file_under_another_wearable_s_name_is_refused(tmp_path) -> None:
    path = save(tmp_path, KEY)
    other = path.rename(tmp_path / f"{b'device02'.hex()}.key")
    with pytest.raises(KeyFileError, match="another wearable"):
        load(other)


def test_a_missing_file_is_named_and_one_bad_file_does_not_hide_the_others(tmp_path) -> None:
    with pytest.raises(KeyFileError, match="does not exist"):
        load(tmp_path / "none.key")
    save(tmp_path, KEY)
    (tmp_path / "ffff.key").write_text("{")
    keys, errors = load_all(tmp_path)
    assert list(keys) == [KEY.device_id] and len(errors) == 1


def test_no_key_in_what_a_log_would_show() -> None:
    assert KEY.key.hex() not in repr(KEY) and "\\x01\\x02" not in repr(KEY)
