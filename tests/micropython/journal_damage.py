"""Damage a stored journal: flipped bits in blocks and in the raw image, cuts of files and images; then read it.

Run: micropython tests/micropython/journal_damage.py [sabotage]. One line per part, then `damage passed` or
what broke.
"""

import os
import sys

from crs_core.journal import block_layout, block_reader
from crs_device.journal import segment
from tools.rig.on_micropython import journal_life as jl
from tools.rig.on_micropython import journal_steps as js


def no_crc():
    """Sabotage: a block counts as valid when its length fits."""

    block_layout.crc_holds = block_reader.crc_holds = lambda buf, journal_id: True


def trust_claims():
    """Sabotage: after a damaged tail the numbers go on behind the last valid one."""
    real = jl.Journal.open

    def open_and_go_on(self):
        real(self)
        self._next = self.head_seq + 1

    jl.Journal.open = open_and_go_on


def lived():
    """(image, ledger, snapshot) of a life with several segments in both chains; every record was sent to a host."""
    life = jl.Life(jl.NorFlash(jl.BLOCK, jl.BLOCKS, bytearray(jl.empty_image())), jl.Ledger())
    life.boot()
    life.j.create()
    for step in (js.first, js.fill, js.batch, js.rotate, js.faults, js.faults, js.state, js.fill):
        step(life)
    life.j.flush()
    snap = jl.snapshot(life)
    for seq in snap[2]:
        life.ledger.add(snap[0], seq, snap[2][seq])
    life.off()
    return bytes(life.flash.data), life.ledger, snap


def look(image, ledger, snap, lost, what, new_path=None, new_data=None):
    """Open the image (after replacing one file), check that only `lost` is missing, and that life goes on."""
    life = jl.start(image, ledger, 90)
    life.mount()
    if new_path:
        with open(new_path, "wb") as f:
            f.write(new_data)
    life.off()
    jl.require(life.boot(), "the journal is gone", what)
    found, gaps = jl.contents(life.j)
    for seq in snap[2]:
        jl.require(seq in found or seq in lost, "a readable record was hidden", what, seq)
    for seq in found:
        jl.require(
            found[seq] == snap[2].get(seq), "a damaged record was taken for good", what, seq, found[seq]
        )
    reasons = [gap[2] for gap in gaps]
    numbers = [seq for seq in lost if seq not in found and seq <= life.j.head_seq]
    jl.require(not numbers or 2 in reasons, "damage without a gap that says so", what, gaps)
    doubt = life.j.counters["doubtful_tails"]
    jl.go_on(life, ledger)  # the ledger refuses a number that was given out before
    life.off()
    return len(found), doubt


def segments(image):
    """[(path, bytes)] of every segment of the image."""
    life = jl.start(image, None, 0)
    life.mount()
    files = []
    for folder in ("/f/journal/e/", "/f/journal/r/"):
        for name in sorted(os.listdir(folder)):
            files.append((folder + name, segment.read(folder + name)))
    life.off()
    return files


