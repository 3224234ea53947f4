"""Files as they come, changed at random: a tool gives the same result or a declared error, and nothing else.

The seed is fixed, so a failure repeats; its message holds the file that made it.
"""

import contextlib
import gzip
import io
import random
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tools.board.calibrate.__main__ import main as calibrate
from tools.data.ppg_generator import Subject, samples
from tools.data.ppg_replay.__main__ import main as ppg_replay
from tools.data.recording.__main__ import main as recording

ROUNDS = 120
OUTPUT_MAX = 6000  # characters on each stream, whatever the file is
BEFORE = "a good file of an earlier run\n"


class Tool(NamedTuple):
    """A command, the file that it reads and the exit codes that it declares for a refusal."""

    main: Callable[[list[str]], int]
    arguments: tuple[str, ...]
    text: str
    refused: int
    rounds: int = ROUNDS


class Done(NamedTuple):
    code: int
    out: str
    err: str
    written: str


RECORDING = "t_s,temp_c,spo2_pct,hr_bpm,pi_pct\n" + "".join(
    f"{60 * n},{36.5 + n / 20:.2f},{'' if n == 7 else 97 - n % 3},{'' if n == 7 else 75 + n},1.5\n"
    for n in range(12)
)
CHART = "rec,minute,name,value\n" + "".join(
    f"1,{60 * n},Temp,{36.9 + n / 10:.1f}\n1,{60 * n},HR,{80 + n}\n1,{60 * n},SaO2,9{n}\n" for n in range(8)
)
SESSION = "Time,SpO2 A,SpO2 B,Pulse A,Pulse B,PI A\n" + "".join(
    f"12:00:{n:02d},{97.5 - n / 2:.1f},{97 - n / 2:.1f},{70 + n},{71 + n},1.5\n" for n in range(12)
)
PROBES = "device_c,reference_c,note\n" + "".join(
    f"{36 + n / 10:.1f},{36.05 + n / 10:.2f},bath\n" for n in range(9)
)
CURVE = "r_milli,spo2_ref_pct\n" + "".join(f"{400 + 20 * n},{100 - n * 0.6:.1f}\n" for n in range(40))
LIGHT = "t_s,red,ir\n" + "".join(
    f"{n / 25:.2f},{red},{ir}\n" for n, (red, ir) in enumerate(samples(Subject(), 6))
)
BY = ("--by", "x", "--date", "2026-11-20")
TOOLS = {
    "check": Tool(recording, ("check", "FILE"), RECORDING, 2),
    "icu": Tool(recording, ("icu", "FILE", "--rec", "1", "-o", "OUT"), CHART, 2),
    "desaturation": Tool(recording, ("desaturation", "FILE", "-o", "OUT"), SESSION, 2),
    "temperature": Tool(calibrate, ("temperature", "FILE", *BY, "-o", "OUT"), PROBES, 2),
    "spo2": Tool(calibrate, ("spo2", "FILE", *BY, "-o", "OUT"), CURVE, 2),
    "ppg": Tool(ppg_replay, ("FILE", "--fs", "25", "--runtime", "cpython", "--out", "OUT"), LIGHT, 2, 40),
}  # fmt: skip


def run(tool: Tool, folder: Path, data: bytes) -> Done:
    file, out = folder / "in.csv", folder / "out.csv"
    file.write_bytes(data)
    out.write_text(BEFORE)
    names = {"FILE": str(file), "OUT": str(out)}
    stdout, stderr = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        code = tool.main([names.get(word, word) for word in tool.arguments])
    assert sorted(path.name for path in folder.iterdir()) == ["in.csv", "out.csv"], (
        "nothing half written is left"
    )
    return Done(code, stdout.getvalue(), stderr.getvalue(), out.read_text())


ODD_BYTES = (b'"', b",", b";", b"\n", b"\r", b"\x00", b"\xff\xfe", b"#", b"\x1f\x8b", b"-")
ODD_CELLS = b",inf,nan,1e999,-1,0,255,127,65535,-999,999.9,1_0,12:0,36.,NA,1e-400,=1+1,0x10".split(b",")


