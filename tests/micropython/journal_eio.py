"""Flash that answers EIO: once at every operation, for good from every operation, and while reading.

Run: micropython tests/micropython/journal_eio.py. The last line is `eio passed`, or what broke.
"""

import sys

from tools.rig.on_micropython import journal_life as jl
from tools.rig.on_micropython import journal_steps as js

STEPS = (js.first, js.fill, js.batch, js.rotate, js.faults, js.state)


def start(image, ledger):
    life = jl.start(image, ledger, 20)
    life.boot()
    return life


def live(life):
    """All steps; a step that flash refused is left, the next one begins."""
    refused = 0
    for step in STEPS:
        try:
            step(life)
        except OSError:
            refused += 1
    return refused


def check(life, ledger, what):
    """Everything that was given out is readable now, says what it said, and a restart does not change that."""
    given_out = list(life.ledger.given_out)
    for again in (False, True):
        if again:
            flash = life.flash.revive()
            life.off()
            life = jl.Life(flash, jl.Ledger(life.ledger), 0, life.ids)
            jl.require(life.boot(), "the journal is gone", what)
        now = jl.snapshot(life)
        for key in given_out:
            jl.require(key[1] in now[2], "a number was given out and its record is gone", what, key, again)
        for seq in now[2]:
            life.ledger.add(now[0], seq, now[2][seq])
    jl.go_on(life, jl.Ledger(life.ledger))
    life.off()


def once(image, ledger, ops):
    """A single refused operation is ridden out: nothing given out is lost, and almost always nothing is refused."""
    refused = faults = 0
    for n in range(1, ops + 1):
        life = start(image, ledger)
        life.flash.eio_ops = (life.flash.ops + n,)
        refused += live(life)
        faults += life.j.counters["flash_faults"]
        check(life, ledger, n)
    print("eio once: %d operations, faults counted %d, steps refused %d" % (ops, faults, refused))
    jl.require(faults > 0, "no fault was ever counted")
    jl.require(refused == 0, "one bad operation refused a record")


def for_good(image, ledger, ops):
    """Flash that stops writing: appends refuse, readings are counted, what was given out still reads."""
    for n in range(1, ops, 3):
        life = start(image, ledger)
        life.flash.eio_from = life.flash.ops + n
        refused = live(life)
        head = life.j.head_seq
        try:
            life.event(jl.record_layout.BUTTON, b"\x01")
            raise jl.Broken("an append on dead flash returned")
        except OSError:
            pass
        jl.require(refused and life.j.fault, "dead flash without a fault", n)
        jl.require(life.j.head_seq == head, "a number without a record", n)
        life.reading(130)
        jl.require(life.j.counters["readings_lost"] > 0, "lost readings were not counted", n)
        life.flash.eio_from = 0
        check(life, ledger, n)
    print("eio for good: passed")


def reading(image, ledger):
    """Reads that fail for a while: OSError or a gap, never wrong content, and afterwards everything is there."""
    life = start(image, ledger)
    live(life)
    life.j.flush()
    whole = jl.snapshot(life)
    errors = 0
    for failing in range(1, 9):
        for first in range(1, life.j.head_seq, 17):
            life.j._r._cursors = []
            life.flash.eio_reads = failing
            for _ in range(20):  # a reader that asks again
                try:
                    step = life.j.read_from(first)
                    break
                except OSError:
                    errors += 1
            life.flash.eio_reads = 0
            jl.require(
                step is not None and (step[0] == "block" or failing > 2), "hidden by a passing fault", failing
            )
    life.j.open()
    jl.require(jl.snapshot(life) == whole, "reading changed with the fault")
    life.off()
    print("eio reading: errors %d" % errors)
    jl.require(errors > 0, "no read ever failed")


def main():
    image = jl.empty_image()
    life = jl.start(image, None, 0)
    life.boot()
    life.j.create()
    life.off()
    image, ledger = bytes(life.flash.data), life.ledger
    life = start(image, ledger)
    before = life.flash.ops
    live(life)
    ops = life.flash.ops - before
    life.off()
    try:
        for part in (once, for_good):
            part(image, ledger, ops)
        reading(image, ledger)
    except jl.Broken as broken:
        print("broken: %s" % broken)
        sys.exit(1)
    print("eio passed")


if __name__ == "__main__":  # the silent failures borrow its parts
    main()
