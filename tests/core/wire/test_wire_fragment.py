"""Cutting messages for a radio and joining them; parts of long requests."""

import random

import pytest
from crs_core.errors import LocalError, RemoteError
from crs_core.wire import fragment, parts


@pytest.mark.parametrize("size", [2, 3, 20, 64, 244])
@pytest.mark.parametrize("length", [1, 2, 19, 20, 38, 39, 243, 244, 4109])
def test_split_and_assemble(size, length):
    message = random.Random(length).randbytes(length)
    assembler = fragment.Assembler(4109)
    count = 60  # rolls over
    for _ in range(3):
        pieces = fragment.split(message, size, count)
        count += len(pieces)
        assert all(len(piece) <= size for piece in pieces)
        assert (
            [piece[0] & 0x80 for piece in pieces].count(0x80)
            == 1
            == [p[0] & 0x40 for p in pieces].count(0x40)
        )
        results = [assembler.feed(piece) for piece in pieces]
        assert results[-1] == message and not any(results[:-1])
    assert not any(assembler.counters().values())


def test_header_bytes():
    assert fragment.split(b"abcde", 3, 62) == [b"\xbeab", b"\x3fcd", b"\x40e"]
    assert fragment.split(b"ab", 3, 64) == [b"\xc0ab"]


@pytest.mark.parametrize("bad", [b"", b"x"])
def test_split_refuses(bad):
    with pytest.raises(LocalError):
        fragment.split(bad, 20 if not bad else 1)


def test_lost_doubled_and_reordered_fragments_never_join_wrong():
    message = bytes(range(200))
    pieces = fragment.split(message, 20)
    for drop in range(len(pieces)):
        assembler = fragment.Assembler(300)
        assert not any(assembler.feed(p) for i, p in enumerate(pieces) if i != drop)
        again = fragment.split(message, 20, len(pieces))
        assert [assembler.feed(p) for p in again][-1] == message
        assert assembler.torn > 0
    assembler = fragment.Assembler(300)
    assert [r for p in pieces for r in (assembler.feed(p), assembler.feed(p)) if r] == [message]
    assert assembler.doubled == len(pieces)
    for swap in range(len(pieces) - 1):
        swapped = [*pieces[:swap], pieces[swap + 1], pieces[swap], *pieces[swap + 2 :]]
        assembler = fragment.Assembler(300)
        assert not any(assembler.feed(p) for p in swapped)


def test_assembler_is_bounded():
    assembler = fragment.Assembler(50)
    assert not any(assembler.feed(p) for p in fragment.split(bytes(51), 20))
    assert assembler.oversize == 1
    assert assembler.feed(b"") is None and assembler.feed(b"\xc0") is None and assembler.empty == 2
    assert [assembler.feed(p) for p in fragment.split(bytes(50), 20, 3)][-1] == bytes(50)


def test_parts_join_in_order_only():
    data = bytes(range(250))
    pieces = parts.split_parts(data, 100)
    joiner = parts.PartJoiner(1000)
    assert [joiner.add(i, 3, p) for i, p in enumerate(pieces)] == [None, None, data]
    assert joiner.add(0, 1, b"") == b"" and parts.split_parts(b"", 5) == [b""]
    for bad in ((1, 3), (0, 0), (3, 3), (255, 255)):
        with pytest.raises(RemoteError):
            joiner.add(*bad, b"x")
    joiner.add(0, 3, b"a")
    with pytest.raises(RemoteError):
        joiner.add(1, 4, b"b")  # another count than part 0 said
    joiner.add(0, 2, b"a")
    assert joiner.add(0, 2, b"c") is None and joiner.add(1, 2, b"d") == b"cd"  # part 0 starts over
    with pytest.raises(RemoteError):
        joiner.add(1, 2, b"d")  # doubled
    joiner.add(0, 2, bytes(900))
    with pytest.raises(RemoteError, match="1000"):
        joiner.add(1, 2, bytes(101))
    with pytest.raises(LocalError):
        parts.split_parts(bytes(256), 1)
