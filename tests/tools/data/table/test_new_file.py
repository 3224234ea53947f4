"""A place where nothing can be written is refused in one sentence, whatever is wrong with it."""

from pathlib import Path

import pytest

from tools.data.table.new_file import new_file
from tools.data.table.problems import TableError


def place(folder: Path, kind: str) -> Path:
    match kind:
        case "name too long":
            return folder / ("x" * 300)
        case "path too long":
            return folder.joinpath(*(["y" * 200] * 30))
        case "below a file":
            return folder / "input" / "out"
        case "link to itself":
            (folder / "loop").symlink_to(folder / "loop")
            return folder / "loop"
        case "link into nowhere":
            (folder / "link").symlink_to(folder / "none" / "out")
            return folder / "link"
        case "folder":
            return folder
    return folder / "none" / "out"


@pytest.mark.parametrize("kind", [
    "name too long", "path too long", "below a file", "link to itself", "link into nowhere", "folder", "no folder",
])  # fmt: skip
@pytest.mark.parametrize("sources", [0, 1])
def test_where_nothing_can_be_written_it_says_so_and_leaves_nothing(
    tmp_path: Path, kind: str, sources: int
) -> None:
    (tmp_path / "input").write_text("input")
    out = place(tmp_path, kind)
    before = sorted(tmp_path.iterdir())
    with (
        pytest.raises(TableError, match=r"cannot be written|is a folder"),
        new_file(out, *[tmp_path / "input"] * sources) as file,
    ):
        file.write("never")
    assert sorted(tmp_path.iterdir()) == before and (tmp_path / "input").read_text() == "input"
