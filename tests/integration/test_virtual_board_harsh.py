"""The virtual board is as harsh as the chip: watchdog, timers, newlines, receive ring, stalls, a host that is gone."""

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.rig.repl import Port, mpremote, put, said
from tools.rig.waiting import until
from tools.rig.wearable import Wearable

pytestmark = pytest.mark.real_time

ARMED = """
import machine, time
wdt = machine.WDT(timeout={timeout})
print("armed", machine.reset_cause())
while True:
    {loop}
"""


def test_an_unfed_watchdog_resets_in_real_time_whatever_the_speed(tmp_path: Path) -> None:
    with Wearable(tmp_path, speed=60) as wearable, Port(wearable) as port:
        put(wearable, main=ARMED.format(timeout=1000, loop="pass"))
        port.read_until(b"armed 2\r\n")
        start = time.monotonic()
        port.read_until(b"armed 3\r\n")
        assert 0.9 < time.monotonic() - start < 3.0 and wearable.state()["resets"]["watchdog"] == 1


def test_a_fed_watchdog_does_not_bite(board: Wearable) -> None:
    with Port(board) as port:
        put(board, main=ARMED.format(timeout=600, loop="wdt.feed(); time.sleep_ms(100)"))
        port.read_until(b"armed 2\r\n")
        time.sleep(2.0)
        assert board.state()["resets"]["watchdog"] == 0


def test_the_watchdog_survives_a_soft_reset(board: Wearable) -> None:
    put(board, main=ARMED.format(timeout=6000, loop="wdt.feed(); time.sleep_ms(20)"))
    said(board, "soft-reset")
    state = board.state()
    assert state["resets"]["watchdog"] == 0 and state["watchdog_due_ms"] is not None
    until(lambda: board.state()["resets"]["watchdog"], what="the watchdog after a soft reset")


BLINKING = """
import machine
led = machine.Pin(18, machine.Pin.OUT)
buzzer = machine.PWM(machine.Pin(21), freq=800, duty_u16=1000)
def blink(timer):
    led.toggle()
timer = machine.Timer(-1)
timer.init(period=20, mode=machine.Timer.PERIODIC, callback=blink)
"""


def test_a_soft_reset_kills_timers_and_stops_pwm(board: Wearable, tmp_path: Path) -> None:
    (tmp_path / "blink.py").write_text(BLINKING)
    said(board, "run", str(tmp_path / "blink.py"))

    def changes() -> int:
        return int(board.state()["outputs"])

    before = changes()
    until(lambda: changes() > before + 10, what="the light to blink")
    assert board.state()["buzzer"]["duty_u16"] == 1000
    said(board, "soft-reset")
    after = changes()
    time.sleep(0.3)
    assert changes() == after and board.state()["buzzer"]["duty_u16"] == 0


