"""Runs on MicroPython: prints `name microseconds`, the best of forty rounds, for the parts of the link."""

import binascii
import os
import time
from collections import namedtuple

from crs_core.wire import crypto, frame, message
from crs_core.wire.session_device import DeviceSession
from crs_core.wire.session_host import HostSession

Key = namedtuple("Key", ("key_id", "role", "key", "name"))
KEY = Key(7, 1, bytes(range(32)), "bed 3")


def opened():
    host = HostSession(KEY, os.urandom)
    device = DeviceSession(b"DEVICE01", b"JOURNAL1", [KEY], os.urandom)
    hello = device.receive(host.start())[0].data
    proof = host.receive(hello)[0].data
    host.receive(device.receive(proof)[0].data)
    assert host.state == device.state == "open"
    return host, device


def measure(name, work, rounds):
    work()
    best = 1 << 30
    for _ in range(40):
        start = time.ticks_us()
        for _ in range(rounds):
            work()
        best = min(best, time.ticks_diff(time.ticks_us(), start))
    print(name, best / rounds)


host, device = opened()
block = message.Block(os.urandom(239))
payload = os.urandom(253)
ctr = crypto.Ctr(bytes(16), 0xD2)
hmac = crypto.Hmac(bytes(16))
ack = host.seal(message.Ack(70000, 12))


def receive_ack():
    device._opener.expected = 0  # otherwise the second round would count as a replay
    assert len(device.receive(ack)) == 1


measure("send", lambda: device.seal(block), 60)
measure("receive", receive_ack, 60)
measure("handshake", opened, 4)
measure("counter_mode", lambda: ctr.crypt(5, payload[:240]), 60)
measure("mac", lambda: hmac.digest(payload[:245]), 60)
measure("frame", lambda: frame.encode(payload, False), 60)
measure("crc", lambda: binascii.crc32(payload), 60)
big = message.Block(os.urandom(4095))
measure("send_4096", lambda: device.seal(big), 10)
