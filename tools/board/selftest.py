"""Test a board part by part: `python -m tools.board.selftest PORT` prints a table, or a JSON report with --json.

It runs the flashed application's own drivers through the REPL, so monitoring pauses for some seconds and the board
restarts at the end. Lights, buzzer and vibration are driven one after the other. With --ask a person says whether each
one worked; without it the report says "driven, not observed".
"""

import argparse
import json
import os
import select
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import serial
from crs_core.errors import RemoteError
from crs_core.wire import frame, hello

from host_agent.terminal.streams import run_clean
from tools.board import stray_thermometer
from tools.board.port import BoardPort, PortError, released

LINK_TIMEOUT_S = 20.0
OUTPUTS = ("red light", "yellow light", "blue light", "buzzer", "vibration")
HEAP_FLOOR_BYTES = 100_000  # an idle interpreter on the smallest board has far more

# Each line is "NAME|passed 0/1|finding". When one part fails, the next ones are still tested.
ON_BOARD = """
import sys, os, time, gc, binascii
import machine
def part(name, test):
    try: ok, found = test()
    except Exception as e: ok, found = 0, repr(e)
    print('%s|%d|%s' % (name, ok, found)); gc.collect()
part('serial number', lambda: (1, binascii.hexlify(machine.unique_id()).decode()))
part('interpreter', lambda: (sys.implementation[1] >= (1, 25, 0), '.'.join(str(n) for n in sys.implementation[1][:3])
    + ' on ' + sys.implementation._machine))
part('heap', lambda: (gc.mem_free() > FLOOR, '%d bytes free' % gc.mem_free()))
import boards
board = boards.detect()
from crs_device.sensors.bus import Bus
bus = Bus(board.i2c)
STRAYS
part('i2c bus', lambda: (len(board.i2c.scan()) >= 2, 'answers at ' + ' '.join('0x%02x' % a for a in board.i2c.scan())))
def ppg():
    from crs_device.sensors import drivers
    chip = drivers.optical(bus); chip.start(); return 1, 'a %s that keeps its set-up' % type(chip).__name__
part('pulse oximeter', ppg)
def thermometer():
    from crs_device.sensors import drivers
    try: t = drivers.thermometer(bus)
    except OSError as e: return 0, '%s|%s' % (e.args[0], strays())
    t.start(); end = time.ticks_add(time.ticks_ms(), 5000)
    while time.ticks_diff(end, time.ticks_ms()) > 0:
        cc = t.read_cc()
        if cc is not None: return 1, '%s %d.%02d C' % (type(t).__name__, cc // 100, cc % 100)
        time.sleep_ms(100)
    return 0, 'no conversion within 5 s'
part('thermometer', thermometer)
def flash():
    data = os.urandom(512); began = time.ticks_ms()
    with open('/selftest.tmp', 'wb') as f: f.write(data)
    took = time.ticks_diff(time.ticks_ms(), began)
    with open('/selftest.tmp', 'rb') as f: same = f.read() == data
    os.remove('/selftest.tmp'); v = os.statvfs('/')
    kb = v[0] // 1024
    return same, '512 bytes written in %d ms, %d of %d kB free' % (took, kb * v[3], kb * v[2])
part('flash', flash)
def battery():
    mv = board.battery_mv()
    return mv == 0 or 3000 <= mv <= 4400, '%d mV' % mv if mv else 'not measured on this board'
part('battery', battery)
part('button', lambda: (board.button.value() == 1, 'not pressed' if board.button.value() else 'reads pressed'))
def identity():
    from crs_device.settings.key_file import KeyFile
    k = KeyFile()
    return (1, 'device ' + binascii.hexlify(k.device_id).decode()) if k.load() else (0, 'not provisioned')
part('identity', identity)
"""

# Drives one output for a second. INDEX counts in OUTPUTS.
DRIVE = """
import sys, time
import boards
b = boards.detect()
if INDEX == 0: b.led.rgb(1, 0, 0)
elif INDEX == 1: b.led.rgb(1, 1, 0)
elif INDEX == 2: b.led.rgb(0, 0, 1)
elif INDEX == 3: b.buzzer.tone(520)
else: b.vibration.value(1)
time.sleep_ms(1000)
b.led.rgb(0, 0, 0); b.buzzer.off(); b.vibration.value(0)
"""


@dataclass
class Part:
    """One line of the report. `passed` is None when the part was driven but nobody said whether it worked."""

    name: str
    passed: bool | None
    found: str


@dataclass
class Report:
    port: str
    serial_number: str = ""
    parts: list[Part] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return all(part.passed is not False for part in self.parts)


