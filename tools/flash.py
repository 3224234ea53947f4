"""Put the firmware on a board, virtual or real: `python -m tools.flash PORT`.

Compiles, copies only files whose SHA-256 differs into the slot that is not running, verifies every file on the board,
then switches by renaming one pointer, and restarts. A cut at any moment leaves the running application as it was.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath

from tools.build_firmware import BuildError, compile_application, root_files, sha256_hex, version
from tools.port import BoardPort, PortError, released

# Prints one line per fact: a board's heap has no room for one long text.
LOOK = """
import os, sys, hashlib, binascii, gc
buf = bytearray(512)
def digest(p):
    h = hashlib.sha256()
    with open(p, 'rb') as f:
        n = f.readinto(buf)
        while n: h.update(memoryview(buf)[:n]); n = f.readinto(buf)
    return binascii.hexlify(h.digest()).decode()
def walk(d):
    try: names = os.listdir(d)
    except OSError: return
    for n in names:
        p = d + '/' + n
        if os.stat(p)[0] & 0x4000: walk(p)
        else: print('file', p, digest(p)); gc.collect()
for s in 'ab': walk('/' + s)
for n in ('/boot.py', '/main.py'):
    try: print('file', n, digest(n))
    except OSError: pass
try:
    with open('/slot') as f: print('slot', f.read(1))
except OSError: print('slot', '-')
v = os.statvfs('/')
print('free', v[0] * v[3])
import machine
print('virtual', int(bool(getattr(machine, 'VIRTUAL', False))))
print('machine', sys.implementation._machine)
"""

PREPARE = """
import os
def mkdirs(p):
    q = ''
    for part in p.split('/')[1:]:
        q += '/' + part
        try: os.mkdir(q)
        except OSError: pass
for p in {folders!r}: mkdirs(p)
for p in {stale!r}:
    try: os.remove(p)
    except OSError: pass
for a, b in {clones!r}:
    with open(a, 'rb') as f, open(b, 'wb') as g:
        d = f.read(1024)
        while d: g.write(d); d = f.read(1024)
"""

SWITCH = """
import os
for n in {root_files!r}: os.rename('/' + n + '.new', '/' + n)
for n in ('/starts', '/starts.new'):
    try: os.remove(n)
    except OSError: pass
with open('/slot.new', 'w') as f: f.write({slot!r})
os.rename('/slot.new', '/slot')
"""


@dataclass
class Report:
    """What a flash run did."""

    port: str
    board: str
    slot: str
    version: str
    copied: int
    unchanged: int
    bytes_copied: int
    seconds: float


@dataclass
class Look:
    """What is on a board: SHA-256 by path in each slot and at the root, the running slot, free bytes."""

    a: dict[str, str]
    b: dict[str, str]
    root: dict[str, str]
    facts: dict[str, str]

    def slot(self, name: str) -> dict[str, str]:
        """Files of slot `a` or `b`, by their path inside it."""
        return self.a if name == "a" else self.b


def look_at(port: BoardPort) -> Look:
    """Read the board's files as hashes; PortError when it does not answer in full."""
    found = Look({}, {}, {}, {})
    for line in port.execute(LOOK).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "file":
            path, _, digest = rest.rpartition(" ")
            folder, _, name = path[1:].partition("/")
            if name:
                found.slot(folder)[name] = digest
            else:
                found.root[folder] = digest
        else:
            found.facts[word] = rest
    if not {"slot", "free", "virtual", "machine"} <= found.facts.keys():
        raise PortError(f"{port.port}: the board did not say what it holds; reset it and try again")
    return found


def board_of(facts: dict[str, str]) -> str:
    """Name of the file in firmware/boards for what the board says of itself."""
    machine = facts["machine"].lower()
    if facts["virtual"] == "1":
        return "virtual"
    if "esp32s3" in machine or "esp32-s3" in machine:
        return "esp32s3"
    if "pico 2 w" in machine or "rp2350" in machine:
        return "pico2_w"
    raise PortError(
        f"{facts['machine']}: CytoWatch has no board file for this. Boards are ESP32-S3 and Pico 2 W; "
        "a new one is one file in firmware/boards."
    )


def flash(port: str, restart: bool = True, say: object = sys.stderr) -> Report:
    """Flash one board; raise PortError or BuildError with advice. Progress goes to `say`."""

    def progress(text: str) -> None:
        print(f"flash: {text}", file=say, flush=True)  # type: ignore[call-overload]

    begun_s = time.monotonic()
    board_port = BoardPort(port)
    look = look_at(board_port)
    board = board_of(look.facts)
    files = compile_application(board)
    target = "b" if look.facts["slot"] == "a" else "a"
    other = "a" if target == "b" else "b"
    progress(f"{board} on {port}: {len(files)} files compiled, version {version(files)}, into slot {target}")

    hashes = {path: sha256_hex(content) for path, content in files.items()}
    there, running = look.slot(target), look.slot(other)
    changed = [path for path in files if there.get(path) != hashes[path]]
    clones = [path for path in changed if running.get(path) == hashes[path]]
    new = {f"/{target}/{path}": files[path] for path in changed if path not in clones}
    roots = {
        name: content for name, content in root_files().items() if look.root.get(name) != sha256_hex(content)
    }
    new |= {f"/{name}.new": content for name, content in roots.items()}
    needed = sum(len(content) for content in new.values())
    if needed > int(look.facts["free"]):
        raise PortError(
            f"{port}: {needed} bytes to write, {look.facts['free']} free on the board. Nothing was changed."
        )

    folders = sorted({str(PurePosixPath(f"/{target}/{path}").parent) for path in files})
    stale = [f"/{target}/{path}" for path in there if path not in files]
    board_port.execute(
        PREPARE.format(
            folders=folders, stale=stale, clones=[(f"/{other}/{p}", f"/{target}/{p}") for p in clones]
        )
    )
    progress(f"copying {len(new)} files, {needed} bytes")
    board_port.copy(new)
    after = look_at(board_port).slot(target)
    wrong = [path for path in files if after.get(path) != hashes[path]]
    if wrong or set(after) != set(files):
        raise PortError(
            f"{port}: {len(wrong)} files differ after the copy ({wrong[:3]}). The old version still runs."
        )
    board_port.execute(SWITCH.format(slot=target, root_files=sorted(roots)))
    progress(f"every file verified by SHA-256; slot {target} is next")
    if restart:
        board_port.restart()
        progress("restarted")
    return Report(
        port, board, target, version(files), len(new), len(files) - len(changed), needed,
        round(time.monotonic() - begun_s, 2),
    )  # fmt: skip


def main() -> int:
    """Exit 0 when the board runs the new version, 1 when it could not be flashed."""
    parser = argparse.ArgumentParser(prog="python -m tools.flash", description=__doc__)
    parser.add_argument("port")
    parser.add_argument("--no-restart", action="store_true", help="leave the board at its REPL")
    parser.add_argument("--json", action="store_true", help="print the report as JSON on stdout")
    options = parser.parse_args()
    try:
        with released(options.port):
            report = flash(options.port, restart=not options.no_restart)
    except (PortError, BuildError) as error:
        print(f"flash: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("flash: stopped; the application that was running is still the active one", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(asdict(report)))
    else:
        print(
            f"flashed {report.board} slot {report.slot} version {report.version}: "
            f"{report.copied} copied, {report.unchanged} unchanged, {report.seconds} s"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
