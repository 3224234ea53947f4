"""A flash image that is read while a board writes to it: one instant, or a refusal."""

from pathlib import Path

import littlefs
import pytest

from tools.data.flash_image import READS_MAX, RestlessImageError, at_one_instant, is_in_use
from tools.data.journal_dump.__main__ import main
from tools.data.journal_dump.source import files_of
from tools.rig.image import build_image, read_file, read_image
from tools.rig.micropython import ROOT, run_micropython
from tools.rig.wearable import Wearable

SECTOR, SECTORS, PIECE = 4096, 16, 512


class _BusyImage:
    """An image whose files are rewritten while it is read: one step after every eighth piece, in every other read."""

    def __init__(self, path: Path) -> None:
        self.path, self.steps, self.reads = path, 0, 0
        self._files = littlefs.LittleFS(
            block_size=SECTOR, block_count=SECTORS, read_size=256, prog_size=256, lookahead_size=32
        )
        for _ in range(3):
            self._step()

    def _step(self) -> None:
        self.steps += 1
        with self._files.open("busy", "wb") as file:
            file.write(b"%08d" % self.steps * 1280)
        self._files.rename("busy", f"done{self.steps % 3}")
        self.path.write_bytes(bytes(self._files.context.buffer))

    def read_bytes(self) -> bytes:
        """As `Path.read_bytes` on a machine that runs the writer between the pieces."""
        self.reads += 1
        read = b""
        for n in range(SECTOR * SECTORS // PIECE):
            with self.path.open("rb", buffering=0) as file:
                file.seek(n * PIECE)
                read += file.read(PIECE)
            if n % 8 == 7 and self.reads % 4 < 2:
                self._step()
        return read


def _whole(image: bytes, path: Path) -> bool:
    """Whether the copy mounts and each of its files is all of one step."""
    path.write_bytes(image)
    try:
        files = read_image(path)
        contents = []
        for name in files.listdir("/"):
            with files.open(name, "rb") as file:
                contents.append(file.read())
    except littlefs.LittleFSError:
        return False
    return len(contents) >= 3 and all(each == each[:8] * 1280 for each in contents)


class _Scripted:
    """A path whose reads are given one after the other; the last one repeats."""

    def __init__(self, *reads: bytes) -> None:
        self._reads, self.count = list(reads), 0

    def read_bytes(self) -> bytes:
        self.count += 1
        return self._reads.pop(0) if len(self._reads) > 1 else self._reads[0]


def test_only_what_two_reads_in_a_row_saw_is_taken() -> None:
    path = _Scripted(b"AAAA", b"BAAA", b"BBAA", b"BBBB", b"BBBB", b"CCCC")
    assert at_one_instant(path) == b"BBBB" and path.count == 5  # type: ignore[arg-type]


def test_an_image_that_never_rests_is_refused_and_says_what_to_do() -> None:
    restless = _Scripted(*(bytes([n % 256]) for n in range(READS_MAX + 10)))
    with pytest.raises(RestlessImageError, match="Stop the wearable"):
        at_one_instant(restless)  # type: ignore[arg-type]


def test_every_copy_of_an_image_that_is_being_written_mounts_and_reads_whole(
    tmp_path: Path, monkeypatch
) -> None:
    plain = _BusyImage(tmp_path / "flash.img")
    torn = [_whole(plain.read_bytes(), tmp_path / "copy") for _ in range(40)]
    assert not all(torn), "the writer harms no plain read: this test would prove nothing"
    busy = _BusyImage(tmp_path / "flash.img")
    for _ in range(40):
        assert _whole(at_one_instant(busy), tmp_path / "copy")  # type: ignore[arg-type]
    assert busy.steps > 200


# Appends some bytes at a time, as the journal does, on MicroPython's LittleFS; a copy of the image after each.
APPENDER = """
import sys, vfs
sys.path.insert(0, "{chip}")
from nor_flash import NorFlash

class Board:
    def call(self, op, payload=b""):
        return b"\\0d"

class Levels:
    def refresh(self):
        return bytes(16)

flash = NorFlash("{folder}/flash.img", Board(), Levels(), 0, lambda on: None)
how = dict(readsize=256, progsize=256, lookahead=32)
vfs.VfsLfs2.mkfs(flash, **how)
vfs.mount(vfs.VfsLfs2(flash, **how), "/f")
for n in range(200):
    with open("/f/log", "ab" if n % 14 else "wb") as file:
        file.write(bytes([n]) * (n * 37 % 61 + 10))
    with open("{folder}/flash.img", "rb") as image, open("{folder}/%d.img" % n, "wb") as copy:
        copy.write(image.read())
"""


def test_a_file_that_micropython_appends_to_is_read_whole_wherever_it_lies(tmp_path: Path) -> None:
    """A file among the metadata, near the end of its sector: a reader with a smaller cache calls that corrupt."""
    script = tmp_path / "append.py"
    (tmp_path / "flash.img").write_bytes(b"\xff" * SECTOR * SECTORS)
    script.write_text(APPENDER.format(chip=ROOT / "tools/virtual_wearable/chip", folder=tmp_path))
    done = run_micropython(script)
    assert done.returncode == 0, done.stderr
    for n in range(200):
        image = tmp_path / f"{n}.img"
        wanted = b"".join(bytes([each]) * (each * 37 % 61 + 10) for each in range(n - n % 14, n + 1))
        assert read_file(image, "/log") == files_of(image)["/log"] == wanted, n


@pytest.mark.wearable
def test_a_journal_dump_says_that_a_wearable_is_running(tmp_path: Path, capsys) -> None:
    build_image(tmp_path / "flash.img")
    with Wearable(tmp_path) as wearable:
        assert is_in_use(wearable.image)
        assert main([str(build_image(tmp_path / "other.img")), "--summary"]) == 0
        assert capsys.readouterr().err == ""
        main([str(wearable.image), "--summary"])
        assert "a virtual wearable is running on this image" in capsys.readouterr().err
    assert not is_in_use(tmp_path / "flash.img") and not is_in_use(tmp_path / "none")
