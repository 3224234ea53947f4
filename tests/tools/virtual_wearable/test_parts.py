"""Watchdog, flash plan, panel, pins: the parts of the board without a process."""

from pathlib import Path

import pytest

from tools.rig.micropython import ROOT, run_micropython
from tools.virtual_wearable import pinout
from tools.virtual_wearable.chip_process import heap_bytes
from tools.virtual_wearable.flash_plan import FAIL, GO, TEAR, FlashPlan
from tools.virtual_wearable.interpreter_code import interpreter_code
from tools.virtual_wearable.panel import Panel
from tools.virtual_wearable.watchdog import Watchdog


def test_watchdog_bites_only_when_armed_and_unfed() -> None:
    watchdog = Watchdog()
    watchdog.feed(0.0)
    assert not watchdog.bites_now(1e9)
    watchdog.arm(8000, 100.0)
    assert not watchdog.bites_now(107.9)
    watchdog.feed(107.0)
    assert not watchdog.bites_now(114.9)
    assert watchdog.bites_now(115.0)
    assert watchdog.bites == 1
    watchdog.clear()
    assert not watchdog.bites_now(1e9)
    assert watchdog.due is None


def test_flash_plan_cuts_once_and_fails_as_often_as_told() -> None:
    plan = FlashPlan(cut_at=3, torn_pct=40)
    assert [plan.decide("e")[0], plan.decide("p")[0]] == [GO, GO]
    assert plan.decide("p") == bytes((TEAR, 40))
    assert plan.decide("p")[0] == GO
    plan.fail_writes = 2
    assert [plan.decide("p")[0] for _ in range(3)] == [FAIL, FAIL, GO]
    plan.fail_writes = -1
    assert {plan.decide("e")[0] for _ in range(20)} == {FAIL}
    assert (plan.cuts, plan.failed) == (1, 22)
    assert plan.erases + plan.programs == 27


def test_panel_logs_changes_and_goes_dark(tmp_path: Path) -> None:
    panel = Panel(tmp_path / "inputs")
    panel.pin(pinout.LED_RED, 1, 5)
    panel.pin(pinout.LED_RED, 1, 6)
    panel.pin(63, 1, 6)
    panel.pwm(pinout.BUZZER, 880, 0, 7)
    panel.pwm(pinout.BUZZER, 880, 32768, 8)
    assert [(entry["sim_ms"], entry["what"], entry["value"]) for entry in panel.log] == [
        (5, "red", 1),
        (8, "buzzer", 880),
    ]
    panel.mute(9)
    assert panel.buzzer["duty_u16"] == 0
    assert panel.outputs["red"] == 1
    panel.dark(10)
    assert panel.outputs["red"] == 0
    panel.close()


