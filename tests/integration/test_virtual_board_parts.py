"""firmware/boards on the virtual board: every part of a Board does what it says, seen from outside."""

from pathlib import Path

import pytest

from tools.rig.micropython import ROOT, run_micropython
from tools.rig.repl import Port, said
from tools.rig.waiting import until
from tools.rig.wearable import Wearable

pytestmark = pytest.mark.real_time

PACKAGES = ("boards/__init__.py", "boards/virtual.py", "crs_device/__init__.py", "crs_device/clock.py")


def with_boards(wearable: Wearable) -> None:
    """Copy the board files as they are in the tree."""
    arguments = ["fs", "mkdir", ":boards", "+", "fs", "mkdir", ":crs_device"]
    for name in PACKAGES:
        arguments += ["+", "fs", "cp", str(ROOT / "firmware" / name), f":{name}"]
    said(wearable, *arguments)


def test_every_part_of_the_board_works(tmp_path: Path) -> None:
    program = """
import asyncio, boards, machine, time
b = boards.detect()
print(b.name, b.simulated, b.fs_root, b.uid == machine.unique_id(), b.reset_cause() in (1, 2, 5))
print(b.i2c.scan(), b.button.value(), b.battery_mv(), b.charging(), len(b.random_bytes(16)), b.heap_free() > 100000)
b.led.rgb(1, 0, 1)
b.buzzer.tone(880, 20000)
b.vibration.value(1)
start, real = b.clock.ms(), b.clock.real_ms()
asyncio.run(b.clock.sleep_ms(2000))
passed = b.clock.ms() - start
print("clock", b.clock.speed, passed >= 2000, passed < 20 * (b.clock.real_ms() - real) + 40)
print("poll", len(b.poll.poll(0)) >= 1)
b.stdout.write(b"raw\\n")
print("lit")
"""
    (tmp_path / "parts.py").write_text(program)
    with Wearable(tmp_path, speed=20) as wearable:
        with_boards(wearable)
        wearable.control("charging", on=True)
        text = said(wearable, "run", str(tmp_path / "parts.py"))
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        assert lines[0] == "virtual True / True True" and lines[1] == "[72, 87] 1 3950 True 16 True"
        assert "clock 20 True True" in text and "poll True" in text and "raw\n" in text
        state = wearable.state()
        assert state["led"] == [1, 0, 1] and state["buzzer"] == {"freq_hz": 880, "duty_u16": 20000}
        assert state["vibration"] == 1
        said(wearable, "resume", "exec", "b.led.rgb(0, 1, 0); b.buzzer.off(); b.vibration.value(0)")
        state = wearable.state()
        assert (state["led"], state["buzzer"]["duty_u16"], state["vibration"]) == ([0, 1, 0], 0, 0)
        log = [(entry["what"], entry["value"]) for entry in wearable.control("outputs")["log"]]
        assert ("red", 1) in log and ("buzzer", 880) in log and log[-1] == ("vibration", 0)


def test_watchdog_button_and_reset_of_the_board(board: Wearable) -> None:
    with_boards(board)
    with Port(board) as port:
        port.write(b"\r\x03import boards; b = boards.detect(); w = b.wdt(60000)\r")
        until(lambda: board.state()["watchdog_due_ms"], what="the watchdog to be armed")
        board.control("press", ms=60000)
        port.write(b"print('pressed', b.button.value())\r")
        port.read_until(b"pressed 0\r\n")
        before = board.state()["resets"]["machine"]
        port.write(b"b.reset()\r")
        until(lambda: board.state()["resets"]["machine"] == before + 1)
        assert board.state()["watchdog_due_ms"] is None, "a hard reset disarms it"


@pytest.mark.parametrize(
    ("machine_text", "file"),
    [
        ("Generic ESP32S3 module with Octal-SPIRAM with ESP32S3", "esp32s3"),
        ("Raspberry Pi Pico 2 W with RP2350", "pico2_w"),
    ],
)
def test_real_boards_are_known_by_name_and_never_simulated(
    tmp_path: Path, machine_text: str, file: str
) -> None:
    """The real files on the interpreter, with the virtual chip's machine parts and no supervisor."""
    script = tmp_path / "detect.py"
    script.write_text(
        f"""
import sys
sys.path.insert(0, {str(ROOT / "tools/virtual_wearable/chip")!r})
import machine_parts, console_out, time

class Wires:
    def tell(self, message): pass
    def call(self, op, payload=b""): return b""

class Levels:
    def refresh(self): return bytearray(16)

machine_parts.board, machine_parts.inputs = Wires(), Levels()
class WidePin(machine_parts.Pin):
    def __init__(self, id, *rest, **more):
        super().__init__(id if isinstance(id, int) else 63, *rest, **more)
machine_parts.Pin = WidePin
machine_parts.unique_id = lambda: b"12345678"
machine_parts.reset_cause = lambda: 1
sys.modules["machine"] = machine_parts
import sys as real
class Implementation:
    def __init__(self, machine): self._machine = machine
sys.modules["sys"] = console_out.copy_of(real, implementation=Implementation({machine_text!r}))
import boards
b = boards.detect()
b.led.rgb(1, 1, 0)
b.buzzer.off()
print(b.name, b.simulated, b.battery_mv() >= 0, b.charging() in (True, False), b.clock.speed)
sys.modules["sys"] = console_out.copy_of(real, implementation=Implementation("Toaster"))
boards.sys = sys.modules["sys"]
try:
    boards.detect()
except RuntimeError as error:
    print(error)
"""
    )
    done = run_micropython(script)
    assert done.returncode == 0, done.stderr + done.stdout
    first, second = done.stdout.splitlines()
    assert first == f"{file} False True True 1"
    assert second == "no board file for 'toaster': add one to firmware/boards"
