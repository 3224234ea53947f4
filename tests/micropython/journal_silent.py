"""Flash that lies: a program or an erase reports success and does nothing, or a program flips one bit.

Run: micropython tests/micropython/journal_silent.py [no_crc]. One line per part, then `silent passed` or what broke.

What may be expected. When reading back shows the truth: everything, because LittleFS reads back what it programs and
takes another block; when nothing is programmed at all any more, appends refuse. When reading back shows what was asked
until power goes, nothing here can know before the next start, and then: no record is invented or altered; what is
missing below the head is given_out as a gap and never closed over; a head that went back is an older image (numbers are
given out again, and the host sees that); a file system or a journal that is unreadable says so. The reason of a gap may
be wrong in one case: what is missing before the oldest segments counts as dropped to make room, because only the
oldest segments say what was dropped.
"""

import sys

from crs_core.journal import block_layout, block_reader
from crs_core.errors import RemoteError
from tests.fakes.nor_silent import NOTHING, SilentNor
from tests.micropython import journal_eio as je
from tools.rig.on_micropython import journal_life as jl

FLIPS = 3  # bits tried in each program


def start(image, ledger, is_unseen):
    flash = SilentNor(jl.BLOCK, jl.BLOCKS, bytearray(image), is_unseen)
    life = jl.Life(flash, jl.Ledger(ledger), 0, 20)
    life.boot()
    return life


def harms(ops):
    """(operation of the life, what goes wrong with it) for every operation."""
    for n in range(1, ops + 1):
        yield n, NOTHING
        for i in range(FLIPS):
            yield n, (n * 7919 + i * 104729) & 0xFFFFFF


def seen(image, ledger, ops):
    """Each operation spoiled once, read back as it is: ridden out, and everything given out is there."""
    runs = 0
    for n, how in harms(ops):
        life = start(image, ledger, False)
        life.flash.spoil = {life.flash.ops + n: how}
        refused = je.live(life)
        jl.require(life.flash.spoiled, "never spoiled", n)
        jl.require(refused == 0, "one spoiled operation refused a record", n, how)
        je.check(life, ledger, (n, how))
        runs += 1
    print("seen, once: %d runs" % runs)


def seen_for_good(image, ledger, ops):
    """Nothing is programmed any more from some operation on: appends refuse, nothing given out is lost."""
    for n in range(1, ops, 3):
        life = start(image, ledger, False)
        life.flash.spoil_from = life.flash.ops + n
        refused = je.live(life)
        try:
            life.event(jl.record_layout.BUTTON, b"\x01")
            raise jl.Broken("an append on flash that does nothing returned")
        except OSError:
            pass
        jl.require(refused and life.j.fault, "flash that does nothing without a fault", n)
        life.flash.spoil_from = 0
        je.check(life, ledger, n)
    print("seen, for good: passed")


def unseen(image, ledger, ops):
    """Each operation spoiled once, read back as asked until power goes: see the top."""
    outcomes = {}
    for n, how in harms(ops):
        life = start(image, ledger, True)
        life.flash.spoil = {life.flash.ops + n: how}
        je.live(life)
        snap = jl.snapshot(life)
        for seq in snap[2]:
            life.ledger.add(snap[0], seq, snap[2][seq])
        life.off()
        again = jl.Life(life.flash.revive(), jl.Ledger(life.ledger), 0, life.ids)
        outcome = after(again, snap, life.ledger, (n, how))
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    print("unseen: %s" % ", ".join(["%s %d" % (key, outcomes[key]) for key in sorted(outcomes)]))
    for wanted in ("whole", "gap", "head back"):
        jl.require([key for key in outcomes if key.startswith(wanted)], "the harm was one-sided", outcomes)


def after(life, snap, ledger, what):
    """Check the start after an unseen harm; returns what kind of harm it turned out to be."""
    try:
        life.mount()
        life.off()
    except OSError:
        return "no file system"
    try:
        is_there = life.boot()
        found, gaps = jl.contents(life.j) if is_there else ({}, [])
    except OSError:  # the file system meets its own damage and says so
        is_there = False
    except RemoteError as error:
        raise jl.Broken("a damaged record was taken for good %r %s" % (what, error))
    if not is_there:
        life.off()
        return "missing"
    for seq in found:
        was = ledger.seen.get((snap[0], seq))
        jl.require(found[seq] == was, "a damaged record was taken for good", what, seq, found[seq], was)
    missing = [seq for seq in snap[2] if seq not in found]
    inside = [seq for seq in missing if seq <= life.j.head_seq]
    reasons = set()
    for seq in inside:
        gap_reasons = [gap[2] for gap in gaps if gap[0] <= seq <= gap[1]]
        jl.require(gap_reasons, "a lost record was closed over", what, seq, gaps)
        is_oldest = seq < max(life.j._r.floor(), life.j._e.floor())
        jl.require(is_oldest or gap_reasons[0] != 1, "a lost record counts as dropped", what, seq, gaps)
        reasons.add(gap_reasons[0])
    is_back = [seq for seq in missing if seq >= life.j._next]
    if is_back:
        life.ledger = ledger = jl.Ledger()  # else no number comes twice
    jl.go_on(life, ledger)
    life.off()
    if is_back:
        return "head back"
    return "gap for %s" % sorted(reasons) if inside else "numbers skipped" if missing else "whole"


def main():
    parts = (seen, seen_for_good, unseen)
    if "no_crc" in sys.argv[1:]:  # sabotage: a block counts as valid when its length fits
        parts = (unseen,)  # where LittleFS sees the harm, the CRC has nothing to do
        block_layout.crc_holds = block_reader.crc_holds = lambda buf, journal_id: True
    life = jl.start(jl.empty_image(), None, 0)
    life.boot()
    life.j.create()
    life.off()
    image, ledger = bytes(life.flash.data), life.ledger
    life = start(image, ledger, False)
    before = life.flash.ops
    je.live(life)
    ops = life.flash.ops - before
    life.off()
    try:
        for part in parts:
            part(image, ledger, ops)
    except jl.Broken as broken:
        print("broken: %s" % broken)
        sys.exit(1)
    print("silent passed")


main()
