"""Random cuts: the scripted life, then lives of steps drawn by the seed, cut anywhere, torn by none, some or all bytes.

Run: micropython journal_random_cuts.py SEED LIVES [write_behind]. Each life ends by a cut, recovers
and is checked; one in four is cut once more while it recovers. The last line is `cuts N second N none N some N all N
losses N duplicates N`; each broken promise is a line before it, with what is needed to see it again.
"""

import random
import sys

import vfs

from tools.rig.on_micropython import journal_cuts as jc
from tools.rig.on_micropython import journal_life as jl
from tools.rig.on_micropython import journal_steps as js

SECOND_OF = 4  # one life in so many is cut twice
PER_PHASE = 30  # cuts of one phase before the life goes on
STEPS = (
    js.first, js.fill, js.rotate, js.ack, js.change_settings, js.faults, js.crowd, js.state, js.batch, js.handover,
    js.wipe,
)  # fmt: skip


def phases():
    """The scripted life, then phases of two to four drawn steps for ever."""
    yield from js.PHASES
    n = 0
    while True:
        n += 1
        yield "drawn %d" % n, tuple([random.choice(STEPS) for _ in range(random.randint(2, 4))])


def torn():
    """Percent of the operation that was done: none, some or all of it alike often."""
    return (0, random.randint(1, 99), 100)[random.randint(0, 2)]


def one_life(image, ledger, ids, phase, snaps, ops, tally):
    """Cut one run of the phase, perhaps its recovery too, and check; Broken says what did not hold."""
    cut, percent = random.randint(1, ops), torn()
    again = random.randint(1, SECOND_OF) == 1
    tally["at"] = (cut, percent)
    flash, before, after, seen = jc.cut_once(image, ledger, ids, phase, snaps, cut, percent)
    tally["cuts"] += 1
    tally["none" if percent == 0 else "all" if percent == 100 else "some"] += 1
    if again:
        recovered, lived, there = jc.undisturbed(flash, before, after, seen, seen.given_out, ids + 70)
        n, percent = random.randint(1, there), torn()
        tally["at"] += (n, percent)
        jl.require(
            jc.cut_again(
                flash, n, percent, (before, after), (recovered, lived), seen, seen.given_out, ids + 70
            ),
            "the second cut was never reached",
        )
        tally["second"] += 1
    else:
        jc.recover(flash, before, after, jl.Ledger(seen), seen.given_out, ids + 50)


def note(broken, seed, phase, tally):
    """Count and print a broken promise; what is not plainly a double counts as a loss."""
    is_double = "two contents" in str(broken) or "two numbers" in str(broken)
    tally["duplicates" if is_double else "losses"] += 1
    print("seed %d phase %s %r at %r: %s" % (seed, phase[0], phase[1], tally["at"], broken))
    try:
        vfs.umount("/f")  # the life that broke it may still be on
    except OSError:
        pass


def main(seed, lives):
    random.seed(seed)
    tally = {"cuts": 0, "second": 0, "none": 0, "some": 0, "all": 0, "losses": 0, "duplicates": 0, "at": ()}
    image, ledger, ids = jl.empty_image(), None, 0
    for phase in phases():
        tally["at"] = ()
        try:
            image, snaps, ops, ref = jl.reference(image, ledger, ids, phase)
        except jl.Broken as broken:  # without any cut: there is nothing to go on from
            note(broken, seed, phase, tally)
            break
        for _ in range(min(PER_PHASE, lives - tally["cuts"])):
            try:
                one_life(image, ledger, ids, phase, snaps, ops, tally)
            except jl.Broken as broken:
                note(broken, seed, phase, tally)
        if tally["cuts"] >= lives:
            break
        image, ledger, ids = bytes(ref.flash.data), ref.ledger, ref.ids
    names = ("cuts", "second", "none", "some", "all", "losses", "duplicates")
    print(" ".join(["%s %d" % (name, tally[name]) for name in names]))


if __name__ == "__main__":
    if "write_behind" in sys.argv[3:]:  # sabotage
        jc.write_behind()
    main(int(sys.argv[1]), int(sys.argv[2]))
