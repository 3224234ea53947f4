"""Runs on MicroPython: flash wear of days of use. argv: image with a full journal, budget in bytes, days, blank image.

Prints `area NAME erases`, then `sectors all static free most_erased`, then `log NAME readings erases programmed events`
(the last: bytes of event payloads) for ours and for two plain logs that append each reading, on the blank image.
"""

import json
import os
import struct
import sys

from crs_core.keys import Key
from crs_device import two_slot
from crs_device.journal import boot_count, chain, segment
from crs_device.journal.journal import Journal
from crs_device.settings.key_file import KeyFile
from crs_device.settings.settings_file import SettingsFile
from tools.lab.bench.micropython.image_flash import (
    ERASE,
    PROGRAM_BYTES,
    SECTOR,
    ImageFlash,
    WatchedOs,
    watch,
)
from tools.lab.bench.micropython.lived import STEPS_A_DAY, Days

SETTINGS = {"site": "axilla", "patient_call_number": "555 0100", "emergency_number": "112"}
KEYS = [Key(1, 1, bytes(32), "bedside"), Key(2, 2, bytes(32), "ward")]
SETTINGS_A_DAY = 2
LOG_READINGS = 720
SEGMENT = 8192


def area_of(path):
    if "/journal/r" in path:
        return "readings"
    if "/journal/e" in path:
        return "events"
    if "/journal/" in path:
        return "mark"
    return "boot" if "boot.cnt" in path else "settings"


def live(flash, budget, span_days):
    journal = Journal("/f/journal", 2, os.urandom, budget)
    journal.open()
    stat = os.statvfs("/f")
    taken = stat[2] - stat[3]
    static = taken - (journal._r.used + journal._e.used) // SECTOR
    watch(flash, (chain, segment, two_slot), area_of)
    chain.os = WatchedOs(flash, area_of)
    flash.clear()
    days = Days(journal, seed=2)
    for _ in range(span_days):
        boot_count.next_boot("/f/boot.cnt")
        for n in range(SETTINGS_A_DAY):
            SETTINGS["reading_interval_s"] = 10 + n
            SettingsFile("/f/settings").store(dict(SETTINGS))
        KeyFile("/f/keys").store(b"deviceid", KEYS)
        for _ in range(STEPS_A_DAY):
            days.step()
    for area in sorted(flash.counts):
        print("area", area, flash.counts[area][ERASE])
    print("sectors", flash.sectors, static, stat[3], max(flash.erased))
    print("log", "journal", days.readings, flash.total(ERASE), flash.total(PROGRAM_BYTES), days.payload_bytes)


def plain_log(flash, name, encode):
    """A log that appends each reading at once, in files of the same size as the journal's."""
    days = Days(None, seed=2)
    number, size = 0, 0
    flash.area = name
    flash.clear()
    os.mkdir("/f/" + name)
    for _ in range(LOG_READINGS):
        days.t_ms += 10_000
        data = encode(days.reading())
        if size + len(data) > SEGMENT:
            number, size = number + 1, 0
        with open("/f/%s/%08x.log" % (name, number), "ab") as file:
            file.write(data)
        size += len(data)
    print("log", name, LOG_READINGS, flash.total(ERASE), flash.total(PROGRAM_BYTES), 0)


def packed(reading):
    values = [0xFFFF if value is None else value for value in reading[1:]]
    return struct.pack("<IIhHBHB", 1, reading[0], values[0], values[1], values[2], values[3], 1)


def json_line(reading):
    names = ("t_ms", "temp_cc", "spo2_tenths", "hr_bpm", "pi_hundredths", "status")
    return (json.dumps(dict(zip(names, reading))) + "\n").encode()


flash = ImageFlash(sys.argv[1])
flash.mount()
live(flash, int(sys.argv[2]), int(sys.argv[3]))
flash.close()
flash = ImageFlash(sys.argv[4], flash.sectors)
flash.mount(make=True)
plain_log(flash, "struct", packed)
plain_log(flash, "json", json_line)
flash.close()
