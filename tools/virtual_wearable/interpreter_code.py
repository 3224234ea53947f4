"""Where the parts of the MicroPython interpreter lie in its library: its bytecode loop, and LittleFS."""

import struct
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_SHT_DYNSYM = 11
_STT_FUNC = 2
_SYMBOL_SIZE = 24


@dataclass(frozen=True)
class InterpreterCode:
    """Offsets (start, end) inside the library `path`."""

    path: str
    loop: tuple[int, int]
    delicate: tuple[tuple[int, int], ...]  # callers that an exception would ruin, or that would swallow it


def _functions(library: bytes) -> list[tuple[int, int, str]]:
    """(start, end, name) of every exported function of an ELF64 library, in order of address."""
    (table_at,) = struct.unpack_from("<Q", library, 40)
    entry_size, count = struct.unpack_from("<HH", library, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", library, table_at + i * entry_size) for i in range(count)]
    found = []
    for section in sections:
        if section[1] != _SHT_DYNSYM:
            continue
        names_at = sections[section[6]][4]
        for at in range(section[4], section[4] + section[5], _SYMBOL_SIZE):
            name_at, info, _, _, value, size = struct.unpack_from("<IBBHQQ", library, at)
            if info & 15 == _STT_FUNC and value:
                end = library.index(b"\0", names_at + name_at)
                found.append((value, value + size, library[names_at + name_at : end].decode()))
    return sorted(found)


def _unit(functions: list[tuple[int, int, str]], prefix: str) -> tuple[int, int]:
    """Range of the source file whose exported functions start with `prefix`, its inner functions included."""
    marked = [i for i, function in enumerate(functions) if function[2].startswith(prefix)]
    if not marked:
        raise LookupError(f"the interpreter has no function {prefix}…")
    before, after = marked[0] - 1, marked[-1] + 1
    start = functions[before][1] if before >= 0 else functions[marked[0]][0]
    return start, functions[after][0] if after < len(functions) else functions[marked[-1]][1]


@cache
def interpreter_code() -> InterpreterCode:
    """Look into the installed interpreter; LookupError when it is built in another way."""
    spec = find_spec("micropython_run")
    if spec is None or spec.origin is None:
        raise LookupError("the library of the MicroPython interpreter is missing")
    functions = _functions(Path(spec.origin).read_bytes())
    by_name = {name: (start, end) for start, end, name in functions}
    try:
        loop, import_stat = by_name["mp_execute_bytecode"], by_name["mp_vfs_import_stat"]
    except KeyError as missing:
        raise LookupError(f"{spec.origin}: not the interpreter that was expected, no {missing}") from missing
    return InterpreterCode(spec.origin, loop, (_unit(functions, "lfs2_"), import_stat))