def written_otherwise(text: str, chance: random.Random) -> bytes:
    """The same table by another program: separators, decimal commas, quotes, order of columns, ends, encoding."""
    rows = [line.split(",") for line in text.splitlines()]
    separator = chance.choice(",,;\t|")
    if separator != "," and chance.random() < 0.5:
        rows = [rows[0], *([cell.replace(".", ",") for cell in row] for row in rows[1:])]
    if chance.random() < 0.4:
        order = list(range(len(rows[0])))
        chance.shuffle(order)
        rows = [[row[at] for at in order] for row in rows]
    if chance.random() < 0.4:
        rows[0] = [chance.choice((str.upper, str.title, " {} ".format))(cell) for cell in rows[0]]
    quotes = chance.random() < 0.4
    lines = [separator.join(f'"{cell}"' if quotes and cell else cell for cell in row) for row in rows]
    if chance.random() < 0.4:
        lines.insert(0, "# a comment; with, signs")
    if chance.random() < 0.4 and not text.startswith("t_s,red"):
        lines.insert(chance.randrange(1, len(lines)), "")
    if chance.random() < 0.3:
        lines = [line + separator * 2 for line in lines]
    whole = chance.choice(("\n", "\r\n", "\r")).join(lines) + chance.choice(("", "\n", "\n\n"))
    coded = whole.encode(chance.choice(("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")))
    return gzip.compress(coded, mtime=0) if chance.random() < 0.2 else coded


def damaged(text: str, chance: random.Random) -> bytes:
    """A file after an accident: cut, flipped, doubled, shuffled, odd cells."""
    data = bytearray(written_otherwise(text, chance) if chance.random() < 0.3 else text.encode())
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(data) + 1)
        lines = bytes(data).split(b"\n")
        match chance.randrange(8):
            case 0:
                del data[at:]
            case 1:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 2:
                data[at:at] = chance.choice(ODD_BYTES)
            case 3:
                cells = bytes(data).split(b",")
                cells[chance.randrange(len(cells))] = chance.choice(ODD_CELLS)
                data = bytearray(b",".join(cells))
            case 4:
                data = bytearray(b"\n".join([*lines[:2], *lines[1:]]))
            case 5:
                data = bytearray(b"\n".join([lines[0], *lines[:0:-1]]))
            case 6:
                del data[at : at + chance.randrange(60)]
            case _:
                data += data[at:]
        if not data:
            break
    return bytes(data)


@pytest.mark.parametrize("name", TOOLS)
def test_another_way_of_writing_gives_the_same_result_or_is_refused(name: str, tmp_path: Path) -> None:
    tool, chance = TOOLS[name], random.Random(name)
    clean = run(tool, tmp_path, tool.text.encode())
    assert clean.code == 0, clean.err
    same = 0
    for _ in range(tool.rounds):
        data = written_otherwise(tool.text, chance)
        done = run(tool, tmp_path, data)
        if done.code == 0:
            same += 1
            assert done.written == clean.written, data
            assert name != "check" or done.out.split("rows")[-1] == clean.out.split("rows")[-1], data
        else:
            assert done.code == tool.refused and done.written == BEFORE, (data, done)
    assert same >= 0.9 * tool.rounds, "what can be understood is understood"


@pytest.mark.parametrize("name", TOOLS)
def test_a_damaged_file_never_ends_in_a_traceback_nor_harms_a_good_file(name: str, tmp_path: Path) -> None:
    tool, chance = TOOLS[name], random.Random(f"damaged {name}")
    codes = set()
    for _ in range(tool.rounds):
        data = damaged(tool.text, chance)
        done = run(tool, tmp_path, data)
        codes.add(done.code)
        assert done.code in (0, tool.refused), (data, done)
        assert len(done.out) < OUTPUT_MAX and len(done.err) < OUTPUT_MAX, data
        assert done.code == 0 or (done.err and done.written == BEFORE), (data, done)
        if "OUT" in tool.arguments and done.code == 0:
            assert done.written.count("\n") >= 1 and done.written != BEFORE, (data, done)
    assert codes == {0, tool.refused}
