"""Power cuts, flash faults, images and time: what survives on the virtual board and what is refused."""

import ast
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.rig.repl import Port, put, said
from tools.rig.waiting import until
from tools.rig.wearable import Wearable, WearableError

pytestmark = pytest.mark.real_time

ROOT = Path(__file__).resolve().parents[2]
SECTOR = 4096
REWRITING = """
import os
old = open("/value").read() if "value" in os.listdir("/") else ""
print("found", old)
n = int(old or "0")
while True:
    n += 1
    with open("/value.new", "w") as f:
        f.write(str(n))
    os.rename("/value.new", "/value")
    print("wrote", n)
"""


def started(tmp_path: Path, *options: str, image: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Start a wearable that is expected to end by itself; its temporary files go to `tmp_path`/tmp."""
    (tmp_path / "tmp").mkdir(exist_ok=True)
    return subprocess.run(
        [
            sys.executable, "-m", "tools.virtual_wearable", "--scenario",
            "tools/virtual_wearable/scenarios/steady_afebrile.toml",
            "--image", str(image or tmp_path / "flash.img"), *options,
        ],
        capture_output=True, text=True, timeout=20, check=False, cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
    )  # fmt: skip


@pytest.mark.parametrize("torn_pct", [0, 60])
def test_a_cut_in_the_middle_of_a_write_leaves_old_or_new(tmp_path: Path, torn_pct: int) -> None:
    with Wearable(tmp_path, "--erase-ms", "1", "--off-ms", "20") as wearable, Port(wearable) as port:
        put(wearable, main=REWRITING)
        for cuts, after in enumerate((17, 40, 71), 1):
            port.read_until(b"wrote ")
            wearable.control("fault", what="cut_at", op=after, torn_pct=torn_pct)
            text = b"wrote " + port.read_until(b"found ")
            number = int(port.read_until(b"\r\n"))
            assert wearable.state()["flash"]["cuts"] == cuts
            written = [
                int(line.split()[1]) for line in text.decode().splitlines() if line.startswith("wrote ")
            ]
            assert number in (written[-1], written[-1] + 1), "what was reported is there, or its successor"
        assert wearable.state()["resets"]["power"] == 3


def test_cut_option_once_ends_the_board_and_the_image_boots_again(tmp_path: Path) -> None:
    with Wearable(tmp_path) as wearable:
        put(wearable, main=REWRITING)
    done = started(tmp_path, "--cut", "30", "--torn", "40", "--once", "--erase-ms", "1")
    assert done.returncode == 0
    with Wearable(tmp_path) as wearable, Port(wearable) as port:
        port.read_until(b"wrote ")


def test_a_power_cut_from_outside_is_a_power_on_reset(tmp_path: Path) -> None:
    with Wearable(tmp_path, speed=20) as wearable, Port(wearable) as port:
        program = (
            "import machine\nmachine.I2C(0).scan()\nprint('cause', machine.reset_cause())\n"
            "while True:\n    pass\n"
        )
        put(wearable, main=program)
        port.read_until(b"cause 2\r\n")
        before = wearable.state()
        wearable.control("cut", off_ms=300)
        assert wearable.state()["pid"] is None
        port.read_until(b"cause 1\r\n")
        after = wearable.state()
        assert after["resets"]["power"] == 1
        assert after["track_s"] >= before["track_s"] + 0.3 * 20, "the wearer's time went on"


def test_flash_errors_reach_the_program_and_heal(board: Wearable) -> None:
    program = (
        "import errno\ntry:\n    f = open('x', 'wb')\n    f.write(bytes(2000))\n    f.close()\n    print('stored')\n"
        "except OSError as e:\n    print('failed', e.errno == errno.EIO)\n"
    )
    reading = (
        "try:\n    print(len(open('y', 'rb').read()))\nexcept OSError as e:\n    print('failed', e.errno)\n"
    )
    said(board, "exec", "f = open('y', 'wb'); f.write(bytes(9000)); f.close()")
    board.control("fault", what="flash", writes=-1)
    assert said(board, "resume", "exec", program).split() == ["failed", "True"]
    assert board.state()["flash"]["failed"] > 0
    board.control("heal")
    assert said(board, "resume", "exec", program).split() == ["stored"]
    board.control("fault", what="flash", reads=True)
    assert said(board, "resume", "exec", reading).split()[0] == "failed"
    board.control("heal")
    said(board, "reset")  # LittleFS trusts its read cache after a failed read, until it mounts again
    assert said(board, "resume", "exec", reading).split() == ["9000"]


def test_bus_faults_reach_the_program(board: Wearable) -> None:
    look = (
        "import machine\ni = machine.I2C(0)\nprint(i.scan())\ntry:\n    print(i.readfrom_mem(0x57, 0xFF, 1))\n"
        "except OSError as e:\n    print('refused', e.errno)\n"
    )
    assert said(board, "exec", look).split() == ["[72,", "87]", "b'\\x15'"]
    board.control("fault", what="nack", address=0x57, errno=110)
    assert said(board, "exec", look).split() == ["[72]", "refused", "110"]
    board.control("heal")
    assert said(board, "exec", look).split() == ["[72,", "87]", "b'\\x15'"]


def test_what_cannot_be_mounted_is_never_formatted(tmp_path: Path) -> None:
    content = bytes(SECTOR) + b"\x5a" * SECTOR + b"\xff" * SECTOR * 30
    image = tmp_path / "flash.img"
    image.write_bytes(content)
    with Wearable(tmp_path) as wearable:
        with Port(wearable) as port:
            port.read_until(b"nothing was formatted")
        assert wearable.state()["mounted"] is False
        assert said(wearable, "exec", "print('repl')").split() == ["repl"], "an engineer gets in"
        assert "left as it is" in wearable.log.read_text()
    assert image.read_bytes() == content


def test_a_blank_image_is_a_chip_new_from_the_factory(board: Wearable, tmp_path: Path) -> None:
    (tmp_path / "flash.img").write_bytes(b"\xff" * SECTOR * 64)
    total = said(board, "exec", "import os; s = os.statvfs('/'); print(s[0] * s[2], os.listdir('/'))").split()
    assert total == [str(SECTOR * 64), "[]"] and board.state()["mounted"] is True


def test_the_image_is_a_plain_littlefs_that_others_read(tmp_path: Path) -> None:
    littlefs = pytest.importorskip("littlefs")
    with Wearable(tmp_path) as wearable:
        said(wearable, "exec", "f = open('note', 'w'); f.write('kept'); f.close()")
    image = (tmp_path / "flash.img").read_bytes()
    assert len(image) == 352 * SECTOR
    fs = littlefs.LittleFS(
        block_size=SECTOR, block_count=352, read_size=256, prog_size=256, lookahead_size=32, mount=False
    )
    fs.context.buffer = bytearray(image)
    fs.mount()
    with fs.open("note") as file:
        assert file.read() == "kept"


def test_wrong_images_links_and_options_are_refused(tmp_path: Path) -> None:
    def refused(words: str, *options: str, image: Path | None = None) -> None:
        done = started(tmp_path, *options, image=image)
        assert done.returncode == 2, done.stderr
        assert words in done.stderr and "READY" not in done.stdout and "Traceback" not in done.stderr

    (tmp_path / "odd").write_bytes(bytes(5000))
    refused("5000 bytes is no flash image", image=tmp_path / "odd")
    refused("No such file", image=tmp_path / "no/such/folder/image")
    refused("--speed: 0: a whole number from 1 to 1000", "--speed", "0")
    refused("heap 'much'", "--heap", "much")
    refused("--torn 120", "--torn", "120")
    (tmp_path / "file").write_text("precious")
    refused("exists and is not a link", "--link", str(tmp_path / "file"))
    assert not list((tmp_path / "tmp").iterdir()), "a refused start leaves nothing behind"
    assert (tmp_path / "file").read_text() == "precious"
    with Wearable(tmp_path):
        refused("another virtual wearable runs on this image")


def test_a_held_track_waits_for_play(tmp_path: Path) -> None:
    with Wearable(tmp_path, "--hold", speed=60) as wearable:
        said(wearable, "exec", "import machine; machine.I2C(0).scan()")
        time.sleep(0.2)
        assert wearable.state()["track_s"] == 0 and wearable.state()["held"] is True
        wearable.control("play")
        until(lambda: wearable.state()["track_s"] > 5)


def test_actions_of_a_scenario_are_done_at_their_time(tmp_path: Path) -> None:
    scenario = tmp_path / "acting.toml"
    scenario.write_text(
        "[[keyframe]]\nt_s = 0\n[[action]]\nt_s = 30\ncmd = 'battery'\nmv = 3333\n"
        "[[action]]\nt_s = 0\ncmd = 'charging'\non = true\n"
    )
    with Wearable(tmp_path, scenario=scenario, speed=60) as wearable:
        said(wearable, "exec", "import machine; machine.I2C(0).scan()")
        assert wearable.state()["battery_mv"] == 3950
        until(lambda: wearable.state()["battery_mv"] == 3333)
        assert wearable.state()["track_s"] >= 30


def test_control_refuses_what_it_does_not_know(board: Wearable) -> None:
    for command, words in (
        ({"cmd": "fly"}, "unknown command"),
        ({"cmd": "battery"}, "mv"),
        ({"cmd": "fault", "what": "fire"}, "unknown fault"),
        ({"cmd": "press", "ms": "long"}, "press"),
    ):
        with pytest.raises(WearableError, match=words):
            board.control(str(command.pop("cmd")), **command)
    until(lambda: board.state()["mounted"], what="the board to go on")


def test_the_chip_keeps_its_identity(tmp_path: Path) -> None:
    look = ("exec", "import machine; print(machine.unique_id().hex())")
    with Wearable(tmp_path) as wearable:
        first = said(wearable, *look)
        assert len(bytes.fromhex(first.strip())) == 8
    shutil.copy(tmp_path / "flash.img", tmp_path / "older")
    with Wearable(tmp_path) as wearable:
        assert said(wearable, *look) == first


def test_sensor_time_runs_with_speed_and_through_resets(tmp_path: Path) -> None:
    start = (
        "import machine, time\ni = machine.I2C(0)\n"
        "for r, v in ((9, 0x40), (8, 0x50), (10, 0x27), (12, 0x24), (13, 0x24)):\n"
        "    i.writeto_mem(0x57, r, bytes([v]))\n"
        "before = time.ticks_us()\ni.writeto_mem(0x57, 9, bytes([3]))\nstarted = time.ticks_us()\n"
        "time.sleep_ms(42)\n"
        "asked = time.ticks_us()\nw, o, r = i.readfrom_mem(0x57, 4, 3)\nanswered = time.ticks_us()\n"
        "print(w, o, r, time.ticks_diff(asked, started), time.ticks_diff(answered, before))\n"
    )
    look = (
        "import machine\ni = machine.I2C(0)\n"
        "print(list(i.readfrom_mem(0x57, 4, 2)) + list(i.readfrom_mem(0x57, 8, 2)))"
    )
    with Wearable(tmp_path, speed=10) as wearable:
        for _ in range(5):
            words = said(wearable, "exec", start).split()
            write, overflow, read, least_us, most_us = (int(word) for word in words)
            if most_us < 120_000:  # else the machine stood still, and the 32 places of the FIFO ran over
                break
        # 25 Hz at speed 10 is a sample each 4 ms; one more or less for where the edges of the interval fall
        assert least_us // 4000 - 1 <= write <= most_us // 4000 + 1 < 32 and (overflow, read) == (0, 0)
        wearable.control("cut", off_ms=500)
        until(lambda: wearable.state()["pid"])
        registers = ast.literal_eval(said(wearable, "exec", look))
        assert registers[2:] == [0x50, 3], "the sensor kept its supply and its settings"
        assert registers[1] == 31, "and overflowed meanwhile"
