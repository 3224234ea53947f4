"""The real mpremote against the virtual board: what works on a board on the desk works here."""

import contextlib
import fcntl
import os
import random
import subprocess
import time
from pathlib import Path

import pytest

from tools.rig.repl import Port, mpremote, put, said
from tools.rig.waiting import until
from tools.rig.wearable import Wearable

pytestmark = pytest.mark.real_time

COUNTING = """
import time
n = 0
while True:
    n += 1
    print("tick", n)
    time.sleep_ms(20)
"""


def test_files_travel_both_ways_and_survive_a_reset(board: Wearable, tmp_path: Path) -> None:
    content = random.Random(1).randbytes(12000)
    (tmp_path / "there").write_bytes(content)
    said(board, "fs", "cp", str(tmp_path / "there"), ":data.bin")
    assert "12000 data.bin" in said(board, "fs", "ls")
    said(board, "reset")
    said(board, "fs", "cp", ":data.bin", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == content
    said(board, "fs", "rm", ":data.bin")
    assert "data.bin" not in said(board, "fs", "ls")
    assert mpremote(board, "fs", "rm", ":data.bin").returncode != 0 and board.state()["rx_dropped"] == 0


def test_exec_run_eval_and_mount(board: Wearable, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("import machine\nprint('ran', machine.VIRTUAL)\n")
    (tmp_path / "mounted").mkdir()
    (tmp_path / "mounted/there.py").write_text("print('from the host')\n")
    assert said(board, "exec", "print(6*7)").split() == ["42"]
    assert said(board, "eval", "2**10").split() == ["1024"]
    assert said(board, "run", str(tmp_path / "script.py")).split() == ["ran", "True"]
    assert "from the host" in said(board, "mount", str(tmp_path / "mounted"), "exec", "import there")
    failed = mpremote(board, "exec", "1/0")
    assert failed.returncode != 0 and "ZeroDivisionError" in failed.stdout + failed.stderr


def test_resets_run_what_a_real_board_runs(board: Wearable) -> None:
    put(board, boot="import machine\ncause = machine.reset_cause()\n", main="print('main', cause)\n")
    with Port(board) as port:
        port.read_until(b"main 2\r\n")
        port.write(b"\r\x03\r\x04")
        assert b"MPY: soft reboot\r\n" in port.read_until(b"main 5\r\n"), "Ctrl-D at the prompt runs main.py"
        port.write(b"import machine\rmachine.reset()\r")
        port.read_until(b"main 2\r\n")
    assert said(board, "resume", "exec", "print('kept', cause)").split() == ["kept", "2"]
    assert said(board, "soft-reset", "resume", "exec", "print('boot ran', cause, 'main' in dir())").split() == [
        "boot", "ran", "5", "False",
    ]  # fmt: skip
    said(board, "resume", "exec", "kept_name = 1")
    assert said(board, "resume", "exec", "print(kept_name)").split() == ["1"]
    assert mpremote(board, "exec", "print(kept_name)").returncode != 0, "without resume: soft reset first"


@pytest.mark.parametrize(
    "main",
    [
        COUNTING,
        "while True:\n    pass\n",
        "import asyncio\nasync def main():\n    while True:\n        await asyncio.sleep_ms(5)\nasyncio.run(main())\n",
        "import sys\nwhile True:\n    sys.stdin.buffer.read(1)\n",
        "import time\nwhile True:\n    time.sleep(60)\n",
    ],
    ids=["printing", "spinning", "asyncio", "reading", "sleeping"],
)
def test_ctrl_c_always_breaks_in(board: Wearable, main: str) -> None:
    put(board, main=main)
    for number in range(2):
        assert said(board, "exec", f"print({number})").split() == [str(number)]
        said(board, "reset")


def test_ctrl_c_breaks_into_code_that_came_over_the_repl(board: Wearable) -> None:
    for code in (
        "while True:\n  pass",
        "import time\nwhile True:\n  time.sleep_ms(5)",
        "import time\ntime.sleep(60)",
    ):
        said(board, "exec", "--no-follow", code)
        assert said(board, "exec", "print('back')").split() == ["back"]
    with Port(board) as port:
        port.write(b"\r\x03\r\x02while True: pass\r\n\r\n")
        port.read_until(b"pass")
        time.sleep(0.3)
        port.write(b"\x03\x03")
        port.read_until(b"KeyboardInterrupt")
        port.write(b"print(6 * 7)\r")
        port.read_until(b"42\r\n")
    assert board.state()["resets"]["crash"] == 0


def test_ctrl_c_never_tears_file_system_or_heap(tmp_path: Path) -> None:
    program = (
        "import os\nn = 0\nwhile True:\n    n += 1\n    rubbish = [bytes(100) for _ in range(50)]\n"
        "    with open('a%d' % (n % 7), 'w') as f:\n        f.write('%08d' % n * 100)\n"
        "    os.rename('a%d' % (n % 7), 'b%d' % (n % 5))\n"
    )
    check = (
        "import os, gc; gc.collect()\nfor name in os.listdir():\n    if name[0] == 'b':\n"
        "        text = open(name).read()\n        assert text == text[:8] * 100, name\nprint('whole')"
    )
    with Wearable(tmp_path, "--erase-ms", "1") as wearable:
        put(wearable, main=program)
        for number in range(4):
            time.sleep(0.05 + 0.07 * number)
            assert said(wearable, "exec", check).split() == ["whole"]
            said(wearable, "reset")
        assert wearable.state()["resets"]["crash"] == 0


def test_kbd_intr_off_passes_every_byte(board: Wearable) -> None:
    program = (
        "import micropython, sys\nmicropython.kbd_intr(-1)\nsys.stdout.buffer.write(b'GO')\n"
        "got = sys.stdin.buffer.read(256)\nmicropython.kbd_intr(3)\nsys.stdout.buffer.write(got)\n"
    )
    with Port(board) as port:
        put(board, main=program)
        port.read_until(b"GO")
        port.write(bytes(range(256)))
        assert port.read_until(bytes(range(250, 256))).endswith(bytes(range(256)))
    assert board.state()["rx_dropped"] == 0


FEEDING = """
import machine
wdt = machine.WDT(timeout=1500)
def feed(timer):
    wdt.feed()
timer = machine.Timer(-1)
timer.init(period=300, mode=machine.Timer.PERIODIC, callback=feed)
"""


def copy_slowly(wearable: Wearable, tmp_path: Path) -> tuple[bool, float]:
    """Copy 30 kB to a flash whose erases take 400 ms; (it succeeded, seconds)."""
    (tmp_path / "big").write_bytes(bytes(30000))
    start = time.monotonic()
    done = mpremote(wearable, "fs", "cp", str(tmp_path / "big"), ":big", timeout_s=30)
    return done.returncode == 0, time.monotonic() - start


def test_a_copy_longer_than_the_watchdog_succeeds_when_boot_feeds_it(tmp_path: Path) -> None:
    with Wearable(tmp_path, "--erase-ms", "400") as wearable:
        put(wearable, boot=FEEDING)
        succeeded, took_s = copy_slowly(wearable, tmp_path)
        assert succeeded
        assert took_s > 2.5, "well over the 1.5 s of the watchdog"
        assert wearable.state()["resets"]["watchdog"] == 0 and "30000 big" in said(wearable, "fs", "ls")


def test_the_same_copy_dies_when_nothing_feeds(tmp_path: Path) -> None:
    with Wearable(tmp_path, "--erase-ms", "400") as wearable:
        put(wearable, boot="import machine\nwdt = machine.WDT(timeout=1500)\n")
        (tmp_path / "big").write_bytes(bytes(30000))
        with contextlib.suppress(subprocess.TimeoutExpired):  # mpremote waits for ever for a board that died
            mpremote(wearable, "fs", "cp", str(tmp_path / "big"), ":big", timeout_s=8)
        until(lambda: wearable.state()["resets"]["watchdog"], what="the watchdog")


def test_a_locked_port_is_in_use_and_its_owner_undisturbed(board: Wearable) -> None:
    put(board, main=COUNTING)
    with Port(board) as port:
        port.read_until(b"tick 5\r\n")
        before = board.state()["resets"]
        lock = os.open(board.port, os.O_RDWR | os.O_NOCTTY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused = mpremote(board, "exec", "print(1)")
        assert refused.returncode != 0 and "in use" in refused.stdout + refused.stderr
        port.read_until(b"tick 60\r\n")
        os.close(lock)
    assert board.state()["resets"] == before
