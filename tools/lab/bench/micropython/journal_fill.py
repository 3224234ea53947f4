"""Runs on MicroPython: fill the journal. argv: image, sectors (0: use the existing image), budget in bytes.

Prints `records days`. Full: readings were dropped to make room, and the newest segments, which a start reads whole,
are nearly full, too.
"""

import os
import sys

from crs_device.journal import space
from crs_device.journal.journal import Journal
from tools.lab.bench.micropython.image_flash import ImageFlash
from tools.lab.bench.micropython.lived import STEPS_A_DAY, Days


def is_full(journal):
    if journal.counters["readings_segments_dropped"] < 2:
        return False
    readings, events = journal._r.segments[-1][1], journal._e.segments[-1][1]
    return readings > 7 * space.SEAL_READINGS // 8 and events > 3 * space.SEAL_EVENTS // 4


sectors = int(sys.argv[2])
flash = ImageFlash(sys.argv[1], sectors)
flash.mount(make=sectors > 0)
journal = Journal("/f/journal", 1, os.urandom, int(sys.argv[3]))
if sectors:
    journal.create()
else:
    journal.open()
days = Days(journal)
while not is_full(journal):
    days.step()
journal.flush()
print(journal.head_seq, days.steps // STEPS_A_DAY)
flash.close()
