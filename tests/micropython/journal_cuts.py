"""Cut the power at every flash operation of the scripted life, torn 0, 40 and 100 %, and once more while recovering.

Run: micropython tests/micropython/journal_cuts.py [sabotage]. The last line is `cuts N second N points N`, or the
promise that broke, with exit 1. `sabotage` removes one safeguard to show that the checks notice.
"""

import sys

from crs_device import two_slot
from crs_device.journal import chain
from tests.micropython import journal_life as jl

SECOND_EVERY = 7  # every so many cut points get a second cut, at every operation of the recovery and after it


def write_behind():
    """Sabotage: a number is given out while its block is still in RAM."""
    real = chain.Chain.append
    held = []

    def append(self, first_seq, data):
        for args in held:
            real(*args)
        del held[:]
        size = self.segments[-1][1] if self.segments else 0
        held.append((self, first_seq, data))
        return size

    chain.Chain.append = append


def one_slot():
    """Sabotage: a two-slot file is emptied and written again in place."""
    real = two_slot.TwoSlot.store

    def store(self, payload):
        with open(self._path + ".0", "wb") as f:
            f.write(b"")
        self._known = True
        self._slot = 1
        real(self, payload)

    two_slot.TwoSlot.store = store


def recover(flash, before, after, ledger, told, ids):
    """Power on, check, live on, power on again, check again."""
    life = jl.Life(flash, jl.Ledger(ledger), 0, ids)
    life.boot()
    jl.check_recovered(life, before, after, ledger, told)
    now = jl.go_on(life, ledger)
    life.off()
    again = jl.Life(flash.revive(), jl.Ledger(ledger), 0, life.ids)
    again.boot()
    jl.check_recovered(again, now, now, ledger, life.ledger.told)
    again.off()


def cut_twice(flash_then, before, after, ledger, told, ids):
    """Cut the recovery and the life after it at each operation in turn; returns how many there were."""
    whole = jl.Life(flash_then.copy(), jl.Ledger(ledger), 0, ids)  # the same without a cut, to compare with
    whole.boot()
    recovered = jl.check_recovered(whole, before, after, jl.Ledger(ledger), told)
    lived = jl.go_on(whole, jl.Ledger(ledger))
    whole.off()
    n = 0
    while True:
        n += 1
        flash = flash_then.copy()
        flash.cut_at, flash.torn_percent = n, 40
        second = jl.Life(flash, jl.Ledger(ledger), 0, ids)
        mine = jl.Ledger(ledger)
        low, high = before, after
        try:
            second.boot()
            if not flash.dead:
                low, high = recovered, lived
                jl.check_recovered(second, before, after, mine, told)
                jl.go_on(second, mine)
        except OSError:
            pass
        second.off()
        if not flash.dead:
            return n - 1
        recover(flash.revive(), low, high, mine, told + second.ledger.told, ids + 5)


def main():
    for name in sys.argv[1:]:
        {"write_behind": write_behind, "one_slot": one_slot}[name]()
    image, ledger, ids = jl.empty_image(), None, 0
    cuts = seconds = points = 0
    for phase in jl.PHASES:
        image, snaps, ops, ref = jl.reference(image, ledger, ids, phase)
        points += ops
        for torn in (0, 40, 100):
            for cut in range(1, ops + 1):
                life = jl.start(image, ledger, ids)
                life.flash.cut_at, life.flash.torn_percent = cut, torn
                at = jl.run_until_fault(life, phase[1])
                life.off()
                jl.require(life.flash.dead, "the cut was never reached", phase[0], cut)
                before, after = snaps[at], snaps[min(at + 1, len(snaps) - 1)]
                told = life.ledger.told
                flash = life.flash.revive()
                try:
                    if cut % SECOND_EVERY == 0 and torn == 40:
                        seconds += cut_twice(flash, before, after, life.ledger, told, ids + 70)
                    recover(flash, before, after, jl.Ledger(life.ledger), told, ids + 50)
                    cuts += 1
                except jl.Broken as broken:
                    print("phase %s cut %d torn %d: %s" % (phase[0], cut, torn, broken))
                    sys.exit(1)
        image, ledger, ids = bytes(ref.flash.data), ref.ledger, ref.ids
    print("cuts %d second %d points %d" % (cuts, seconds, points))


main()
