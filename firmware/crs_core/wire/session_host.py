"""The host's side of a session: it speaks first, proves first, and opens only the wearable that it expects."""

from crs_core.compat import const
from crs_core.wire import hello as hello_part
from crs_core.wire import message as message_part
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
    STARTED,
)

HELLO_SENT = const(2)
PROOF_SENT = const(3)

# state: {what happens: next state}. What is not listed changes nothing.
TRANSITIONS = {
    IDLE: {STARTED: HELLO_SENT},
    HELLO_SENT: {STARTED: HELLO_SENT, HELLO_ACCEPTED: PROOF_SENT, HANDSHAKE_DROPPED: IDLE},
    PROOF_SENT: {STARTED: HELLO_SENT, PROOF_RIGHT: OPEN, PROOF_WRONG: IDLE, HANDSHAKE_DROPPED: IDLE},
    OPEN: {STARTED: HELLO_SENT, ENDED: IDLE},
}


class HostSession(base.Session):
    """The host's side, under one Key (key_id, role, key, name). With `device_id` another device is not opened."""

    _role = hello_part.ROLE_HOST
    _transitions = TRANSITIONS

    def __init__(  # type: ignore[no-untyped-def]
        self, key, random_bytes, device_id: bytes | None = None,
        features: int = hello_part.FEATURES, largest: int = base.LARGEST_TO_HOST, carrier=None,
    ) -> None:  # fmt: skip
        base.Session.__init__(self, carrier or SerialCarrier(True, largest), random_bytes, features, largest)
        self._own_key = key
        self._device_id = device_id  # `_half` is (own HELLO bytes, device HELLO bytes, device Hello)

    def start(self) -> bytes:
        """Return the HELLO to write. An open session of this side ends without a BYE."""
        return b"".join(self.start_pieces())

    def start_pieces(self) -> list[bytes]:
        """`start` as the pieces that the carrier writes."""
        self._step(STARTED)
        self._forget_keys(message_part.BYE_REPLACED, [])
        own_hello = hello_part.encode_hello(Hello(
            hello_part.VERSION_LOW, hello_part.VERSION_HIGH, self._features, self._largest, self._role,
            hello_part.NO_ID, hello_part.NO_ID, self._own_key.key_id, self._fresh_nonce(),
        ))  # fmt: skip
        self._half = (own_hello, b"", None)
        return self._carrier.encode(own_hello)  # type: ignore[no-any-return]

    def again_pieces(self) -> list[bytes]:
        """The same HELLO once more, for a link that lost it; after `start`."""
        if self._half is None:
            return self.start_pieces()
        return self._carrier.encode(self._half[0])  # type: ignore[no-any-return]

    def _receive_hello(self, peer: Hello, payload: bytes, events: list) -> None:  # type: ignore[type-arg]
        if self._half is None or self._state != HELLO_SENT:
            self._count("unexpected")
            return
        reason = 0
        if not hello_part.common_version(peer.low, peer.high):
            reason = hello_part.REFUSE_VERSION
        elif self._device_id is not None and peer.device_id != self._device_id:
            reason = hello_part.REFUSE_DEVICE
        elif peer.key_id != self._own_key.key_id:
            reason = hello_part.REFUSE_KEY
        if reason:
            self._count("refused")
            events.append(base.Refused(reason, peer.low, peer.high))
            return
        own_hello = self._half[0]
        self._step(HELLO_ACCEPTED)
        self._half = (own_hello, payload, peer)
        self._send(hello_part.encode_proof(self._own_key.key, self._role, own_hello, payload), events)

    def _receive_proof(self, payload: bytes, events: list) -> None:  # type: ignore[type-arg]
        if self._half is None or self._state != PROOF_SENT:
            self._count("unexpected")
            return
        own_hello, device_hello, peer = self._half
        self._half = None
        if not hello_part.verify_proof(
            payload, self._own_key.key, hello_part.ROLE_DEVICE, own_hello, device_hello
        ):
            self._step(PROOF_WRONG)
            self._count("refused")
            events.append(base.Refused(hello_part.REFUSE_PROOF, peer.low, peer.high))
            return
        self._begin(self._own_key, peer, own_hello, device_hello, events)

    def _receive_refuse(self, refuse: hello_part.Refuse, events: list) -> None:  # type: ignore[type-arg]
        self._count("refused")
        events.append(base.Refused(refuse.reason, refuse.low, refuse.high))
