"""A host and a device session joined by a link of our making: perfect, hostile or bad."""

import random
from collections import deque

from crs_core.keys import Key
from crs_core.wire import frame, session
from crs_core.wire.session_device import DeviceSession
from crs_core.wire.session_host import HostSession

KEY = Key(7, 1, bytes(range(32)), "bed 3")
READER = Key(8, 2, bytes(range(32, 64)), "ward")
DEVICE_ID = b"DEVICE01"
JOURNAL_ID = b"JOURNAL1"


def numbers(seed):
    """A seeded stand-in for the system's secure source, so that a failing run can be run again."""
    source = random.Random(seed)
    return source.randbytes


def payload_of(line):
    """What the one frame in `line` carries."""
    ((_, payload),) = frame.Decoder(5000).feed(line)
    return payload


class Pair:
    """Carries every Send to the other side at once; `seen` keeps (direction, payload) of all that was on the link."""

    def __init__(self, host_key=KEY, device_keys=(KEY, READER), device_id=DEVICE_ID, seed=1, **sizes):
        random_bytes = numbers(seed)
        self.host = HostSession(host_key, random_bytes, device_id, **sizes)
        self.device = DeviceSession(DEVICE_ID, JOURNAL_ID, list(device_keys), random_bytes)
        self.host_events = []
        self.device_events = []
        self.seen = []

    def change(self, to_device, payload):
        """Hook for an attacker in the middle: return the payloads that go on instead."""
        return [payload]

    def carry(self, to_device, data):
        """Put one side's bytes on the link and everything that follows from them."""
        waiting = deque([(to_device, data)])
        while waiting:
            to_device, data = waiting.popleft()
            for kind, payload in frame.Decoder(5000).feed(data):
                assert kind == "frame"
                self.seen.append((to_device, payload))
                for changed in self.change(to_device, payload):
                    receiver = self.device if to_device else self.host
                    events = receiver.receive(frame.encode(changed, to_device))
                    for event in events:
                        if isinstance(event, session.Send):
                            waiting.append((not to_device, event.data))
                        else:
                            (self.device_events if to_device else self.host_events).append(event)

    def open(self):
        """Run the handshake as far as it goes."""
        self.carry(True, self.host.start())
        return self

    def to_device(self, message):
        """Seal at the host, return what the device makes of it."""
        del self.device_events[:]
        self.carry(True, self.host.seal(message))
        return list(self.device_events)

    def to_host(self, message):
        """Seal at the device, return what the host makes of it."""
        del self.host_events[:]
        self.carry(False, self.device.seal(message))
        return list(self.host_events)

    @property
    def states(self):
        """(host, device)."""
        return self.host.state, self.device.state


class BadLine:
    """One direction of a serial line that drops, doubles, holds back, tears, flips, inserts; all from one seed."""

    def __init__(self, source, badness):
        self._source = source
        self._badness = badness
        self._held = []
        self._old = []
        self._line = bytearray()
        self.harm = 0

    def write(self, data):
        """One write of the sender; harm is done with the probability of `badness`."""
        source = self._source
        if source.random() >= self._badness:
            self._line += data
            self._release()
        else:
            self.harm += 1
            self._harm(source, data)
        self._old.append(data)
        del self._old[:-20]

    def _harm(self, source, data):
        kind = source.randrange(9)
        if kind == 1:
            self._line += data + data
        elif kind == 2:
            self._held.append(data)  # comes after what follows it
        elif kind == 3:
            self._line += data[: source.randrange(len(data))]
        elif kind == 4:
            flipped = bytearray(data)
            for _ in range(source.randrange(1, 4)):
                flipped[source.randrange(len(flipped))] ^= 1 << source.randrange(8)
            self._line += flipped
        elif kind == 5:
            self._line += source.randbytes(source.randrange(1, 400)) + data
        elif kind == 6:
            self._line += b"\r\n>>> print('~')\r\n~\r\n" + data
        elif kind == 7 and self._old:
            self._line += source.choice(self._old) + data  # replayed
        elif kind == 8:
            cut = source.randrange(len(data))
            self._line += data[:cut] + data[cut + 1 :]
        # kind 0: dropped

    def _release(self):
        for held in self._held:
            self._line += held
        self._held = []

    def calm(self):
        """No more harm from now on."""
        self._badness = 0
        self._held = []

    def read(self):
        """What arrived, cut at random as a port would."""
        pieces = []
        while self._line:
            size = self._source.randrange(1, 64)
            pieces.append(bytes(self._line[:size]))
            del self._line[:size]
        return pieces
