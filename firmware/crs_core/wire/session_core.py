"""What both roles of a session share: the events, the open session's two directions, the way in from the carrier.

Use it through session.py.
"""

from collections import namedtuple

from crs_core.compat import const
from crs_core.errors import LocalError, RemoteError
from crs_core.wire import hello as hello_part
from crs_core.wire import message as message_part
from crs_core.wire import sealed
from crs_core.wire.hello import Hello

CLOSED_LINK_LOST = const(255)  # never on the wire
SERIAL_LARGEST_TO_DEVICE = const(
    111
)  # 128 bytes with seal and CRC: fits a 260-byte RX ring even if all is stuffed
LARGEST_TO_HOST = const(4096)

Send = namedtuple("Send", ("data",))
KeyUse = namedtuple("KeyUse", ("key_id", "role", "name"))  # a Key without its secret: events end up in logs
Opened = namedtuple("Opened", ("peer", "version", "key"))
Received = namedtuple("Received", ("message",))
Refused = namedtuple("Refused", ("reason", "low", "high"))
Closed = namedtuple("Closed", ("reason",))
Text = namedtuple("Text", ("data",))


class SessionCore:
    """What both roles share: the open session, its counters and the way in from the carrier."""

    _role = 0

    def __init__(self, carrier, random_bytes, features: int, largest: int) -> None:  # type: ignore[no-untyped-def]
        self._carrier = carrier
        self._random_bytes = random_bytes
        self._features = features
        self._largest = largest
        self._sealer: sealed.Sealer | None = None
        self._opener: sealed.Opener | None = None
        self._counts: dict[str, int] = {}
        self.peer: Hello | None = None  # of the open session
        self.peer_largest = 0  # plaintext bytes
        self.key: KeyUse | None = None  # of the open session

    # -- for the caller --------------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether messages can be sealed."""
        return self._sealer is not None

    @property
    def features(self) -> int:
        """Feature bits that both sides set; 0 when no session is open."""
        return self._features & self.peer.features if self.peer is not None else 0

    def counters(self) -> dict[str, int]:
        """Every dropped thing by name, since this object was made: carrier, handshake and sealed layer together."""
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
            # the counter is used up, or the peer takes nothing: it will see silence
            self._count("unsaid_bye")
        self._end(reason, events)
        return events

    def link_lost(self) -> list:  # type: ignore[type-arg]
        """The link is gone: forget keys, handshake and half-received frames."""
        events: list = [Text(data) for _, data in self._carrier.flush()]  # type: ignore[type-arg]
        self.drop_half_open()
        self._end(CLOSED_LINK_LOST, events)
        return events

    def drop_half_open(self) -> None:
        """Forget a handshake that is not finished; an open session stays."""
        raise NotImplementedError

    # -- inside ----------------------------------------------------------------------------------------------------

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
        self._end(message_part.BYE_REPLACED, events)
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
