"""What goes to a host over one link: every block once, events first, also when flash refuses to read in between."""

import os

import pytest
from crs_core.journal import block_layout, block_reader, record_layout, record_writer
from crs_core.units import Reading, make_status
from crs_core.wire.message import Block, CaughtUp, Gap
from crs_device.journal.journal import Journal
from crs_device.link.pump import Pump

STATUS = make_status(1, 0, 0, 1)


class Reluctant:
    """A journal whose `read_from` fails at the calls whose numbers are in `fails`, counted from 1."""

    def __init__(self, journal: Journal, fails=()) -> None:
        self._journal = journal
        self.fails = set(fails)
        self.calls = 0

    @property
    def head_seq(self) -> int:
        return self._journal.head_seq

    def read_from(self, seq: int, kind: int = 0):
        self.calls += 1
        if self.calls in self.fails:
            raise OSError(5)
        return self._journal.read_from(seq, kind)


@pytest.fixture
def journal(tmp_path) -> Journal:
    """Four times two readings and an event: sequences 1 to 12, events at 3, 6, 9, 12."""
    journal = Journal(str(tmp_path / "journal"), 1, os.urandom, 1 << 20)
    journal.create()
    for i in range(4):
        for t_ms in (i * 30_000, i * 30_000 + 10_000):
            journal.add_reading(Reading(t_ms, 3700, 970, 80, 150, STATUS))
        journal.append_event(
            i * 30_000 + 20_000, record_layout.BUTTON, record_writer.write(record_layout.BUTTON, 1)
        )
    return journal


def sequences(message: Block) -> list[int]:
    found: list[int] = []
    for data in block_reader.split(message.data):
        header = block_layout.parse_header(data)
        found += range(header.first_seq, header.first_seq + header.count)
    return found


def drain(pump: Pump, tries: int = 100) -> list:
    """Every message of one link, flash errors asked again; what came is acknowledged at once."""
    messages = []
    received = 0
    for _ in range(tries):
        try:
            message = pump.next()
        except OSError:
            continue
        if message is None:
            break
        messages.append(message)
        if not isinstance(message, CaughtUp):
            received += 1
            pump.acknowledge(received)
    return messages


def test_events_overtake_and_nothing_goes_twice(journal: Journal) -> None:
    pump = Pump(journal)
    pump.start(1, 8, 2048)
    first, second, last = drain(pump)
    assert sequences(first) == [3, 6, 9, 12] and sequences(second) == [1, 2, 4, 5, 7, 8, 10, 11]
    assert last == CaughtUp(12) and pump.next() is None


@pytest.mark.parametrize("call", range(1, 16))
def test_a_read_error_anywhere_keeps_no_block_from_the_link(journal: Journal, call: int) -> None:
    reluctant = Reluctant(journal, [call])
    pump = Pump(reluctant)
    pump.start(1, 8, 2048)
    messages = drain(pump)
    assert reluctant.calls >= call or call > 10
    sent = [seq for m in messages if isinstance(m, Block) for seq in sequences(m)]
    assert sorted(sent) == list(range(1, 13)) and messages[-1] == CaughtUp(12)


def test_an_error_that_stays_is_told_each_time(journal: Journal) -> None:
    pump = Pump(Reluctant(journal, range(1, 1000)))
    pump.start(1, 8, 2048)
    for _ in range(5):
        with pytest.raises(OSError, match="5"):
            pump.next()
    assert pump.in_flight == 0


def test_a_dropped_range_is_answered_by_a_gap_that_counts_in_the_window(journal: Journal, tmp_path) -> None:
    (tmp_path / "journal" / "r" / "00000001.seg").unlink()
    pump = Pump(journal)
    pump.start(1, 8, 2048)
    messages = drain(pump)
    gaps = [(m.first_seq, m.last_seq) for m in messages if isinstance(m, Gap)]
    sent = [seq for m in messages if isinstance(m, Block) for seq in sequences(m)]
    assert sorted(sent + [seq for first, last in gaps for seq in range(first, last + 1)]) == list(
        range(1, 13)
    )
    assert sent == [3, 6, 9, 12]
