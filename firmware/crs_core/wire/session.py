"""What both sides of a session share: its events, and the open session. No I/O: bytes in, events out.

    host = HostSession(key, random_bytes)                    device = DeviceSession(device_id, journal_id, keys,
    to_device = host.start()                                                        random_bytes)
    for event in host.receive(data): ...                     for event in device.receive(data): ...

session_host.py and session_device.py are the sides. Each begins with the table of its states and steps.

`receive(data)` takes whatever the port gave and returns events in order:
    Send(data)                     put these bytes on the link now
    Opened(peer, version, key)     the session is open; `peer` is the other side's Hello, `key` the KeyUse in use
                                   (key_id, role, name; the secret stays inside)
    Received(message)              an authenticated message (message.py). Skip a message.Unknown of a later
                                   version
    Refused(reason, low, high)     no session: hello.REFUSE_*. REFUSE is not authenticated, so it is advice and closes
                                   nothing: wait, then `start()` again
    Closed(reason)                 the open session ended: message.BYE_* or CLOSED_LINK_LOST
    Text(data)                     bytes that stood between frames
`seal(message)` returns the bytes for the link, `seal_pieces(message)` a list with one write each, for fragments. Both
raise LocalError while no session is open, and for a message that is larger than the peer accepts (`peer_largest`).
`close(reason)` returns the events that say BYE and end the session. `link_lost()` returns events and forgets the keys;
the session is then ready for a new link. `counters()` counts everything that was dropped.
The caller owns the clock: it gives a handshake up with `drop_half_open()` after HANDSHAKE_DEADLINE_MS, and the host
calls `start()` again. Nothing that arrives makes `receive` raise. `random_bytes(n)` must be the system's secure source.
Should it repeat itself, no nonce does: the count of HELLOs and the number of the start are mixed in here.
"""

from collections import namedtuple

from crs_core.compat import const
from crs_core.errors import LocalError, RemoteError
from crs_core.wire import hello as hello_part
from crs_core.wire import message as message_part
from crs_core.wire import sealed
from crs_core.wire.hello import Hello

# The states that both sides know, and everything that moves a session from one state to another.
IDLE = const(0)
OPEN = const(1)

STARTED = const(0)
HELLO_ACCEPTED = const(1)
PROOF_RIGHT = const(2)
PROOF_WRONG = const(3)
HANDSHAKE_DROPPED = const(4)
ENDED = const(5)

HANDSHAKE_DEADLINE_MS = const(5000)
CLOSED_LINK_LOST = const(255)  # never on the wire
# 128 bytes with seal and CRC: the frame fits a receive ring of 260 bytes even if every byte is stuffed.
SERIAL_LARGEST_TO_DEVICE = const(111)
LARGEST_TO_HOST = const(4096)

Send = namedtuple("Send", ("data",))
KeyUse = namedtuple("KeyUse", ("key_id", "role", "name"))  # a Key without its secret: events end up in logs
Opened = namedtuple("Opened", ("peer", "version", "key"))
Received = namedtuple("Received", ("message",))
Refused = namedtuple("Refused", ("reason", "low", "high"))
Closed = namedtuple("Closed", ("reason",))
Text = namedtuple("Text", ("data",))


