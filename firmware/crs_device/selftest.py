"""Tests every part of the wearable and reports as JSON. Light and sound only on request; a real alarm overrides them.

`what` is a sum: 1 light (red, green, blue for 300 ms each), 2 buzzer (200 ms), 4 vibration (200 ms). 0: look only.
"""

import gc
import json
import os
import time

from crs_core.compat import const
from crs_core.codes import PRIORITY_MEDIUM
from crs_device.sensors import drivers
from crs_device.sensors.bus import Bus
from crs_device.version import APP_VERSION

_LIGHT = const(1)
_BUZZER = const(2)
_VIBRATION = const(4)
_PROBE_PATH = "/selftest.tmp"
_PROBE = b"flash probe 0123456789abcdef" * 8
_SHORT_MS = const(200)
_COLOUR_MS = const(300)


def run_self_test(app, what: int) -> str:  # type: ignore[no-untyped-def]
    """Return the report: one object per part with "pass" true, false or null (not judged), and the serial number."""
    parts = {
        "bus": _bus(app),
        "flash": _flash(),
        "battery": {"pass": None, "mv": app.power.battery_mv, "charging": app.power.is_charging},
        "button": {"pass": None, "down": not app.board.button.value()},
        "heap": _heap(),
        "journal": {"pass": app.log.journal is not None and not app.log.is_faulty},
        "settings": {"pass": app.has_settings, "version": app.settings_version},
        "keys": {"pass": len(app.keys) > 0, "count": len(app.keys)},
    }
    parts.update(_sensors(app))
    parts["outputs"] = _outputs(app, what)
    report = {
        "board": app.board.name,
        "serial": "".join(["%02x" % b for b in app.board.uid]),
        "device_id": "".join(["%02x" % b for b in app.device_id]),
        "simulated": app.board.simulated,
        "app_version": APP_VERSION,
        "parts": parts,
    }
    return json.dumps(report)


def _bus(app) -> dict:  # type: ignore[no-untyped-def,type-arg]
    try:
        found = app.board.i2c.scan()
    except OSError as error:
        return {"pass": False, "error": str(error)}
    return {"pass": len(found) > 0, "addresses": ["0x%02x" % address for address in found]}


def _sensors(app) -> dict:  # type: ignore[no-untyped-def,type-arg]
    """Which chip is on the board, found without disturbing what it does now."""
    bus = Bus(app.board.i2c)
    optical_name = drivers.OPTICAL[0]
    try:
        chip = drivers.optical(bus)
        optical_name = type(chip).__name__.lower()
        optical = {"pass": True, "id": "0x%02x" % chip.identify()}
    except OSError as error:
        optical = {"pass": False, "error": str(error)}
    try:
        thermometer = {"pass": True, "chip": type(drivers.thermometer(bus)).__name__}
    except OSError as error:
        thermometer = {"pass": False, "error": str(error)}
    return {optical_name: optical, "thermometer": thermometer}


def _flash() -> dict:  # type: ignore[type-arg]
    start = time.ticks_ms()
    try:
        with open(_PROBE_PATH, "wb") as f:
            f.write(_PROBE)
        with open(_PROBE_PATH, "rb") as f:
            same = f.read() == _PROBE
        os.remove(_PROBE_PATH)
        space = os.statvfs("/")
    except OSError as error:
        return {"pass": False, "error": str(error)}
    took_ms = time.ticks_diff(time.ticks_ms(), start)
    return {"pass": same, "took_ms": took_ms, "free_kib": space[0] * space[3] // 1024}


def _heap() -> dict:  # type: ignore[type-arg]
    gc.collect()
    free = gc.mem_free()
    return {"pass": free * 10 >= free + gc.mem_alloc(), "free": free, "total": free + gc.mem_alloc()}


def _outputs(app, what: int) -> dict:  # type: ignore[no-untyped-def,type-arg]
    if not what:
        return {"pass": None, "done": "not asked for"}
    if _alarm_is_open(app):
        return {"pass": None, "done": "not done: an alarm is active"}
    ended = _drive(app, what)
    app.board.buzzer.off()
    app.board.vibration.value(0)
    app.output.forget()
    app.monitor.show(app.clock.ms())
    return {"pass": None, "done": "look and listen" if ended else "broken off: an alarm rose"}


def _alarm_is_open(app) -> bool:  # type: ignore[no-untyped-def]
    for _, priority in app.monitor.active:
        if priority >= PRIORITY_MEDIUM:
            return True
    return False


def _drive(app, what: int) -> bool:  # type: ignore[no-untyped-def]
    """Drive each output for its time; False as soon as a real alarm has risen."""
    board = app.board
    if what & _LIGHT:
        for colour in ((1, 0, 0), (0, 1, 0), (0, 0, 1)):
            board.led.rgb(colour[0], colour[1], colour[2])
            if not _wait(app, _COLOUR_MS):
                return False
    if what & _BUZZER:
        board.buzzer.tone(880)
        if not _wait(app, _SHORT_MS):
            return False
        board.buzzer.off()
    if what & _VIBRATION:
        board.vibration.value(1)
        return _wait(app, _SHORT_MS)
    return True


def _wait(app, wait_ms: int) -> bool:  # type: ignore[no-untyped-def]
    """Wait in real time and go on measuring, so that no sample is lost; False when a real alarm has risen."""
    end_ms = app.clock.real_ms() + wait_ms
    while app.clock.real_ms() < end_ms:
        app.drain()
        app.monitor.step(app.clock.ms())
        if _alarm_is_open(app):
            return False
        time.sleep_ms(20)
    return True
