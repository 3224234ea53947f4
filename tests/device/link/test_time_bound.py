"""A TIME that waited unread while the board was held up gets a bound that covers the wait."""

import os

from crs_core.journal import block_layout, block_reader, record_layout, record_reader, record_types
from crs_core.keys import ROLE_CUSTODIAN, Key
from crs_core.wire import message as wire
from crs_core.wire.session import Received, Send
from crs_core.wire.session_device import DeviceSession
from crs_core.wire.session_host import HostSession
from crs_device.alarm.host_presence import HostPresence
from crs_device.health import Health
from crs_device.journal.event_log import EventLog
from crs_device.journal.journal import Journal
from crs_device.link.requests import Requests
from crs_device.link.server import LinkServer

KEY = Key(7, ROLE_CUSTODIAN, bytes(range(32)), "bedside")
DEVICE_ID = b"devicexx"


class Clock:
    speed = 1

    def __init__(self) -> None:
        self.now = 5000

    def ms(self) -> int:
        return self.now

    real_ms = ms


class Port:
    """Both ends of a line that loses nothing; takes every frame at once."""

    is_idle = is_read_empty = True
    window_max = message_max = 65_535

    def __init__(self) -> None:
        self.to_device = b""
        self.to_host = b""

    def read(self) -> list[bytes]:
        data, self.to_device = self.to_device[:512], self.to_device[512:]
        self.is_read_empty = len(data) < 512
        return [data] if data else []

    def pump(self, now_real_ms: int) -> bool:
        return True

    def queue(self, pieces: list[bytes], now_real_ms: int) -> None:
        self.to_host += b"".join(pieces)


class Board:
    """The real link, log and journal over a clock and a line of the test's."""

    boot_number = 1
    binding = None

    def __init__(self, root) -> None:
        self.clock = Clock()
        self.health = Health()
        self.journal = Journal(str(root), 1, os.urandom, 1 << 20)
        self.journal.create()
        self.log = EventLog(self.journal, self.health, lambda: None)
        self.port = Port()
        device = DeviceSession(DEVICE_ID, self.journal.journal_id, [KEY], os.urandom)
        requests = Requests(self)
        presence = HostPresence(self.clock, 15, 1800, 60)
        self.server = LinkServer(
            self.port, device, self.journal, requests.handle, presence, self.health, self.clock
        )
        self.host = HostSession(KEY, os.urandom, DEVICE_ID)
        self.port.to_device = self.host.start()
        for _ in range(4):
            self.turn()
        assert self.host.is_open

    def drain(self) -> None:
        pass

    def turn(self) -> list:
        """4 ms later, one turn of the link; what the host received."""
        self.clock.now += 4
        self.server.turn()
        received = []
        data, self.port.to_host = self.port.to_host, b""
        for event in self.host.receive(data):
            if isinstance(event, Send):
                self.port.to_device += event.data
            elif isinstance(event, Received):
                received.append(event.message)
        return received

    def marks(self) -> list[record_types.TimeMark]:
        found, seq = [], 1
        while (step := self.journal.read_from(seq, 2)) is not None:
            events = block_reader.decode_events(step[2], self.journal.journal_id)[1]
            found += [
                record_reader.decode(e.type, e.payload) for e in events if e.type == record_layout.TIME_MARK
            ]
            seq = block_layout.last_seq(step[1]) + 1
        return found


def test_a_time_read_at_once_keeps_its_bound(tmp_path) -> None:
    board = Board(tmp_path / "journal")
    board.port.to_device += board.host.seal(wire.Time(1_800_000_000_000, 3000))
    assert board.turn() == [wire.TimeIs(1_800_000_000_000, 1, board.clock.now)]
    (mark,) = board.marks()
    assert 3000 <= mark.bound_ms <= 3010


def test_a_time_that_waited_for_a_stalled_board_says_so(tmp_path) -> None:
    board = Board(tmp_path / "journal")
    board.turn()
    board.port.to_device += board.host.seal(wire.Time(1_800_000_000_000, 3000))
    board.clock.now += 9000
    board.turn()
    (mark,) = board.marks()
    assert 12_000 <= mark.bound_ms <= 12_010 and mark.utc_ms == 1_800_000_000_000


def test_a_time_behind_a_flood_counts_from_before_the_flood(tmp_path) -> None:
    board = Board(tmp_path / "journal")
    board.turn()
    board.port.to_device += bytes(512 * 3) + board.host.seal(wire.Time(1_800_000_000_000, 3000))
    for _ in range(5):
        board.clock.now += 996
        board.turn()
    (mark,) = board.marks()
    assert mark.bound_ms >= 6000
