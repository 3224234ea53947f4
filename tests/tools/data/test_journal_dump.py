"""journal_dump on images that the real journal wrote: complete, honest about damage, and it changes nothing."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from tools.data.journal_dump.__main__ import main
from tools.data.journal_dump.source import files_of
from tools.rig.micropython import ROOT, run_micropython


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> tuple[Path, int]:
    image = tmp_path_factory.mktemp("image") / "flash.img"
    done = run_micropython(ROOT / "tests/micropython/journal_image.py", str(image))
    assert done.returncode == 0, done.stdout + done.stderr
    return image, int(done.stdout)


@pytest.fixture
def folder(written, tmp_path) -> Path:
    """The same journal as a directory that a test may damage."""
    for path, data in files_of(written[0]).items():
        target = tmp_path / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return tmp_path


def dump(capsys, *args) -> tuple[int, dict]:
    code = main([*map(str, args), "--json"])
    text = capsys.readouterr().out
    return code, json.loads(text)["journals"][0] if text else {}


def test_a_whole_image_reads_without_fault_and_stays_as_it_was(written, capsys):
    image, head = written
    before = hashlib.sha256(image.read_bytes()).digest()
    code, found = dump(capsys, image)
    assert code == 0
    assert found["head_seq"] == found["records"] == found["acked_seq"] == head
    assert found["faults"] == found["gaps"] == []
    numbers = [record["seq"] for entry in found["blocks"] for record in entry["records"]]
    assert numbers == list(range(1, head + 1))
    names = {record["name"] for entry in found["blocks"] for record in entry["records"]}
    assert {"BOOT", "READING", "FAULT", "SETTINGS", "GRADER_STATE", "ACCEPTED", "BUTTON"} <= names
    assert all(entry["simulated"] for entry in found["blocks"])
    assert hashlib.sha256(image.read_bytes()).digest() == before


def test_image_and_directory_say_the_same(written, folder, capsys):
    assert dump(capsys, folder) == dump(capsys, written[0])
    moved = folder / "elsewhere"
    shutil.move(folder / "journal", moved)
    code, found = dump(capsys, moved)
    assert (code, found["records"]) == (0, written[1])


def test_text_shows_records_and_summary_does_not(written, capsys):
    assert main([str(written[0])]) == 0
    whole = capsys.readouterr().out
    assert "BUTTON kind=1" in whole and "SIMULATED" in whole
    assert main([str(written[0]), "--summary"]) == 0
    short = capsys.readouterr().out
    assert "BUTTON" not in short and f"head {written[1]}, 0 gaps, 0 faults" in short


def test_a_flipped_bit_is_named_with_its_place_and_leaves_a_gap(folder, capsys):
    whole = dump(capsys, folder)[1]
    for victim in (whole["blocks"][0], whole["blocks"][7], whole["blocks"][-1]):
        path = folder / victim["file"].lstrip("/")
        data = bytearray(path.read_bytes())
        data[victim["offset"] + 21] ^= 8
        kept = path.read_bytes()
        path.write_bytes(data)
        code, found = dump(capsys, folder)
        path.write_bytes(kept)
        assert code == 1
        fault = found["faults"][0]
        assert [fault[key] == victim[key] for key in ("file", "offset", "length")] == [True] * 3
        assert found["records"] == whole["records"] - (victim["last_seq"] - victim["first_seq"] + 1)
        if victim["last_seq"] != whole["head_seq"]:
            assert found["gaps"] == [{"first": victim["first_seq"], "last": victim["last_seq"]}]


def test_cut_anywhere_it_never_crashes_and_invents_nothing(written, tmp_path, capsys):
    whole = dump(capsys, written[0])[1]
    known = {record["seq"]: record for entry in whole["blocks"] for record in entry["records"]}
    data = written[0].read_bytes()
    codes = set()
    for size in range(0, len(data), 4096 * 3 + 511):
        cut = tmp_path / "cut.img"
        cut.write_bytes(data[:size])
        code = main([str(cut), "--json"])
        codes.add(code)
        out = capsys.readouterr()
        if code == 2:
            assert "journal_dump:" in out.err
            continue
        for journal in json.loads(out.out)["journals"]:
            for entry in journal["blocks"]:
                for record in entry["records"] or []:
                    assert known[record["seq"]] == record
    assert 2 in codes


def test_without_a_header_nothing_is_called_valid_until_the_id_is_given(folder, capsys):
    whole = dump(capsys, folder)[1]
    for slot in (folder / "journal").glob("header.*"):
        slot.write_bytes(b"\0" * 20)
    code, found = dump(capsys, folder)
    assert (code, found["records"]) == (1, 0)
    assert "journal id is unknown" in found["faults"][0]["why"]
    code, found = dump(capsys, folder, "--journal-id", whole["journal_id"])
    assert found["records"] == whole["records"]


def test_one_number_with_two_contents_is_a_fault(folder, capsys):
    from crs_core.journal import block_writer

    whole = dump(capsys, folder)[1]
    journal_id = bytes.fromhex(whole["journal_id"])
    forged = block_writer.encode_events(journal_id, 9, 5, [(1, 7, b"\x02")])
    (folder / "journal/e/00000005.seg").write_bytes(forged)
    code, found = dump(capsys, folder)
    assert code == 1 and any("two contents" in fault["why"] for fault in found["faults"])


def test_nothing_there_is_said_so(tmp_path, capsys):
    (tmp_path / "noise.img").write_bytes(bytes(range(256)) * 64)
    for path, says in (
        ("absent", "no such file"),
        ("", "no journal found"),
        ("noise.img", "no file system of a wearable"),
    ):
        assert main([str(tmp_path / path)]) == 2
        assert says in capsys.readouterr().err
