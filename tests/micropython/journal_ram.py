"""A journal with a full budget on a chip-sized heap: prints `ram USED segments N open_ms M`, in bytes of this machine.

Run: micropython -X heapsize=192wK tests/micropython/journal_ram.py. The flash lives outside the heap, in a file.
"""

import gc
import os
import time
import sys

import vfs

from crs_core.journal import block_layout, record_layout, record_writer
from crs_core.units import Reading
from crs_device.journal.journal import Journal

SECTOR = 4096


class FileFlash:
    """Block device on a file; only the cut and fault free part of a NOR flash."""

    def __init__(self, path, sectors):
        self.sectors = sectors
        with open(path, "wb") as f:
            for _ in range(sectors):
                f.write(b"\xff" * SECTOR)
        self.file = open(path, "r+b")

    def readblocks(self, sector, buf, offset=0):
        self.file.seek(sector * SECTOR + offset)
        self.file.readinto(buf)

    def writeblocks(self, sector, buf, offset=0):
        self.file.seek(sector * SECTOR + offset)
        self.file.write(buf)

    def ioctl(self, op, arg):
        if op == 4:
            return self.sectors
        if op == 5:
            return SECTOR
        return 0


def fill(journal):
    t_ms = 0
    for n in range(200_000):
        t_ms += 10_000
        k = n * 7919
        journal.add_reading(Reading(t_ms, 3500 + k % 503, 900 + k % 101, 60 + k % 89, k % 1009, 1025))
        if n % 10 == 0:
            journal.append_event(
                t_ms, record_layout.FAULT, record_writer.write(record_layout.FAULT, 2, n % 5, n, "x" * 20)
            )
        if journal.counters["readings_segments_dropped"] > 3 and journal.counters["events_merged"] > 20:
            return
    raise Exception(journal.counters, journal._e.used, journal._r.used, len(journal._e.segments))


def main():
    flash = FileFlash(sys.argv[1], 400)
    vfs.VfsLfs2.mkfs(flash, progsize=256, readsize=256)
    vfs.mount(vfs.VfsLfs2(flash, progsize=256, readsize=256), "/f")
    journal = Journal("/f/journal", 1, os.urandom, 1 << 20)
    journal.create()
    fill(journal)
    journal = None
    gc.collect()
    before = gc.mem_alloc()
    begun = time.ticks_ms()
    journal = Journal("/f/journal", 2, os.urandom, 1 << 20)
    journal.open()
    open_ms = time.ticks_diff(time.ticks_ms(), begun)
    seq = blocks = 1
    while True:
        step = journal.read_from(seq)
        if step is None:
            break
        seq = step[2] + 1 if step[0] == "gap" else block_layout.last_seq(step[1]) + 1
        blocks += 1
    step = None
    gc.collect()
    used = gc.mem_alloc() - before
    print("ram", used, "segments", len(journal._r.segments) + len(journal._e.segments), "open_ms", open_ms)


main()
