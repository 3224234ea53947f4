"""The journal against a model: whatever is done to it, in any order, it holds what it returned."""

import shutil
import tempfile
from pathlib import Path

from crs_core.journal import block_reader, record_layout
from crs_core.units import Reading, make_status
from crs_device.journal.journal import Journal
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

STATUS = make_status(1, 0, 0, 1)


class JournalMachine(RuleBasedStateMachine):
    """Model: `kept` is what must be readable, `ever` what was ever under a number, `buffered` what may be lost."""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="cw-journal-"))
        self.ids = 0
        self.boot = 0

    def teardown(self):
        shutil.rmtree(self.folder)

    def random(self, n):
        self.ids += 1
        return bytes([self.ids % 256]) * n

    def power_on(self):
        self.boot += 1
        self.j = Journal(str(self.folder / "journal"), self.boot, self.random, 1 << 20, 0)
        self.t_ms = 0
        self.buffered: list[tuple] = []

    @initialize()
    def create(self):
        self.power_on()
        self.j.create()
        self.kept: dict[int, tuple] = {}
        self.ever: dict[int, tuple] = {}

    def numbered(self, seq, content):
        assert self.ever.setdefault(seq, content) == content
        self.kept[seq] = content

    def take_flushed(self, head_before):
        """Readings that got numbers: the next ones after the head there was, in order."""
        count = len(self.buffered) - len(self.j._readings)
        for i in range(count):
            self.numbered(head_before + 1 + i, (self.boot, *self.buffered[i]))
        self.buffered = self.buffered[count:]

    @rule(dt=st.sampled_from([1000, 10_000, 119_000, 200_000]), temp=st.none() | st.integers(3500, 4100))
    def reading(self, dt, temp):
        self.t_ms += dt
        made = Reading(self.t_ms, temp, 970, 80, 150, STATUS)
        head = self.j._next - 1
        self.buffered.append(tuple(made))
        self.j.add_reading(made)
        self.take_flushed(head)

    @rule(n=st.integers(1, 30))
    def readings(self, n):
        for _ in range(n):
            self.reading(1000, 3700)

    @rule(n=st.integers(1, 4))
    def events(self, n):
        self.t_ms += 5
        head = self.j._next - 1
        made = [(self.t_ms + i, record_layout.BUTTON, bytes([i])) for i in range(n)]
        first = self.j.append_events(made)
        self.take_flushed(head)
        assert not self.buffered
        for i in range(n):
            self.numbered(first + i, (self.boot, *made[i]))

    @rule(dt=st.sampled_from([0, 60_000, 130_000]))
    def tick(self, dt):
        self.t_ms += dt
        head = self.j._next - 1
        self.j.tick(self.t_ms)
        self.take_flushed(head)

    @rule(share=st.integers(0, 120))
    def ack(self, share):
        before = self.j.acked_seq
        self.j.ack(self.j.head_seq * share // 100)
        assert self.j.acked_seq <= self.j.head_seq
        assert self.j.acked_seq >= before

    @rule()
    def power_cut(self):
        """Buffered readings are lost; nothing numbered is."""
        head = self.j.head_seq
        self.power_on()
        self.j.open()
        assert self.j.head_seq == head
        if head:
            assert self.j.last_boot == self.kept[max(self.kept)][0]
            assert self.j.last_ms == self.kept[head][1]

    @rule(cut=st.integers(1, 60))
    def rot(self, cut):
        """The end of the newest segment of one chain is overwritten: its records go, their numbers never come back."""
        newest = sorted((self.folder / "journal" / "re"[cut % 2]).glob("*.seg"))
        if not newest:
            return
        data = bytearray(newest[-1].read_bytes())
        cut = min(cut, len(data))
        data[-cut:] = bytes(byte ^ 0x55 for byte in data[-cut:])
        newest[-1].write_bytes(bytes(data))
        self.power_on()
        self.j.open()
        found = self.readable()
        self.kept = {seq: content for seq, content in self.kept.items() if seq in found}
        assert self.j._next > max([0, *self.ever])

    @rule(binding=st.binary(min_size=8, max_size=8))
    def handover(self, binding):
        old = self.j.journal_id
        self.j.handover(binding)
        assert self.j.journal_id != old
        assert self.j.binding_id == binding
        self.kept, self.ever, self.buffered = {}, {}, []

    def readable(self):
        found = {}
        seq = 1
        while (step := self.j.read_from(seq)) is not None:
            if step[0] == "gap":
                assert step[1] == seq
                seq = step[2] + 1
                continue
            header, rows = block_reader.decode(step[2], self.j.journal_id)
            assert header.first_seq == seq
            for i, row in enumerate(rows):
                found[seq + i] = (header.boot, *row)
            seq += header.count
        return found

    @invariant()
    def everything_returned_is_readable(self):
        if not hasattr(self, "kept"):
            return
        found = self.readable()
        for seq, content in self.kept.items():
            assert found.get(seq) == content
        extra = set(found) - set(self.kept)
        for seq in extra:  # rot on rot can heal; the rest is what the journal says about itself
            assert seq in self.ever or found[seq][2] == record_layout.FAULT
            self.numbered(seq, found[seq])


JournalMachine.TestCase.settings = settings(
    max_examples=settings.default.max_examples // 5, stateful_step_count=25
)
TestJournal = JournalMachine.TestCase
