"""A scripted life of the journal under the real VfsLfs2, and what must hold after anything; runs on MicroPython.

The life is deterministic. A run without a fault (`reference`) records after each step which records are readable.
After a fault in step i the recovered journal must hold every record that step i-1 and step i agree on, nothing that
neither knows, and no number with other content than it ever had (`Ledger`).
"""

import vfs

from crs_core.journal import block_layout, block_reader, record_layout, record_writer
from crs_core.units import Reading, make_status
from crs_device.journal import boot_count, chain, space
from crs_device.journal.header import JournalMissing
from crs_device.journal.journal import Journal
from crs_device.settings.settings_file import SettingsFile
from tools.rig.on_micropython import journal_steps as js
from tools.rig.on_micropython.journal_ledger import Broken, Ledger, require
from tools.rig.on_micropython.nor_flash import NorFlash

BLOCK, BLOCKS = 4096, 48
BUDGET = 6 * 1024
ROOT = "/f/journal"
STATUS = make_status(1, 0, 0, 1)
# Small segments and a small budget, so that a short life rotates, drops and merges. Above 512 bytes LittleFS keeps a
# file in blocks of its own, below it inside the directory: both occur.
space.SEAL_READINGS = 1024
space.SEAL_EVENTS = 384
chain.FLASH_BLOCK = 512


