"""Read a journal's files from a directory or a LittleFS flash image at one instant. Neither is ever written."""

from pathlib import Path

from littlefs import LittleFSError

from tools.data.flash_image import SECTOR, RestlessImageError, at_one_instant, mounted

IMAGE_MAX = 128 << 20  # bytes; the largest chip of these boards has 32 MB


class SourceError(Exception):
    """The source cannot be read; the message says why in one sentence."""


def files_of(path: Path, offset: int = 0) -> dict[str, bytes | None]:
    """{"/journal/r/00000001.seg": bytes, ...} of every file; None for a file that the file system cannot read.

    `offset` is the byte at which the file system begins in an image of the whole flash.
    """
    try:
        if path.is_dir():
            return _of_folder(path)
        if not path.exists():
            raise SourceError(f"{path}: no such file or directory")
        if not path.is_file():
            raise SourceError(f"{path}: neither a file nor a directory. Copy the flash into a file first")
        if path.stat().st_size > IMAGE_MAX:
            raise SourceError(f"{path}: larger than any flash of a wearable. Name the image of one")
        if not 0 <= offset <= IMAGE_MAX:
            raise SourceError(f"--offset {offset} must be 0 to {IMAGE_MAX}")
        data = at_one_instant(path)[offset:]
    except RestlessImageError as error:
        raise SourceError(str(error)) from error
    except OSError as error:
        raise SourceError(f"{error.filename or path}: cannot be read: {error.strerror or error}") from error
    if len(data) < 2 * SECTOR:
        raise SourceError(f"{path}: {len(data)} bytes are too few for a file system")
    return _files(path, data)


def _of_folder(folder: Path) -> dict[str, bytes | None]:
    found: dict[str, bytes | None] = {}
    room = IMAGE_MAX
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.is_symlink():
            room -= file.stat().st_size
            if room < 0:
                raise SourceError(
                    f"{folder}: more than any flash of a wearable holds. Name the journal's folder"
                )
            found["/" + str(file.relative_to(folder))] = file.read_bytes()
    return found


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
            why = "it holds no file system of a wearable, or a damaged one"
            raise SourceError(
                f"{path}: {why}. In an image of the whole chip, say where it begins: --offset"
            ) from error
    return found