def test_link(port: str) -> Part:
    """Send HELLO to the restarted board. Its HELLO or its refusal shows that the link works; no key is needed."""
    greeting = hello.encode_hello(
        hello.Hello(1, 1, 0, 4096, hello.ROLE_HOST, bytes(8), bytes(8), 0xFFFFFFFF, os.urandom(16))
    )
    decoder = frame.Decoder(4096)
    deadline = time.monotonic() + LINK_TIMEOUT_S
    with serial.Serial(os.path.realpath(port), 115200, timeout=0, exclusive=True) as link:
        while time.monotonic() < deadline:
            link.write(frame.encode(greeting, to_device=True))
            sent = time.monotonic()
            while (left := sent + 1.0 - time.monotonic()) > 0:
                if not select.select([link], [], [], left)[0]:
                    break
                for kind, content in decoder.feed(link.read(4096)):
                    if kind == "frame" and content[:2] == b"CW":
                        answer_ms = (time.monotonic() - sent) * 1000
                        return Part("link", True, f"{_answer(content)} in {answer_ms:.0f} ms")
    return Part("link", False, f"no answer within {LINK_TIMEOUT_S:.0f} s of the restart")


def _answer(content: bytes) -> str:
    try:
        return f"device {hello.decode_hello(content).device_id.hex()} answered"
    except RemoteError:
        return "answered (it refused an unknown host, as it must)"


def drive_outputs(port: BoardPort, ask: bool) -> list[Part]:
    """Drive each output for a second; with `ask`, ask a person whether it worked."""
    parts = []
    for index, name in enumerate(OUTPUTS):
        try:
            port.execute(DRIVE.replace("INDEX", str(index)))
        except PortError as error:
            parts.append(Part(name, False, str(error)))
            continue
        if not ask:
            parts.append(Part(name, None, "driven, not observed"))
            continue
        seen = input(f"Did the {name} come on for a second? [y/n] ").strip().lower().startswith("y")
        parts.append(Part(name, seen, f"a person says that it {'worked' if seen else 'did not work'}"))
    return parts


def run(port: str, ask: bool = False, outputs: bool = True) -> Report:
    """Test all parts of one board; PortError when it cannot be reached."""
    board = BoardPort(port)
    report = Report(port)
    print("selftest: sensors, flash, heap, battery ...", file=sys.stderr, flush=True)
    script = ON_BOARD.replace("FLOOR", str(HEAP_FLOOR_BYTES)).replace("STRAYS", stray_thermometer.ON_BOARD)
    for line in board.run_script(script).splitlines():
        if line.count("|") >= 2:
            name, passed, found = line.strip().split("|", 2)
            if name == "thermometer" and passed == "0" and "|" in found:
                why, _, strays = found.rpartition("|")
                found = f"{why}. {stray_thermometer.named(strays)}"
            report.parts.append(Part(name, passed == "1", found))
            if name == "serial number":
                report.serial_number = found
    if not report.parts:
        raise PortError(
            f"{port}: the board did not run the test. Flash it first: python -m tools.board.flash {port}"
        )
    if outputs:
        print("selftest: lights, buzzer, vibration ...", file=sys.stderr, flush=True)
        report.parts += drive_outputs(board, ask)
    print("selftest: restart and link ...", file=sys.stderr, flush=True)
    board.restart()
    report.parts.append(test_link(port))
    return report


def main() -> int:
    """Exit 0 when no part failed, 1 when one did or the board could not be reached."""
    parser = argparse.ArgumentParser(prog="python -m tools.board.selftest", description=__doc__)
    parser.add_argument("port")
    parser.add_argument("--ask", action="store_true", help="ask a person about each light and sound")
    parser.add_argument("--no-outputs", action="store_true", help="do not drive lights, buzzer and vibration")
    parser.add_argument("--json", action="store_true", help="print the report as JSON instead of a table")
    parser.add_argument("--out", type=Path, help="also write the JSON report to this file")
    options = parser.parse_args()
    try:
        with released(options.port):
            report = run(options.port, options.ask, not options.no_outputs)
    except (PortError, serial.SerialException) as error:
        print(f"selftest: {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, EOFError):
        print("selftest: stopped. Press the board's reset button so that it monitors again.", file=sys.stderr)
        return 1
    as_json = json.dumps({**asdict(report), "passed": report.passed}, indent=1)
    if options.out:
        options.out.write_text(as_json + "\n")
    if options.json:
        print(as_json)
    else:
        words = {True: "passed", False: "FAILED", None: "driven"}
        for part in report.parts:
            print(f"{part.name:<16} {words[part.passed]:<7} {part.found}")
        print(f"{report.serial_number}: {'no part failed' if report.passed else 'FAILED'}")
    return 0 if report.passed else 1


if __name__ == "__main__":
    run_clean(main)
