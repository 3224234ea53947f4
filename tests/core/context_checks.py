"""Context bytes: the same checks on CPython and on MicroPython."""

from crs_core import context
from crs_core.errors import LocalError, RemoteError

from tests.core.raising import raised

PROOF = b"\x11\x22\x33\x44\x55\x66\x77\x88"


def _lowest_and_highest():
    for edge in (1, 2):
        yield {key: context.KEYS[key][edge] for key in context.KEYS}
    yield {key: None for key in context.KEYS}


def check_round_trip():
    for values in _lowest_and_highest():
        data = context.encode(61_000, PROOF, values)
        assert len(data) == 15 + 3 * len(values)
        assert context.decode(data) == (61_000, PROOF, values)
    assert context.decode(context.encode(0, PROOF, {12: 0}))[2] == {12: 0}


def check_age_saturates():
    for age_ms, sent in ((0, 0), (0xFFFFFFFF, 0xFFFFFFFF), (0x100000000, 0xFFFFFFFF), (1 << 48, 0xFFFFFFFF)):
        assert context.decode(context.encode(age_ms, PROOF, {12: 3}))[0] == sent


def check_values_beyond_their_bounds_are_refused():
    for key in context.KEYS:
        partner = {1: 3900, 2: 1} if key in (context.TEMPERATURE_CC, context.SITE) else {}
        for value in (context.KEYS[key][1] - 1, context.KEYS[key][2] + 1):
            values = dict(partner)
            values[key] = value
            if value >= 0:
                _refused(_raw(values))
            assert context.KEYS[key][0] in raised(LocalError, context.encode, 0, PROOF, values), (key, value)


def _raw(values, version=1, flags=0, count=None, keys=None):
    out = bytearray([version, flags, 0, 0, 0, 0])
    out.extend(PROOF)
    out.append(len(values) if count is None else count)
    for key in keys or sorted(values):
        value = values[key]
        out.append(key)
        out.extend((0 if value is None else value + 1).to_bytes(2, "little"))
    return bytes(out)


def _refused(data):
    raised(RemoteError, context.decode, data)


def check_damage_is_refused():
    good = _raw({1: 3900, 2: 1, 12: 9})
    assert context.decode(good)[2] == {1: 3900, 2: 1, 12: 9}
    for size in range(len(good)):
        _refused(good[:size])
    _refused(good + b"\x00")
    for wrong in ({"version": 2}, {"flags": 1}, {"count": 2}):
        _refused(_raw({12: 9}, **wrong))
    for values in ({}, {0: 1}, {24: 1}, {255: None}):
        _refused(_raw(values))
    # doubled, and in another order: one set of entries has one form
    _refused(_raw({12: 9}, count=2, keys=(12, 12)))
    _refused(_raw({12: 9, 13: 3}, keys=(13, 12)))


def check_a_temperature_stands_with_its_site():
    for values in ({1: 3900}, {2: 1}, {1: 3900, 2: None}, {1: None, 2: 1}):
        _refused(_raw(values))
        raised(LocalError, context.encode, 0, PROOF, values)
    for values in ({1: None}, {1: None, 2: None}, {1: 3900, 2: 6}):
        assert context.decode(_raw(values))[2] == values


def check_a_wrong_proof_or_age_is_our_own_fault():
    for age_ms, proof in ((-1, PROOF), (0, PROOF[:7]), (0, PROOF + b"x")):
        raised(LocalError, context.encode, age_ms, proof, {12: 3})