def test_a_timer_callback_may_not_allocate(board: Wearable, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(
        "import machine, time\n"
        "timer = machine.Timer(-1)\n"
        "timer.init(period=20, mode=machine.Timer.ONE_SHOT, callback=lambda t: bytearray(100))\n"
        "time.sleep_ms(200)\nprint('alive', len(bytearray(100)))\n"
    )
    text = said(board, "run", str(tmp_path / "bad.py"))
    assert "MemoryError" in text and "alive 100" in text


def test_text_gets_crlf_and_buffers_stay_exact(board: Wearable) -> None:
    program = (
        "import sys, time\ntime.sleep_ms(300)\nprint('a\\nb')\nsys.stdout.write('c\\n')\n"
        "sys.stdout.buffer.write(bytes(range(256)) * 4)\nprint('end')\n"
        "sys.stdout.buffer.write(b'1\\n23456', 3)\nsys.stdout.buffer.write(b'1\\n23\\n6', 2, 3)\nprint('!')\n"
    )
    with Port(board) as port:
        put(board, main=program)
        port.read_until(b"a\r\n")
        rest = port.read_until(b"!\r\n")
        assert rest == b"b\r\nc\r\n" + bytes(range(256)) * 4 + b"end\r\n1\n223\n!\r\n"


def test_the_receive_ring_drops_what_nobody_reads(board: Wearable) -> None:
    program = (
        "import sys, select, time\nprint('ready')\ntime.sleep_ms(700)\nn = 0\npoll = select.poll()\n"
        "poll.register(sys.stdin.buffer, select.POLLIN)\n"
        "while poll.poll(300):\n    sys.stdin.buffer.read(1)\n    n += 1\nprint('got', n)\n"
    )
    with Port(board) as port:
        put(board, main=program)
        port.read_until(b"ready\r\n")
        before = board.state()["rx_dropped"]
        for _ in range(3):
            port.write(b"x" * 200)
            time.sleep(0.05)
        port.read_until(b"got 260\r\n")
        assert board.state()["rx_dropped"] - before == 340


def test_an_erase_stalls_everything_in_real_time(tmp_path: Path) -> None:
    program = """
import machine, time
ticks = bytearray(1)
def tick(timer):
    ticks[0] += 1
timer = machine.Timer(-1)
timer.init(period=10, mode=machine.Timer.PERIODIC, callback=tick)
longest = 0
stalled_ticks = 0
for _ in range(3):
    start = time.ticks_ms()
    first = ticks[0]
    f = open("file", "wb")
    f.write(bytes(4000))
    f.close()
    took = time.ticks_diff(time.ticks_ms(), start)
    if took > longest:
        longest = took
        stalled_ticks = ticks[0] - first
print(longest, stalled_ticks)
"""
    (tmp_path / "write.py").write_text(program)
    with Wearable(tmp_path, "--erase-ms", "120", speed=60) as wearable:
        longest, ticks = (int(word) for word in said(wearable, "run", str(tmp_path / "write.py")).split())
        assert longest >= 120
        assert ticks < longest // 10 - 8, "timers stood still meanwhile"
        assert wearable.state()["flash"]["erases"] >= 3


def test_no_host_does_not_block_and_a_deaf_one_does(board: Wearable) -> None:
    program = """
import machine, select, sys, time
blocked = machine.Pin(19, machine.Pin.OUT, value=0)
poll = select.poll()
poll.register(sys.stdout.buffer, select.POLLOUT)
print("start")
while True:
    ready = poll.poll(0)
    if ready and ready[0][1] & select.POLLOUT:
        blocked.value(0)
        sys.stdout.buffer.write(b"." * 64)
    else:
        blocked.value(1)
        time.sleep_ms(1)
"""

    def is_blocked() -> bool:
        return bool(board.state()["led"][1])

    put(board, main=program)
    for _ in range(15):
        time.sleep(0.1)
        samples = [is_blocked() for _ in range(5)]
    assert not all(samples), "nobody there: bytes go nowhere, as with DTR low"
    with Port(board) as port:
        until(lambda: all(is_blocked() for _ in range(5)), what="the port to fill up")
        port.read_until(b"." * 30000)
        assert port.read_until(b"." * 30000), "it goes on when the host reads again"


def test_button_pins_battery_and_interrupts(board: Wearable) -> None:
    program = """
import machine, time
button = machine.Pin(22, machine.Pin.IN, machine.Pin.PULL_UP)
edges = []
button.irq(lambda pin: edges.append(pin.value()), machine.Pin.IRQ_FALLING | machine.Pin.IRQ_RISING)
adc = machine.ADC(26)
print("up", button.value(), adc.read_uv())
while len(edges) < 2:
    time.sleep_ms(5)
print("edges", edges)
while adc.read_uv() > 1700000:
    time.sleep_ms(5)
print("low")
"""
    with Port(board) as port:
        put(board, main=program)
        port.read_until(b"up 1 1975000\r\n")
        board.control("press", ms=150)
        port.read_until(b"edges [0, 1]\r\n")
        board.control("battery", mv=3300)
        port.read_until(b"low\r\n")
        assert board.state()["battery_mv"] == 3300


def is_running(pid: int) -> bool:
    """Whether a process exists and is more than a corpse."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    link = tmp_path / "port"
    command = [
        sys.executable, "-m", "tools.virtual_wearable", "--scenario",
            "tools/virtual_wearable/scenarios/steady_afebrile.toml",
        "--image", str(tmp_path / "flash.img"), "--link", str(link),
    ]  # fmt: skip

    def start() -> tuple[subprocess.Popen[str], int]:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None and process.stdout.readline().startswith("READY ")
        chips = until(lambda: Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split())
        return process, int(chips[0])

    for number in (signal.SIGTERM, signal.SIGINT):
        process, chip = start()
        assert str(link.readlink()).startswith("/dev/pts/")
        process.send_signal(number)
        assert process.wait(5) == 0 and not link.is_symlink() and not is_running(chip)
    process, chip = start()
    process.kill()
    process.wait(5)
    until(lambda: not is_running(chip), what="the chip to die with its supervisor")


def test_a_chip_that_cannot_start_ends_the_board_with_a_reason() -> None:
    scenario = "tools/virtual_wearable/scenarios/steady_afebrile.toml"
    done = subprocess.run(
        [sys.executable, "-m", "tools.virtual_wearable", "--scenario", scenario, "--heap", "1"],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and "ended 5 times before it was up" in done.stderr
    assert "MemoryError" in done.stderr
    assert 'File "<frozen' not in done.stderr, "no traceback of ours"


def test_system_exit_is_a_soft_reset_and_an_exception_is_not(tmp_path: Path) -> None:
    once = (
        "import os, sys\nif 'again' not in os.listdir():\n"
        "    open('again', 'w').close()\n    {how}\nprint('twice')\n"
    )
    for how in ("sys.exit(3)", "import machine; machine.soft_reset()"):
        with Wearable(tmp_path) as wearable, Port(wearable) as port:
            put(wearable, main=once.format(how=how))
            assert b"MPY: soft reboot\r\n" in port.read_until(b"twice\r\n")
            assert wearable.state()["resets"]["crash"] == 0
        (tmp_path / "flash.img").unlink()
    with Wearable(tmp_path) as wearable, Port(wearable) as port:
        put(wearable, boot="1/0\n", main="print('main')\n")
        text = port.read_until(b">>> ")
        assert b'File "boot.py", line 1, in <module>\r\nZeroDivisionError' in text and b"power_on" not in text
        assert b"main\r\n" not in text, "a port does not run main.py after boot.py failed"


def test_a_script_that_never_gives_the_port_back_can_be_reset_from_outside(board: Wearable) -> None:
    deaf = "import micropython\nmicropython.kbd_intr(-1)\nprint('deaf')\nwhile True:\n    pass\n"
    with Port(board) as port:
        put(board, main=deaf)
        port.read_until(b"deaf\r\n")  # a Ctrl-C before that would still be heard
    with contextlib.suppress(subprocess.TimeoutExpired):
        assert mpremote(board, "exec", "print(1)", timeout_s=2).returncode != 0
    before = board.state()["pid"]
    board.control("reset")
    until(lambda: board.state()["pid"] not in (before, None))
