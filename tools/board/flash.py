"""Put the firmware on a board, virtual or real: `python -m tools.board.flash PORT`.

It compiles the firmware and sends only files whose SHA-256 is in neither slot. The board assembles the file of the slot
that is not running and checks it whole; then one pointer file is renamed and the board restarts. If power fails at any
moment, the application that was running stays as it was.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import TextIO

from host_agent.terminal.streams import run_clean
from tools.board import build_firmware
from tools.board.port import BoardPort, PortError, released

# Prints one line per fact: a board's heap has no room for one long text.
LOOK = """
import os, sys, hashlib, binascii, gc, machine
buf = bytearray(512)
def digest(f, n):
    h = hashlib.sha256()
    while n > 0:
        got = f.readinto(memoryview(buf)[:min(n, 512)])
        if not got: break
        h.update(memoryview(buf)[:got]); n -= got
    return binascii.hexlify(h.digest()).decode()
def look(s):
    with open('/%s.app' % s, 'rb') as f:
        head = f.read(25)
        if head[:7] != b'CWAPP1 ': return
        size = int(head[7:15], 16)
        end = 25 + size
        while f.tell() < end:
            line = f.readline().decode().split()
            if len(line) == 4:
                at = f.tell()
                f.seek(end + int(line[1]))
                print('file', s, line[0], end + int(line[1]), line[2], digest(f, int(line[2])))
                f.seek(at); gc.collect()
for s in 'ab':
    try: look(s)
    except (OSError, ValueError): pass
for n in ('boot.py', 'main.py'):
    try:
        with open('/' + n, 'rb') as f: print('root', n, digest(f, 1 << 20))
    except OSError: pass
try:
    with open('/slot') as f: print('slot', f.read(1))
except OSError: print('slot', '-')
v = os.statvfs('/')
print('free', v[0] * v[3])
print('virtual', int(bool(getattr(machine, 'VIRTUAL', False))))
print('mpy', getattr(sys.implementation, '_mpy', 0))
print('machine', sys.implementation._machine)
"""

# The head and the new contents are in the two files that were sent. PLAN says where each piece comes from.
ASSEMBLE = """
import os, hashlib, binascii
buf = memoryview(bytearray(512))
def take(f, out, n):
    while n > 0:
        got = f.readinto(buf[:min(n, 512)])
        if not got: raise OSError('short')
        out.write(buf[:got]); n -= got
sources = {}
for name, path in PATHS: sources[name] = open(path, 'rb')
with open('/new.app', 'wb') as out:
    for name, at, size in PLAN:
        sources[name].seek(at); take(sources[name], out, size)
for f in sources.values(): f.close()
for n in ('/new.head', '/new.parts'):
    try: os.remove(n)
    except OSError: pass
h = hashlib.sha256()
with open('/new.app', 'rb') as f:
    got = f.readinto(buf)
    while got: h.update(buf[:got]); got = f.readinto(buf)
print('assembled', binascii.hexlify(h.digest()).decode())
"""

SWITCH = """
import os
os.rename('/new.app', '/SLOT.app')
for n in ROOT_FILES: os.rename('/' + n + '.new', '/' + n)
for n in ('/starts', '/starts.new'):
    try: os.remove(n)
    except OSError: pass
with open('/slot.new', 'w') as f: f.write('SLOT')
os.rename('/slot.new', '/slot')
"""


@dataclass
class SlotFile:
    """One file inside a slot on the board."""

    slot: str
    offset: int
    size: int


@dataclass
class BoardState:
    """Slot files by SHA-256, hashes of the root files by name, and `slot`, `free`, `virtual`, `mpy`, `machine`."""

    contents: dict[str, SlotFile] = field(default_factory=dict)
    root: dict[str, str] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)


@dataclass
class Report:
    """What a flash run did."""

    port: str
    board: str
    slot: str
    version: str
    sent: int
    unchanged: int
    bytes_sent: int
    seconds: float


def read_state(port: BoardPort) -> BoardState:
    """Read the board's files as hashes; PortError when it does not answer in full."""
    found = BoardState()
    for line in port.execute(LOOK).splitlines():
        word, _, rest = line.strip().partition(" ")
        parts = rest.split(" ")
        if word == "file" and len(parts) == 5:
            found.contents[parts[4]] = SlotFile(parts[0], int(parts[2]), int(parts[3]))
        elif word == "root" and len(parts) == 2:
            found.root[parts[0]] = parts[1]
        else:
            found.facts[word] = rest
    if not {"slot", "free", "virtual", "mpy", "machine"} <= found.facts.keys():
        raise PortError(f"{port.port}: the board did not list all its files. Reset it and try again.")
    return found