class Session:
    """The open session, its counters, and the way in from the carrier. A side adds its handshake and its table."""

    _role = 0
    _transitions: dict[int, dict[int, int]] = {}  # state: {what happens: next state}

    def __init__(self, carrier, random_bytes, features: int, largest: int, boot: int = 0) -> None:  # type: ignore[no-untyped-def]
        self._carrier = carrier
        self._random_bytes = random_bytes
        self._boot = boot
        self._features = features
        self._largest = largest
        self._state = IDLE
        self._half: tuple | None = None  # type: ignore[type-arg]  # what the side keeps until the handshake ends
        self._sealer: sealed.Sealer | None = None
        self._opener: sealed.Opener | None = None
        self._counts: dict[str, int] = {}
        self.peer: Hello | None = None  # of the open session
        self.peer_largest = 0  # plaintext bytes
        self.key: KeyUse | None = None  # of the open session

    # -- for the caller --------------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether messages can be sealed. Only an open session can end."""
        return ENDED in self._transitions[self._state]

    @property
    def half_open(self) -> bool:
        """Whether a handshake has begun and not finished. Drop it HANDSHAKE_DEADLINE_MS after it began."""
        return HANDSHAKE_DROPPED in self._transitions[self._state]

    @property
    def state(self) -> str:
        """One of "idle", "handshake" and "open". An open session stays "open" during another handshake."""
        return "open" if self.is_open else "handshake" if self.half_open else "idle"

    @property
    def features(self) -> int:
        """Feature bits that both sides set; 0 when no session is open."""
        return self._features & self.peer.features if self.peer is not None else 0

    def counters(self) -> dict[str, int]:
        """How often what was dropped, by name, since this object was made: carrier, handshake and sealed messages."""
        counts = self._carrier.counters()
        counts.update(self._counts)
        if self._opener is not None:
            for name in ("reflected", "bad_mac", "replayed", "missed"):
                counts[name] = counts.get(name, 0) + getattr(self._opener, name)
        return counts  # type: ignore[no-any-return]

    def receive(self, data: bytes) -> list:  # type: ignore[type-arg]
        """Take bytes from the link (for fragments: one fragment); return events. Never raises."""
        events: list = []  # type: ignore[type-arg]
        for kind, payload in self._carrier.feed(data):
            if kind == "text":
                events.append(Text(payload))
            else:
                self._receive_payload(payload, events)
        return events

    def seal_pieces(self, message: tuple) -> list[bytes]:  # type: ignore[type-arg]
        """Seal one message into the pieces that the carrier writes."""
        if self._sealer is None:
            raise LocalError("no session is open")
        plaintext = message_part.encode(message)
        if len(plaintext) > self.peer_largest:
            raise LocalError(f"a message of {len(plaintext)} bytes; the peer takes {self.peer_largest}")
        return self._carrier.encode(self._sealer.seal(plaintext))  # type: ignore[no-any-return]

    def seal(self, message: tuple) -> bytes:  # type: ignore[type-arg]
        """Seal one message into the bytes for the link."""
        return b"".join(self.seal_pieces(message))

    def close(self, reason: int) -> list:  # type: ignore[type-arg]
        """Say BYE and end the open session; no events when none is open."""
        if self._sealer is None:
            return []
        events: list = []  # type: ignore[type-arg]
        try:
            for piece in self.seal_pieces(message_part.Bye(reason)):
                events.append(Send(piece))
        except LocalError:
            # The counter is used up, or the peer accepts no message of this size. The peer will notice the silence.
            self._count("unsaid_bye")
        self._end(reason, events)
        return events

    def link_lost(self) -> list:  # type: ignore[type-arg]
        """The link is gone: forget the keys, the handshake and what was half received."""
        events: list = [Text(data) for _, data in self._carrier.flush()]  # type: ignore[type-arg]
        self.drop_half_open()
        self._end(CLOSED_LINK_LOST, events)
        return events

    def drop_half_open(self) -> None:
        """Give up a handshake that has not finished; an open session stays open."""
        self._step(HANDSHAKE_DROPPED)
        self._half = None

    # -- inside ----------------------------------------------------------------------------------------------------

    def _step(self, happened: int) -> bool:
        """Move to the next state. False when the table has no such step: the state stays."""
        steps = self._transitions[self._state]
        if happened not in steps:
            return False
        self._state = steps[happened]
        return True

    def _fresh_nonce(self) -> bytes:
        return hello_part.fresh_nonce(self._random_bytes, self._boot)

    def _count(self, name: str, by: int = 1) -> None:
        self._counts[name] = self._counts.get(name, 0) + by

    def _send(self, payload: bytes, events: list) -> None:  # type: ignore[type-arg]
        for piece in self._carrier.encode(payload):
            events.append(Send(piece))

    def _receive_payload(self, payload: bytes, events: list) -> None:  # type: ignore[type-arg]
        magic = payload[:4]
        try:
            if payload[0] in (sealed.TAG_TO_DEVICE, sealed.TAG_TO_HOST):
                self._receive_sealed(payload, events)
            elif magic == hello_part.HELLO_MAGIC:
                peer = hello_part.decode_hello(payload)
                if peer.role == self._role:
                    self._count("reflected")
                else:
                    self._receive_hello(peer, payload, events)
            elif magic == hello_part.PROOF_MAGIC:
                self._receive_proof(payload, events)
            elif magic == hello_part.REFUSE_MAGIC:
                self._receive_refuse(hello_part.decode_refuse(payload), events)
            else:
                self._count("unknown_payload")
        except RemoteError:
            self._count("bad_payload")

    def _receive_sealed(self, payload: bytes, events: list) -> None:  # type: ignore[type-arg]
        if self._opener is None:
            self._count("not_open")
            return
        plaintext = self._opener.open(payload)
        if plaintext is None:
            return
        try:
            message = message_part.decode(plaintext)
        except RemoteError:
            self._count("bad_message")
            return
        if isinstance(message, message_part.Bye):
            self._end(message.reason, events)
        else:
            events.append(Received(message))

    def _begin(self, key, peer: Hello, host_hello: bytes, device_hello: bytes, events: list) -> None:  # type: ignore[no-untyped-def,type-arg]
        """The other side's PROOF is right: replace the session that is open, if any."""
        self._step(PROOF_RIGHT)
        self._forget_keys(message_part.BYE_REPLACED, events)
        keys = hello_part.session_keys(key.key, host_hello, device_hello)
        down = (keys.h2d_encrypt, keys.h2d_auth, sealed.TAG_TO_DEVICE)
        up = (keys.d2h_encrypt, keys.d2h_auth, sealed.TAG_TO_HOST)
        to_peer, from_peer = (down, up) if self._role == hello_part.ROLE_HOST else (up, down)
        self._sealer = sealed.Sealer(*to_peer)
        self._opener = sealed.Opener(*from_peer)
        self.peer = peer
        self.peer_largest = min(peer.largest, message_part.MAX_MESSAGE_BYTES)
        self.key = KeyUse(key.key_id, key.role, key.name)
        events.append(Opened(peer, hello_part.common_version(peer.low, peer.high), self.key))

    def _end(self, reason: int, events: list) -> None:  # type: ignore[type-arg]
        self._step(ENDED)
        self._forget_keys(reason, events)

    def _forget_keys(self, reason: int, events: list) -> None:  # type: ignore[type-arg]
        if self._opener is None:
            return
        for name in ("reflected", "bad_mac", "replayed", "missed"):
            self._count(name, getattr(self._opener, name))
        self._sealer = None
        self._opener = None
        self.peer = None
        self.peer_largest = 0
        self.key = None
        events.append(Closed(reason))

    def _receive_hello(self, peer: Hello, payload: bytes, events: list) -> None:  # type: ignore[type-arg]
        raise NotImplementedError

    def _receive_proof(self, payload: bytes, events: list) -> None:  # type: ignore[type-arg]
        raise NotImplementedError

    def _receive_refuse(self, refuse: hello_part.Refuse, events: list) -> None:  # type: ignore[type-arg]
        raise NotImplementedError