def flip_blocks(image, ledger, snap):
    """Every header byte, some body bytes and the CRC of every block: a few bits each."""
    runs = doubts = 0
    for path, data in segments(image):
        for at, length, header in segment.walk(data, snap[0]):
            numbers = range(header.first_seq, header.first_seq + header.count)
            spots = list(range(0, 20, 3)) + [20, length // 2, length - 5, length - 1]
            for i in range(len(spots)):
                if (runs + i) % 3:  # a third of the spots of each block, all of them over the blocks
                    continue
                bad = bytearray(data)
                bad[at + spots[i]] ^= 1 << (runs + i) % 8
                what = (path, at, spots[i])
                doubts += look(image, jl.Ledger(ledger), snap, numbers, what, path, bad)[1]
            runs += 1
    print("blocks flipped: %d blocks, doubtful ends %d" % (runs, doubts))
    jl.require(doubts > 0, "no flip ever hit an end")


def cut_files(image, ledger, snap):
    """Each segment cut at many lengths; the newest at every length of its last block."""
    runs = 0
    for path, data in segments(image):
        spans = list(segment.walk(data, snap[0]))
        last_at = spans[-1][0]
        for size in list(range(0, last_at, 61)) + list(range(last_at, len(data), 9)):
            lost = []
            for at, length, header in spans:
                if at + length > size:
                    lost += range(header.first_seq, header.first_seq + header.count)
            life_found(image, ledger, snap, lost, path, data[:size])
            runs += 1
    print("files cut: %d" % runs)


def life_found(image, ledger, snap, lost, path, data):
    """A file cut at a block's end shows no damage, so numbers may come again only if flash itself forgot them."""
    life = jl.start(image, None, 90)
    life.mount()
    with open(path, "wb") as f:
        f.write(data)
    life.off()
    jl.require(life.boot(), "the journal is gone", path)
    found, _ = jl.contents(life.j)
    for seq in snap[2]:
        jl.require(seq in found or seq in lost, "a readable record was hidden", path, len(data), seq)
    for seq in found:
        jl.require(found[seq] == snap[2].get(seq), "a damaged record was taken for good", path, seq)
    clean = len(data) == 0 or sum([n for _, n, header in segment.walk(data, snap[0]) if header]) == len(data)
    mine = jl.Ledger(None if clean else ledger)
    jl.go_on(life, mine)
    life.off()


def raw_image(image, ledger, snap):
    """Random flips and cuts of the raw flash: refused or partly readable, never wrong, never a crash."""
    state = 12345
    outcomes = {"whole": 0, "part": 0, "missing": 0, "no file system": 0}
    for run in range(240):
        data = bytearray(image)
        if run < 180:
            for _ in range(1 + run % 3):
                state = (state * 1103515245 + 12345) & 0x7FFFFFFF
                data[(state >> 4) % len(data)] ^= 1 << (state & 7)
        else:
            end = (run - 180) * len(data) // 60
            data[end:] = b"\xff" * (len(data) - end)
        life = jl.start(data, None, 90)
        try:
            life.mount()
            life.off()
        except OSError:
            outcomes["no file system"] += 1
            continue
        try:
            there = life.boot()
            found = jl.contents(life.j)[0] if there else {}
        except OSError:  # the file system meets its own damage and says so
            there, found = False, {}
        for seq in found:
            was = ledger.seen.get((snap[0], seq))  # the file system may show its state before a merge again
            jl.require(found[seq] == was, "a damaged record was taken for good", run, seq)
        outcomes["whole" if len(found) == len(snap[2]) else "part" if there else "missing"] += 1
        life.off()
    print("raw images: %s" % ", ".join(["%s %d" % (key, outcomes[key]) for key in sorted(outcomes)]))
    jl.require(outcomes["whole"] and outcomes["part"], "the damage was one-sided", outcomes)


def older_image(image, ledger, snap):
    """An older image restored gives numbers out again: the key is the same, the bytes are not, so a host sees it."""
    life = jl.start(image, None, 90)
    life.boot()
    jl.go_on(life, jl.Ledger())
    sent = jl.Ledger()
    now = jl.snapshot(life)
    for seq in now[2]:
        sent.add(now[0], seq, now[2][seq])
    boot = life.j.boot
    life.off()
    back = jl.start(image, None, 90)
    back.boot()
    back.t_ms = 777
    back.event(jl.record_layout.BUTTON, jl.record_writer.write(jl.record_layout.BUTTON, 2))
    jl.require(back.j.boot == boot, "this image was to bring the boot number back too", back.j.boot, boot)
    try:
        for seq, content in jl.contents(back.j)[0].items():
            sent.add(now[0], seq, content)
    except jl.Broken:
        print("older image: same key, other bytes")
        return
    finally:
        back.off()
    raise jl.Broken("an older image went unnoticed")


def main():
    for name in sys.argv[1:]:
        {"no_crc": no_crc, "trust_claims": trust_claims}[name]()
    try:
        image, ledger, snap = lived()
        for part in (flip_blocks, cut_files, raw_image, older_image):
            part(image, ledger, snap)
    except jl.Broken as broken:
        print("broken: %s" % broken)
        sys.exit(1)
    print("damage passed")


main()
