"""A person's key on disk: sealed, private, and refused in every other state."""

import json
import stat

import pytest

from host_agent.people import account_key
from host_agent.people.account_key import AccountKeyError, new_signer, save, unseal

WORDS = "three long words"


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("accounts")
    signer = new_signer("nurse-1")
    save(folder, signer, WORDS)
    return folder, signer


def test_the_key_comes_back_with_its_passphrase(kept):
    folder, signer = kept
    again = unseal(folder, "nurse-1", WORDS)
    assert again.public_key == signer.public_key and again.sign(b"x") == signer.sign(b"x")
    assert account_key.names(folder) == ["nurse-1"] and account_key.names(folder / "none") == []


def test_the_file_is_private_and_holds_no_secret_in_the_clear(kept):
    folder, signer = kept
    path = folder / "nurse-1.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    secret = signer._private_key.private_bytes_raw()
    assert secret not in path.read_bytes() and secret.hex() not in path.read_text()
    assert secret.hex() not in repr(signer) and "key_id" in repr(signer)


def test_a_wrong_passphrase_opens_nothing(kept):
    with pytest.raises(AccountKeyError, match="passphrase is wrong"):
        unseal(kept[0], "nurse-1", WORDS + "x")


def test_a_short_passphrase_is_refused(tmp_path):
    with pytest.raises(AccountKeyError, match="fewer than 8"):
        save(tmp_path, new_signer("nurse-1"), "1234567")
    assert list(tmp_path.iterdir()) == []


def test_a_key_is_never_replaced(kept):
    before = (kept[0] / "nurse-1.json").read_bytes()
    with pytest.raises(AccountKeyError, match="exists already"):
        save(kept[0], new_signer("nurse-1"), WORDS)
    assert (kept[0] / "nurse-1.json").read_bytes() == before


def test_a_file_that_others_may_read_is_refused_with_the_command_that_helps(kept):
    path = kept[0] / "nurse-1.json"
    path.chmod(0o644)
    try:
        with pytest.raises(AccountKeyError, match="other users") as caught:
            unseal(kept[0], "nurse-1", WORDS)
        assert caught.value.advice == f"Run: chmod 600 {path}"
    finally:
        path.chmod(0o600)


@pytest.mark.parametrize(
    "change, expected",
    [*((change, "not an account key") for change in ({"n": 2}, {"format": "x"}, {"salt": "AA=="}, {"more": 1},
     {"sealed": "!"})), ({"name": "nurse-2"}, "another account"), ({"public_key": "00" * 32}, "does not open")],
)  # fmt: skip
def test_an_altered_file_is_refused(kept, tmp_path, change, expected):
    tree = json.loads((kept[0] / "nurse-1.json").read_text())
    path = tmp_path / "nurse-1.json"
    path.write_text(json.dumps({**tree, **change}))
    path.chmod(0o600)
    with pytest.raises(AccountKeyError, match=expected):
        unseal(tmp_path, "nurse-1", WORDS)


def test_no_such_key_and_no_such_name(tmp_path):
    with pytest.raises(AccountKeyError, match="no key of account nurse-9"):
        unseal(tmp_path, "nurse-9", WORDS)
    for name in ("../nurse", "Nurse", "", "a" * 33, "a/b"):
        with pytest.raises(AccountKeyError, match="not an account name"):
            unseal(tmp_path, name, WORDS)