class Life:
    """One device: flash, mounted file system, journal, settings; `ids` makes every journal id different."""

    def __init__(self, flash, ledger, t_ms=0, ids=0):
        self.flash = flash
        self.ledger = ledger
        self.t_ms = t_ms
        self.ids = ids
        self.j = None

    def mount(self):
        fs = vfs.VfsLfs2(self.flash, progsize=256, readsize=256)
        vfs.mount(fs, "/f")

    def boot(self):
        """Power-on: boot number first, then the journal; leaves `j` None when there is none."""
        self.mount()
        number = boot_count.next_boot("/f/boot.cnt")
        self.t_ms = 0
        self.settings = SettingsFile("/f/settings")
        self.j = Journal(ROOT, number, self.random, BUDGET, block_layout.FLAG_SIMULATED)
        try:
            self.j.open()
        except JournalMissing:
            return False
        boot_count.raise_to(self.j.boot, "/f/boot.cnt")
        return True

    def off(self):
        vfs.umount("/f")

    def random(self, n):
        self.ids += 1
        return bytes([self.ids]) * n

    def reading(self, n=1):
        for _ in range(n):
            self.t_ms += 10000
            k = (self.t_ms // 10000 + self.j.boot * 1000) * 7919  # jumpy, so that few readings fill a segment
            self.j.add_reading(
                Reading(self.t_ms + k % 97, 3500 + k % 503, 900 + k % 101, 60 + k % 89, k % 1009, STATUS)
            )

    def event(self, kind, payload):
        self.t_ms += 10
        seq = self.j.append_event(self.t_ms, kind, payload)
        self.tell(seq, (self.j.boot, self.t_ms, kind, payload))
        return seq

    def tell(self, seq, content):
        self.ledger.add(self.j.journal_id, seq, content)
        self.ledger.given_out.append((self.j.journal_id, seq))

    def boot_event(self, state):
        j = self.j
        return self.event(
            record_layout.BOOT,
            record_writer.write(
                record_layout.BOOT, 1, j.last_boot, j.last_ms, 120000, 1, b"rulehash", "0.1", state, b"grader"
            ),
        )


def contents(j):
    """{seq: content} of everything readable, in order, plus the gaps; the whole range must be covered once."""
    found = {}
    gaps = []
    seq = 1
    while True:
        step = j.read_from(seq)
        if step is None:
            break
        if step[0] == "gap":
            _, first, last, reason = step
            require(first == seq and last >= first and reason in (1, 2, 3), "a gap out of place", seq, step)
            gaps.append((first, last, reason))
            seq = last + 1
            continue
        header, rows = block_reader.decode(step[2], j.journal_id)
        require(header == step[1] and header.first_seq <= seq, "block out of place", seq, header)
        require(header.flags == block_layout.FLAG_SIMULATED, "the simulated flag is gone", header)
        for i in range(header.count):
            row = rows[i]
            found[header.first_seq + i] = (header.boot,) + tuple(row)
        seq = block_layout.last_seq(header) + 1
    require(seq == j.head_seq + 1 or (seq == 1 and j.head_seq == 0), "reading stopped early", seq, j.head_seq)
    return found, gaps


def events_of(j):
    """Sequences that the event reader alone delivers."""
    seqs = []
    seq = 1
    while True:
        step = j.read_from(seq, block_layout.KIND_EVENTS)
        if step is None:
            return seqs
        for i in range(step[1].count):
            seqs.append(step[1].first_seq + i)
        seq = block_layout.last_seq(step[1]) + 1


def start(image, ledger, ids):
    """A life from a stored image; the first image is an empty formatted flash."""
    return Life(NorFlash(BLOCK, BLOCKS, bytearray(image)), Ledger(ledger), 0, ids)


def empty_image():
    flash = NorFlash(BLOCK, BLOCKS)
    vfs.VfsLfs2.mkfs(flash, progsize=256, readsize=256)
    return bytes(flash.data)


def snapshot(life):
    """(journal id, binding, {seq: content}, (acknowledged, reserved) that must not go back) now, journaled or not."""
    j = life.j
    if j is None or not j.journal_id:
        return b"", b"", {}, (0, 0)
    mark = 0 if j._ack_dirty else j.acked_seq, j._reserved
    return j.journal_id, j.binding_id, contents(j)[0], mark


def reference(image, ledger, ids, phase):
    """Run one phase without a fault: (snapshots before and after each step, operations at its end, the life)."""
    name, steps = phase
    life = start(image, ledger, ids)
    life.boot()
    for step in js.BETWEEN.get(name, ()):
        step(life)
    if name in js.BETWEEN:
        life.off()
        image = bytes(life.flash.data)
        life = start(image, life.ledger, life.ids)
        life.boot()
    snaps = [snapshot(life)]
    for step in steps:
        step(life)
        snaps.append(snapshot(life))
    for snap in snaps:
        for seq in snap[2]:
            life.ledger.add(snap[0], seq, snap[2][seq])
    life.off()
    return image, snaps, life.flash.ops, life


def run_until_fault(life, steps):
    """Run the steps; returns the index of the step that a fault ended, len(steps) when none did."""
    at = -1
    try:
        if not life.boot() and steps[0] is not js.create:
            if life.flash.dead:  # the cut hit the start itself
                return 0
            raise Broken("no journal after a clean start")
        for at in range(len(steps)):
            steps[at](life)
            if life.flash.dead:  # add_reading and tick do not raise
                return at
        return len(steps)
    except OSError:
        return max(at, 0)


def check_recovered(life, before, after, ledger, given_out=()):
    """What must hold at the power-on after a fault between two snapshots; returns what is there now.

    `given_out`: keys of appends between `before` and the fault; those that the whole step keeps must be here.
    """
    now = snapshot(life)
    if now[0] == b"" and before[0]:
        raise Broken("the journal is gone")
    if now[0] != before[0]:
        require(now[0] == after[0], "a journal nobody made", now[0])
        require(now[1] == after[1], "journal without its binding", now[1])
    both = [snap for snap in (before, after) if snap[0] == now[0]]
    if now[0] != before[0]:
        both = [(now[0], now[1], {}, (0, 0))]  # made between the two: only what was given out must be there
    must = [seq for seq in both[0][2] if all([seq in snap[2] for snap in both])]
    for seq in must:
        require(seq in now[2], "a journaled record is gone", seq, both[0][2][seq])
    old_head = max([0] + list(before[2]))
    for key in given_out:
        if key[0] == before[0] and key[1] <= old_head and key[1] not in before[2]:
            continue  # went to make room before then
        if key[0] == now[0] and (key[0] != after[0] or key[1] in after[2]):
            require(key[1] in now[2], "a number was given out and its record is gone", key)
    for seq in now[2]:
        ledger.add(now[0], seq, now[2][seq])
    copies = len(now[2]) - len(set([repr(value) for value in now[2].values()]))
    require(not copies, "one record under two numbers", copies)
    for i, what in ((0, "a stored acknowledgement went back"), (1, "the reserve went back")):
        require(now[3][i] >= min([snap[3][i] for snap in both]), what, now[3], both[0][3])
    if life.j.journal_id:
        for seq in events_of(life.j):
            require(seq in now[2], "event reader and ordered reader differ", seq)
        require(
            life.j.acked_seq <= max(life.j.head_seq, before and max([0] + list(before[2]))),
            "ack from nowhere",
        )
        for value in now[2].values():
            require(value[0] < life.j.boot, "a boot number came back", value[0], life.j.boot)
    stored = life.settings.load()
    if now[0]:
        require(stored is not None, "settings gone", life.settings.fault)
    require(stored is None or stored["reading_interval_s"] in (10, 20), "settings of neither version", stored)
    return now


def go_on(life, ledger):
    """Life after the recovery: what is journaled now is there after the next start, under numbers of its own."""
    if not life.j.journal_id:
        js.create(life)
    life.boot_event(b"later")
    life.reading(2)
    life.event(record_layout.BUTTON, record_writer.write(record_layout.BUTTON, 2))
    now = snapshot(life)
    for key in life.ledger.seen:
        if key[0] == now[0]:
            ledger.add(key[0], key[1], life.ledger.seen[key])
    for seq in now[2]:
        ledger.add(now[0], seq, now[2][seq])
    return now
