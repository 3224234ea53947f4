"""The wearable's side of a session: it answers, never speaks first, and keeps an open session until a new proof."""

from crs_core.compat import const
from crs_core.wire import hello as hello_part
from crs_core.wire import message as message_part
from crs_core.wire import sealed
from crs_core.wire import session as base
from crs_core.wire.hello import Hello
from crs_core.wire.serial_carrier import SerialCarrier
from crs_core.wire.session import (
    ENDED,
    HANDSHAKE_DROPPED,
    HELLO_ACCEPTED,
    IDLE,
    OPEN,
    PROOF_RIGHT,
    PROOF_WRONG,
)

HANDSHAKE = const(2)  # a HELLO was answered and waits for its PROOF
RENEWING = const(3)  # as HANDSHAKE, while the session before is still open

# state: {what happens: next state}. What is not listed changes nothing.
TRANSITIONS = {
    IDLE: {HELLO_ACCEPTED: HANDSHAKE},
    HANDSHAKE: {HELLO_ACCEPTED: HANDSHAKE, PROOF_RIGHT: OPEN, PROOF_WRONG: IDLE, HANDSHAKE_DROPPED: IDLE},
    OPEN: {HELLO_ACCEPTED: RENEWING, ENDED: IDLE},
    RENEWING: {
        HELLO_ACCEPTED: RENEWING,
        PROOF_RIGHT: OPEN,
        PROOF_WRONG: OPEN,
        HANDSHAKE_DROPPED: OPEN,
        ENDED: HANDSHAKE,
    },
}


class DeviceSession(base.Session):
    """The wearable's side. `keys` is a list of Key (key_id, role, key, name). `journal_id` may be set at any time; the
    next HELLO names it. `boot` is the number of this start, which flash keeps."""

    _role = hello_part.ROLE_DEVICE
    _transitions = TRANSITIONS

    def __init__(  # type: ignore[no-untyped-def]
        self, device_id: bytes, journal_id: bytes, keys: list, random_bytes,  # type: ignore[type-arg]
        features: int = hello_part.FEATURES, largest: int = base.SERIAL_LARGEST_TO_DEVICE, carrier=None,
        boot: int = 0,
    ) -> None:  # fmt: skip
        base.Session.__init__(
            self, carrier or SerialCarrier(False, largest), random_bytes, features, largest, boot
        )
        self.device_id = device_id
        self.journal_id = journal_id
        self._keys = list(keys)  # `_half` is (Key, peer Hello, host HELLO bytes, device HELLO bytes)
        self._told_no_session = False
        self._open_key = None  # the whole Key of the open session, to notice that it changed

    def set_keys(self, keys: list) -> list:  # type: ignore[type-arg]
        """Take a new key list; a session or handshake under a key that is gone or changed ends at once."""
        self._keys = list(keys)
        if self._half is not None and self._half[0] not in self._keys:
            self.drop_half_open()
        if self._open_key is not None and self._open_key not in self._keys:
            self._open_key = None
            return self.close(message_part.BYE_REVOKED)
        return []

    def _refuse(self, reason: int, peer: Hello, events: list) -> None:  # type: ignore[type-arg]
        self._send(hello_part.encode_refuse(reason), events)
        events.append(base.Refused(reason, peer.low, peer.high))

    def _receive_hello(self, peer: Hello, payload: bytes, events: list) -> None:  # type: ignore[type-arg]
        if self._half is not None and self._half[2] == payload:
            self._count("doubled_hello")
            # A doubled frame must not spoil the handshake: it gets the same answer.
            self._send(self._half[3], events)
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
            self.device_id, self.journal_id, key.key_id, self._fresh_nonce(),
        ))  # fmt: skip
        self._step(HELLO_ACCEPTED)
        self._half = (key, peer, payload, own)
        self._send(own, events)

    def _receive_proof(self, payload: bytes, events: list) -> None:  # type: ignore[type-arg]
        if self._half is None:
            self._count("unexpected")
            return
        key, peer, host_hello, own = self._half
        self._half = None  # one try per nonce
        if not hello_part.verify_proof(payload, key.key, hello_part.ROLE_HOST, host_hello, own):
            self._step(PROOF_WRONG)
            self._count("refused_proof")
            self._refuse(hello_part.REFUSE_PROOF, peer, events)
            return
        self._send(hello_part.encode_proof(key.key, self._role, host_hello, own), events)
        self._told_no_session = False
        self._open_key = key
        self._begin(key, peer, host_hello, own, events)

    def _receive_refuse(self, refuse: hello_part.Refuse, events: list) -> None:  # type: ignore[type-arg]
        # A host that does not want a session sends no PROOF; it has no reason to send REFUSE.
        self._count("unexpected")

    def _receive_sealed(self, payload: bytes, events: list) -> None:  # type: ignore[type-arg]
        if self._opener is None and payload[0] == sealed.TAG_TO_DEVICE and not self._told_no_session:
            # Once until a session opens, so that noise cannot make the device talk.
            self._told_no_session = True
            self._send(hello_part.encode_refuse(hello_part.REFUSE_NO_SESSION), events)
        base.Session._receive_sealed(self, payload, events)
