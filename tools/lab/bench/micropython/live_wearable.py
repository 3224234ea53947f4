"""Runs on MicroPython: the firmware's application on its standard streams, without sensors, on an image with a backlog.

argv: image, ms since the epoch of its time zero, ms that an erase stalls everything. Its clock is this machine's, so
a LIVE message says by itself when the monitor made it. A reading and a LIVE each second; ends when killed.
"""

import asyncio
import os
import sys
import time

from crs_core.grade import rules
from crs_core.units import SITE_AXILLA
from crs_device import tasks
from crs_device.app import App
from crs_device.clock import Clock
from crs_device.journal.event_log import EventLog
from crs_device.journal.journal import Journal
from crs_device.settings.key_file import KeyFile
from crs_device.link.requests import Requests
from crs_device.link.serial_port import SerialPort
from crs_device.monitor import Monitor
from tools.lab.bench.micropython.image_flash import ImageFlash

EPOCH_MS, ERASE_MS = int(sys.argv[2]), int(sys.argv[3])


class SlowFlash(ImageFlash):
    """A flash whose erase takes as long as a chip's."""

    def ioctl(self, op, arg):
        if op == 6:
            time.sleep_ms(ERASE_MS)
        return super().ioctl(op, arg)


class Dark:
    """Lights and sounds that do nothing."""

    def rgb(self, *levels):
        pass

    def tone(self, *tone):
        pass

    def off(self):
        pass

    def value(self, level):
        pass


def now_ms():
    return int(time.time() * 1000) - EPOCH_MS


class Board:
    """The parts of a board that the application uses."""

    simulated = True

    def __init__(self):
        self.led = self.buzzer = self.vibration = Dark()
        self.clock = Clock(now_ms, lambda later, earlier: later - earlier)
        self.clock._whole_ms = now_ms()

    def battery_mv(self):
        return 3900

    def heap_free(self):
        return 0

    def random_bytes(self, n):
        return os.urandom(n)


async def run(app):
    asyncio.create_task(tasks._step(app))
    await tasks._link(app)


flash = SlowFlash(sys.argv[1])
flash.mount()
app = App(Board())
journal = Journal("/f/journal", 2, os.urandom, app.journal_budget_kb * 1024, 1)
journal.open()
app.boot_number = journal.boot
app.log = EventLog(journal, app.health, app.drain)
store = KeyFile("/f/keys")
store.load()
app.device_id, app.keys = store.device_id, store.keys
app.monitor = Monitor(app, rules.DEFAULT, rules.rule_hash(rules.DEFAULT), SITE_AXILLA, 1)
app.monitor.is_bound = True
app.requests = Requests(app)
app.serve(SerialPort(sys.stdin.buffer, sys.stdout.buffer))
asyncio.run(run(app))
