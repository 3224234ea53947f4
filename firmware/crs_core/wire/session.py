"""One session over one link, without I/O: bytes in, events out. Host and device run the same state machine.

    host = HostSession(key_id, key, random_bytes)            device = DeviceSession(device_id, journal_id, keys,
    to_device = host.start()                                                        random_bytes)
    for event in host.receive(data): ...                     for event in device.receive(data): ...

`receive(data)` takes whatever the port gave and returns events in order:
    Send(data)                     put these bytes on the link now
    Opened(peer, version, key)     the session is open; `peer` is the other side's Hello, `key` the KeyUse in use
                                   (key_id, role, name; the secret stays inside)
    Received(message)              an authenticated message (message.py); Unknown types are passed on: skip them
    Refused(reason, low, high)     no session: hello.REFUSE_*. REFUSE is not authenticated, so it is advice: nothing
                                   is closed by it; wait, then `start()` again
    Closed(reason)                 the open session ended: message.BYE_* or CLOSED_LINK_LOST
    Text(data)                     bytes that stood between frames
`seal(message)` -> bytes for the link (`seal_pieces` -> list, one write each, for fragment carriers); LocalError unless
`state` is "open" or when the message is larger than the peer accepts (`peer_largest`).
`close(reason)` -> events that say BYE and end the session; `link_lost()` -> events, keys forgotten, ready for a new
link; `counters()` -> dict of everything dropped. `state` is "idle", "handshake" or "open".
The caller owns the clock: it drops a handshake with `drop_half_open()` after HANDSHAKE_DEADLINE_MS, and the host calls
`start()` again. Nothing that arrives makes `receive` raise. `random_bytes(n)` must be the system's secure source.
A device keeps its open session while someone else's HELLO is unproved: only a verified PROOF replaces it.
"""

from crs_core.compat import const
from crs_core.wire import hello as hello_part
from crs_core.wire import message as message_part
from crs_core.wire import sealed
from crs_core.wire.carrier import SerialCarrier
from crs_core.wire.hello import Hello
from crs_core.wire.session_core import (
    CLOSED_LINK_LOST,
    Closed,
    KeyUse,
    Opened,
    Received,
    Refused,
    Send,
    SessionCore,
    Text,
)

HANDSHAKE_DEADLINE_MS = const(5000)
SERIAL_LARGEST_TO_DEVICE = const(
    111
)  # 128 bytes with seal and CRC: fits a 260-byte RX ring even if all is stuffed
LARGEST_TO_HOST = const(4096)

__all__ = (
    "CLOSED_LINK_LOST", "HANDSHAKE_DEADLINE_MS", "LARGEST_TO_HOST", "SERIAL_LARGEST_TO_DEVICE",
    "Closed", "DeviceSession", "KeyUse", "Opened", "Received", "Refused", "Send", "Text",
)  # fmt: skip


