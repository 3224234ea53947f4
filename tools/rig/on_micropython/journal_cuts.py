"""Cut the power at every flash operation of the scripted life, torn 0, 40 and 100 %, and once more while recovering.

Run: micropython journal_cuts.py [sabotage]. The last line is `cuts N second N points N`, or the
promise that broke, with exit 1. `sabotage` removes one safeguard to show that the checks notice.
"""

import sys

from crs_device import two_slot
from crs_device.journal import chain
from tools.rig.on_micropython import journal_life as jl
from tools.rig.on_micropython import journal_steps as js

SECOND_EVERY = 7  # every so many cut points get a second cut, at every operation of the recovery and after it


def write_behind():
    """Sabotage: a number is given out while its block is still in RAM."""
    real = chain.Chain.append

    def append(self, first_seq, data):
        held = getattr(self, "held", None)
        if held:
            real(self, held[0], held[1])
        self.held = (first_seq, data)

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


def no_generation():
    """Sabotage: of two valid slots the last one counts, not the newer one."""
    real = two_slot.TwoSlot._read

    def load(self):
        self.generation, found = 0, None
        self._slot = 1
        for slot in (0, 1):
            read = real(self, slot)
            if read is not None:
                self._slot = slot
                self.generation, found = read
        self._known = True
        return found

    two_slot.TwoSlot.load = load


def recover(flash, before, after, ledger, given_out, ids):
    """Power on, check, live on, power on again, check again."""
    life = jl.Life(flash, jl.Ledger(ledger), 0, ids)
    life.boot()
    jl.check_recovered(life, before, after, ledger, given_out)
    now = jl.go_on(life, ledger)
    life.off()
    again = jl.Life(flash.revive(), jl.Ledger(ledger), 0, life.ids)
    again.boot()
    jl.check_recovered(again, now, now, ledger, life.ledger.given_out)
    again.off()


def undisturbed(flash_then, before, after, ledger, given_out, ids):
    """The recovery and the life after it without another cut, to compare with: (recovered, lived, operations)."""
    whole = jl.Life(flash_then.copy(), jl.Ledger(ledger), 0, ids)
    whole.boot()
    recovered = jl.check_recovered(whole, before, after, jl.Ledger(ledger), given_out)
    lived = jl.go_on(whole, jl.Ledger(ledger))
    whole.off()
    return recovered, lived, whole.flash.ops


def cut_again(flash_then, n, torn, around, expected, ledger, given_out, ids):
    """Cut the recovery, or the life after it, at operation `n`, and recover from that; False when it has no `n`th.

    `around`: the snapshots around the first cut; `expected`: those that `undisturbed` found.
    """
    flash = flash_then.copy()
    flash.cut_at, flash.torn_percent = n, torn
    second = jl.Life(flash, jl.Ledger(ledger), 0, ids)
    mine = jl.Ledger(ledger)
    low, high = around
    try:
        second.boot()
        if not flash.dead:
            low, high = expected
            jl.check_recovered(second, around[0], around[1], mine, given_out)
            jl.go_on(second, mine)
    except OSError:
        pass
    second.off()
    if not flash.dead:
        return False
    recover(flash.revive(), low, high, mine, given_out + second.ledger.given_out, ids + 5)
    return True


def cut_twice(flash_then, before, after, ledger, given_out, ids):
    """Cut the recovery and the life after it at each operation in turn; returns how many there were."""
    recovered, lived, _ = undisturbed(flash_then, before, after, ledger, given_out, ids)
    n = 1
    while cut_again(flash_then, n, 40, (before, after), (recovered, lived), ledger, given_out, ids):
        n += 1
    return n - 1


def cut_once(image, ledger, ids, phase, snaps, cut, torn):
    """Run a phase up to a cut: (flash with power again, snapshot before, after, the ledger of that life)."""
    life = jl.start(image, ledger, ids)
    life.flash.cut_at, life.flash.torn_percent = cut, torn
    at = jl.run_until_fault(life, phase[1])
    life.off()
    jl.require(life.flash.dead, "the cut was never reached", phase[0], cut)
    return life.flash.revive(), snaps[at], snaps[min(at + 1, len(snaps) - 1)], life.ledger


def main():
    for name in sys.argv[1:]:
        {"write_behind": write_behind, "one_slot": one_slot, "no_generation": no_generation}[name]()
    image, ledger, ids = jl.empty_image(), None, 0
    cuts = seconds = points = 0
    for phase in js.PHASES:
        try:
            image, snaps, ops, ref = jl.reference(image, ledger, ids, phase)
        except jl.Broken as broken:
            print("phase %s without a cut: %s" % (phase[0], broken))
            sys.exit(1)
        points += ops
        for torn in (0, 40, 100):
            for cut in range(1, ops + 1):
                try:
                    flash, before, after, seen = cut_once(image, ledger, ids, phase, snaps, cut, torn)
                    if cut % SECOND_EVERY == 0 and torn == 40:
                        seconds += cut_twice(flash, before, after, seen, seen.given_out, ids + 70)
                    recover(flash, before, after, jl.Ledger(seen), seen.given_out, ids + 50)
                    cuts += 1
                except jl.Broken as broken:
                    print("phase %s cut %d torn %d: %s" % (phase[0], cut, torn, broken))
                    sys.exit(1)
        image, ledger, ids = bytes(ref.flash.data), ref.ledger, ref.ids
    print("cuts %d second %d points %d" % (cuts, seconds, points))


if __name__ == "__main__":  # the random cuts borrow its parts
    main()
