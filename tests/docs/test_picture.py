"""The picture in the root README is the one that its program draws, of folders that exist."""

import pytest

from tools.dev import picture


def test_the_picture_is_current():
    assert picture.main([]) == 0


def test_an_old_picture_is_noticed_with_what_to_do(tmp_path, monkeypatch, capsys):
    old = tmp_path / "overview.svg"
    old.write_text(picture.draw().replace("sensor", "probe"))
    monkeypatch.setattr(picture, "PICTURE", old)
    assert picture.main([]) == 1
    assert "python -m tools.dev.picture --write" in capsys.readouterr().out


def test_a_folder_that_is_gone_is_named(monkeypatch):
    monkeypatch.setattr(picture, "LANES", (("lane", (picture.Box("sensor", "", "firmware/gone"),)),))
    with pytest.raises(FileNotFoundError, match="firmware/gone"):
        picture.draw()
