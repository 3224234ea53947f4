"""The canonical form: one entry has one form, and only that form is taken."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_agent.people.account_key import new_signer
from host_agent.people.entry import (
    DOMAIN,
    Entry,
    MalformedEntryError,
    decode,
    encode,
    row_hash,
    signed_bytes,
    verifies,
)

ENTRY = Entry(
    "context", "0" * 32, "nurse-1", "ab" * 8, "cd" * 8, "P-1", 1_800_000_000_000, 1_800_000_000_500,
    {"oxygen": "room_air", "vasopressors": [], "ice": None, "note": "Grüße"}, None, "00" * 32,
)  # fmt: skip


def test_the_form_is_sorted_without_blanks_and_comes_back():
    raw = encode(ENTRY)
    assert raw.startswith(
        b'{"account":"nurse-1","binding":"cdcdcdcdcdcdcdcd","entered_utc_ms":1800000000500,'
    )
    assert raw.endswith(
        b'"v":1,"values":{"ice":null,"note":"Gr\xc3\xbc\xc3\x9fe","oxygen":"room_air","vasopressors":[]}}'
    )
    assert decode(raw) == ENTRY


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: b"",
        lambda raw: raw[:-1],
        lambda raw: raw + b" ",
        lambda raw: raw.replace(b":", b": ", 1),
        lambda raw: raw.replace(b'"v":1', b'"v":2'),
        lambda raw: raw.replace(b'"v":1', b'"v":true'),
        lambda raw: raw.replace(b"Gr\xc3\xbc", b"Gr\\u00fc"),
        lambda raw: raw.replace(b'"ice":null', b'"ice":1,"ice":null'),
        lambda raw: raw.replace(b'"ice":null', b'"ice":1.0'),
        lambda raw: raw.replace(b'"ice":null', b'"ice":NaN'),
        lambda raw: raw.replace(b'"ice":null', b'"ice":"\\ud800"'),
        lambda raw: raw.replace(b"1800000000500", b"-1"),
        lambda raw: raw.replace(b"1800000000500", b"true"),
        lambda raw: raw.replace(b'"nurse-1"', b'"Nurse 1"'),
        lambda raw: raw.replace(b'"context"', b'"gossip"'),
        lambda raw: raw.replace(b'"P-1"', b"null"),
        lambda raw: raw.replace(b'"refers_to":null', b'"refers_to":"x"'),
        lambda raw: raw.replace(b'"kind"', b'"more":1,"kind"'),
        lambda raw: b"[" * 20_000,
        lambda raw: b"{" + b" " * 20_000 + raw[1:],
    ],
)
def test_anything_else_is_no_entry(change):
    with pytest.raises(MalformedEntryError):
        decode(change(encode(ENTRY)))


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_with_the_one_error(data):
    with pytest.raises(MalformedEntryError):
        decode(data)


@pytest.mark.parametrize("value", [1.5, float("nan"), b"x", {"a": {"b": {"c": {"d": 1}}}}, {1: 2}, "\ud800"])
def test_values_that_have_no_one_form_are_not_encoded(value):
    with pytest.raises(MalformedEntryError):
        encode(ENTRY._replace(values={"x": value}))


def test_a_signature_is_over_the_domain_and_the_bytes_and_by_that_key_alone():
    signer, other, raw = new_signer("nurse-1"), new_signer("nurse-2"), encode(ENTRY)
    signature = signer.sign(raw)
    assert signed_bytes(raw) == DOMAIN + raw and verifies(signer.public_key, raw, signature)
    assert not verifies(other.public_key, raw, signature)
    assert not verifies(signer.public_key, raw + b" ", signature)
    assert not verifies(signer.public_key, raw, bytes(64)) and not verifies(signer.public_key, raw, b"")
    assert not verifies(b"short", raw, signature)
    assert not verifies(signer.public_key, raw, signer._private_key.sign(raw)), (
        "a signature without the domain"
    )


def test_the_hash_of_a_row_depends_on_every_part():
    parts = (bytes(32), b"entry", bytes(64))
    changed = [(b"\x01" * 32, *parts[1:]), (parts[0], b"Entry", parts[2]), (*parts[:2], b"\x01" * 64)]
    assert len({row_hash(*parts), *(row_hash(*one) for one in changed)}) == 4


def test_the_form_is_plain_json_for_other_programs():
    tree = json.loads(encode(ENTRY))
    assert {*Entry._fields, "v"} == set(tree)
