"""What a disk may hold after a cut of power or a kill, from the system calls that a process really made (strace).

`record` runs a program under strace; `Disk.apply` replays its writes one by one. At any point `after_kill` is what a
kill -9 leaves: every write so far, as the kernel has it. `after_power_cut` is what a cut of power leaves: what was
synced, and of the writes since then none, or any choice of their 512-byte sectors. A file counts as there once the
directory it was made in was synced, or when it was there before. Not modelled: a disk that answers a sync too early.
"""

import random
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SECTOR = 512
_CALLS = "pwrite64,write,fsync,fdatasync,ftruncate,unlink,rename"
_CALL = re.compile(r"^(\d+) +(\w+)\(\d+<([^>]*)>(.*)$")
_RESUMED = re.compile(r"^(\d+) +<\.\.\. \w+ resumed>(.*)$")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')


class Call(NamedTuple):
    """One system call on a path: kind is write, sync, truncate, or mark for a line written to the file of marks."""

    kind: str
    path: str
    at: int = 0
    data: bytes = b""


def record(command: list[str], trace: Path, env: dict[str, str]) -> None:
    """Run `command` to its end under strace; raises with its output when it fails."""
    strace = ["strace", "-f", "-y", "-xx", "-s", "200000", "-e", f"trace={_CALLS}", "-o", str(trace)]
    done = subprocess.run(
        [*strace, *command], capture_output=True, text=True, timeout=200, env=env, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")


def calls(trace: Path, marks: Path) -> Iterator[Call]:
    """The calls in the order of their ends; lines written to `marks` at their beginning."""
    begun: dict[str, str] = {}  # thread -> a call that another one's line interrupted
    with trace.open() as lines:
        for raw in lines:
            line = raw.rstrip()
            resumed = _RESUMED.match(line)
            if resumed:
                if (first := begun.pop(resumed[1], None)) is None:
                    continue
                line = first + resumed[2]
            is_open = line.endswith("<unfinished ...>")
            found = _CALL.match(line)
            if found is None:
                continue
            path = _text(found[3]).decode()
            if path == str(marks):
                if not resumed:
                    yield Call("mark", path, data=_data(found[4]))
            elif is_open:
                begun[found[1]] = line.removesuffix("<unfinished ...>")
            elif (call := _call(found[2], path, found[4])) is not None:
                yield call


def _call(name: str, path: str, rest: str) -> Call | None:
    arguments, _, result = rest.rpartition(" = ")
    if not result.isdigit():  # refused, or the process ended in it
        return None
    if name in ("fsync", "fdatasync"):
        return Call("sync", path)
    numbers = [int(n) for n in re.findall(r"\d+", _TEXT.sub("", arguments))]
    if name == "pwrite64":
        return Call("write", path, numbers[-1], _data(arguments)[: int(result)])
    return Call("truncate", path, numbers[-1]) if name == "ftruncate" else Call(name, path)


def _text(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", ""))


def _data(arguments: str) -> bytes:
    found = _TEXT.search(arguments)
    assert found is not None
    assert not found[2], "strace cut the data"
    return _text(found[1])


class Disk:
    """The files of one folder whose names begin with `stem`; what is there at the beginning counts as synced."""

    def __init__(self, folder: Path, stem: str) -> None:
        self._folder = folder
        self._stem = stem
        self._synced = {path.name: path.read_bytes() for path in folder.glob(stem + "*")}
        self._since: dict[str, list[Call]] = {}
        self._named = set(self._synced)

    def apply(self, call: Call) -> bool:
        """Take one call; False when it does not concern these files."""
        path = Path(call.path)
        if path == self._folder and call.kind == "sync":
            self._named |= set(self._since) | set(self._synced)
            return True
        if path.parent != self._folder or not path.name.startswith(self._stem) or path.name.endswith("-shm"):
            return False
        if call.kind == "sync":
            done = self._since.pop(path.name, [])
            self._synced[path.name] = _write(self._synced.get(path.name, b""), done)
        else:
            assert call.kind in ("write", "truncate"), call
            self._since.setdefault(path.name, []).append(call)
        return True

    def after_kill(self) -> dict[str, bytes]:
        """Files as the kernel has them: it goes on without the process."""
        names = set(self._synced) | set(self._since)
        return {name: _write(self._synced.get(name, b""), self._since.get(name, [])) for name in names}

    def after_power_cut(self, chance: random.Random | None = None) -> dict[str, bytes]:
        """Files as the disk has them: what was synced, and what `chance` lets through of the rest (None: nothing)."""
        files = {}
        for name in self._named:
            kept = _torn(self._since.get(name, []), chance) if chance else []
            files[name] = _write(self._synced.get(name, b""), kept)
        return files


def _torn(since: list[Call], chance: random.Random) -> list[Call]:
    """Any choice of the sectors of these writes, in their order; of a truncation all or nothing."""
    share = chance.random()
    kept = []
    for call in since:
        for at in range(0, max(len(call.data), 1), SECTOR):
            if chance.random() < share:
                kept.append(call._replace(at=call.at + at, data=call.data[at : at + SECTOR]))
    return kept


def _write(content: bytes, todo: list[Call]) -> bytes:
    data = bytearray(content)
    for call in todo:
        end = call.at + len(call.data)
        data.extend(bytes(max(0, end - len(data))))
        data[call.at : end] = call.data
        if call.kind == "truncate":
            del data[call.at :]
    return bytes(data)