def test_panel_inputs_are_where_the_chip_looks(tmp_path: Path) -> None:
    panel = Panel(tmp_path / "inputs")

    def level(pin: int) -> int:
        return (tmp_path / "inputs").read_bytes()[8 + pin // 8] >> pin % 8 & 1

    assert level(pinout.BUTTON) == 1, "let go is high"
    panel.set_button(True)
    assert level(pinout.BUTTON) == 0
    assert level(pinout.CHARGING) == 0
    panel.set_charging(True)
    assert level(pinout.CHARGING) == 1
    panel.set_battery(3600)
    assert int.from_bytes((tmp_path / "inputs").read_bytes()[2:4], "little") == 1800
    panel.set_flash_read_fault(True)
    assert (tmp_path / "inputs").read_bytes()[1] == 1
    panel.close()


def test_the_board_file_and_the_boot_file_name_the_same_pins(tmp_path: Path) -> None:
    namespace: dict[str, dict[str, int]] = {}
    source = (ROOT / "firmware/boards/virtual.py").read_text()
    start = source.index("PINS = {")
    exec(source[start : source.index("}", start) + 1], namespace)  # the file itself needs `machine`
    pins = namespace["PINS"]
    assert (pins["led_red"], pins["led_green"], pins["led_blue"]) == (
        pinout.LED_RED,
        pinout.LED_GREEN,
        pinout.LED_BLUE,
    )
    assert (pins["buzzer"], pins["vibration"]) == (pinout.BUZZER, pinout.VIBRATION)
    assert (pins["button"], pins["charging"], pins["battery"]) == (
        pinout.BUTTON,
        pinout.CHARGING,
        pinout.BATTERY_ADC,
    )
    boot = (ROOT / "firmware/boot.py").read_text()
    assert (
        f'"linux": ({pinout.BUTTON}, {pinout.LED_RED}, {pinout.LED_GREEN}, {pinout.LED_BLUE}, {pinout.BUZZER})'
        in boot
    )


def test_nor_flash_only_clears_bits_and_erases_sectors(tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.write_bytes(b"\xff" * 4096 * 8)
    (tmp_path / "inputs").write_bytes(bytes(16))
    script = tmp_path / "check.py"
    script.write_text(
        f"""
import sys, time
sys.path.insert(0, {str(ROOT / "tools/virtual_wearable/chip")!r})
from backplane import Inputs
from nor_flash import NorFlash

class Board:
    verdict = b"\\x00d"
    asked = []
    def call(self, op, payload=b""):
        if op == ord("K"):
            raise SystemExit("cut")
        self.asked.append(payload[0])
        return self.verdict

stalls = []
board = Board()
flash = NorFlash({str(image)!r}, board, Inputs({str(tmp_path / "inputs")!r}), 50, stalls.append)
assert flash.is_blank()
assert (flash.ioctl(4, 0), flash.ioctl(5, 0), flash.ioctl(3, 0)) == (8, 4096, 0)
assert flash.writeblocks(1, b"\\xf0\\x0f" * 128, 256) == 0
assert not flash.is_blank()
assert flash.writeblocks(1, b"\\x3c\\xff" * 128, 256) == 0
back = bytearray(256)
flash.readblocks(1, back, 256)
assert back == b"\\x30\\x0f" * 128, back[:4]
assert flash.writeblocks(2, bytes(3000), 0) == 0   # longer than one piece
start = time.ticks_ms()
assert flash.ioctl(6, 1) == 0
assert time.ticks_ms() - start >= 50 and stalls == [True, False]
flash.readblocks(1, back, 256)
assert back == b"\\xff" * 256
whole = bytearray(4096)
flash.readblocks(2, whole)
assert whole == bytes(3000) + b"\\xff" * 1096
board.verdict = b"\\x01\\x00"
assert flash.writeblocks(3, bytes(16), 0) == -5 and flash.ioctl(6, 3) == -5
board.verdict = b"\\x02\\x28"
try:
    flash.writeblocks(4, bytes(100), 0)
except SystemExit:
    pass
board.verdict = b"\\x00d"
flash.readblocks(4, whole)
assert whole == bytes(40) + b"\\xff" * 4056, "40 % were written, then the power went"
print("done", len(board.asked))
"""
    )
    done = run_micropython(script)
    assert done.stdout.split()[:1] == ["done"], done.stdout + done.stderr
    content = image.read_bytes()
    assert content[4096 * 3 : 4096 * 4] == b"\xff" * 4096
    (tmp_path / "inputs").write_bytes(b"\0\1" + bytes(14))
    script.write_text(
        f"""
import sys
sys.path.insert(0, {str(ROOT / "tools/virtual_wearable/chip")!r})
from backplane import Inputs
from nor_flash import NorFlash
flash = NorFlash({str(image)!r}, None, Inputs({str(tmp_path / "inputs")!r}), 50, print)
print(flash.readblocks(0, bytearray(16), 0))
"""
    )
    assert run_micropython(script).stdout.split() == ["-5"]


def test_the_heap_option_is_what_the_firmware_has() -> None:
    assert heap_bytes("192wK") - heap_bytes("1") == 192 * 2 * 1024 - 1
    assert heap_bytes("1M") - heap_bytes("1K") == 1023 * 1024
    for wrong in ("much", "192Kw", "-1", "0", "", "1.5M"):
        with pytest.raises(ValueError, match="as in 192wK"):
            heap_bytes(wrong)


def test_the_interpreters_code_is_found_where_it_is() -> None:
    code = interpreter_code()
    start, end = code.loop
    assert 1000 < end - start < 100000
    littlefs, import_stat = code.delicate
    assert littlefs[1] - littlefs[0] > 10000, "all of LittleFS, not only its entry points"
    assert 0 < import_stat[1] - import_stat[0] < 1000
    assert not (start < littlefs[1] and littlefs[0] < end)
