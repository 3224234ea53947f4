"""The sealed enrolment file opens with its code and with nothing else."""

import base64
import json
import os
from dataclasses import replace

import pytest

from host_agent.errors import ConfigError
from host_agent.keys import enrolment
from host_agent.keys.enrolment import Enrolment, new_code, open_sealed, seal

ENROLMENT = Enrolment(bytes(range(1, 9)), 7, bytes(range(32)), "custodian", "bedside", "axilla")
CODE = "K7QD-M2XF-9TRB"


@pytest.fixture(scope="module")
def sealed() -> bytes:
    return seal(ENROLMENT, CODE)


@pytest.mark.parametrize("code", [CODE, " k7qd m2xf 9trb "])
def test_it_opens_with_its_code_also_when_typed_carelessly(sealed, code):
    assert open_sealed(sealed, code) == ENROLMENT


def test_wrong_code_is_refused_with_advice(sealed):
    with pytest.raises(ConfigError, match="the code is wrong, or the file was altered") as caught:
        open_sealed(sealed, "K7QD-M2XF-9TRC")
    assert "Type the code again" in caught.value.advice


@pytest.mark.parametrize("code", ["", "K7QD", "K7QD-M2XF-9TR0", "K7QD-M2XF-9TRBB", "ÄÖÜ"])
def test_a_code_that_cannot_be_one_says_what_a_code_is(sealed, code):
    with pytest.raises(ConfigError, match="12 characters"):
        open_sealed(sealed, code)


@pytest.mark.parametrize("field", ["salt", "nonce", "sealed"])
def test_one_flipped_bit_is_refused(sealed, field):
    tree = json.loads(sealed)
    raw = bytearray(base64.b64decode(tree[field]))
    raw[3] ^= 1
    tree[field] = base64.b64encode(raw).decode()
    with pytest.raises(ConfigError, match="does not open"):
        open_sealed(json.dumps(tree).encode(), CODE)


@pytest.mark.parametrize(
    "change", [{"n": 1 << 30}, {"n": 2}, {"p": 9}, {"format": "x"}, {"more": 1}, {"salt": "!"}]
)
def test_a_file_cannot_choose_its_own_cost_or_shape(sealed, change):
    test_other_files_are_refused(json.dumps({**json.loads(sealed), **change}).encode())


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff" * 50, b"[" * 10_000, b"x" * 20_000, b"null"])
def test_other_files_are_refused(data):
    with pytest.raises(ConfigError, match="not an enrolment file"):
        open_sealed(data, CODE)


OUT_OF_BOUNDS = [
    {"device_id": b"123"}, {"device_id": bytes(8)}, {"key": b"k" * 16}, {"key_id": 0}, {"key_id": True},
    {"role": "owner"}, {"name": ""}, {"name": "x" * 25},
    {"name": "\ud800"}, {"name": "\x1b[2J"}, {"name": "bed\n3"}, {"name": 5},
    {"site": ""}, {"site": "none"}, {"site": "\x1b[31m"}, {"site": []},
]  # fmt: skip


@pytest.mark.parametrize("change", OUT_OF_BOUNDS)
def test_seal_refuses_what_is_out_of_bounds(change):
    with pytest.raises(ConfigError, match="Not a valid enrolment"):
        seal(replace(ENROLMENT, **change), CODE)


@pytest.mark.parametrize("change", OUT_OF_BOUNDS)
def test_what_somebody_sealed_out_of_bounds_is_refused(change, monkeypatch):
    with monkeypatch.context() as maker:
        maker.setattr(enrolment, "_check", lambda _: None)
        made = seal(replace(ENROLMENT, **change), CODE)
    with pytest.raises(ConfigError, match="Not a valid enrolment"):
        open_sealed(made, CODE)


def test_neither_file_nor_repr_shows_the_key(sealed):
    assert ENROLMENT.key.hex() not in sealed.decode() and ENROLMENT.key.hex() not in repr(ENROLMENT)
    assert ENROLMENT.device_id.hex() not in sealed.decode()


def test_codes_are_fresh_and_evenly_drawn():
    codes = {new_code(os.urandom) for _ in range(300)}
    assert len(codes) == 300
    letters = "".join(codes).replace("-", "")
    assert len(set(letters)) == 30  # every letter occurs in 3600 draws
    assert all(open_code.count("-") == 2 and len(open_code) == 14 for open_code in codes)


def test_two_seals_of_the_same_enrolment_differ(sealed):
    assert seal(ENROLMENT, CODE) != sealed