def board_of(facts: dict[str, str]) -> str:
    """Name of the board's file in firmware/boards, from the facts `virtual` and `machine`."""
    machine = facts["machine"].lower()
    if facts["virtual"] == "1":
        return "virtual"
    if "esp32s3" in machine or "esp32-s3" in machine:
        return "esp32s3"
    if "pico 2 w" in machine or "rp2350" in machine:
        return "pico2_w"
    raise PortError(
        f"{facts['machine']}: CytoWatch does not know this board. It knows ESP32-S3 and Pico 2 W; "
        "to add another one, write one file in firmware/boards."
    )


Piece = tuple[str, int, int]  # source, offset, size


def plan(files: dict[str, bytes], on_board: dict[str, SlotFile]) -> tuple[list[Piece], bytes, bytes, int]:
    """(where each piece of the slot file comes from, head, new contents, how many files are new)."""
    whole = build_firmware.bundle(files)
    head = whole[: len(whole) - sum(len(content) for content in files.values())]
    pieces, parts, new = [("head", 0, len(head))], b"", 0
    for path in sorted(files):
        here = on_board.get(build_firmware.sha256_hex(files[path]))
        if here is None:
            pieces.append(("parts", len(parts), len(files[path])))
            parts += files[path]
            new += 1
        elif here.size:
            pieces.append((here.slot, here.offset, here.size))
    return [piece for piece in pieces if piece[2]], head, parts, new


def flash(port: str, restart: bool = True, say: TextIO = sys.stderr) -> Report:
    """Flash one board; raise PortError or BuildError with advice. Progress goes to `say`."""

    def progress(text: str) -> None:
        print(f"flash: {text}", file=say, flush=True)

    begun_s = time.monotonic()
    board_port = BoardPort(port)
    state = read_state(board_port)
    board = board_of(state.facts)
    files = build_firmware.compile_application(board, build_firmware.march_of(int(state.facts["mpy"])))
    target = "b" if state.facts["slot"] == "a" else "a"
    version = build_firmware.version(files)
    progress(f"{board} on {port}: {len(files)} files compiled, version {version}, into slot {target}")

    pieces, head, parts, new = plan(files, state.contents)
    roots = {
        name: text
        for name, text in build_firmware.root_files().items()
        if state.root.get(name) != build_firmware.sha256_hex(text)
    }
    sent = {"/new.head": head, **({"/new.parts": parts} if parts else {})}
    sent |= {f"/{name}.new": content for name, content in roots.items()}
    sent_bytes = sum(len(content) for content in sent.values())
    needed = sent_bytes + sum(size for _, _, size in pieces)
    free = int(state.facts["free"])
    if needed > free:
        raise PortError(f"{port}: {needed} bytes are needed, {free} are free. Nothing was changed.")
    progress(f"sending {new} files of {len(files)}, {sent_bytes} bytes")
    board_port.copy(sent)
    paths = {"head": "/new.head", "parts": "/new.parts", "a": "/a.app", "b": "/b.app"}
    used = [(name, paths[name]) for name in sorted({name for name, _, _ in pieces})]
    answer = board_port.run_script(ASSEMBLE.replace("PATHS", repr(used)).replace("PLAN", repr(pieces)))
    if f"assembled {build_firmware.sha256_hex(build_firmware.bundle(files))}" not in answer:
        raise PortError(f"{port}: the new slot file has an error. The old version still runs. Try again.")
    board_port.execute(SWITCH.replace("SLOT", target).replace("ROOT_FILES", repr(sorted(roots))))
    progress(f"slot {target} is verified by SHA-256 and runs after the next restart")
    if restart:
        board_port.restart()
        progress("restarted")
    seconds = round(time.monotonic() - begun_s, 2)
    return Report(port, board, target, version, new, len(files) - new, sent_bytes, seconds)


def main() -> int:
    """Exit 0 when the board runs the new version, 1 when it could not be flashed."""
    parser = argparse.ArgumentParser(prog="python -m tools.board.flash", description=__doc__)
    parser.add_argument("port")
    parser.add_argument("--no-restart", action="store_true", help="leave the board at its REPL")
    parser.add_argument("--json", action="store_true", help="print the report as JSON on stdout")
    options = parser.parse_args()
    try:
        with released(options.port):
            report = flash(options.port, restart=not options.no_restart)
    except (PortError, build_firmware.BuildError) as error:
        print(f"flash: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("flash: stopped. The application that was running is still the active one.", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(asdict(report)))
    else:
        print(
            f"flashed {report.board} slot {report.slot} version {report.version}: "
            f"{report.sent} files sent, {report.unchanged} unchanged, {report.seconds} s"
        )
    return 0


if __name__ == "__main__":
    run_clean(main)
