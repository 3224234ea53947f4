"""Which records go next: events first, nothing twice, gaps answered, the window kept."""

from collections import namedtuple

from crs_core.journal.block_layout import KIND_EVENTS, KIND_READINGS
from crs_core.wire.message import Block, CaughtUp, Gap
from crs_device.link.pump import Pump

Header = namedtuple("Header", "kind first_seq count")


class OneLog:
    """A journal of (first, count, kind) blocks and (first, last) gaps; bytes name the block."""

    def __init__(self, *entries: tuple[int, int, int], block_bytes: int = 0) -> None:
        self.entries = list(entries)  # kind 0 stands for a gap of `count`
        self._block_bytes = block_bytes

    @property
    def head_seq(self) -> int:
        return max([first + count - 1 for first, count, kind in self.entries if kind], default=0)

    def read_from(self, seq: int, kind: int = 0):  # type: ignore[no-untyped-def]
        for first, count, own in sorted(self.entries):
            if first + count <= seq or (kind and own != kind):
                continue
            if own == 0:
                return "gap", max(first, seq), first + count - 1, 1
            return (
                "block",
                Header(own, first, count),
                (b"%d-%d;" % (first, count)).ljust(self._block_bytes, b"."),
            )
        return None


E, R = KIND_EVENTS, KIND_READINGS


def drain(pump: Pump, limit: int = 100) -> list[object]:
    out = []
    for _ in range(limit):
        message = pump.next()
        if message is None:
            break
        out.append(message)
    return out


def started(log: OneLog, seq: int = 1, window: int = 100, max_bytes: int = 64) -> Pump:
    pump = Pump(log)
    pump.start(seq, window, max_bytes)
    return pump


def test_nothing_is_sent_before_it_is_asked_for() -> None:
    assert Pump(OneLog((1, 5, R))).next() is None


def test_events_overtake_and_are_left_out_of_the_ordered_run() -> None:
    pump = started(OneLog((1, 10, R), (11, 1, E), (12, 10, R), (22, 2, E)))
    assert drain(pump) == [Block(b"11-1;22-2;"), Block(b"1-10;12-10;"), CaughtUp(23)]
    assert pump.next() is None


def test_a_new_event_goes_before_the_rest_of_the_backlog() -> None:
    log = OneLog(*[(first, 10, R) for first in range(1, 2001, 10)])
    pump = started(log)
    pump.next()
    log.entries.append((2001, 1, E))
    assert pump.next() == Block(b"2001-1;")


def test_caught_up_is_said_once_for_each_head() -> None:
    log = OneLog((1, 1, E))
    pump = started(log)
    assert drain(pump) == [Block(b"1-1;"), CaughtUp(1)]
    log.entries.append((2, 3, R))
    assert drain(pump) == [Block(b"2-3;"), CaughtUp(4)]


def test_a_gap_is_answered_in_its_place() -> None:
    pump = started(OneLog((1, 5, 0), (6, 5, R), (11, 2, 0), (13, 1, E)))
    assert drain(pump) == [Block(b"13-1;"), Gap(1, 5, 1), Block(b"6-5;"), Gap(11, 12, 1), CaughtUp(13)]


def test_the_window_holds_until_messages_are_committed() -> None:
    log = OneLog(*[(first, 10, R) for first in range(1, 101, 10)], block_bytes=64)
    pump = started(log, window=2)
    assert len(drain(pump)) == 2
    pump.acknowledge(1)
    assert len(drain(pump)) == 1
    pump.acknowledge(0)
    assert drain(pump) == [], "an older count changes nothing"


def test_asking_again_forgets_what_was_in_flight() -> None:
    log = OneLog(*[(first, 10, R) for first in range(1, 101, 10)], block_bytes=64)
    pump = started(log, window=2)
    first = drain(pump)
    assert drain(pump) == []
    pump.start(1, 2, 64)
    assert pump.in_flight == 0 and drain(pump) == first
    pump.acknowledge(1)
    assert len(drain(pump)) == 1


def test_reading_from_the_middle_starts_there() -> None:
    pump = started(OneLog((1, 10, R), (11, 1, E), (12, 10, R)), seq=12)
    assert drain(pump) == [Block(b"12-10;"), CaughtUp(21)]


def test_a_long_run_of_events_already_sent_does_not_hold_up_others_for_long() -> None:
    log = OneLog(*[(seq, 1, E) for seq in range(1, 200)], (200, 5, R))
    pump = started(log, max_bytes=100_000)
    messages = []
    for _ in range(100):
        message = pump.next()
        if message is not None:
            messages.append(message)
    sent = b"".join(message.data for message in messages if isinstance(message, Block))
    assert sent.count(b";") == 200
    assert messages[-1] == CaughtUp(204)
