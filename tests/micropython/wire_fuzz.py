"""Runs on MicroPython: random and nearly right bytes against sessions in every state and every decoder of the wire.

argv[1] is the seed, argv[2] the number of rounds. Anything but RemoteError ends the run with a traceback.
"""

import random
import sys

from crs_core.errors import RemoteError
from crs_core.wire import fragment, frame, hello, message, session
from crs_core.wire.session_device import DeviceSession
from crs_core.wire.session_host import HostSession
from tests.core.wire.wire_checks import Key

KEY = Key(7, 1, bytes(range(32)), "bed 3")
HEADS = (b"", b"CWHL", b"CWPF", b"CWRF", b"\xd1", b"\xd2", b"~", b"}")


def noise(longest):
    return bytes([random.getrandbits(8) for _ in range(random.getrandbits(10) % longest)])


def random_bytes(size):
    return bytes([random.getrandbits(8) for _ in range(size)])


def opened():
    host = HostSession(KEY, random_bytes)
    device = DeviceSession(b"DEVICE01", b"JOURNAL1", [KEY], random_bytes)
    to_device = [host.start()]
    for _ in range(2):
        to_host = [e.data for d in to_device for e in device.receive(d) if isinstance(e, session.Send)]
        to_device = [e.data for d in to_host for e in host.receive(d) if isinstance(e, session.Send)]
    assert host.state == device.state == "open"
    return host, device


random.seed(int(sys.argv[1]))
assembler = fragment.Assembler(100)
host, device = opened()
for turn in range(int(sys.argv[2])):
    head = HEADS[random.getrandbits(3)]
    data = head + noise(120)
    for body in (data, bytes([0x10 + turn % 0x1C]) + data):
        try:
            assert message.encode(message.decode(body)) == body
        except RemoteError:
            pass
        try:
            hello.decode_hello((b"CWHL" + random_bytes(44))[: 40 + turn % 12])
        except RemoteError:
            pass
    assembler.feed(data)
    idle = DeviceSession(b"DEVICE01", b"JOURNAL1", [KEY], random_bytes)
    line = data + (frame.encode(data, bool(turn & 1)) if data else b"") + noise(40)
    for side in (idle, host, device):
        for event in side.receive(line):
            assert isinstance(event, (session.Send, session.Text, session.Refused)), event
    if turn % 50 == 0:
        device.receive(b"~")
        assert device.receive(host.seal(message.Ping(turn)))[-1] == session.Received(message.Ping(turn))
assert host.state == device.state == "open"
print("rounds", sys.argv[2], "counted", sum(host.counters().values()))
