"""Look at every part of the wearable and tell, as JSON. Light and sound only on request, never over an alarm.

`what` is a sum: 1 light (red, green, blue for 300 ms each), 2 buzzer (200 ms), 4 vibration (200 ms). 0: look only.
"""

import gc
import json
import os
import time

from crs_core.compat import const
from crs_core.reasons import PRIORITY_MEDIUM
from crs_device.version import APP_VERSION

_LIGHT = const(1)
_BUZZER = const(2)
_VIBRATION = const(4)
_PROBE_PATH = "/selftest.tmp"
_PROBE = b"flash probe 0123456789abcdef" * 8
_CHIPS = (("max3010x", 0x57, 0xFF, 1, 0x15), ("tmp117", 0x48, 0x0F, 2, 0x0117))
_SHORT_MS = const(200)
_COLOUR_MS = const(300)


def run_self_test(app, what: int) -> str:  # type: ignore[no-untyped-def]
    """The report: one object per part with "pass" true, false or null (not judged), and the serial number."""
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
    for name, address, register, size, wanted in _CHIPS:
        parts[name] = _chip(app, address, register, size, wanted)
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


def _chip(app, address: int, register: int, size: int, wanted: int) -> dict:  # type: ignore[no-untyped-def,type-arg]
    try:
        raw = app.board.i2c.readfrom_mem(address, register, size)
    except OSError as error:
        return {"pass": False, "error": str(error)}
    number = 0
    for byte in raw:
        number = number << 8 | byte
    if size == 2:
        number &= 0x0FFF  # the upper four bits of the TMP117's are its revision
    return {"pass": number == wanted, "id": "0x%02x" % number}


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
    for _, priority in app.monitor.active:
        if priority >= PRIORITY_MEDIUM:
            return {"pass": None, "done": "not done: an alarm is active"}
    board = app.board
    if what & _LIGHT:
        for colour in ((1, 0, 0), (0, 1, 0), (0, 0, 1)):
            board.led.rgb(colour[0], colour[1], colour[2])
            _wait(app, _COLOUR_MS)
    if what & _BUZZER:
        board.buzzer.tone(880)
        _wait(app, _SHORT_MS)
        board.buzzer.off()
    if what & _VIBRATION:
        board.vibration.value(1)
        _wait(app, _SHORT_MS)
        board.vibration.value(0)
    app.output.forget()
    app.monitor.show(app.clock.ms())
    return {"pass": None, "done": "look and listen"}


def _wait(app, wait_ms: int) -> None:  # type: ignore[no-untyped-def]
    """Wait in real time and go on draining the FIFO: a test must not lose samples."""
    end_ms = app.clock.real_ms() + wait_ms
    while app.clock.real_ms() < end_ms:
        app.drain()
        time.sleep_ms(20)
