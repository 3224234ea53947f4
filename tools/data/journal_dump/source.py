"""Read a journal's files from a directory or a LittleFS flash image at one instant. Neither is ever written."""

from pathlib import Path

from littlefs import LittleFSError

from tools.data.flash_image import SECTOR, RestlessImageError, at_one_instant, mounted


class SourceError(Exception):
    """The source cannot be read; the message says why in one sentence."""


def files_of(path: Path, offset: int = 0) -> dict[str, bytes | None]:
    """{"/journal/r/00000001.seg": bytes, ...} of every file; None for a file that the file system cannot read.

    `offset` is the byte at which the file system begins in an image of the whole flash.
    """
    if path.is_dir():
        files = [file for file in sorted(path.rglob("*")) if file.is_file()]
        return {"/" + str(file.relative_to(path)): file.read_bytes() for file in files}
    if not path.exists():
        raise SourceError(f"{path}: no such file or directory")
    try:
        data = at_one_instant(path)[offset:]
    except RestlessImageError as error:
        raise SourceError(str(error)) from error
    if len(data) < 2 * SECTOR:
        raise SourceError(f"{path}: {len(data)} bytes are too few for a file system")
    return _files(path, data)


def _files(path: Path, data: bytes) -> dict[str, bytes | None]:
    found: dict[str, bytes | None] = {}
    try:
        flash = mounted(data)
        for folder, _, names in flash.walk("/"):
            for name in names:
                full = f"{folder.rstrip('/')}/{name}"
                try:
                    with flash.open(full, "rb") as file:
                        found[full] = file.read()
                except (LittleFSError, OSError):
                    found[full] = None
    except (LittleFSError, OSError) as error:
        if not found:
            raise SourceError(f"{path}: no readable LittleFS: {error}") from error
    return found
