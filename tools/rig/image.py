"""Build a flash image with the compiled firmware, settings, keys and an empty journal, without a board or mpremote.

    image = build_image(tmp_path / "flash.img")
    image = build_image(
        path, binding_id=PATIENT, settings={"site": "oral"}, without=("crs_device/measuring/sampling.mpy",)
    )

The compiled firmware is kept in this checkout's build/firmware, in a folder named by the hash of its sources and of the
build, so an image takes well under a second. `make clean` removes it.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from crs_core.keys import ROLE_CUSTODIAN, ROLE_READER, Key
from crs_device.journal.journal import Journal
from crs_device.settings.key_file import KeyFile
from crs_device.settings.settings_file import SettingsFile
from littlefs import LittleFS

from tools.board import build_firmware, fold_constants, short_arguments, unused_names
from tools.board.build_firmware import PACKAGES, bundle, compile_application, root_files, source_tree
from tools.data.flash_image import CACHE, SECTOR, at_one_instant, mounted
from tools.rig.micropython import ROOT

SECTORS = 352
DEVICE_ID = bytes.fromhex("c1770a7c8ed00001")
CUSTODIAN = Key(0x11111111, ROLE_CUSTODIAN, bytes(range(32)), "bedside")
READER = Key(0x22222222, ROLE_READER, bytes(range(32, 64)), "ward")
SETTINGS = {"site": "axilla", "patient_call_number": "+49 30 1234", "emergency_number": "112"}
PATIENT = b"PATIENT1"


_CACHE = ROOT / "build" / "firmware"


def compiled() -> dict[str, bytes]:
    """{path inside a slot: .mpy bytes} of the present sources for the virtual board."""
    digest = hashlib.sha256()
    for module in (build_firmware, fold_constants, unused_names, short_arguments):
        digest.update(Path(module.__file__).read_bytes())
    for package in PACKAGES:
        for path in sorted((source_tree() / package).rglob("*.py")):
            digest.update(str(path.relative_to(source_tree())).encode() + path.read_bytes())
    kept = _CACHE / digest.hexdigest()[:16]
    if not kept.is_dir():
        files = compile_application("virtual")
        with contextlib.suppress(OSError):  # a checkout that cannot be written is compiled anew each time
            _keep(files, kept)
        return files
    return files_in(kept, "")


def _keep(files: dict[str, bytes], folder: Path) -> None:
    """Write the files under a name of this process, then rename: other processes see all of them or none."""
    _CACHE.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=_CACHE))
    try:
        for name, content in files.items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).write_bytes(content)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def files_in(folder: Path, prefix: str = "/") -> dict[str, bytes]:
    """{prefix + path inside the folder: content} of all its files."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {prefix + path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def build_image(
    path: Path,
    *,
    slots: str = "a",
    settings: dict[str, str] | None = SETTINGS,
    keys: tuple[Key, ...] = (CUSTODIAN, READER),
    binding_id: bytes | None = PATIENT,
    device_id: bytes = DEVICE_ID,
    journal: bool = True,
    without: tuple[str, ...] = (),
    extra: dict[str, bytes] | None = None,
) -> Path:
    """Write the image and return its path. `slots` names the slots that get the application, the first is active.

    `binding_id` None: not bound. `settings` None and `keys` (): not provisioned. `without` leaves files of the
    application out; `extra` adds or replaces files by absolute path.
    """
    files: dict[str, bytes] = {}
    for slot in slots:
        files[f"/{slot}.app"] = bundle(
            {name: code for name, code in compiled().items() if name not in without}
        )
    files |= {f"/{name}": content for name, content in root_files().items()}
    if slots:
        files["/slot"] = slots[0].encode()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        if settings is not None:
            SettingsFile(str(root / "settings")).store(dict(settings))
        if keys:
            KeyFile(str(root / "keys")).store(device_id, list(keys))
        if journal:
            made = Journal(str(root / "journal"), 0, os.urandom, 1 << 20)
            made.create(binding_id) if binding_id else made.create()
        files |= files_in(root)
        folders = {"/" + str(each.relative_to(root)) for each in root.rglob("*") if each.is_dir()}
    files |= extra or {}
    filesystem = LittleFS(
        block_size=SECTOR,
        block_count=SECTORS,
        read_size=256,
        prog_size=256,
        cache_size=CACHE,
        lookahead_size=32,
    )
    for name in sorted(folders | {str(Path(file).parent) for file in files}):
        if name != "/":
            filesystem.makedirs(name, exist_ok=True)
    for name, content in files.items():
        with filesystem.open(name, "wb") as file:
            file.write(content)
    path.write_bytes(bytes(filesystem.context.buffer))
    return path


def read_image(path: Path) -> LittleFS:
    """Mount a copy of an image file, as it is at one instant: a wearable may be running on it."""
    return mounted(at_one_instant(path))


def read_file(image: Path, name: str) -> bytes:
    """One file of an image."""
    files = read_image(image)  # must outlive the file
    with files.open(name, "rb") as file:
        return bytes(file.read())
