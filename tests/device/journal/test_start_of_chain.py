"""What a start reads of a chain: names with their sizes in one pass, and the newest segment block by block."""

import os
from pathlib import Path

import pytest
from crs_core.journal import block_writer
from crs_core.units import Reading
from crs_device.journal import chain, segment
from crs_device.journal.chain import Chain

ID = b"journal1"


def blocks(count: int) -> list[bytes]:
    return [
        block_writer.encode_readings(ID, 1, 1 + n, [Reading(1000 * n, 3700, 970, 80, 150, 1025)])
        for n in range(count)
    ]


def test_the_last_block_in_a_row_is_found_with_the_place_behind_it(tmp_path: Path) -> None:
    made = blocks(3)
    path = tmp_path / "00000001.seg"
    path.write_bytes(b"".join(made))
    (offset, header), end = segment.last_in_row(str(path), ID)
    assert (offset, header.first_seq, end) == (len(made[0] + made[1]), 3, path.stat().st_size)


def test_a_row_ends_at_the_first_byte_that_is_no_block(tmp_path: Path) -> None:
    made = blocks(3)
    path = tmp_path / "00000001.seg"
    path.write_bytes(made[0] + b"\x00" + made[1] + made[2])
    (offset, header), end = segment.last_in_row(str(path), ID)
    assert (offset, header.first_seq, end) == (0, 1, len(made[0]))
    path.write_bytes(b"torn")
    assert segment.last_in_row(str(path), ID) == (None, 0)


def test_a_torn_header_that_claims_more_than_a_segment_is_not_read_into_the_heap(tmp_path: Path) -> None:
    torn = bytearray(blocks(1)[0])
    torn[4:6] = (65000).to_bytes(2, "little")  # the body's length
    path = tmp_path / "00000001.seg"
    path.write_bytes(bytes(torn) + bytes(70_000))
    assert segment.read_block(str(path), 0, ID) is None and segment.last_in_row(str(path), ID) == (None, 0)


def test_a_chain_goes_on_behind_damage_as_before(tmp_path: Path) -> None:
    made = blocks(3)
    (tmp_path / "00000001.seg").write_bytes(made[0] + b"\x00" + made[1] + made[2])
    found = Chain(str(tmp_path), ID, 8192)
    found.load()
    last, first, newest, doubt = found.resume()
    assert (last, first, newest[1].first_seq, doubt) == (3, 1, 3, False) and found.corrupt == 1
    (tmp_path / "00000001.seg").write_bytes(made[0] + made[1] + b"\xc5")
    found.load()
    assert found.resume()[0::3] == (2, True)


@pytest.mark.parametrize("with_size", [True, False])
def test_a_file_system_that_tells_sizes_is_not_asked_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_size: bool
) -> None:
    for n, raw in enumerate(blocks(3)):
        (tmp_path / f"{n + 1:08x}.seg").write_bytes(raw)
    (tmp_path / "00000001.seg.new").write_bytes(b"a merge that was cut")

    names = [(each.name, 0x8000, 0, each.stat().st_size) for each in tmp_path.iterdir()]
    asked = []
    real = os.stat
    found = Chain(str(tmp_path), ID, 8192)
    with monkeypatch.context() as patched:
        patched.setattr(
            os, "ilistdir", lambda path: names if with_size else [entry[:3] for entry in names], raising=False
        )
        patched.setattr(chain.os, "stat", lambda path, **how: asked.append(path) or real(path, **how))
        found.load()
    assert [(first, size > 0) for first, size in found.segments] == [(1, True), (2, True), (3, True)]
    assert not (tmp_path / "00000001.seg.new").exists() and len(asked) == (0 if with_size else 4)


def test_neighbouring_blocks_are_read_at_once_and_each_is_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = blocks(6)
    (tmp_path / "00000001.seg").write_bytes(b"".join(made[:5]))
    found = Chain(str(tmp_path), ID, 8192)
    found.load()
    opened = []
    real = segment.read_piece
    monkeypatch.setattr(segment, "read_piece", lambda *where: opened.append(where[1]) or real(*where))
    for n in range(5):
        header, damaged = found.find(n + 1)
        assert (header.first_seq, damaged, found.load_block(header)) == (n + 1, False, made[n])
    assert opened == [0] and found.find(6) == (None, False)
    found.resume()
    found.append(6, made[5])
    header, _ = found.find(6)
    assert found.load_block(header) == made[5]


def test_what_was_read_ahead_is_forgotten_when_its_segment_goes_or_changes(tmp_path: Path) -> None:
    made = blocks(4)
    (tmp_path / "00000001.seg").write_bytes(made[0] + made[1])
    (tmp_path / "00000003.seg").write_bytes(made[2] + made[3])
    found = Chain(str(tmp_path), ID, 8192)
    found.load()
    assert found.find(1)[0].first_seq == 1
    (tmp_path / "00000001.seg").write_bytes(made[1])
    found.replaced(0, 1, len(made[1]))
    assert found.find(1)[0].first_seq == 2
    found.drop(0)
    assert found.find(1)[0].first_seq == 3