class DeviceSession(SessionCore):
    """The wearable's side. `keys` is a list of Key (key_id, role, key, name); `journal_id` may be set anew at any time
    and is told in the next HELLO."""

    _role = hello_part.ROLE_DEVICE

    def __init__(  # type: ignore[no-untyped-def]
        self, device_id: bytes, journal_id: bytes, keys: list, random_bytes,  # type: ignore[type-arg]
        features: int = hello_part.FEATURES, largest: int = SERIAL_LARGEST_TO_DEVICE, carrier=None,
    ) -> None:  # fmt: skip
        SessionCore.__init__(self, carrier or SerialCarrier(False, largest), random_bytes, features, largest)
        self.device_id = device_id
        self.journal_id = journal_id
        self._keys = list(keys)
        self._half: tuple | None = None  # type: ignore[type-arg]  # (Key, peer Hello, host HELLO bytes, device HELLO bytes)
        self._told_no_session = False
        self._open_key = None  # the whole Key of the open session, to see it change

    @property
    def state(self) -> str:
        """ "idle", "handshake" or "open"; an open session stays "open" while another HELLO is unproved."""
        return "open" if self._sealer is not None else "idle" if self._half is None else "handshake"

    @property
    def half_open(self) -> bool:
        """Whether a HELLO waits for its PROOF: drop it HANDSHAKE_DEADLINE_MS after it came."""
        return self._half is not None

    def drop_half_open(self) -> None:
        """Forget a HELLO whose PROOF did not come."""
        self._half = None

    def set_keys(self, keys: list) -> list:  # type: ignore[type-arg]
        """Take a new key list; a session or handshake under a key that is gone or changed ends at once."""
        self._keys = list(keys)
        if self._half is not None and self._half[0] not in self._keys:
            self._half = None
        if self._open_key is not None and self._open_key not in self._keys:
            self._open_key = None
            return self.close(message_part.BYE_REVOKED)
        return []

    def refuse_busy(self) -> list:  # type: ignore[type-arg]
        """Events that tell a peer to come later; for a caller that will not talk now."""
        events: list = []  # type: ignore[type-arg]
        self._send(hello_part.encode_refuse(hello_part.REFUSE_BUSY), events)
        return events

    def _refuse(self, reason: int, peer: Hello, events: list) -> None:  # type: ignore[type-arg]
        self._send(hello_part.encode_refuse(reason), events)
        events.append(Refused(reason, peer.low, peer.high))

    def _receive_hello(self, peer: Hello, payload: bytes, events: list) -> None:  # type: ignore[type-arg]
        if self._half is not None and self._half[2] == payload:
            self._count("doubled_hello")
            self._send(self._half[3], events)  # the same answer: a doubled frame must not spoil the handshake
            return
        if not hello_part.common_version(peer.low, peer.high):
            self._count("refused_version")
            self._refuse(hello_part.REFUSE_VERSION, peer, events)
            return
        for key in self._keys:
            if key.key_id == peer.key_id:
                break
        else:
            self._count("refused_key")
            self._refuse(hello_part.REFUSE_KEY, peer, events)
            return
        own = hello_part.encode_hello(Hello(
            hello_part.VERSION_LOW, hello_part.VERSION_HIGH, self._features, self._largest, self._role,
            self.device_id, self.journal_id, key.key_id, self._random_bytes(hello_part.NONCE_BYTES),
        ))  # fmt: skip
        self._half = (key, peer, payload, own)
        self._send(own, events)

    def _receive_proof(self, payload: bytes, events: list) -> None:  # type: ignore[type-arg]
        if self._half is None:
            self._count("unexpected")
            return
        key, peer, host_hello, own = self._half
        self._half = None  # one try per nonce
        if not hello_part.verify_proof(payload, key.key, hello_part.ROLE_HOST, host_hello, own):
            self._count("refused_proof")
            self._refuse(hello_part.REFUSE_PROOF, peer, events)
            return
        self._send(hello_part.encode_proof(key.key, self._role, host_hello, own), events)
        self._told_no_session = False
        self._open_key = key
        self._begin(key, peer, host_hello, own, events)

    def _receive_refuse(self, refuse: hello_part.Refuse, events: list) -> None:  # type: ignore[type-arg]
        self._count("unexpected")  # hosts do not refuse: they just do not prove

    def _receive_sealed(self, payload: bytes, events: list) -> None:  # type: ignore[type-arg]
        if self._opener is None and payload[0] == sealed.TAG_TO_DEVICE and not self._told_no_session:
            self._told_no_session = True  # once, so that noise cannot make the device talk
            self._send(hello_part.encode_refuse(hello_part.REFUSE_NO_SESSION), events)
        SessionCore._receive_sealed(self, payload, events)


def __getattr__(name: str):  # type: ignore[no-untyped-def]
    if name == "HostSession":  # a wearable never plays the host, and its heap is small
        from crs_core.wire.session_host import HostSession

        return HostSession
    raise AttributeError(name)
