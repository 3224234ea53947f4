"""The key file: identity and four slots, exactly one custodian."""

import pytest
from crs_core import keys
from crs_core.errors import LocalError, RemoteError

DEVICE = b"deviceid"
CUSTODIAN = keys.Key(1, keys.ROLE_CUSTODIAN, b"c" * 32, "laptop")
READER = keys.Key(2, keys.ROLE_READER, b"r" * 32, "Küche")


def test_round_trip():
    for held in ([], [CUSTODIAN], [CUSTODIAN, READER]):
        assert keys.decode(keys.encode(DEVICE, held)) == (DEVICE, held)
    assert keys.find([CUSTODIAN, READER], 2) == READER
    assert keys.find([CUSTODIAN], 2) is None


@pytest.mark.parametrize(
    "held",
    [
        [READER],
        [CUSTODIAN, CUSTODIAN._replace(key_id=9)],
        [CUSTODIAN, READER._replace(key_id=1)],
        [CUSTODIAN._replace(key_id=0)],
        [CUSTODIAN._replace(role=3)],
        [CUSTODIAN._replace(key=b"short")],
        [CUSTODIAN._replace(name="n" * 25)],
        [CUSTODIAN] + [READER._replace(key_id=i) for i in range(2, 6)],
    ],
)
def test_a_set_against_the_rules_is_refused(held):
    with pytest.raises(LocalError):
        keys.encode(DEVICE, held)


def test_damage_is_refused_and_never_shows_a_key():
    data = keys.encode(DEVICE, [CUSTODIAN, READER])
    broken = [data[:size] for size in range(len(data))]
    broken += [data + b"x", b"\x02" + data[1:], data[:14] + b"\x02" + data[15:], data[:-1] + b"\xff"]
    for case in broken:
        with pytest.raises(RemoteError) as refused:
            keys.decode(case)
        assert "ccc" not in str(refused.value)
        assert "636363" not in str(refused.value)
