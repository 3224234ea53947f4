"""Runs on MicroPython: the cost of `Journal.open` on a full image. argv: `time`, `reads` or `room`, image, budget.

time:  prints the best of nine starts in us, each with everything forgotten.
reads: prints `area reads bytes size` for each segment file, `lookup` for directories, `small` for slots (size 0).
room:  prints the least bytes of free heap in which it finds everything, found by halving, and what stays taken.
"""

import gc
import os
import sys
import time

import crs_core.journal.block_reader
import crs_core.journal.codec1_reader
import crs_core.journal.record_reader
import crs_core.journal.record_types  # noqa: F401 what a start loads is code, not the journal's memory
from crs_device import two_slot
from crs_device.journal import chain, handover, recover, segment  # noqa: F401
from crs_device.journal.journal import Journal
from tools.lab.bench.micropython.image_flash import READ, READ_BYTES, ImageFlash, watch

BALLAST = 4096
ROOM_MAX = 96 * 1024
FINE = 256


def opened(budget):
    """A journal after its start; an error when it did not find every record."""
    journal = Journal("/f/journal", 2, os.urandom, budget)
    journal.open()
    whole = not journal._r.corrupt and not journal._e.corrupt and not journal.counters["doubtful_tails"]
    if not whole or journal.last_state() is None or journal.last_ms is None:
        raise MemoryError
    return journal


def timed(flash, budget):
    best = None
    for _ in range(9):
        gc.collect()
        begun = time.ticks_us()
        opened(budget)
        us = time.ticks_diff(time.ticks_us(), begun)
        best = us if best is None else min(best, us)
    flash.clear()
    opened(budget)
    print(best, flash.total(READ), flash.total(READ_BYTES))


def reads(flash, budget):
    def area_of(path):
        return path[len("/f/journal/") :] if path.endswith(".seg") else "small"

    watch(flash, (segment, two_slot, chain), area_of, "lookup")
    flash.area = "lookup"
    flash.clear()
    journal = opened(budget)
    counts = flash.counts
    for name, each in (("r", journal._r), ("e", journal._e)):
        for first, size in each.segments:
            area = "%s/%08x.seg" % (name, first)
            found = counts.pop(area, (0, 0))
            print(area, found[READ], found[READ_BYTES], size)
    for area in sorted(counts):
        print(area, counts[area][READ], counts[area][READ_BYTES], 0)


def fits(budget, room):
    """(whether a start succeeds when only one piece of `room` bytes of heap is free, bytes still in use after it)."""
    gc.collect()
    reserve = bytearray(room)
    ballast = None
    size = BALLAST
    while size >= 16:
        try:
            ballast = (ballast, bytearray(size))
        except MemoryError:
            size //= 4
    reserve = None
    gc.collect()
    before = gc.mem_alloc()
    try:
        journal = opened(budget)
    except (MemoryError, OSError):
        return False, 0
    gc.collect()
    return journal is not None, gc.mem_alloc() - before


def room(flash, budget):
    low, high = 0, ROOM_MAX
    taken = 0
    while high - low > FINE:
        middle = (low + high) // 2
        done, used = fits(budget, middle)
        if done:
            high, taken = middle, used
        else:
            low = middle
    print(high, taken)


gc.threshold(4096)  # as main.py sets it for the start
flash = ImageFlash(sys.argv[2])
flash.mount()
{"time": timed, "reads": reads, "room": room}[sys.argv[1]](flash, int(sys.argv[3]))
