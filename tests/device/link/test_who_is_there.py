"""Who counts as a host that is there: one whose key may accept alarms, and only by a message that is authentic."""

import os
from types import SimpleNamespace

import pytest
from crs_core.keys import Key
from crs_core.wire import message as wire
from crs_core.wire import rights
from crs_core.wire.session import Send
from crs_core.wire.session_device import DeviceSession
from crs_core.wire.session_host import HostSession
from crs_device.alarm.host_presence import HostPresence
from crs_device.health import Health
from crs_device.link.server import LinkServer

ACT = rights.OTHER + rights.READ + rights.ACCEPT


class Line:
    """A wearable's link and its presence, with a host under one key on the other end."""

    def __init__(self, role: int) -> None:
        self.now_ms = 0
        clock = SimpleNamespace(ms=lambda: self.now_ms, real_ms=lambda: self.now_ms, speed=1)
        self.presence = HostPresence(clock, 15, 1800, 60)
        self.to_device: list[bytes] = []
        port = SimpleNamespace(
            read=lambda: [self.to_device.pop(0)] if self.to_device else [], is_read_empty=True, is_idle=True,
            pump=lambda now: True, queue=self._take, drop=lambda: None,
        )  # fmt: skip
        key = Key(9, role, os.urandom(32), "ward")
        self.own = Key(1, rights.CUSTODIAN, os.urandom(32), "bedside")
        self.host = HostSession(key, os.urandom)
        self.asked: list[tuple[object, int]] = []  # each message, and the rights under which it is handled
        session = DeviceSession(b"DEVICE01", b"JOURNAL1", [self.own, key], os.urandom)
        self.server = LinkServer(port, session, None, self._asked, self.presence, Health(), clock)
        self.to_device.append(self.host.start())
        for _ in range(4):
            self.server.turn()

    def _asked(self, server: LinkServer, message: object) -> list[object]:
        self.asked.append((message, server.rights))
        return []

    def _take(self, pieces: list[bytes], now_ms: int) -> None:
        events = self.host.receive(b"".join(pieces))
        self.to_device += [event.data for event in events if isinstance(event, Send)]

    def say(self, message: tuple[object, ...]) -> None:
        self.to_device.append(self.host.seal(message))
        self.server.turn()


@pytest.mark.parametrize("role", [r for r in range(256) if rights.of_role(r)])
def test_a_session_and_its_messages_count_only_under_a_key_that_may_accept(role: int) -> None:
    line = Line(role)
    assert line.server.is_open
    line.now_ms = 40_000
    for message in (
        wire.Ping(1),
        wire.StatusAsk(),
        wire.Time(1_800_000_000_000, 1),
        wire.Ack(1, 1),
        wire.Unknown(0x7E, b""),
    ):
        line.say(message)
    heard_ms = 40_000 - line.presence.silence_ms(40_000)
    assert heard_ms == (40_000 if rights.of_role(role) & rights.ACCEPT else 0)


def test_a_reader_s_pings_leave_the_wearable_alone_and_its_session_open() -> None:
    line = Line(rights.READER)
    for second in range(0, 1900, 10):
        line.now_ms = second * 1000
        line.say(wire.Ping(second))
    assert line.server.is_open and line.presence.is_quiet(line.now_ms)
    assert line.presence.is_long_away(line.now_ms)


@pytest.mark.parametrize("after", ["the custodian's PROOF", "a BYE"])
def test_what_one_read_brings_counts_under_the_key_that_each_message_came_with(after: str) -> None:
    line = Line(rights.READER)
    request = line.host.seal(wire.Ping(7))
    if after == "a BYE":
        follows = line.host.seal(wire.Bye(wire.BYE_DONE))
    else:
        reader, line.host = line.host, HostSession(line.own, os.urandom)
        line.to_device.append(line.host.start())
        while not line.to_device or line.server.session.half_open is False:
            line.server.turn()
        follows = b"".join(line.to_device)
        line.to_device.clear()
        request = reader.seal(wire.Ping(7))
    line.asked.clear()
    line.now_ms = 40_000
    line.to_device.append(request + follows)
    line.server.turn()
    assert (wire.Ping(7), rights.READ) in line.asked
    assert all(under == rights.READ for _, under in line.asked)


def test_a_stranger_s_hello_is_no_host_that_is_there() -> None:
    line = Line(ACT)
    line.server.link_lost()
    line.now_ms = 50_000
    line.to_device.append(HostSession(Key(9, ACT, bytes(32), "thief"), os.urandom).start())
    line.server.turn()
    assert line.presence.silence_ms(50_000) == 50_000
