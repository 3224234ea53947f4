"""Remembered USB serial numbers survive a restart; a bad file costs nothing."""

import pytest

from host_agent.link.usb_serials import Remembered


def test_added_serials_are_there_after_a_restart_and_once(tmp_path):
    path = tmp_path / "s.json"
    for serial in ("A1", "B2", "A1"):
        Remembered(path).add(serial)
    assert Remembered(path).serials == ["A1", "B2"]


def test_the_list_is_bounded_and_forgets_the_oldest(tmp_path):
    remembered = Remembered(tmp_path / "s.json")
    for number in range(70):
        remembered.add(str(number))
    assert len(remembered.serials) == 64 and remembered.serials[0] == "6"


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[1, null]", b"nonsense"])
def test_a_bad_file_is_an_empty_list(tmp_path, content):
    path = tmp_path / "s.json"
    path.write_bytes(content)
    assert Remembered(path).serials == []


def test_a_folder_that_takes_nothing_is_only_a_warning(tmp_path, caplog):
    remembered = Remembered(tmp_path / "missing" / "s.json")
    remembered.add("A1")
    assert remembered.serials == ["A1"] and "not written" in caplog.text
